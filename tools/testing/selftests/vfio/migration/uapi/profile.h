/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the sequences of calls of VMMs: what a guest's driver did before, what VMMs
 * restore themselves, and how they move data. @_dev is a struct vmig_device.
 */
#ifndef VMIG_PROFILE_H
#define VMIG_PROFILE_H

#include <linux/pci_regs.h>

#include "session.h"

/* QEMU and others read and write device data so many bytes at a time */
#define PROFILE_CHUNK	(1024u * 1024)

/* @command: PCI_COMMAND of the source; @irq: an eventfd of the destination */
#define PROFILE_MEMBERS \
	SUBJECT_MEMBERS; \
	uint16_t command; \
	int irq

#define PROFILE_FIXTURE(_name) \
FIXTURE(_name) { \
	PROFILE_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	self->irq = vmig_eventfd_create(); \
	ASSERT_LE(0, self->irq); \
	OPEN_SUBJECT(); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_SUBJECT(); \
	close(self->irq); \
} \
struct _name##_needs_a_semicolon

/* The guest's driver has the device in use */
#define GUEST_USES(_dev) do { \
	FILL(_dev, SEED); \
	if (self->subject.has & VMIG_HAS_PCI) { \
		ASSERT_RET(0, vmig_bus_master_enable(_dev), "PCI_COMMAND"); \
		ASSERT_RET(0, vmig_config_read16(_dev, PCI_COMMAND, &self->command), \
			   "PCI_COMMAND"); \
	} \
} while (0)

/* The interrupt that a VMM would use; -1: none */
static inline int profile_irq_index(const struct vmig_subject *subject)
{
	if (subject->has & VMIG_HAS_MSIX)
		return MSIX;
	if (subject->has & VMIG_HAS_MSI)
		return MSI;
	return -1;
}

/* VMMs keep config space; the device gets PCI_COMMAND, and its eventfds */
#define RESTORE_CONFIG(_dev) do { \
	int restored_index = profile_irq_index(&self->subject); \
	if (self->subject.has & VMIG_HAS_PCI) \
		EXPECT_RET(0, vmig_config_write16(_dev, PCI_COMMAND, self->command), \
			   "write PCI_COMMAND"); \
	if (restored_index >= 0) \
		EXPECT_RET(0, vmig_irq_set_fd(_dev, restored_index, TRIGGER, self->irq), \
			   "connect the eventfd"); \
} while (0)

/* Go to a state if the device has it, as VMMs do with the P2P states */
#define GO_IF_P2P(_dev, _state) do { \
	if (self->subject.has & VMIG_HAS_P2P) \
		ASSERT_RET(0, vmig_mig_set_state(_dev, _state, NULL), "to %s", \
			   vmig_state_name(_state)); \
} while (0)

#define GO_DEV(_dev, _state) \
	ASSERT_RET(0, vmig_mig_set_state(_dev, _state, NULL), "to %s", vmig_state_name(_state))

#define BEGIN_DEV(_dev, _state, _fd) do { \
	ASSERT_RET(0, vmig_mig_set_state(_dev, _state, _fd), "to %s", \
		   vmig_state_name(_state)); \
	ASSERT_LE(0, *(_fd)); \
} while (0)

#define CLOSE_FD(_fd) do { \
	EXPECT_EQ(0, vmig_call_close(_fd)); \
	(_fd) = -1; \
} while (0)

/*
 * The guest goes on: the device has its contents, and signals interrupts. Must come last;
 * see EXPECT_CONTENTS().
 */
#define EXPECT_GUEST_GOES_ON(_dev, _seed) do { \
	int guest_index = profile_irq_index(&self->subject); \
	if (self->subject.ops->check) \
		EXPECT_FILLED(_dev, _seed); \
	if (guest_index >= 0 && self->subject.ops->irq_raise) { \
		vmig_eventfd_take(self->irq); \
		ASSERT_RET(0, self->subject.ops->irq_raise(_dev, guest_index, 0), "raise"); \
		EXPECT_LT(0, vmig_eventfd_wait(self->irq, VMIG_IRQ_DEADLINE_MS)) { \
			TH_LOG("no interrupt after the migration"); \
		} \
	} \
	if (!self->subject.ops->check && _metadata->exit_code != KSFT_FAIL) \
		SKIP(return, "not checked: the contents: no operation check for %s", \
		     self->subject.ops->name); \
} while (0)

#endif /* VMIG_PROFILE_H */
