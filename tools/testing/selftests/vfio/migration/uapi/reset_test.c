// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_RESET: contents, interrupts, migration states and sessions. */
#include <fcntl.h>

#include "usable.h"

#define SEED	60

FIXTURE(reset) {
	SUBJECT_MEMBERS;
	int event;
};

FIXTURE_SETUP(reset)
{
	OPEN_SUBJECT();
	self->event = vmig_eventfd_create();
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(reset)
{
	close(self->event);
	CLOSE_SUBJECT();
}

/* A device that can migrate can be reset, whatever its flag says */
#define NEED_RESET() do { \
	if (!(self->subject.has & (VMIG_HAS_RESET | VMIG_HAS_MIGRATION))) \
		SKIP(return, "not applicable: the device cannot be reset"); \
} while (0)

CLAUSE_TEST_F(reset, flag, "reset.flag")
{
	NEED(RESET);
	EXPECT_RET(0, vmig_device_reset_listed(self->dev), "reset");
}

CLAUSE_TEST_F(reset, no_flag, "reset.no-flag")
{
	if (self->subject.has & VMIG_HAS_RESET)
		SKIP(return, "not applicable: the device has the flag");
	EXPECT_REFUSED("errno of a reset without the flag", vmig_device_reset_listed(self->dev));
}

CLAUSE_TEST_F(reset, migration, "reset.migration")
{
	NEED(MIGRATION);
	EXPECT_RET(0, vmig_device_reset_listed(self->dev), "reset");
}

CLAUSE_TEST_F(reset, contents, "reset.contents")
{
	const char *what = "";

	NEED_RESET();
	NEED_OP(fill);
	NEED_OP(check);
	ASSERT_RET(0, self->subject.ops->fill(self->dev, SEED), "fill");
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_RET(-EUCLEAN, self->subject.ops->check(self->dev, SEED, &what),
		   "the contents have outlived the reset");
}

/* The level was signalled, and masked by that: unmasking would signal it once more */
CLAUSE_TEST_F(reset, pending_intx, "reset.pending")
{
	NEED_RESET();
	NEED(INTX);
	NEED_OP(irq_raise);
	CONNECT_FD(INTX, self->event);
	RAISE(INTX);
	ASSERT_EQ(1, vmig_eventfd_wait(self->event, VMIG_IRQ_DEADLINE_MS));
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	/* Refused if the reset has disconnected it */
	vmig_irq_action(self->dev, INTX, UNMASK);
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->event, QUIET_MS));
}

CLAUSE_TEST_F(reset, pending_in_stop, "reset.pending")
{
	int index;

	NEED(MIGRATION);
	NEED_IRQ(index);
	NEED_OP(irq_raise);
	if (self->dev->flags & VFIO_DEVICE_FLAGS_PCI)
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	CONNECT_FD(index, self->event);
	GO(STOP);
	RAISE(index);
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->event, QUIET_MS));
}

CLAUSE_TEST_F(reset, eventfds, "reset.irqs")
{
	int index;

	NEED_RESET();
	NEED_IRQ(index);
	CONNECT_FD(index, self->event);
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	vmig_irq_action(self->dev, index, TRIGGER);
	RECORD("an eventfd that was connected before a reset", "%s",
	       vmig_eventfd_take(self->event) > 0 ? "stays connected" : "is disconnected");
}

CLAUSE_TEST_F(reset, masks, "reset.irqs")
{
	int64_t signals;

	NEED_RESET();
	NEED(INTX);
	NEED_OP(irq_raise);
	CONNECT_FD(INTX, self->event);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	RAISE(INTX);
	signals = vmig_eventfd_wait(self->event, QUIET_MS);
	EXPECT_TRUE(signals == 1 || signals == -ETIMEDOUT);
	RECORD("INTx that was masked before a reset", "%s",
	       signals == 1 ? "is unmasked, and signals" : "does not signal");
}

/* Load data that no driver takes */
#define REACH_ERROR() do { \
	int error_ret = vmig_transfer_reach(self->dev, ERROR, NULL, &self->fd); \
\
	if (error_ret == -EPROTO) \
		SKIP(return, "not checked: the driver did not enter ERROR"); \
	ASSERT_RET(0, error_ret, "to ERROR"); \
} while (0)

DESTRUCTIVE_TEST_F(reset, from_error, "writes invalid data", "reset.from-error")
{
	NEED(MIGRATION);
	REACH_ERROR();
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_STATE(RUNNING, self->dev, "after the reset");
}

DESTRUCTIVE_TEST_F(reset, usable_after_error, "writes invalid data", "reset.usable")
{
	NEED(MIGRATION);
	REACH_ERROR();
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_USABLE(SEED);
}

CLAUSE_TEST_F(reset, aborts_resuming, "reset.from-resuming")
{
	enum vfio_device_mig_state state = RESUMING;
	const char *what = "";

	NEED(MIGRATION);
	if (self->subject.ops->fill)
		ASSERT_RET(0, self->subject.ops->fill(self->dev, SEED), "fill");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	REACH(RESUMING);
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	EXPECT_STRNE("RESUMING", vmig_state_name(state));
	if (self->subject.ops->check)
		EXPECT_RET(-EUCLEAN, self->subject.ops->check(self->dev, SEED, &what),
			   "what was written has outlived the reset");
}

SUBJECT_FIXTURE(reset_state);

FIXTURE_VARIANT(reset_state) {
	enum vfio_device_mig_state state;
};

REACHABLE_STATE_VARIANTS(reset_state);

CLAUSE_TEST_F(reset_state, gives_running, "reset.state")
{
	NEED_MASK(state_needs(variant->state));
	REACH(variant->state);
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	EXPECT_STATE(RUNNING, self->dev, "after the reset");
}

CLAUSE_TEST_F(reset_state, leaves_a_usable_device, "reset.usable")
{
	enum vfio_device_mig_state state;

	NEED_MASK(state_needs(variant->state));
	REACH(variant->state);
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	if (state != RUNNING)
		GO(RUNNING);
	EXPECT_USABLE(SEED);
}

SUBJECT_FIXTURE(reset_session);

FIXTURE_VARIANT(reset_session) {
	enum vfio_device_mig_state state;
};

FIXTURE_VARIANT_ADD(reset_session, of_stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(reset_session, of_resuming) { .state = RESUMING };
FIXTURE_VARIANT_ADD(reset_session, of_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(reset_session, of_pre_copy_p2p) { .state = PRE_COPY_P2P };

#define BEGIN_SESSION(_state) do { \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, _state, &self->fd), "begin a session"); \
	ASSERT_LE(0, self->fd); \
} while (0)

/* Only if the reset has left the states that have a session */
CLAUSE_TEST_F(reset_session, ends, "reset.session")
{
	enum vfio_device_mig_state state;
	uint8_t buf[64];
	ssize_t n;

	NEED_MASK(state_needs(variant->state));
	if (variant->state == RESUMING)
		SAVE_STREAM();
	BEGIN_SESSION(variant->state);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_RET(0, vmig_device_reset_listed(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	if (has_session(state))
		SKIP(return, "not applicable: the reset leaves the device in %s",
		     vmig_state_name(state));
	if (variant->state == RESUMING)
		n = vmig_call_write(self->fd, self->stream.data, self->stream.len);
	else
		n = vmig_call_read(self->fd, buf, sizeof(buf));
	EXPECT_GE(0, n) {
		TH_LOG("%zd bytes moved after the end of the session", n);
	}
}

SUBJECT_TEST_MAIN
