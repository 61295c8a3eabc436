// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that mask and unmask INTx: what is asked for by signalling one comes before
 * whatever is asked for later by another call.
 *
 * The driver acts on such an eventfd in a work item. The tests keep the CPU as long as
 * they do not wait for something themselves (SCHED_FIFO), so the work item is always
 * late, unless the driver waits for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER

FIXTURE(bound) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int trigger;
	int mask;
	int unmask;
	int data_fd;
};

/* @from runs, @away does not */
FIXTURE_VARIANT(bound) {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state away;
};

#define VARIANT(_from, _away) \
	FIXTURE_VARIANT_ADD(bound, _from##_to_##_away) { \
		.from = VFIO_DEVICE_STATE_##_from, \
		.away = VFIO_DEVICE_STATE_##_away, \
	}

VARIANT(RUNNING, STOP);
VARIANT(RUNNING, STOP_COPY);
VARIANT(RUNNING_P2P, STOP);
VARIANT(PRE_COPY, STOP_COPY);
VARIANT(PRE_COPY_P2P, STOP_COPY);

#define CONNECT() do { \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, \
				      self->trigger), "INTx"); \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, MASK, self->mask), \
		   "MASK"); \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->unmask), \
		   "UNMASK"); \
} while (0)
#define RAISE()	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise")
#define LOWER()	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower")
#define SIGNAL(_fd) \
	ASSERT_RET(0, vmig_eventfd_signal(_fd), #_fd)
#define ACTION(_action) \
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, _action), #_action)
#define GO(_state) \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, _state, NULL), "to %s", \
		   vmig_state_name(_state))
#define EXPECT_SIGNALS(_want) \
	EXPECT_EQ(_want, vmig_eventfd_take(self->trigger))
/* Late work can run now: long enough for a worker, if there is work */
#define LET_WORK() \
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->trigger, 20))

/* On one CPU, before all that has no deadline: so before the kernel's workers */
static int keep_the_cpu(void)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return -errno;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	return 0;
}

FIXTURE_SETUP(bound)
{
	self->dev = &self->td.dev;
	self->data_fd = -1;
	self->trigger = vmig_eventfd_create();
	ASSERT_LE(0, self->trigger);
	self->mask = vmig_eventfd_create();
	ASSERT_LE(0, self->mask);
	self->unmask = vmig_eventfd_create();
	ASSERT_LE(0, self->unmask);
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY,
				       NULL));
	CONNECT();
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->from, NULL,
					  &self->data_fd), "to %s",
		   vmig_state_name(variant->from));
	ASSERT_RET(0, keep_the_cpu(), "SCHED_FIFO");
}

FIXTURE_TEARDOWN(bound)
{
	if (self->data_fd >= 0)
		close(self->data_fd);
	close(self->trigger);
	close(self->mask);
	close(self->unmask);
	vmig_testdev_close(&self->td);
}

/*
 * Clause: enum vfio_device_mig_state: the arc is complete when SET returns: the unmask
 * that was asked for before it has signalled the level, and nothing comes afterwards
 */
TEST_F(bound, unmask_before_the_arc)
{
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->unmask);
	GO(variant->away);
	EXPECT_SIGNALS(1);
	LET_WORK();
}

/* Clause: the same for a mask: it holds what comes up after the arc */
TEST_F(bound, mask_before_the_arc)
{
	SIGNAL(self->mask);
	GO(variant->away);
	GO(VFIO_DEVICE_STATE_RUNNING);
	RAISE();
	EXPECT_SIGNALS(0);
	ACTION(UNMASK);
	EXPECT_SIGNALS(1);
}

/* Clause: the arc to RUNNING: a mask that was asked for before it is there */
TEST_F(bound, mask_before_running)
{
	GO(variant->away);
	RAISE();
	SIGNAL(self->mask);
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_SIGNALS(0);
	SIGNAL(self->unmask);
	EXPECT_EQ(1, vmig_eventfd_wait(self->trigger, VMIG_IRQ_DEADLINE_MS));
}

/* Clause: VFIO_DEVICE_RESET: a mask that was asked for before it is gone */
TEST_F(bound, mask_before_reset)
{
	SIGNAL(self->mask);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	LET_WORK();
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_DEVICE_SET_IRQS, UNMASK: comes after a mask that was asked for before */
TEST_F(bound, mask_before_unmask)
{
	SIGNAL(self->mask);
	ACTION(UNMASK);
	LET_WORK();
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_DEVICE_SET_IRQS, MASK: comes after an unmask that was asked for before */
TEST_F(bound, unmask_before_mask)
{
	RAISE();
	EXPECT_SIGNALS(1);
	LOWER();
	SIGNAL(self->unmask);
	ACTION(MASK);
	RAISE();
	EXPECT_SIGNALS(0);
	LET_WORK();
}

/* Clause: VFIO_DEVICE_SET_IRQS, INTx disabled: a mask asked for before it is gone */
TEST_F(bound, mask_before_disable)
{
	SIGNAL(self->mask);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	vmig_eventfd_take(self->mask);
	CONNECT();
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: close of the device: a mask asked for before it is not for the next user */
TEST_F(bound, mask_before_close)
{
	SIGNAL(self->mask);
	if (self->data_fd >= 0)
		close(self->data_fd);
	self->data_fd = -1;
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	vmig_eventfd_take(self->mask);
	CONNECT();
	RAISE();
	EXPECT_SIGNALS(1);
}

TEST_HARNESS_MAIN
