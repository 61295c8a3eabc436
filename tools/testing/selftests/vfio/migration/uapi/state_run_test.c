// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts in the states in which the device runs, and one that is pending in a stream:
 * it must not be signalled before the destination runs. STOP: irq_state_test.c
 */
#include <errno.h>

#include "states.h"

/* A signal that must not come is waited for so long: the device may need some time */
#define QUIET_MS	20

FIXTURE(state_run) {
	SUBJECT_MEMBERS;
	int irq;
};

FIXTURE_VARIANT(state_run) {
	unsigned int index;
	uint32_t has;
};

FIXTURE_VARIANT_ADD(state_run, intx) { .index = INTX, .has = VMIG_HAS_INTX };
FIXTURE_VARIANT_ADD(state_run, msi) { .index = MSI, .has = VMIG_HAS_MSI };
FIXTURE_VARIANT_ADD(state_run, msix) { .index = MSIX, .has = VMIG_HAS_MSIX };

FIXTURE_SETUP(state_run)
{
	self->irq = -1;
	OPEN_SUBJECT();
	self->irq = vmig_eventfd_create();
	ASSERT_LE(0, self->irq);
}

FIXTURE_TEARDOWN(state_run)
{
	if (self->irq >= 0)
		close(self->irq);
	CLOSE_SUBJECT();
}

#define NEED_IRQ_OPS() do { \
	NEED(MIGRATION); \
	NEED_MASK(variant->has); \
	NEED_OP(irq_raise); \
	NEED_OP(irq_lower); \
} while (0)

#define TRY_CONNECT() \
	TRY(vmig_irq_set_fd(self->dev, variant->index, TRIGGER, self->irq), "connect an eventfd")
#define TRY_RAISE() \
	TRY(self->subject.ops->irq_raise(self->dev, variant->index, 0), "raise")

/* 1 or more signals; 0: none in this time */
static int64_t signals(int fd, int ms)
{
	int64_t nr;

	vmig_call_text("wait %d ms for the eventfd", ms);
	nr = vmig_eventfd_wait(fd, ms);
	if (nr == -ETIMEDOUT)
		nr = 0;
	vmig_call_result(nr);
	return nr;
}

/* The interrupt of the variant in this state, which is not the first one */
#define CONNECT_AND_REACH(_state) do { \
	TRY(vmig_bus_master_enable(self->dev), "set Bus Master"); \
	TRY_CONNECT(); \
	TRY_STATE(STOP, NULL); \
	TRY_STATE(_state, &self->fd); \
	signals(self->irq, 0); \
} while (0)

#define EXPECT_INTERRUPT(_state) do { \
	CONNECT_AND_REACH(_state); \
	TRY_RAISE(); \
	EXPECT_LE(1, signals(self->irq, VMIG_IRQ_DEADLINE_MS)) { \
		TH_LOG("no interrupt in " #_state); \
	} \
	self->subject.ops->irq_lower(self->dev, variant->index, 0); \
} while (0)

/*
 * The user should not touch a device in a P2P state, which may stop all DMA and so MSI. The
 * interrupt of the variant must come in RUNNING again.
 */
#define EXPECT_INTERRUPT_AFTER(_state) do { \
	int raised; \
	CONNECT_AND_REACH(_state); \
	raised = self->subject.ops->irq_raise(self->dev, variant->index, 0); \
	RECORD("interrupt in " #_state, "%s", raised ? vmig_errno_name(raised) : \
	       signals(self->irq, VMIG_IRQ_DEADLINE_MS) > 0 ? "signalled" : "not signalled"); \
	self->subject.ops->irq_lower(self->dev, variant->index, 0); \
	TRY_STATE(RUNNING, NULL); \
	/* A signal of INTx has masked it */ \
	if (variant->index == INTX) \
		TRY(vmig_irq_action(self->dev, INTX, UNMASK), "unmask"); \
	signals(self->irq, QUIET_MS); \
	TRY_RAISE(); \
	EXPECT_LE(1, signals(self->irq, VMIG_IRQ_DEADLINE_MS)) { \
		TH_LOG("no interrupt in RUNNING after " #_state); \
	} \
	self->subject.ops->irq_lower(self->dev, variant->index, 0); \
} while (0)

CLAUSE_TEST_F(state_run, signals_in_running, "state.running")
{
	NEED_IRQ_OPS();
	EXPECT_INTERRUPT(RUNNING);
}

CLAUSE_TEST_F(state_run, signals_in_running_p2p, "state.running-p2p")
{
	NEED_IRQ_OPS();
	NEED(P2P);
	EXPECT_INTERRUPT_AFTER(RUNNING_P2P);
}

CLAUSE_TEST_F(state_run, signals_in_pre_copy, "state.pre-copy")
{
	NEED_IRQ_OPS();
	NEED(PRE_COPY);
	EXPECT_INTERRUPT(PRE_COPY);
}

CLAUSE_TEST_F(state_run, signals_in_pre_copy_p2p, "state.pre-copy-p2p")
{
	NEED_IRQ_OPS();
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_INTERRUPT_AFTER(PRE_COPY_P2P);
}

/* The interrupt is raised in RUNNING, where nothing is connected, and then saved */
#define SAVE_PENDING() do { \
	TRY(vmig_bus_master_enable(self->dev), "set Bus Master"); \
	TRY_RAISE(); \
	SAVE_STREAM(); \
	TRY(vmig_bus_master_enable(self->dev), "set Bus Master"); \
} while (0)

/* No signal has come since the last look */
#define EXPECT_QUIET(_state) \
	EXPECT_EQ(0, signals(self->irq, QUIET_MS)) { \
		TH_LOG("an interrupt in " #_state); \
	}

CLAUSE_TEST_F(state_run, what_is_loaded_waits_in_resuming, "state.resuming-irq")
{
	NEED_IRQ_OPS();
	SAVE_PENDING();
	TRY_CONNECT();
	REACH(RESUMING);
	EXPECT_QUIET(RESUMING);
}

CLAUSE_TEST_F(state_run, what_is_loaded_waits_in_stop, "state.stop-irq", "state.stop-later")
{
	NEED_IRQ_OPS();
	SAVE_PENDING();
	REACH(RESUMING);
	TRY_CONNECT();
	TRY_STATE(STOP, NULL);
	EXPECT_QUIET(STOP);
	TRY_STATE(RUNNING, NULL);
	RECORD("interrupt that was pending in the stream", "%s",
	       signals(self->irq, QUIET_MS) ? "signalled in RUNNING" : "not signalled");
	self->subject.ops->irq_lower(self->dev, variant->index, 0);
}

SUBJECT_TEST_MAIN
