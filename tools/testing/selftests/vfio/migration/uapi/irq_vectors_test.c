// SPDX-License-Identifier: GPL-2.0-only
/*
 * Indexes with more than one interrupt: each has its own eventfd. MSI-X, and MSI with
 * several messages.
 */
#include "irq_case.h"

/* Enough to see a pattern; some devices have 2048 */
#define MANY	16

IRQ_FIXTURE_OF_KINDS(irq_vectors);
MSI_VARIANT(irq_vectors);
MSIX_VARIANT(irq_vectors);

static int set_range(struct vmig_device *dev, unsigned int index, uint32_t flags,
		     unsigned int start, unsigned int count, uint16_t bools)
{
	struct {
		struct vfio_irq_set set;
		uint8_t data[2];
	} req = {
		.set = {
			.argsz = sizeof(req.set) + sizeof(req.data), .flags = flags,
			.index = index, .start = start, .count = count,
		},
	};

	memcpy(req.set.data, (uint8_t[]) { bools >> 8, bools & 0xff }, sizeof(req.data));
	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &req) ? -errno : 0;
}

#define SET_VECTOR(_vector, _fd) \
	vmig_irq_set_fds(self->dev, self->info.index, TRIGGER, _vector, 1, (int32_t[]) { _fd })

CLAUSE_TEST_F(irq_vectors, each_interrupt_takes_an_eventfd, "irq.eventfd")
{
	unsigned int nr = self->info.count < MANY ? self->info.count : MANY, i;
	int32_t fds[MANY];

	NEED_INDEX();
	if (!(self->info.flags & VFIO_IRQ_INFO_EVENTFD))
		SKIP(return, "not applicable: the index has no eventfds");
	for (i = 0; i < nr; i++) {
		fds[i] = vmig_eventfd_create();
		ASSERT_LE(0, fds[i]);
	}
	NEED_CONNECTED(self->info.index, nr,
		       vmig_irq_set_fds(self->dev, self->info.index, TRIGGER, 0, nr, fds));
	for (i = 0; i < nr; i++) {
		EXPECT_RET(0, set_range(self->dev, self->info.index,
					VFIO_IRQ_SET_DATA_NONE | TRIGGER, i, 1, 0), "%u", i);
		EXPECT_SIGNAL_NOW(fds[i], "interrupt %u", i);
	}
}

CLAUSE_TEST_F(irq_vectors, each_signals_its_own, "irq.own-vector")
{
	NEED_INTERRUPTS(2);
	CONNECT_FDS(2, self->a, self->b);
	FIRE(1);
	EXPECT_SIGNAL(self->b, "interrupt 1");
	EXPECT_NONE(self->a, "interrupt 0");
	QUIESCE(1);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "interrupt 0");
	EXPECT_NONE(self->b, "interrupt 1");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq_vectors, skipped_one_signals_none, "irq.own-vector", "irq.skip")
{
	NEED_INTERRUPTS(3);
	CONNECT_FDS(3, self->a, -1, self->b);
	FIRE(1);
	EXPECT_SILENT(self->a, "interrupt 0");
	EXPECT_NONE(self->b, "interrupt 2");
	QUIESCE(1);
	FIRE(2);
	EXPECT_SIGNAL(self->b, "interrupt 2");
	QUIESCE(2);
}

CLAUSE_TEST_F(irq_vectors, others_are_kept, "irq.others-kept")
{
	NEED_INTERRUPTS(2);
	CONNECT_FDS(2, self->a, self->b);
	EXPECT_RET(0, SET_VECTOR(1, self->c), "interrupt 1 gets another");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "interrupt 0 was not in the range");
	QUIESCE(0);
	EXPECT_RET(0, SET_VECTOR(1, -1), "disconnect interrupt 1");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "interrupt 0 was not in the range");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq_vectors, loopback_of_a_range, "irq.loopback")
{
	NEED_INTERRUPTS(2);
	CONNECT_FDS(2, self->a, self->b);
	EXPECT_RET(0, set_range(self->dev, self->info.index, VFIO_IRQ_SET_DATA_NONE | TRIGGER,
				1, 1, 0), "interrupt 1");
	EXPECT_SIGNAL_NOW(self->b, "interrupt 1");
	EXPECT_NONE(self->a, "interrupt 0");
	EXPECT_RET(0, set_range(self->dev, self->info.index, VFIO_IRQ_SET_DATA_NONE | TRIGGER,
				0, 2, 0), "both");
	EXPECT_SIGNAL_NOW(self->a, "interrupt 0");
	EXPECT_SIGNAL_NOW(self->b, "interrupt 1");
}

CLAUSE_TEST_F(irq_vectors, loopback_of_some, "irq.loopback-bool")
{
	NEED_INTERRUPTS(2);
	CONNECT_FDS(2, self->a, self->b);
	EXPECT_RET(0, set_range(self->dev, self->info.index, VFIO_IRQ_SET_DATA_BOOL | TRIGGER,
				0, 2, 0x0001), "interrupt 1");
	EXPECT_SIGNAL_NOW(self->b, "interrupt 1");
	EXPECT_NONE(self->a, "interrupt 0");
	EXPECT_RET(0, set_range(self->dev, self->info.index, VFIO_IRQ_SET_DATA_BOOL | TRIGGER,
				0, 2, 0x0100), "interrupt 0");
	EXPECT_SIGNAL_NOW(self->a, "interrupt 0");
	EXPECT_NONE(self->b, "interrupt 1");
}

CLAUSE_TEST_F(irq_vectors, all_are_disabled, "irq.disable")
{
	NEED_INTERRUPTS(2);
	CONNECT_FDS(2, self->a, self->b);
	ASSERT_RET(0, vmig_irq_disable(self->dev, self->info.index), "disable");
	set_range(self->dev, self->info.index, VFIO_IRQ_SET_DATA_NONE | TRIGGER, 0, 2, 0);
	EXPECT_SILENT(self->a, "interrupt 0");
	EXPECT_NONE(self->b, "interrupt 1");
}

CLAUSE_TEST_F(irq_vectors, set_cannot_grow, "irq.noresize")
{
	NEED_INTERRUPTS(2);
	if (!(self->info.flags & VFIO_IRQ_INFO_NORESIZE))
		SKIP(return, "not applicable: the index can be resized");
	CONNECT_FDS(1, self->a);
	EXPECT_REFUSED("error of SET_IRQS, more interrupts than were enabled",
		       SET_VECTOR(1, self->b));
	ASSERT_RET(0, vmig_irq_disable(self->dev, self->info.index), "disable");
	CONNECT_FDS(2, self->a, self->b);
}

CLAUSE_TEST_F(irq_vectors, set_can_grow_and_shrink, "irq.resize")
{
	NEED_INTERRUPTS(2);
	if (self->info.flags & VFIO_IRQ_INFO_NORESIZE)
		SKIP(return, "not applicable: the index cannot be resized");
	CONNECT_FDS(1, self->a);
	ASSERT_RET(0, SET_VECTOR(1, self->b), "one more");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "interrupt 0");
	QUIESCE(0);
	FIRE(1);
	EXPECT_SIGNAL(self->b, "interrupt 1");
	QUIESCE(1);
	ASSERT_RET(0, SET_VECTOR(1, -1), "one less");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "interrupt 0");
	QUIESCE(0);
}

SUBJECT_TEST_MAIN
