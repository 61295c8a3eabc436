// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a device that is stopped: it signals none. Eventfds can be connected then.
 * A register that is not accessible in such a state is no violation, so the result of the
 * operation that raises an interrupt is not judged.
 */
#include "irq_case.h"
#include "lib/vfio/thread.h"

IRQ_FIXTURE_OF_KINDS(irq_state);
INTX_VARIANT(irq_state);
MESSAGE_VARIANT(irq_state);

#define NEED_STATES() do { \
	NEED(MIGRATION); \
	NEED_INDEX(); \
} while (0)
#define RAISE_STOPPED() \
	self->subject.ops->irq_raise(self->dev, self->info.index, 0)
#define CONNECT_AND_GO(_state) do { \
	NEED_STATES(); \
	NEED_OP(irq_raise); \
	CONNECT_FD(self->info.index, self->a); \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, _state, &self->fd), "to %s", \
		   vmig_state_name(_state)); \
} while (0)

CLAUSE_TEST_F(irq_state, stop_is_silent, "state.stop-irq")
{
	CONNECT_AND_GO(VFIO_DEVICE_STATE_STOP);
	RAISE_STOPPED();
	EXPECT_SILENT(self->a, "in STOP");
}

CLAUSE_TEST_F(irq_state, stop_copy_is_silent, "state.stop-copy-irq")
{
	CONNECT_AND_GO(VFIO_DEVICE_STATE_STOP_COPY);
	RAISE_STOPPED();
	EXPECT_SILENT(self->a, "in STOP_COPY");
}

CLAUSE_TEST_F(irq_state, resuming_is_silent, "state.resuming-irq")
{
	CONNECT_AND_GO(VFIO_DEVICE_STATE_RESUMING);
	RAISE_STOPPED();
	EXPECT_SILENT(self->a, "in RESUMING");
}

CLAUSE_TEST_F(irq_state, connecting_in_stop_is_silent, "state.stop-irq")
{
	NEED_STATES();
	NEED_OP(irq_raise);
	GO(VFIO_DEVICE_STATE_STOP);
	RAISE_STOPPED();
	CONNECT_FD(self->info.index, self->a);
	EXPECT_SILENT(self->a, "connected in STOP");
}

/* The device has a level that the user unmasks just before the arc */
CLAUSE_TEST_F(irq_state, no_late_signal_in_stop, "state.stop-irq")
{
	NEED_STATES();
	NEED_OP(irq_raise);
	if (!(self->info.flags & VFIO_IRQ_INFO_AUTOMASKED))
		SKIP(return, "not applicable: the index is not automasked");
	CONNECT_FD(self->info.index, self->a);
	if (vmig_irq_set_fd(self->dev, self->info.index, UNMASK, self->b))
		SKIP(return, "not applicable: the driver refuses an eventfd for UNMASK");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "in RUNNING");
	/*
	 * Work that the driver left to a worker runs when this process sleeps. Where that is not
	 * allowed, the case sees less.
	 */
	vmig_keep_cpu();
	ASSERT_RET(0, signal_eventfd(self->b), "unmask");
	GO(VFIO_DEVICE_STATE_STOP);
	count_signals(self->a, 0);
	EXPECT_SILENT(self->a, "after the arc to STOP");
}

CLAUSE_TEST_F(irq_state, set_irqs_in_stop, "state.stop-set-irqs")
{
	NEED_STATES();
	GO(VFIO_DEVICE_STATE_STOP);
	CONNECT_FD(self->info.index, self->a);
	CONNECT_FD(self->info.index, self->b);
	ASSERT_RET(0, vmig_irq_disable(self->dev, self->info.index), "disable");
	CONNECT_FD(self->info.index, self->a);
	GO(VFIO_DEVICE_STATE_RUNNING);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "connected in STOP, raised in RUNNING");
	EXPECT_NONE(self->b, "disconnected in STOP");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq_state, disconnected_in_stop, "state.stop-set-irqs")
{
	NEED_STATES();
	CONNECT_FD(self->info.index, self->a);
	GO(VFIO_DEVICE_STATE_STOP);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, -1), "disconnect");
	GO(VFIO_DEVICE_STATE_RUNNING);
	fire_unconnected(&self->subject, self->info.index);
	EXPECT_SILENT(self->a, "disconnected in STOP");
}

CLAUSE_TEST_F(irq_state, connected_before_stop, "state.running")
{
	CONNECT_AND_GO(VFIO_DEVICE_STATE_STOP);
	GO(VFIO_DEVICE_STATE_RUNNING);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "in RUNNING after STOP");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq_state, raised_in_stop, "state.stop-later")
{
	int64_t nr;

	CONNECT_AND_GO(VFIO_DEVICE_STATE_STOP);
	RAISE_STOPPED();
	/* Not judged here */
	count_signals(self->a, 0);
	GO(VFIO_DEVICE_STATE_RUNNING);
	nr = count_signals(self->a, QUIET_MS);
	EXPECT_GE(1, nr);
	RECORD("interrupt that was raised in STOP", "%s",
	       nr ? "signalled in RUNNING" : "not signalled");
	QUIESCE(0);
	FIRE(0);
	/* The one that was raised in STOP may be late */
	EXPECT_SOME_SIGNAL(self->a, "the next one");
	QUIESCE(0);
}

SUBJECT_TEST_MAIN
