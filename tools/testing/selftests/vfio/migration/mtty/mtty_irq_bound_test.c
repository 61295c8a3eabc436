// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that mask and unmask INTx: a signalled one takes effect before any later call.
 *
 * The driver acts on such an eventfd in a work item. The tests keep the CPU while they do
 * not sleep (SCHED_FIFO), so the work item is late unless the driver waits for it.
 */
#include <errno.h>

#include "mtty/irq_fixture.h"
#include "lib/vfio/thread.h"

FIXTURE(bound) {
	DEVICE_MEMBERS;
	int trigger;
	int mask;
	int unmask;
};

/* @from runs, @away does not; @again: other eventfds were bound before */
FIXTURE_VARIANT(bound) {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state away;
	unsigned int again;
};

#define VARIANT(_from, _away, _again) \
	FIXTURE_VARIANT_ADD(bound, _from##_to_##_away##_after_##_again) { \
		.from = VFIO_DEVICE_STATE_##_from, \
		.away = VFIO_DEVICE_STATE_##_away, \
		.again = _again, \
	}

VARIANT(RUNNING, STOP, 0);
VARIANT(RUNNING, STOP, 1);
VARIANT(RUNNING, STOP, 2);
VARIANT(RUNNING, STOP_COPY, 0);
VARIANT(RUNNING_P2P, STOP, 0);
VARIANT(PRE_COPY, STOP_COPY, 0);
VARIANT(PRE_COPY_P2P, STOP_COPY, 1);

#define BIND_ALL() do { \
	CONNECT(INTX, self->trigger); \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, MASK, self->mask), \
		   "MASK"); \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->unmask), \
		   "UNMASK"); \
} while (0)
#define SIGNAL(_fd) \
	ASSERT_RET(0, vmig_eventfd_signal(_fd), #_fd)
#define ACTION(_action) \
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, _action), #_action)
#define EXPECT_TRIGGER(_want) \
	EXPECT_EQ(_want, vmig_eventfd_take(self->trigger))
/* Sleeps, so that a late work item would run now */
#define EXPECT_NO_LATE_SIGNAL() \
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->trigger, 20))

/* Bind other eventfds so often; they may be closed at once */
static int bind_others(struct vmig_device *dev, int trigger, unsigned int nr)
{
	int ret, fd;

	ret = vmig_irq_set_fd(dev, INTX, TRIGGER, trigger);
	while (!ret && nr--) {
		fd = vmig_eventfd_create();
		if (fd < 0)
			return fd;
		ret = vmig_irq_set_fd(dev, INTX, MASK, fd);
		if (!ret)
			ret = vmig_irq_set_fd(dev, INTX, UNMASK, fd);
		close(fd);
	}
	return ret;
}

FIXTURE_SETUP(bound)
{
	OPEN_DEVICE("mtty-2");
	self->trigger = vmig_eventfd_create();
	ASSERT_LE(0, self->trigger);
	self->mask = vmig_eventfd_create();
	ASSERT_LE(0, self->mask);
	self->unmask = vmig_eventfd_create();
	ASSERT_LE(0, self->unmask);
	ASSERT_RET(0, bind_others(self->dev, self->trigger, variant->again), "others");
	BIND_ALL();
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->from, NULL,
					  &self->fd), "to %s",
		   vmig_state_name(variant->from));
	ASSERT_RET(0, vmig_keep_cpu(), "SCHED_FIFO");
}

FIXTURE_TEARDOWN(bound)
{
	close(self->trigger);
	close(self->mask);
	close(self->unmask);
	CLOSE_DEVICE();
}

/* Driver: enum vfio_device_mig_state: no interrupt in STOP, not even a late one */
TEST_F(bound, no_signal_after_the_arc)
{
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->unmask);
	GO(variant->away);
	vmig_eventfd_take(self->trigger);
	EXPECT_NO_LATE_SIGNAL();
}

/* Driver: an unmask before the arc signals the level before the arc */
TEST_F(bound, unmask_before_the_arc)
{
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->unmask);
	GO(variant->away);
	EXPECT_TRIGGER(1);
}

/* Driver: a mask before the arc: an assertion after it is not signalled */
TEST_F(bound, mask_before_the_arc)
{
	SIGNAL(self->mask);
	GO(variant->away);
	GO(VFIO_DEVICE_STATE_RUNNING);
	RAISE();
	EXPECT_TRIGGER(0);
	ACTION(UNMASK);
	EXPECT_TRIGGER(1);
}

/* Driver: a mask before the arc to RUNNING: not signalled in RUNNING */
TEST_F(bound, mask_before_running)
{
	GO(variant->away);
	RAISE();
	SIGNAL(self->mask);
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_TRIGGER(0);
	SIGNAL(self->unmask);
	EXPECT_EQ(1, vmig_eventfd_wait(self->trigger, VMIG_IRQ_DEADLINE_MS));
}

/* Driver: a mask before VFIO_DEVICE_RESET: INTx is unmasked after it */
TEST_F(bound, mask_before_reset)
{
	SIGNAL(self->mask);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_NO_LATE_SIGNAL();
	RAISE();
	EXPECT_TRIGGER(1);
}

/* Driver: a mask before VFIO_DEVICE_SET_IRQS, UNMASK: INTx is unmasked after it */
TEST_F(bound, mask_before_unmask)
{
	SIGNAL(self->mask);
	ACTION(UNMASK);
	EXPECT_NO_LATE_SIGNAL();
	RAISE();
	EXPECT_TRIGGER(1);
}

/* Driver: an unmask before VFIO_DEVICE_SET_IRQS, MASK: INTx is masked after it */
TEST_F(bound, unmask_before_mask)
{
	RAISE();
	EXPECT_TRIGGER(1);
	LOWER();
	SIGNAL(self->unmask);
	ACTION(MASK);
	RAISE();
	EXPECT_TRIGGER(0);
	EXPECT_NO_LATE_SIGNAL();
}

/* Driver: an unmask of a high level before MASK: signalled, and then masked */
TEST_F(bound, unmask_of_a_high_level_before_mask)
{
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->unmask);
	ACTION(MASK);
	EXPECT_TRIGGER(1);
	LOWER();
	RAISE();
	EXPECT_TRIGGER(0);
	EXPECT_NO_LATE_SIGNAL();
}

/* Driver: an unmask of a high level before it is unbound, or bound anew: signalled */
TEST_F(bound, unmask_before_it_is_unbound)
{
	static const bool anew[] = { false, true };
	unsigned int i;

	RAISE();
	EXPECT_TRIGGER(1);
	for (i = 0; i < ARRAY_SIZE(anew); i++) {
		SIGNAL(self->unmask);
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK,
					      anew[i] ? self->unmask : -1), "UNMASK");
		EXPECT_TRIGGER(1);
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->unmask),
			   "bind");
	}
}

/* Driver: a mask before INTx is disabled: unmasked when it is enabled again */
TEST_F(bound, mask_before_disable)
{
	SIGNAL(self->mask);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	vmig_eventfd_take(self->mask);
	BIND_ALL();
	RAISE();
	EXPECT_TRIGGER(1);
}

/* Driver: a mask before the device is closed: unmasked at the next open */
TEST_F(bound, mask_before_close)
{
	SIGNAL(self->mask);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	vmig_eventfd_take(self->mask);
	BIND_ALL();
	RAISE();
	EXPECT_TRIGGER(1);
}

TEST_HARNESS_MAIN
