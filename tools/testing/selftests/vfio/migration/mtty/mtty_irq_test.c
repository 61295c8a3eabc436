// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx and MSI: when a running device signals the connected eventfd, and how it is
 * disconnected; what the tests irq*_test of uapi/ leave open.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "mtty/irq_fixture.h"

IRQ_FIXTURE(irq, "mtty-2");

FIXTURE_VARIANT(irq) {
	unsigned int index;
	unsigned int other;
};

FIXTURE_VARIANT_ADD(irq, intx) { .index = INTX, .other = MSI };
FIXTURE_VARIANT_ADD(irq, msi) { .index = MSI, .other = INTX };

/* The two ways to disconnect the eventfd */
static int disconnect(struct vmig_device *dev, unsigned int index,
		      unsigned int way)
{
	return way ? vmig_irq_set_fd(dev, index, TRIGGER, -1) :
		     vmig_irq_disable(dev, index);
}

#define NR_WAYS		2

#define DISCONNECT(_way) \
	EXPECT_RET(0, disconnect(self->dev, variant->index, _way), "way %u", _way)

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER: one signal until no port asserts the interrupt */
TEST_F(irq, assertion_is_signalled_once)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	/* The interrupt of the device stays asserted */
	RAISE();
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "first port");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Driver: an assertion without an eventfd is signalled when one is connected */
TEST_F(irq, assertion_waits_for_the_eventfd)
{
	RAISE();
	CONNECT(variant->index, self->a);
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	CONNECT(variant->index, self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Driver: an assertion that ended before an eventfd is connected is not signalled */
TEST_F(irq, withdrawn_assertion_is_not_signalled)
{
	RAISE();
	LOWER();
	CONNECT(variant->index, self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD on an enabled index: nothing is signalled again */
TEST_F(irq, replaced_eventfd_gets_the_next_one)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	CONNECT(variant->index, self->b);
	EXPECT_EQ(0, vmig_eventfd_take(self->b));

	LOWER();
	if (variant->index == INTX)
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	RAISE();
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	EXPECT_EQ(1, vmig_eventfd_take(self->b));
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD with the same eventfd: nothing changes */
TEST_F(irq, same_eventfd_again)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	for (i = 0; i < 3; i++)
		CONNECT(variant->index, self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_DEVICE_SET_IRQS, fd -1 or count 0: TRIGGER is EINVAL */
TEST_F(irq, disabled_index_is_silent)
{
	unsigned int way;

	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(variant->index, self->a);
		DISCONNECT(way);
		RAISE();
		EXPECT_SIGNALS(0, self->a, "way %u", way);
		EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->index,
						    TRIGGER), "way %u", way);
		EXPECT_EQ(0, vmig_eventfd_take(self->a));
		LOWER();
	}
}

/* Driver: an assertion while the index is disabled is signalled to the next eventfd */
TEST_F(irq, assertion_while_disabled_is_signalled_later)
{
	unsigned int way;

	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(variant->index, self->a);
		DISCONNECT(way);
		RAISE();
		CONNECT(variant->index, self->b);
		EXPECT_SIGNALS(1, self->b, "way %u", way);
		DISCONNECT(way);
		LOWER();
	}
}

/* Driver: VFIO_DEVICE_SET_IRQS, fd -1 or count 0 on a disabled index: 0 */
TEST_F(irq, disabling_a_disabled_index_succeeds)
{
	unsigned int way;

	RAISE();
	for (way = 0; way < NR_WAYS; way++) {
		DISCONNECT(way);
		DISCONNECT(way);
	}
	CONNECT(variant->index, self->a);
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	for (way = 0; way < NR_WAYS; way++)
		EXPECT_RET(0, disconnect(self->dev, variant->other, way),
			   "the other one, way %u", way);
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "still enabled");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_DEVICE_SET_IRQS, enabled again: an asserted interrupt is signalled again */
TEST_F(irq, enabled_again_signals_again)
{
	unsigned int way;

	RAISE();
	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(variant->index, self->a);
		EXPECT_SIGNALS(1, self->a, "way %u", way);
		DISCONNECT(way);
	}
}

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER, DATA_NONE and DATA_BOOL: does not mask INTx */
TEST_F(irq, loopback_signals_each_time)
{
	unsigned int i;

	CONNECT(variant->index, self->a);
	for (i = 1; i <= 3; i++) {
		EXPECT_RET(0, vmig_irq_action(self->dev, variant->index,
					      TRIGGER), "DATA_NONE");
		EXPECT_EQ(1, vmig_eventfd_take(self->a));
		EXPECT_RET(0, vmig_irq_action_bool(self->dev, variant->index,
						   TRIGGER, i), "DATA_BOOL");
		EXPECT_EQ(1, vmig_eventfd_take(self->a));
		EXPECT_RET(0, vmig_irq_action_bool(self->dev, variant->index,
						   TRIGGER, 0), "false");
		EXPECT_EQ(0, vmig_eventfd_take(self->a));
	}
	/* The device's own interrupt is still signalled */
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "while asserted");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER on a disabled index: EINVAL */
TEST_F(irq, loopback_needs_an_enabled_index)
{
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "DATA_NONE");
	EXPECT_RET(-EINVAL, vmig_irq_action_bool(self->dev, variant->index,
						 TRIGGER, 1), "DATA_BOOL");
	CONNECT(variant->index, self->a);
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->other, TRIGGER),
		   "the other one");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_DEVICE_SET_IRQS, INTx and MSI: EINVAL while the other is enabled */
