// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx is a level: it is masked by being signalled, and whoever unmasks it is
 * told again if it is still there.  Masking and unmasking, by each way there is.
 */
#include <errno.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK

/*
 * What a bound eventfd does, a worker of the kernel does a little later.  That
 * nothing comes is only known after some time, in which it would have.
 */
#define QUIET_MS	100

static int open_with_intx(struct vmig_testdev *td, int fd)
{
	int ret;

	ret = vmig_testdev_open(td, "mtty-2", VMIG_PATH_ANY, NULL);
	if (ret)
		return ret;
	return vmig_irq_set_fd(&td->dev, INTX, TRIGGER, fd);
}

#define RAISE()	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise")
#define LOWER()	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower")
#define EXPECT_SIGNALS(_want) \
	EXPECT_EQ(_want, vmig_eventfd_take(self->trigger))

FIXTURE(irq_mask) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int trigger;
	int hook;
};

FIXTURE_VARIANT(irq_mask) {
	uint32_t type;
};

FIXTURE_VARIANT_ADD(irq_mask, by_none) {
	.type = VFIO_IRQ_SET_DATA_NONE,
};

FIXTURE_VARIANT_ADD(irq_mask, by_bool) {
	.type = VFIO_IRQ_SET_DATA_BOOL,
};

FIXTURE_VARIANT_ADD(irq_mask, by_eventfd) {
	.type = VFIO_IRQ_SET_DATA_EVENTFD,
};

FIXTURE_SETUP(irq_mask)
{
	self->dev = &self->td.dev;
	self->trigger = vmig_eventfd_create();
	ASSERT_LE(0, self->trigger);
	self->hook = vmig_eventfd_create();
	ASSERT_LE(0, self->hook);
	ASSERT_EQ(0, open_with_intx(&self->td, self->trigger));
}

FIXTURE_TEARDOWN(irq_mask)
{
	close(self->trigger);
	close(self->hook);
	vmig_testdev_close(&self->td);
}

/* Unbinding an eventfd waits for what it has set off */
static int act_by_eventfd(FIXTURE_DATA(irq_mask) *self, uint32_t action)
{
	int ret;

	ret = vmig_irq_set_fd(self->dev, INTX, action, self->hook);
	if (!ret)
		ret = vmig_eventfd_signal(self->hook);
	if (!ret)
		ret = vmig_irq_set_fd(self->dev, INTX, action, -1);
	vmig_eventfd_take(self->hook);
	return ret;
}

static int act(FIXTURE_DATA(irq_mask) *self,
	       const FIXTURE_VARIANT(irq_mask) *variant, uint32_t action)
{
	if (variant->type == VFIO_IRQ_SET_DATA_NONE)
		return vmig_irq_action(self->dev, INTX, action);
	if (variant->type == VFIO_IRQ_SET_DATA_BOOL)
		return vmig_irq_action_bool(self->dev, INTX, action, 1);
	return act_by_eventfd(self, action);
}

