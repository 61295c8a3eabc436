// SPDX-License-Identifier: GPL-2.0-only
/*
 * The setup by VFIO_DEVICE_SET_IRQS, of every index: a close ends all of it, a reset and a
 * refused or cancelled migration none of it.
 */
#include <errno.h>

#include "mtty/irq_fixture.h"

#define ERR	VFIO_PCI_ERR_IRQ_INDEX

/* @a: the index of the variant; @b: UNMASK of INTx; @mask: its MASK */
FIXTURE(irq_life) {
	IRQ_MEMBERS;
	int mask;
};

FIXTURE_VARIANT(irq_life) {
	unsigned int index;
};

IRQ_VARIANTS(irq_life);
FIXTURE_VARIANT_ADD(irq_life, err) { .index = ERR };

static int bind_all(struct vmig_device *dev, unsigned int index, int trigger, int mask,
		    int unmask)
{
	int ret;

	ret = vmig_irq_set_fd(dev, index, TRIGGER, trigger);
	if (ret || index != INTX)
		return ret;
	ret = vmig_irq_set_fd(dev, INTX, MASK, mask);
	return ret ? ret : vmig_irq_set_fd(dev, INTX, UNMASK, unmask);
}

FIXTURE_SETUP(irq_life)
{
	OPEN_IRQ_DEVICE("mtty-2");
	self->mask = vmig_eventfd_create();
	ASSERT_LE(0, self->mask);
	ASSERT_RET(0, bind_all(self->dev, variant->index, self->a, self->mask, self->b),
		   "bind");
}

FIXTURE_TEARDOWN(irq_life)
{
	close(self->mask);
	CLOSE_IRQ_DEVICE();
}

#define REOPEN() do { \
	ASSERT_RET(0, vmig_testdev_reopen(&self->td), "reopen"); \
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master"); \
} while (0)

#define EXPECT_A(_want, ...)	EXPECT_SIGNALS(_want, self->a, __VA_ARGS__)

/* The eventfds are bound as in the setup, and INTx is unmasked */
static void expect_bound(struct __test_metadata *_metadata, FIXTURE_DATA(irq_life) *self,
			 const FIXTURE_VARIANT(irq_life) *variant, const char *what)
{
	EXPECT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER), "%s", what);
	EXPECT_A(1, "%s: loopback", what);
	RAISE();
	EXPECT_A(variant->index != ERR, "%s: raised", what);
	if (variant->index == INTX) {
		ASSERT_RET(0, vmig_eventfd_signal(self->b), "unmask");
		EXPECT_EQ(1, vmig_eventfd_wait(self->a, VMIG_IRQ_DEADLINE_MS))
			TH_LOG("%s: unmasked", what);
		LOWER();
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
		ASSERT_RET(0, vmig_eventfd_signal(self->mask), "mask");
		/* Waits for the worker */
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, MASK, -1), "unbind");
		RAISE();
		EXPECT_A(0, "%s: masked", what);
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, MASK, self->mask), "bind");
	}
	LOWER();
	if (variant->index == INTX)
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
}

/* Driver: VFIO_DEVICE_RESET: keeps the setup of each index */
TEST_F(irq_life, reset)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
		expect_bound(_metadata, self, variant, "reset");
	}
}

/* Driver: a cancelled, a complete and a refused migration keep the setup of each index */
TEST_F(irq_life, migration)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY, &self->fd),
		   "PRE_COPY");
	expect_bound(_metadata, self, variant, "PRE_COPY");
	GO(VFIO_DEVICE_STATE_RUNNING);
	expect_bound(_metadata, self, variant, "cancelled");
	close(self->fd);
	self->fd = -1;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	GO(VFIO_DEVICE_STATE_RUNNING);
	expect_bound(_metadata, self, variant, "loaded");

	ASSERT_RET(0, vmig_transfer_reach(self->dev, VFIO_DEVICE_STATE_ERROR, NULL,
					  &self->fd), "ERROR");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	expect_bound(_metadata, self, variant, "refused");
}

