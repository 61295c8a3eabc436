// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx is a level. Signalling masks it; unmasking signals it again while it is asserted.
 * Masking and unmasking in each way: DATA_NONE, DATA_BOOL, eventfds. An eventfd acts as
 * soon as it is unbound, and MASK takes one, which vfio.h leaves open.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "mtty/irq_fixture.h"

/* A signal that must not come would come in this time: bound eventfds use a worker */
#define QUIET_MS	100

#define EXPECT_TRIGGER(_want)	EXPECT_EQ(_want, vmig_eventfd_take(self->trigger))

/* @trigger: INTx; @a, @b: for MASK and UNMASK */
#define INTX_FIXTURE(_name) \
FIXTURE(_name) { \
	IRQ_MEMBERS; \
	int trigger; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_IRQ_DEVICE("mtty-2"); \
	self->trigger = vmig_eventfd_create(); \
	ASSERT_LE(0, self->trigger); \
	CONNECT(INTX, self->trigger); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	close(self->trigger); \
	CLOSE_IRQ_DEVICE(); \
} \
struct _name##_needs_a_semicolon

INTX_FIXTURE(irq_mask);

FIXTURE_VARIANT(irq_mask) {
	uint32_t type;
};

FIXTURE_VARIANT_ADD(irq_mask, by_none) { .type = VFIO_IRQ_SET_DATA_NONE };
FIXTURE_VARIANT_ADD(irq_mask, by_bool) { .type = VFIO_IRQ_SET_DATA_BOOL };
FIXTURE_VARIANT_ADD(irq_mask, by_eventfd) { .type = VFIO_IRQ_SET_DATA_EVENTFD };

/* Unbinding an eventfd waits for its worker */
static int act_by_eventfd(FIXTURE_DATA(irq_mask) *self, uint32_t action)
{
	int ret;

	ret = vmig_irq_set_fd(self->dev, INTX, action, self->a);
	if (!ret)
		ret = vmig_eventfd_signal(self->a);
	if (!ret)
		ret = vmig_irq_set_fd(self->dev, INTX, action, -1);
	vmig_eventfd_take(self->a);
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

/* Driver: VFIO_IRQ_INFO_AUTOMASKED: masked until VFIO_IRQ_SET_ACTION_UNMASK */
TEST_F(irq_mask, signal_masks_until_unmasked)
{
	RAISE();
	EXPECT_TRIGGER(1);
	LOWER();
	RAISE();
	EXPECT_TRIGGER(0);
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK, level still high: signalled and masked again */
TEST_F(irq_mask, unmasking_a_high_level_signals_again)
{
	unsigned int i;

	RAISE();
	EXPECT_TRIGGER(1);
	for (i = 0; i < 3; i++) {
		ACT(UNMASK);
		EXPECT_TRIGGER(1);
	}
	LOWER();
	RAISE();
	EXPECT_TRIGGER(0);
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK, level low: silent, the next one is signalled */
TEST_F(irq_mask, unmasking_a_low_level_is_silent)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		RAISE();
		EXPECT_TRIGGER(1);
		LOWER();
		ACT(UNMASK);
		EXPECT_TRIGGER(0);
	}
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK: not signalled until VFIO_IRQ_SET_ACTION_UNMASK */
TEST_F(irq_mask, masked_interrupt_is_held_back)
{
	ACT(MASK);
	RAISE();
	EXPECT_TRIGGER(0);
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK: a level that fell while masked is not signalled */
TEST_F(irq_mask, masked_and_withdrawn)
{
	ACT(MASK);
	RAISE();
	LOWER();
	ACT(UNMASK);
	EXPECT_TRIGGER(0);
	RAISE();
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK, _UNMASK: a state, not a count */
TEST_F(irq_mask, masks_do_not_add_up)
{
	ACT(MASK);
	ACT(MASK);
	RAISE();
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
	LOWER();
	ACT(UNMASK);
	ACT(UNMASK);
	ACT(MASK);
	RAISE();
	EXPECT_TRIGGER(0);
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD on a masked index: the mask stays */
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
	EXPECT_TRIGGER(0);
	close(fd);
}

/* Driver: VFIO_DEVICE_SET_IRQS, INTx disabled and enabled: unmasked */
TEST_F(irq_mask, disabling_clears_the_mask)
{
	ACT(MASK);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, self->trigger),
		   "enable");
	EXPECT_TRIGGER(0);
	RAISE();
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_DEVICE_RESET: INTx is unmasked */
TEST_F(irq_mask, reset_clears_the_mask)
{
	ACT(MASK);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_TRIGGER(0);
	RAISE();
	EXPECT_TRIGGER(1);
	/* Masked by the signal this time */
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_TRIGGER(0);
	RAISE();
	EXPECT_TRIGGER(1);
}

/* PCI: 3.0, 6.2.2, Command bit 10: disables an unmasked INTx; the mask stays */
TEST_F(irq_mask, intx_disable_and_the_mask_are_two_things)
{
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO |
					  PCI_COMMAND_INTX_DISABLE), "off");
	RAISE();
	ACT(UNMASK);
	EXPECT_TRIGGER(0);
	ACT(MASK);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO), "on");
	EXPECT_TRIGGER(0);
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK: the second port's interrupt is not lost */
TEST_F(irq_mask, ports_share_the_line)
{
	RAISE();
	EXPECT_TRIGGER(1);
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	EXPECT_TRIGGER(0);
	LOWER();
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 1), "second port");
	ACT(UNMASK);
	EXPECT_TRIGGER(0);
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	EXPECT_TRIGGER(1);
}

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER, DATA_NONE: signals, also if INTx is masked */
TEST_F(irq_mask, loopback_ignores_the_mask)
{
	ACT(MASK);
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, TRIGGER), "trigger");
	EXPECT_TRIGGER(1);
	RAISE();
	EXPECT_TRIGGER(0);
	ACT(UNMASK);
	EXPECT_TRIGGER(1);
}

