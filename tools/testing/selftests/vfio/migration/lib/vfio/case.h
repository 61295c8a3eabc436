/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by cases of any device: the states, a variant for each, steps that must succeed,
 * eventfds, memory that ends at a known address. For tests only; @self->dev is the
 * device.
 */
#ifndef VMIG_CASE_H
#define VMIG_CASE_H

#include <stdbool.h>
#include <unistd.h>
#include <sys/mman.h>

#include "feature.h"
#include "irq.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK

#define ERROR		VFIO_DEVICE_STATE_ERROR
#define STOP		VFIO_DEVICE_STATE_STOP
#define RUNNING		VFIO_DEVICE_STATE_RUNNING
#define STOP_COPY	VFIO_DEVICE_STATE_STOP_COPY
#define RESUMING	VFIO_DEVICE_STATE_RESUMING
#define RUNNING_P2P	VFIO_DEVICE_STATE_RUNNING_P2P
#define PRE_COPY	VFIO_DEVICE_STATE_PRE_COPY
#define PRE_COPY_P2P	VFIO_DEVICE_STATE_PRE_COPY_P2P

/* A variant for each state; its member is "state" */
#define STATE_VARIANTS(_name) \
FIXTURE_VARIANT_ADD(_name, in_error) { .state = ERROR }; \
FIXTURE_VARIANT_ADD(_name, in_stop) { .state = STOP }; \
FIXTURE_VARIANT_ADD(_name, in_running) { .state = RUNNING }; \
FIXTURE_VARIANT_ADD(_name, in_stop_copy) { .state = STOP_COPY }; \
FIXTURE_VARIANT_ADD(_name, in_resuming) { .state = RESUMING }; \
FIXTURE_VARIANT_ADD(_name, in_running_p2p) { .state = RUNNING_P2P }; \
FIXTURE_VARIANT_ADD(_name, in_pre_copy) { .state = PRE_COPY }; \
FIXTURE_VARIANT_ADD(_name, in_pre_copy_p2p) { .state = PRE_COPY_P2P }

/* Only in these states may the device signal an interrupt */
static inline bool state_runs(enum vfio_device_mig_state state)
{
	return state == RUNNING || state == RUNNING_P2P || state == PRE_COPY ||
	       state == PRE_COPY_P2P;
}

#define CONNECT(_index, _fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, _index, TRIGGER, _fd), \
		   "connect an eventfd")
#define GO(_state) do { \
	enum vfio_device_mig_state to_state = (_state); \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, to_state, NULL), "to %s", \
		   vmig_state_name(to_state)); \
} while (0)
/* So many signals since the last look; what follows names the case */
#define EXPECT_SIGNALS(_want, _fd, ...) do { \
	int64_t seen_signals = vmig_eventfd_take(_fd); \
	EXPECT_EQ(_want, seen_signals) { \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)

/* A page that can be used, and behind it one that cannot; returns the end, or NULL */
static inline uint8_t *guarded_page_map(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *map;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	return mprotect(map + page, page, PROT_NONE) ? NULL : map + page;
}

static inline void guarded_page_unmap(uint8_t *end)
{
	const size_t page = sysconf(_SC_PAGESIZE);

	munmap(end - page, 2 * page);
}

#endif /* VMIG_CASE_H */
