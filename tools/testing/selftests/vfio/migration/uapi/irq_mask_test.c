// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx is a level: signalling masks it, and unmasking signals it again while it is high.
 * MASK and UNMASK with DATA_NONE, DATA_BOOL and eventfds. Eventfd @a is connected to INTx.
 */
#include "irq_case.h"

IRQ_FIXTURE(irq_mask, VMIG_HAS_INTX);

#define CONNECT_A() do { \
	NEED(INTX); \
	if (!(self->info.flags & VFIO_IRQ_INFO_MASKABLE)) \
		SKIP(return, "not applicable: INTx is not maskable"); \
	CONNECT_FD(INTX, self->a); \
} while (0)
/* CONNECT_A(), and the device can raise and lower INTx */
#define CONNECT_LEVEL() do { \
	NEED(INTX); \
	NEED_OP(irq_raise); \
	NEED_OP(irq_lower); \
	CONNECT_A(); \
} while (0)
#define NEED_AUTOMASK() do { \
	NEED(INTX); \
	if (!(self->info.flags & VFIO_IRQ_INFO_AUTOMASKED)) \
		SKIP(return, "not applicable: INTx is not automasked"); \
} while (0)
#define ACTION(_action) \
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, _action), #_action)
#define BOOL_ACTION(_action, _val) \
	ASSERT_RET(0, vmig_irq_action_bool(self->dev, INTX, _action, _val), #_action)
#define BIND(_action, _fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, _action, _fd), "bind " #_action)
#define SIGNAL(_fd)	ASSERT_RET(0, signal_eventfd(_fd), "signal")

CLAUSE_TEST_F(irq_mask, mask_and_unmask, "irq.maskable")
{
	CONNECT_A();
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "MASK");
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "UNMASK");
}

CLAUSE_TEST_F(irq_mask, signal_masks, "irq.automasked")
{
	NEED_AUTOMASK();
	CONNECT_LEVEL();
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the first one");
	LOWER(INTX);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "not unmasked since the first one");
	LOWER(INTX);
	ACTION(UNMASK);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "unmasked");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, unmask_of_a_high_level, "irq.unmask-high")
{
	NEED_AUTOMASK();
	CONNECT_LEVEL();
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	ACTION(UNMASK);
	EXPECT_SIGNAL(self->a, "the level is still high");
	LOWER(INTX);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "masked by the second signal");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, unmask_of_a_low_level, "irq.unmask-low")
{
	NEED_AUTOMASK();
	CONNECT_LEVEL();
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	LOWER(INTX);
	ACTION(UNMASK);
	EXPECT_SILENT(self->a, "the level is low");
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "it has risen again");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, masked, "irq.mask")
{
	CONNECT_LEVEL();
	ACTION(MASK);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "masked");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, risen_while_masked, "irq.mask-high")
{
	CONNECT_LEVEL();
	ACTION(MASK);
	RAISE(INTX);
	ACTION(UNMASK);
	EXPECT_SIGNAL(self->a, "unmasked, the level is high");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, risen_and_fallen_while_masked, "irq.mask-low")
{
	CONNECT_LEVEL();
	ACTION(MASK);
	RAISE(INTX);
	LOWER(INTX);
	ACTION(UNMASK);
	EXPECT_SILENT(self->a, "the level is low");
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "it has risen again");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, masked_twice, "irq.mask-state")
{
	CONNECT_LEVEL();
	ACTION(MASK);
	ACTION(MASK);
	ACTION(UNMASK);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "one UNMASK undoes both");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, unmasked_twice, "irq.mask-state")
{
	CONNECT_LEVEL();
	ACTION(UNMASK);
	ACTION(UNMASK);
	ACTION(MASK);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "one MASK undoes both");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, mask_by_bool, "irq.mask-bool")
{
	CONNECT_LEVEL();
	BOOL_ACTION(MASK, 0);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "MASK with 0 does nothing");
	LOWER(INTX);
	ACTION(UNMASK);
	BOOL_ACTION(MASK, 0x80);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "MASK with another value masks");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, unmask_by_bool, "irq.mask-bool")
{
	CONNECT_LEVEL();
	ACTION(MASK);
	BOOL_ACTION(UNMASK, 0);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "UNMASK with 0 does nothing");
	LOWER(INTX);
	BOOL_ACTION(UNMASK, 0x80);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "UNMASK with another value unmasks");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, mask_by_eventfd, "irq.mask-eventfd")
{
	int ret;

	CONNECT_LEVEL();
	ret = vmig_irq_set_fd(self->dev, INTX, MASK, self->b);
	RECORD("MASK by eventfd", "%s", ret ? vmig_errno_name(ret) : "accepted");
	if (ret)
		return;
	SIGNAL(self->b);
	/* The driver may act on it later: let it do so */
	EXPECT_SILENT(self->a, "masking");
	BIND(MASK, -1);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "masked by the eventfd");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, unmask_by_eventfd, "irq.unmask-eventfd")
{
	unsigned int i;

	NEED_AUTOMASK();
	CONNECT_LEVEL();
	BIND(UNMASK, self->b);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	for (i = 0; i < 3; i++) {
		LOWER(INTX);
		SIGNAL(self->b);
		RAISE(INTX);
		EXPECT_SIGNAL(self->a, "unmasked by the eventfd");
	}
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, disconnected_unmask, "irq.unmask-unbind")
{
	NEED_AUTOMASK();
	CONNECT_LEVEL();
	if (vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b))
		SKIP(return, "not applicable: the driver refuses an eventfd for UNMASK");
	BIND(UNMASK, -1);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	LOWER(INTX);
	SIGNAL(self->b);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "the eventfd is not connected to UNMASK any more");
	LOWER(INTX);
}

/* Either eventfd may be the one that is connected then */
CLAUSE_TEST_F(irq_mask, second_unmask, "irq.unmask-rebind")
{
	int ret;

	NEED_AUTOMASK();
	CONNECT_LEVEL();
	if (vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b))
		SKIP(return, "not applicable: the driver refuses an eventfd for UNMASK");
	ret = vmig_irq_set_fd(self->dev, INTX, UNMASK, self->c);
	RECORD("second eventfd for UNMASK", "%s", ret ? vmig_errno_name(ret) : "replaces");
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	LOWER(INTX);
	SIGNAL(ret ? self->c : self->b);
	RAISE(INTX);
	EXPECT_SILENT(self->a, "an eventfd that is not connected");
	LOWER(INTX);
	SIGNAL(ret ? self->b : self->c);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the eventfd that is connected");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, closed_unmask_eventfd, "irq.held")
{
	NEED_AUTOMASK();
	CONNECT_LEVEL();
	if (vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b))
		SKIP(return, "not applicable: the driver refuses an eventfd for UNMASK");
	EXPECT_EQ(0, vmig_call_close(self->b));
	self->b = -1;
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "the level has risen");
	LOWER(INTX);
	BIND(UNMASK, -1);
	BIND(UNMASK, self->c);
	SIGNAL(self->c);
	RAISE(INTX);
	EXPECT_SIGNAL(self->a, "unmasked by another eventfd");
	LOWER(INTX);
}

CLAUSE_TEST_F(irq_mask, loopback_while_masked, "irq.loopback-masked")
{
	int64_t nr;

	CONNECT_A();
	ACTION(MASK);
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, TRIGGER), "TRIGGER");
	nr = count_signals(self->a, QUIET_MS);
	EXPECT_GE(1, nr);
	RECORD("TRIGGER by the user while masked", "%s", nr ? "signals" : "does not signal");
}

SUBJECT_TEST_MAIN
