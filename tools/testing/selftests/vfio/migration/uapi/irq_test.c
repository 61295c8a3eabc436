// SPDX-License-Identifier: GPL-2.0-only
/*
 * What INTx and MSI have in common: when a device that runs signals the eventfd
 * it was given, how often, and how the eventfd is taken away again.
 */
#include <errno.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER

FIXTURE(irq) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int a;
	int b;
};

FIXTURE_VARIANT(irq) {
	unsigned int index;
	unsigned int other;
	/* INTx is masked when it is signalled, until it is unmasked */
	int64_t of_five_assertions;
};

FIXTURE_VARIANT_ADD(irq, intx) {
	.index = VFIO_PCI_INTX_IRQ_INDEX,
	.other = VFIO_PCI_MSI_IRQ_INDEX,
	.of_five_assertions = 1,
};

FIXTURE_VARIANT_ADD(irq, msi) {
	.index = VFIO_PCI_MSI_IRQ_INDEX,
	.other = VFIO_PCI_INTX_IRQ_INDEX,
	.of_five_assertions = 5,
};

FIXTURE_SETUP(irq)
{
	self->dev = &self->td.dev;
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	self->b = vmig_eventfd_create();
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2",
				       VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_bus_master_enable(self->dev));
}

FIXTURE_TEARDOWN(irq)
{
	close(self->a);
	close(self->b);
	vmig_testdev_close(&self->td);
}

#define CONNECT(_fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, variant->index, TRIGGER, _fd), \
		   "connect")
#define RAISE()	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise")
#define LOWER()	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower")

/* The two ways to take the eventfd away */
static int disconnect(struct vmig_device *dev, unsigned int index,
		      unsigned int way)
{
	return way ? vmig_irq_set_fd(dev, index, TRIGGER, -1) :
		     vmig_irq_disable(dev, index);
}

#define NR_WAYS		2

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER: an idle device signals nothing */
TEST_F(irq, idle_device_is_silent)
{
	CONNECT(self->a);
	LOWER();
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER: one signal, at once, for an assertion */
TEST_F(irq, assertion_is_signalled_once)
{
	CONNECT(self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	/* Neither of these is another assertion */
	RAISE();
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 1), "second port");
	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "first port");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_INFO_AUTOMASKED: INTx once until unmasked, MSI each time */
