// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver holds an eventfd as long as it is bound, and not longer.
 *
 * The kernel gives each eventfd an id, and uses the id again when nothing holds the eventfd.
 * The test closes its own descriptor and looks whether the id can be had again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mtty/irq_fixture.h"

#define ERR	VFIO_PCI_ERR_IRQ_INDEX

/* More ids than may have become free in a test */
#define NR_IDS	16

/* -1 if the kernel does not show it */
static int eventfd_id(int fd)
{
	char path[64], line[128];
	int id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (id < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "eventfd-id: %d", &id) != 1)
			id = -1;
	}
	fclose(file);
	return id;
}

/* Does a new eventfd get this id? */
static bool is_free(int id)
{
	int fd[NR_IDS];
	bool found = false;
	unsigned int i, n;

	for (n = 0; n < NR_IDS && !found; n++) {
		fd[n] = vmig_eventfd_create();
		found = fd[n] >= 0 && eventfd_id(fd[n]) == id;
	}
	for (i = 0; i < n; i++)
		close(fd[i]);
	return found;
}

/* @a: under test, with this id; @b: another one */
FIXTURE(irq_held) {
	IRQ_MEMBERS;
	int id;
};

FIXTURE_VARIANT(irq_held) {
	unsigned int index;
	uint32_t action;
};

FIXTURE_VARIANT_ADD(irq_held, intx) { .index = INTX, .action = TRIGGER };
FIXTURE_VARIANT_ADD(irq_held, msi) { .index = MSI, .action = TRIGGER };
FIXTURE_VARIANT_ADD(irq_held, err) { .index = ERR, .action = TRIGGER };
FIXTURE_VARIANT_ADD(irq_held, mask) { .index = INTX, .action = MASK };
FIXTURE_VARIANT_ADD(irq_held, unmask) { .index = INTX, .action = UNMASK };

static int bind(FIXTURE_DATA(irq_held) *self, const FIXTURE_VARIANT(irq_held) *variant,
		int fd)
{
	return vmig_irq_set_fd(self->dev, variant->index, variant->action, fd);
}

FIXTURE_SETUP(irq_held)
{
	int trigger;

	OPEN_IRQ_DEVICE("mtty-2");
	if (variant->action != TRIGGER) {
		trigger = vmig_eventfd_create();
		ASSERT_LE(0, trigger);
		CONNECT(INTX, trigger);
		close(trigger);
	}
	self->id = eventfd_id(self->a);
	if (self->id < 0)
		SKIP(return, "the kernel does not show the id of an eventfd");
}

FIXTURE_TEARDOWN(irq_held)
{
	CLOSE_IRQ_DEVICE();
}

#define BIND(_fd)	ASSERT_RET(0, bind(self, variant, _fd), "bind")
#define CLOSE_A() do { \
	EXPECT_EQ(0, close(self->a)); \
	self->a = -1; \
} while (0)
#define EXPECT_HELD()		EXPECT_FALSE(is_free(self->id))
#define EXPECT_RELEASED()	EXPECT_TRUE(is_free(self->id))

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD: held until another eventfd replaces it */
TEST_F(irq_held, until_it_is_replaced)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		BIND(self->a);
	CLOSE_A();
	EXPECT_HELD();
	BIND(self->b);
	EXPECT_RELEASED();
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD: held until it is unbound by -1 */
TEST_F(irq_held, until_it_is_unbound)
{
	BIND(self->a);
	CLOSE_A();
	EXPECT_HELD();
	BIND(-1);
	EXPECT_RELEASED();
}

/* Driver: VFIO_DEVICE_SET_IRQS, count 0: releases the eventfds of the index */
TEST_F(irq_held, until_the_index_is_disabled)
{
	BIND(self->a);
	CLOSE_A();
	EXPECT_HELD();
	ASSERT_RET(0, vmig_irq_disable(self->dev, variant->index), "disable");
	EXPECT_RELEASED();
}

/* Driver: VFIO_DEVICE_RESET, a migration: hold it; close: releases it */
TEST_F(irq_held, until_the_device_is_closed)
{
	BIND(self->a);
	CLOSE_A();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_HELD();
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	EXPECT_HELD();
	vmig_device_close(self->dev);
	EXPECT_RELEASED();
}

/* Driver: VFIO_DEVICE_SET_IRQS: an eventfd that is refused is not held */
TEST_F(irq_held, not_if_refused)
{
	if (variant->index == ERR)
		SKIP(return, "not applicable: no eventfd of ERR is refused");
	if (variant->action != TRIGGER) {
		/* INTx is not enabled */
		ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "disable");
		EXPECT_RET(-EINVAL, bind(self, variant, self->a), "not enabled");
	} else {
		/* The other of INTx and MSI is enabled */
		CONNECT(variant->index == INTX ? MSI : INTX, self->b);
		EXPECT_RET(-EINVAL, bind(self, variant, self->a), "both");
	}
	CLOSE_A();
	EXPECT_RELEASED();
}

/* Driver: the eventfd that INTx triggers and the one that masks it: refused, not held */
TEST_F(irq_held, not_if_it_is_the_other_one)
{
	if (variant->index != INTX)
		SKIP(return, "not applicable: INTx only");
	if (variant->action == TRIGGER) {
		CONNECT(INTX, self->b);
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->a), "unmask");
		EXPECT_RET(-EINVAL, bind(self, variant, self->a), "as the trigger");
		ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, -1), "unbind");
	} else {
		CONNECT(INTX, self->a);
		EXPECT_RET(-EINVAL, bind(self, variant, self->a), "as a mask");
		CONNECT(INTX, self->b);
	}
	CLOSE_A();
	EXPECT_RELEASED();
}

TEST_HARNESS_MAIN