INTX_FIXTURE(irq_eventfd);

#define BIND(_action, _fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, _action, _fd), \
		   "bind " #_action)
#define SIGNAL(_fd) \
	ASSERT_RET(0, vmig_eventfd_signal(_fd), "signal")
#define EXPECT_SIGNAL_COMES() \
	EXPECT_EQ(1, vmig_eventfd_wait(self->trigger, VMIG_IRQ_DEADLINE_MS))
#define EXPECT_NO_SIGNAL_COMES() \
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->trigger, QUIET_MS))

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK, bound: one signal for each unmask */
TEST_F(irq_eventfd, bound_eventfd_unmasks_every_time)
{
	unsigned int i;

	BIND(UNMASK, self->a);
	RAISE();
	EXPECT_TRIGGER(1);
	for (i = 0; i < 50; i++) {
		SIGNAL(self->a);
		EXPECT_SIGNAL_COMES();
	}
	EXPECT_NO_SIGNAL_COMES();
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK, bound: masks every time */
TEST_F(irq_eventfd, bound_eventfd_masks_every_time)
{
	unsigned int i;

	BIND(UNMASK, self->b);
	for (i = 0; i < 10; i++) {
		BIND(MASK, self->a);
		SIGNAL(self->a);
		BIND(MASK, -1);
		RAISE();
		EXPECT_TRIGGER(0);
		SIGNAL(self->b);
		EXPECT_SIGNAL_COMES();
		LOWER();
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK),
			   "unmask");
	}
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD, UNMASK: a signal from before the binding counts */
TEST_F(irq_eventfd, eventfd_signalled_before_it_is_bound)
{
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	BIND(UNMASK, self->a);
	EXPECT_SIGNAL_COMES();
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD, MASK and UNMASK, -1: unbound */
TEST_F(irq_eventfd, unbound_eventfd_does_nothing)
{
	BIND(UNMASK, self->a);
	BIND(UNMASK, -1);
	BIND(MASK, self->b);
	BIND(MASK, -1);
	SIGNAL(self->b);
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
	BIND(UNMASK, -1);
	BIND(MASK, -1);
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD, UNMASK: a new eventfd replaces the old one */
TEST_F(irq_eventfd, rebound_eventfd_takes_over)
{
	BIND(UNMASK, self->a);
	BIND(UNMASK, self->b);
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
	SIGNAL(self->b);
	EXPECT_SIGNAL_COMES();
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD, MASK and UNMASK: the eventfd may be closed */
TEST_F(irq_eventfd, bound_eventfd_may_be_closed)
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
	EXPECT_TRIGGER(1);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_TRIGGER(1);
	BIND(UNMASK, self->a);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Driver: VFIO_DEVICE_SET_IRQS, INTx disabled: MASK and UNMASK are unbound */
TEST_F(irq_eventfd, disabling_unbinds)
{
	BIND(UNMASK, self->a);
	BIND(MASK, self->b);
	ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	BIND(TRIGGER, self->trigger);
	SIGNAL(self->b);
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	EXPECT_NO_SIGNAL_COMES();
}

/* Driver: VFIO_DEVICE_RESET: MASK and UNMASK stay bound */
TEST_F(irq_eventfd, reset_keeps_the_bindings)
{
	BIND(UNMASK, self->a);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Driver: VFIO_DEVICE_SET_IRQS: TRIGGER's eventfd for MASK or UNMASK: EINVAL */
TEST_F(irq_eventfd, trigger_cannot_mask_itself)
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
	RAISE();
	EXPECT_TRIGGER(1);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	/* After it was unbound it can be the trigger */
	BIND(TRIGGER, self->a);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_DEVICE_SET_IRQS refused: the eventfd bound before stays bound */
TEST_F(irq_eventfd, refused_binding_keeps_the_old_one)
{
	BIND(UNMASK, self->a);
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, UNMASK,
					    self->trigger), "trigger");
	EXPECT_RET(-EBADF, vmig_irq_set_fd(self->dev, INTX, UNMASK, -2),
		   "no fd");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, UNMASK,
					    self->dev->fd), "no eventfd");
	RAISE();
	EXPECT_TRIGGER(1);
	SIGNAL(self->a);
	EXPECT_SIGNAL_COMES();
}

/* Driver: VFIO_DEVICE_SET_IRQS: two devices that unmask each other can be stopped */
TEST_F(irq_eventfd, loop_of_two_devices_can_be_broken)
{
	struct vmig_testdev other;
	unsigned int i;

	ASSERT_RET(0, vmig_testdev_open(&other, "mtty-2", VMIG_PATH_ANY, NULL),
		   "other device");
	ASSERT_RET(0, vmig_irq_set_fd(&other.dev, INTX, TRIGGER, self->a), "INTx");
	BIND(UNMASK, self->a);
	ASSERT_RET(0, vmig_irq_set_fd(&other.dev, INTX, UNMASK, self->trigger),
		   "bind in the other");
	RAISE();
	for (i = 0; i < 50; i++) {
		ASSERT_RET(0, vmig_port_irq_raise(&other.dev, 0), "raise");
		ASSERT_RET(0, vmig_port_irq_lower(&other.dev, 0), "lower");
	}
	/* Close it while each signal of a device unmasks the other one */
	ASSERT_RET(0, vmig_port_irq_raise(&other.dev, 0), "raise");
	vmig_testdev_close(&other);

	BIND(UNMASK, -1);
	vmig_eventfd_take(self->trigger);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_TRIGGER(1);
	EXPECT_NO_SIGNAL_COMES();
}

TEST_HARNESS_MAIN