TEST_F(irq, assertions_in_a_row)
{
	unsigned int i;

	CONNECT(self->a);
	for (i = 0; i < 5; i++) {
		RAISE();
		LOWER();
	}
	EXPECT_EQ(variant->of_five_assertions, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER: an assertion waits for its eventfd */
TEST_F(irq, assertion_waits_for_the_eventfd)
{
	RAISE();
	CONNECT(self->a);
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	CONNECT(self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER: an assertion that is over is not sent */
TEST_F(irq, withdrawn_assertion_is_not_signalled)
{
	RAISE();
	LOWER();
	CONNECT(self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD on an enabled index: only moves the signal */
TEST_F(irq, replaced_eventfd_gets_the_next_one)
{
	CONNECT(self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	CONNECT(self->b);
	EXPECT_EQ(0, vmig_eventfd_take(self->b));

	LOWER();
	if (variant->index == VFIO_PCI_INTX_IRQ_INDEX)
		ASSERT_RET(0, vmig_irq_action(self->dev, variant->index,
					      VFIO_IRQ_SET_ACTION_UNMASK),
			   "unmask");
	RAISE();
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	EXPECT_EQ(1, vmig_eventfd_take(self->b));
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD with the same eventfd: nothing changes */
TEST_F(irq, same_eventfd_again)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		CONNECT(self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	for (i = 0; i < 3; i++)
		CONNECT(self->a);
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_DEVICE_SET_IRQS, fd -1 or count 0: the eventfd is left alone */
TEST_F(irq, disabled_index_is_silent)
{
	unsigned int way;

	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(self->a);
		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u", way);
		RAISE();
		EXPECT_EQ(0, vmig_eventfd_take(self->a)) {
			TH_LOG("way %u", way);
		}
		EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->index,
						    TRIGGER), "way %u", way);
		EXPECT_EQ(0, vmig_eventfd_take(self->a));

		/* What came in between waits for who comes next */
		CONNECT(self->b);
		EXPECT_EQ(1, vmig_eventfd_take(self->b)) {
			TH_LOG("way %u", way);
		}
		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u", way);
		LOWER();
	}
}

/* Clause: VFIO_DEVICE_SET_IRQS, fd -1 or count 0 on a disabled index: 0 */
TEST_F(irq, disabling_a_disabled_index_succeeds)
{
	unsigned int way;

	RAISE();
	for (way = 0; way < NR_WAYS; way++) {
		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u", way);
		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u, again", way);
	}
	CONNECT(self->a);
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	for (way = 0; way < NR_WAYS; way++)
		EXPECT_RET(0, disconnect(self->dev, variant->other, way),
			   "the other one, way %u", way);
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "still enabled");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_DEVICE_SET_IRQS, enabled again: what is asserted is signalled */
TEST_F(irq, enabled_again_starts_afresh)
{
	unsigned int way;

	RAISE();
	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(self->a);
		EXPECT_EQ(1, vmig_eventfd_take(self->a)) {
			TH_LOG("way %u", way);
		}
		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u", way);
	}
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER, DATA_NONE and DATA_BOOL: signals at once */
TEST_F(irq, loopback_signals_each_time)
{
	unsigned int i;

	CONNECT(self->a);
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
	/* It is a test of the eventfd: the interrupt itself is not spent on it */
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "while asserted");
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER on a disabled index: EINVAL */
TEST_F(irq, loopback_needs_an_enabled_index)
{
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "DATA_NONE");
	EXPECT_RET(-EINVAL, vmig_irq_action_bool(self->dev, variant->index,
						 TRIGGER, 1), "DATA_BOOL");
	CONNECT(self->a);
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, variant->other, TRIGGER),
		   "the other one");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_DEVICE_SET_IRQS, second index: EINVAL while one is enabled */
TEST_F(irq, only_one_index_at_a_time)
{
	unsigned int way;

	for (way = 0; way < NR_WAYS; way++) {
		CONNECT(self->a);
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, variant->other,
						    TRIGGER, self->b), "second");
		EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, variant->other,
						    TRIGGER, self->a), "same fd");
		RAISE();
		EXPECT_EQ(1, vmig_eventfd_take(self->a));
		EXPECT_EQ(0, vmig_eventfd_take(self->b));
		LOWER();

		EXPECT_RET(0, disconnect(self->dev, variant->index, way),
			   "way %u", way);
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

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD: a closed eventfd harms nobody */
TEST_F(irq, eventfd_may_be_closed_while_connected)
{
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	CONNECT(fd);
	EXPECT_EQ(0, close(fd));
	RAISE();
	LOWER();
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
		   "trigger nobody");
	ASSERT_RET(0, vmig_irq_disable(self->dev, variant->index), "disable");
	CONNECT(self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

/* Clause: VFIO_IRQ_SET_DATA_EVENTFD: holds the eventfd, not the number */
TEST_F(irq, eventfd_is_held_beyond_its_descriptor)
{
	int fd = dup(self->a);

	ASSERT_LE(0, fd);
	CONNECT(fd);
	/* Something else takes the number */
	ASSERT_EQ(fd, dup2(self->b, fd));
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	EXPECT_EQ(0, vmig_eventfd_take(self->b));
	close(fd);
}

/* Clause: PCI_COMMAND_INTX_DISABLE: holds INTx back, MSI does not care */
TEST_F(irq, intx_disable_is_for_intx)
{
	bool is_intx = variant->index == VFIO_PCI_INTX_IRQ_INDEX;

	CONNECT(self->a);
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
 * to memory, so it sends no message; what is pending is sent when the bit is set
 */
TEST_F(irq, message_needs_bus_mastering)
{
	const uint16_t off = PCI_COMMAND_IO;
	const uint16_t on = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
	bool is_intx = variant->index == VFIO_PCI_INTX_IRQ_INDEX;

	CONNECT(self->a);
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

/* Clause: VFIO_DEVICE_RESET: deasserts, and the eventfd stays connected */
TEST_F(irq, reset_deasserts)
{
	CONNECT(self->a);
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "master");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	RAISE();
	EXPECT_EQ(1, vmig_eventfd_take(self->a));
}

TEST_HARNESS_MAIN