/* Driver: VFIO_PCI_ERR_IRQ_INDEX: disabling it changes nothing for INTx and MSI */
TEST_F(irq_life, error_index_is_another_one)
{
	int fd = vmig_eventfd_create();
	unsigned int way;

	ASSERT_LE(0, fd);
	if (variant->index == ERR)
		ASSERT_RET(0, vmig_irq_disable(self->dev, ERR), "disable");
	RAISE();
	EXPECT_A(variant->index != ERR, "raised");
	for (way = 0; way < 2; way++) {
		CONNECT(ERR, fd);
		if (way)
			CONNECT(ERR, -1);
		else
			ASSERT_RET(0, vmig_irq_disable(self->dev, ERR), "disable");
		/* Still masked, or sent */
		CONNECT(variant->index, self->a);
		EXPECT_A(0, "way %u", way);
		EXPECT_SIGNALS(0, fd, "error, way %u", way);
	}
	close(fd);
	LOWER();
	if (variant->index == INTX)
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	expect_bound(_metadata, self, variant, "after ERR was disabled");
}

/* Driver: VFIO_DEVICE_SET_IRQS, from INTx to MSI and back: a high line is signalled to each */
TEST_F(irq_life, switched_while_high)
{
	unsigned int port, i;

	ASSERT_RET(0, vmig_irq_disable(self->dev, variant->index), "disable");
	for (port = 0; port < 2; port++) {
		ASSERT_RET(0, vmig_port_irq_raise(self->dev, port), "raise");
		for (i = 0; i < 3; i++) {
			CONNECT(INTX, self->a);
			EXPECT_A(1, "port %u, INTx", port);
			ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
			CONNECT(MSI, self->b);
			EXPECT_SIGNALS(1, self->b, "port %u, MSI", port);
			EXPECT_A(0, "port %u, INTx is disabled", port);
			ASSERT_RET(0, vmig_irq_disable(self->dev, MSI), "disable");
		}
		ASSERT_RET(0, vmig_port_irq_lower(self->dev, port), "lower");
		CONNECT(INTX, self->a);
		EXPECT_A(0, "port %u, low", port);
		ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
	}
}

/* Driver: close: releases everything: no index is enabled at the next open */
TEST_F(irq_life, close)
{
	unsigned int index;

	REOPEN();
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (index == INTX || index == MSI || index == ERR)
			EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, index, TRIGGER),
				   "index %u", index);
	}
	RAISE();
	EXPECT_A(0, "not connected");
	/* So the other of INTx and MSI can be enabled */
	CONNECT(variant->index == MSI ? INTX : MSI, self->a);
	EXPECT_A(1, "connected");
}

/* Driver: close while an interrupt is pending, masked, or sent: the next one is signalled */
TEST_F(irq_life, close_with_an_interrupt)
{
	unsigned int sent;

	for (sent = 0; sent < 2; sent++) {
		if (variant->index == INTX && !sent)
			ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
		RAISE();
		REOPEN();
		vmig_eventfd_take(self->a);
		ASSERT_RET(0, bind_all(self->dev, variant->index, self->a, self->mask,
				       self->b), "bind");
		EXPECT_A(0, "nothing is pending");
		expect_bound(_metadata, self, variant, "opened again");
	}
}

/* Driver: close: releases everything: MASK and UNMASK are unbound at the next open */
TEST_F(irq_life, close_unbinds)
{
	if (variant->index != INTX)
		SKIP(return, "not applicable: INTx only");
	REOPEN();
	CONNECT(INTX, self->a);
	ASSERT_RET(0, vmig_eventfd_signal(self->mask), "mask");
	ASSERT_RET(0, vmig_eventfd_signal(self->b), "unmask");
	/* Nothing in the driver has taken the signals */
	EXPECT_SIGNALS(1, self->mask, "MASK");
	EXPECT_SIGNALS(1, self->b, "UNMASK");
	RAISE();
	EXPECT_A(1, "not masked");
}

TEST_HARNESS_MAIN