#define ACT(_action) \
	ASSERT_RET(0, act(self, variant, _action), #_action)

/* Clause: VFIO_IRQ_INFO_AUTOMASKED: nothing more until VFIO_IRQ_SET_ACTION_UNMASK */
TEST_F(irq_mask, signal_masks_until_unmasked)
{
	RAISE();
	EXPECT_SIGNALS(1);
	LOWER();
	RAISE();
	EXPECT_SIGNALS(0);
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK, level still high: signals, masks again */
TEST_F(irq_mask, unmasking_a_high_level_signals_again)
{
	unsigned int i;

	RAISE();
	EXPECT_SIGNALS(1);
	for (i = 0; i < 3; i++) {
		ACT(UNMASK);
		EXPECT_SIGNALS(1);
	}
	LOWER();
	RAISE();
	EXPECT_SIGNALS(0);
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK, level gone: silent, next one is signalled */
TEST_F(irq_mask, unmasking_a_low_level_is_silent)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		RAISE();
		EXPECT_SIGNALS(1);
		LOWER();
		ACT(UNMASK);
		EXPECT_SIGNALS(0);
	}
}

/* Clause: VFIO_IRQ_SET_ACTION_MASK: holds back until VFIO_IRQ_SET_ACTION_UNMASK */
TEST_F(irq_mask, masked_interrupt_is_held_back)
{
	ACT(MASK);
	RAISE();
	EXPECT_SIGNALS(0);
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_IRQ_SET_ACTION_MASK: a level that went meanwhile is forgotten */
TEST_F(irq_mask, masked_and_withdrawn)
{
	ACT(MASK);
	RAISE();
	LOWER();
	ACT(UNMASK);
	EXPECT_SIGNALS(0);
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_IRQ_SET_ACTION_MASK, _UNMASK: a state, not a count */
TEST_F(irq_mask, masks_do_not_add_up)
{
	ACT(MASK);
	ACT(MASK);
	RAISE();
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
	LOWER();
	ACT(UNMASK);
	ACT(UNMASK);
	ACT(MASK);
	RAISE();
	EXPECT_SIGNALS(0);
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD on a masked index: the mask stays */
TEST_F(irq_mask, mask_survives_a_new_trigger)
{
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	ACT(MASK);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, fd), "new");
	RAISE();
	EXPECT_EQ(0, vmig_eventfd_take(fd));
	ACT(UNMASK);
	EXPECT_EQ(1, vmig_eventfd_take(fd));
	EXPECT_SIGNALS(0);
	close(fd);
}

/* Clause: VFIO_DEVICE_SET_IRQS, INTx disabled and enabled: not masked any more */
TEST_F(irq_mask, disabling_clears_the_mask)
{
	ACT(MASK);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, self->trigger),
		   "enable");
	EXPECT_SIGNALS(0);
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_DEVICE_RESET: INTx is not masked any more */
TEST_F(irq_mask, reset_clears_the_mask)
{
	ACT(MASK);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_SIGNALS(0);
	RAISE();
	EXPECT_SIGNALS(1);
	/* Masked by the signal this time */
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	RAISE();
	EXPECT_SIGNALS(1);
}

/* Clause: PCI_COMMAND_INTX_DISABLE: holds an unmasked INTx back, keeps the mask */
TEST_F(irq_mask, intx_disable_and_the_mask_are_two_things)
{
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO |
					  PCI_COMMAND_INTX_DISABLE), "off");
	RAISE();
	ACT(UNMASK);
	EXPECT_SIGNALS(0);
	ACT(MASK);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO), "on");
	EXPECT_SIGNALS(0);
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK: the second port's interrupt is not lost */
TEST_F(irq_mask, ports_share_the_line)
{
	RAISE();
	EXPECT_SIGNALS(1);
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	EXPECT_SIGNALS(0);
	LOWER();
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 1), "second port");
	ACT(UNMASK);
	EXPECT_SIGNALS(0);
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	EXPECT_SIGNALS(1);
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER, DATA_NONE: signals a masked INTx as well */
TEST_F(irq_mask, loopback_ignores_the_mask)
{
	ACT(MASK);
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, TRIGGER), "trigger");
	EXPECT_SIGNALS(1);
	RAISE();
	EXPECT_SIGNALS(0);
	ACT(UNMASK);
	EXPECT_SIGNALS(1);
}

FIXTURE(irq_hook) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int trigger;
	int a;
	int b;
};

FIXTURE_SETUP(irq_hook)
{
	self->dev = &self->td.dev;
	self->trigger = vmig_eventfd_create();
	ASSERT_LE(0, self->trigger);
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	self->b = vmig_eventfd_create();
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, open_with_intx(&self->td, self->trigger));
}

FIXTURE_TEARDOWN(irq_hook)
{
	close(self->trigger);
	if (self->a >= 0)
		close(self->a);
	close(self->b);
	vmig_testdev_close(&self->td);
}

#define BIND(_action, _fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, _action, _fd), \
		   "bind " #_action)
#define SIGNAL(_fd) \
	ASSERT_RET(0, vmig_eventfd_signal(_fd), "signal")
#define EXPECT_SIGNAL_COMES() \
	EXPECT_EQ(1, vmig_eventfd_wait(self->trigger, VMIG_IRQ_DEADLINE_MS))
#define EXPECT_NO_SIGNAL_COMES() \
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->trigger, QUIET_MS))