TEST_F(irq, only_one_index_at_a_time)
{
	unsigned int way;

	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(variant->index, self->a);
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, variant->other,
						    TRIGGER, self->b), "second");
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, variant->other,
						    TRIGGER, self->a), "same fd");
		RAISE();
		EXPECT_EQ(1, vmig_eventfd_take(self->a));
		EXPECT_EQ(0, vmig_eventfd_take(self->b));
		LOWER();

		DISCONNECT(way);
		EXPECT_RET(0, vmig_irq_set_fd(self->dev, variant->other,
					      TRIGGER, self->b), "way %u", way);
		RAISE();
		EXPECT_EQ(1, vmig_eventfd_take(self->b));
		EXPECT_EQ(0, vmig_eventfd_take(self->a));
		LOWER();
		EXPECT_RET(0, vmig_irq_disable(self->dev, variant->other),
			   "way %u", way);
	}
}

/* PCI: 3.0, 6.2.2, Command bit 10: disables INTx, has no effect on MSI */
TEST_F(irq, intx_disable_is_for_intx)
{
	bool is_intx = variant->index == INTX;

	CONNECT(variant->index, self->a);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO | PCI_COMMAND_MASTER |
					  PCI_COMMAND_INTX_DISABLE), "disable");
	RAISE();
	EXPECT_EQ(is_intx ? 0 : 1, vmig_eventfd_take(self->a));
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO | PCI_COMMAND_MASTER),
		   "enable");
	EXPECT_EQ(is_intx ? 1 : 0, vmig_eventfd_take(self->a));
}

/*
 * PCI: 3.0, 6.2.2, Command bit 2: without Bus Master Enable a function does not write
 * to memory, so it sends no message; a pending one is sent when the bit is set
 */
TEST_F(irq, message_needs_bus_mastering)
{
	const uint16_t off = PCI_COMMAND_IO;
	const uint16_t on = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
	bool is_intx = variant->index == INTX;

	CONNECT(variant->index, self->a);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, off), "off");
	RAISE();
	EXPECT_EQ(is_intx ? 1 : 0, vmig_eventfd_take(self->a));
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, on), "on");
	EXPECT_EQ(is_intx ? 0 : 1, vmig_eventfd_take(self->a));
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, off), "off");
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, on), "on");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));

	/* An assertion that is over before the bit is set is not sent */
	LOWER();
	if (is_intx)
		return;
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, off), "off");
	RAISE();
	LOWER();
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, on), "on");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Driver: VFIO_DEVICE_RESET: deasserts, and the eventfd stays connected */
TEST_F(irq, reset_deasserts)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

TEST_HARNESS_MAIN
