// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx is a level, not an event: it is signalled to an eventfd that is connected while it is
 * high, and it is part of what a migration brings to the destination.
 */
#include "irq_case.h"

IRQ_FIXTURE(irq_level, VMIG_HAS_INTX);

#define NEED_LEVEL() do { \
	NEED(INTX); \
	if (!(self->info.flags & VFIO_IRQ_INFO_AUTOMASKED)) \
		SKIP(return, "not applicable: INTx is not automasked"); \
	NEED_OP(irq_raise); \
	NEED_OP(irq_lower); \
} while (0)

DESTRUCTIVE_TEST_F(irq_level, connected_while_high,
		   "raises INTx that nothing takes, which others on the line see",
		   "irq.connect-high")
{
	NEED_LEVEL();
	RAISE(INTX);
	CONNECT_FD(INTX, self->a);
	EXPECT_SIGNAL(self->a, "the level was high before");
	LOWER(INTX);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_SILENT(self->a, "the level is low");
}

/* The source signals nothing: no eventfd is connected there */
#define BRING_LEVEL(_dst) do { \
	NEED(MIGRATION); \
	NEED_LEVEL(); \
	RAISE(INTX); \
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save"); \
	OPEN_DESTINATION(_dst); \
	ASSERT_RET(0, vmig_transfer_load(_dst, &self->stream), "load"); \
} while (0)

DESTRUCTIVE_TEST_F(irq_level, connected_before_running,
		   "raises INTx that nothing takes, which others on the line see",
		   "state.pending-irq")
{
	struct vmig_device *dst;

	BRING_LEVEL(dst);
	ASSERT_RET(0, vmig_irq_set_fd(dst, INTX, TRIGGER, self->a), "connect");
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RUNNING, NULL), "RUNNING");
	EXPECT_SIGNAL(self->a, "the level is high at the source");
	self->subject.ops->irq_lower(dst, INTX, 0);
}

DESTRUCTIVE_TEST_F(irq_level, connected_in_running,
		   "raises INTx that nothing takes, which others on the line see",
		   "state.pending-irq")
{
	struct vmig_device *dst;

	BRING_LEVEL(dst);
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RUNNING, NULL), "RUNNING");
	ASSERT_RET(0, vmig_irq_set_fd(dst, INTX, TRIGGER, self->a), "connect");
	EXPECT_SIGNAL(self->a, "the level is high at the source");
	self->subject.ops->irq_lower(dst, INTX, 0);
}

SUBJECT_TEST_MAIN
