/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests of reset and of opening: is a device in order, whatever happened to it
 * before? And any interrupt that a device has.
 */
#ifndef VMIG_USABLE_H
#define VMIG_USABLE_H

#include "states.h"

/* An interrupt that must not come would come in this time */
#define QUIET_MS	20

/* A variant for each state from which a device can run on without a reset, and RESUMING */
#define REACHABLE_STATE_VARIANTS(_name) \
FIXTURE_VARIANT_ADD(_name, in_running) { .state = RUNNING }; \
FIXTURE_VARIANT_ADD(_name, in_stop) { .state = STOP }; \
FIXTURE_VARIANT_ADD(_name, in_stop_copy) { .state = STOP_COPY }; \
FIXTURE_VARIANT_ADD(_name, in_resuming) { .state = RESUMING }; \
FIXTURE_VARIANT_ADD(_name, in_running_p2p) { .state = RUNNING_P2P }; \
FIXTURE_VARIANT_ADD(_name, in_pre_copy) { .state = PRE_COPY }; \
FIXTURE_VARIANT_ADD(_name, in_pre_copy_p2p) { .state = PRE_COPY_P2P }

/* The device can be a source, and one can be a destination; it is in RUNNING */
#define EXPECT_USABLE(_seed) do { \
	struct vmig_device *usable_dst; \
\
	if (self->subject.ops->fill) \
		ASSERT_RET(0, self->subject.ops->fill(self->dev, _seed), "fill"); \
	self->stream.len = 0; \
	ASSERT_STREAM(vmig_transfer_save(self->dev, &self->stream), "save"); \
	OPEN_DESTINATION(usable_dst); \
	ASSERT_RET(0, vmig_transfer_load(usable_dst, &self->stream), "load"); \
	ASSERT_RET(0, vmig_mig_set_state(usable_dst, RUNNING, NULL), "RUNNING"); \
	if (self->subject.ops->check) \
		EXPECT_FILLED(usable_dst, _seed); \
} while (0)

/* The index of an interrupt that the device has, or -1 */
static inline int any_irq(const struct vmig_subject *subject)
{
	static const uint32_t has[] = {
		[INTX] = VMIG_HAS_INTX, [MSI] = VMIG_HAS_MSI, [MSIX] = VMIG_HAS_MSIX,
	};
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(has); i++) {
		if (subject->has & has[i])
			return i;
	}
	return -1;
}

#define NEED_IRQ(_index) do { \
	(_index) = any_irq(&self->subject); \
	if ((_index) < 0) \
		SKIP(return, "not applicable: the device has no interrupts"); \
} while (0)

#endif /* VMIG_USABLE_H */