/* Clause: VFIO_IRQ_SET_DATA_BOOL, 0: neither masks nor unmasks */
TEST_F(irq_hook, false_does_nothing)
{
	EXPECT_RET(0, vmig_irq_action_bool(self->dev, INTX, MASK, 0), "mask");
	RAISE();
	EXPECT_SIGNALS(1);
	EXPECT_RET(0, vmig_irq_action_bool(self->dev, INTX, UNMASK, 0),
		   "unmask");
	EXPECT_SIGNALS(0);
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK, bound: one signal each time it is unmasked */
TEST_F(irq_hook, bound_eventfd_unmasks_every_time)
{
	unsigned int i;

	BIND(UNMASK, self->a);
	RAISE();
	EXPECT_SIGNALS(1);
	for (i = 0; i < 50; i++) {
		SIGNAL(self->a);
		EXPECT_SIGNAL_COMES();
	}
	EXPECT_NO_SIGNAL_COMES();
}

/* Clause: VFIO_IRQ_SET_ACTION_MASK, bound: masks every time */
TEST_F(irq_hook, bound_eventfd_masks_every_time)
{
	unsigned int i;

	BIND(UNMASK, self->b);
	for (i = 0; i < 10; i++) {
		BIND(MASK, self->a);
		SIGNAL(self->a);
		BIND(MASK, -1);
		RAISE();
		EXPECT_SIGNALS(0);
		SIGNAL(self->b);
		EXPECT_SIGNAL_COMES();
		LOWER();
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK),
			   "unmask");
	}
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD, MASK and UNMASK: what is counted counts */
TEST_F(irq_hook, eventfd_signalled_before_it_is_bound)
{
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	BIND(UNMASK, self->a);
	EXPECT_SIGNAL_COMES();
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD, MASK and UNMASK, -1: unbound */
TEST_F(irq_hook, unbound_eventfd_does_nothing)
{
	BIND(UNMASK, self->a);
	BIND(UNMASK, -1);
	BIND(MASK, self->b);
	BIND(MASK, -1);
	SIGNAL(self->b);
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
	/* There is nothing left to unbind */
	BIND(UNMASK, -1);
	BIND(MASK, -1);
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD, UNMASK, bound again: the old one is not */
TEST_F(irq_hook, rebound_eventfd_takes_over)
{
	BIND(UNMASK, self->a);
	BIND(UNMASK, self->b);
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
	SIGNAL(self->b);
	EXPECT_SIGNAL_COMES();
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD, MASK and UNMASK, closed: harms nobody */
TEST_F(irq_hook, bound_eventfd_may_be_closed)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		uint32_t action = i % 2 ? MASK : UNMASK;

		BIND(action, self->a);
		EXPECT_EQ(0, close(self->a));
		self->a = vmig_eventfd_create();
		ASSERT_LE(0, self->a);
	}
	RAISE();
	EXPECT_SIGNALS(1);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_SIGNALS(1);
	BIND(UNMASK, self->a);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Clause: VFIO_DEVICE_SET_IRQS, INTx disabled: MASK and UNMASK are unbound */
TEST_F(irq_hook, disabling_unbinds)
{
	BIND(UNMASK, self->a);
	BIND(MASK, self->b);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	BIND(TRIGGER, self->trigger);
	SIGNAL(self->b);
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
}

/* Clause: VFIO_DEVICE_RESET: MASK and UNMASK stay bound */
TEST_F(irq_hook, reset_keeps_the_bindings)
{
	BIND(UNMASK, self->a);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Clause: VFIO_DEVICE_SET_IRQS: TRIGGER's eventfd for MASK or UNMASK is EINVAL */
TEST_F(irq_hook, trigger_cannot_mask_itself)
{
	static const uint32_t action[] = { MASK, UNMASK };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(action); i++) {
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, action[i],
						    self->trigger),
			   "trigger first, %#x", action[i]);
		BIND(action[i], self->a);
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, TRIGGER,
						    self->a),
			   "trigger second, %#x", action[i]);
		BIND(action[i], -1);
	}
	/* Nothing of that was done */
	RAISE();
	EXPECT_SIGNALS(1);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	/* No longer bound, it is an eventfd like any other */
	BIND(TRIGGER, self->a);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_DEVICE_SET_IRQS refused: the eventfd bound before stays bound */
TEST_F(irq_hook, refused_binding_keeps_the_old_one)
{
	BIND(UNMASK, self->a);
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, UNMASK,
					    self->trigger), "trigger");
	EXPECT_RET(-EBADF, vmig_irq_set_fd(self->dev, INTX, UNMASK, -2),
		   "no fd");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, UNMASK,
					    self->dev->fd), "no eventfd");
	RAISE();
	EXPECT_SIGNALS(1);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Clause: VFIO_DEVICE_SET_IRQS: two devices that unmask each other can be stopped */
TEST_F(irq_hook, ring_of_two_devices_can_be_broken)
{
	struct vmig_testdev other;
	unsigned int i;

	ASSERT_EQ(0, open_with_intx(&other, self->a));
	BIND(UNMASK, self->a);
	ASSERT_RET(0, vmig_irq_set_fd(&other.dev, INTX, UNMASK, self->trigger),
		   "bind in the other");
	RAISE();
	for (i = 0; i < 50; i++) {
		ASSERT_RET(0, vmig_port_irq_raise(&other.dev, 0), "raise");
		ASSERT_RET(0, vmig_port_irq_lower(&other.dev, 0), "lower");
	}
	/* Closed while each signal of one makes the other one signal */
	ASSERT_RET(0, vmig_port_irq_raise(&other.dev, 0), "raise");
	vmig_testdev_close(&other);

	/* Nobody takes the signals of this one any more, and it is as ever */
	BIND(UNMASK, -1);
	vmig_eventfd_take(self->trigger);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_SIGNALS(1);
	EXPECT_NO_SIGNAL_COMES();
}

TEST_HARNESS_MAIN
