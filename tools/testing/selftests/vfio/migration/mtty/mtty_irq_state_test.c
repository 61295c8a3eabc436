// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and the migration state: a device that does not run signals nothing. An
 * interrupt that is then pending is signalled once when the device runs again.
 * VFIO_DEVICE_SET_IRQS takes effect in every state.
 */
#include <errno.h>

#include "mtty/irq_fixture.h"

IRQ_FIXTURE(irq_state, "mtty-2", .capture_size = "8K");

FIXTURE_VARIANT(irq_state) {
	enum vfio_device_mig_state state;
};

STATE_VARIANTS(irq_state);

/* After a reset, in the state of the variant; interrupts stay connected */
static void enter(struct __test_metadata *_metadata,
		  FIXTURE_DATA(irq_state) *self,
		  const FIXTURE_VARIANT(irq_state) *variant)
{
	if (self->fd >= 0)
		close(self->fd);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->state, NULL,
					  &self->fd), "to %s",
		   vmig_state_name(variant->state));
}

/* Driver: enum vfio_device_mig_state: signals while running, nothing otherwise */
TEST_F(irq_state, interrupt_is_signalled_if_running)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		CONNECT(index, self->a);
		enter(_metadata, self, variant);
		RAISE();
		EXPECT_SIGNALS(state_runs(variant->state), self->a, "index %u", index);
		LOWER();
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
	}
}

/* Driver: enum vfio_device_mig_state: the same if connected in this state */
TEST_F(irq_state, connected_in_this_state)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		enter(_metadata, self, variant);
		RAISE();
		CONNECT(index, self->a);
		EXPECT_SIGNALS(state_runs(variant->state), self->a, "index %u", index);
		CONNECT(index, self->b);
		EXPECT_SIGNALS(0, self->a, "index %u", index);
		EXPECT_SIGNALS(0, self->b, "index %u", index);
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
		EXPECT_SIGNALS(0, self->b, "index %u", index);
	}
}

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER, NONE and BOOL: at once in every state */
TEST_F(irq_state, loopback_signals_at_once)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		enter(_metadata, self, variant);
		EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, index, TRIGGER),
			   "index %u, not enabled", index);
		CONNECT(index, self->a);
		EXPECT_RET(0, vmig_irq_action(self->dev, index, TRIGGER),
			   "index %u", index);
		EXPECT_SIGNALS(1, self->a, "index %u, DATA_NONE", index);
		EXPECT_RET(0, vmig_irq_action_bool(self->dev, index, TRIGGER, 1),
			   "index %u", index);
		EXPECT_SIGNALS(1, self->a, "index %u, DATA_BOOL", index);
		CONNECT(index, self->b);
		EXPECT_RET(0, vmig_irq_action(self->dev, index, TRIGGER),
			   "index %u, another eventfd", index);
		EXPECT_SIGNALS(1, self->b, "index %u, another eventfd", index);
		EXPECT_SIGNALS(0, self->a, "index %u, another eventfd", index);
		CONNECT(index, -1);
		EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, index, TRIGGER),
			   "index %u, disabled", index);
		EXPECT_SIGNALS(0, self->b, "index %u, disabled", index);
	}
}

/* Driver: VFIO_DEVICE_SET_IRQS, bad request: fails at once in every state */
TEST_F(irq_state, refusals_are_not_deferred)
{
	enter(_metadata, self, variant);
	EXPECT_RET(-EBADF, vmig_irq_set_fd(self->dev, MSI, TRIGGER, -2), "fd");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, MSI, TRIGGER,
					    self->dev->fd), "no eventfd");
	EXPECT_RET(-EBADF, vmig_irq_set_fd(self->dev, INTX, TRIGGER, -2), "fd");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, TRIGGER,
					    self->dev->fd), "no eventfd");
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, INTX, MASK),
		   "mask, not enabled");
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, INTX, UNMASK),
		   "unmask, not enabled");
	CONNECT(MSI, self->a);
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, TRIGGER, self->b),
		   "a second index");
	EXPECT_RET(-ENOTTY, vmig_irq_action(self->dev, MSI, MASK), "mask MSI");
	EXPECT_RET(0, vmig_irq_action(self->dev, MSI, TRIGGER), "still there");
	EXPECT_SIGNALS(1, self->a, "still there");
	EXPECT_STATE(variant->state, self->dev, "state");
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK, _UNMASK: take effect in every state */
TEST_F(irq_state, mask_and_unmask_take_effect)
{
	bool runs = state_runs(variant->state);

	enter(_metadata, self, variant);
	CONNECT(INTX, self->a);
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	RAISE();
	EXPECT_SIGNALS(0, self->a, "masked");
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_SIGNALS(runs, self->a, "unmasked");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b), "bind");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, MASK, self->a),
		   "the trigger");
	EXPECT_RET(0, vmig_eventfd_signal(self->b), "signal");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, -1), "unbind");
	EXPECT_SIGNALS(runs, self->a, "unmasked by eventfd");
}

/* The device is stopped (@away) and runs again (@back) */
IRQ_FIXTURE(irq_pending, "mtty-2", .capture_size = "8K");

FIXTURE_VARIANT(irq_pending) {
	unsigned int index;
	enum vfio_device_mig_state away;
	enum vfio_device_mig_state back;
};

#define PENDING(_name, _index, _away, _back) \
FIXTURE_VARIANT_ADD(irq_pending, _name) { \
	.index = _index, .away = VFIO_DEVICE_STATE_##_away, \
	.back = VFIO_DEVICE_STATE_##_back, \
}

PENDING(intx_stop_running, INTX, STOP, RUNNING);
PENDING(intx_stop_running_p2p, INTX, STOP, RUNNING_P2P);
PENDING(intx_stop_copy_running, INTX, STOP_COPY, RUNNING);
PENDING(msi_stop_running, MSI, STOP, RUNNING);
PENDING(msi_stop_running_p2p, MSI, STOP, RUNNING_P2P);
PENDING(msi_stop_copy_running, MSI, STOP_COPY, RUNNING);

#define EXPECT_A(_want, ...)	EXPECT_SIGNALS(_want, self->a, __VA_ARGS__)

/* Runs again, and goes through more states: no second signal */
#define EXPECT_ONCE_BACK(_want) do { \
	GO(variant->back); \
	EXPECT_A(_want, "when it runs"); \
	GO(VFIO_DEVICE_STATE_RUNNING); \
	GO(VFIO_DEVICE_STATE_PRE_COPY); \
	GO(VFIO_DEVICE_STATE_STOP_COPY); \
	GO(VFIO_DEVICE_STATE_RUNNING); \
	EXPECT_A(0, "a second time"); \
} while (0)

/* Driver: asserted while stopped: signalled once when the device runs */
TEST_F(irq_pending, asserted_while_stopped)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(1);
}

/* Driver: asserted and deasserted while stopped: not signalled */
TEST_F(irq_pending, deasserted_while_stopped)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	LOWER();
	EXPECT_ONCE_BACK(0);
	RAISE();
	EXPECT_A(1, "the next one");
}

/* Driver: signalled before the stop: not signalled again */
TEST_F(irq_pending, signalled_before)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_A(1, "before");
	GO(variant->away);
	EXPECT_ONCE_BACK(0);
}

/* Driver: asserted again while stopped: a new edge for MSI, INTx is still masked */
TEST_F(irq_pending, asserted_again_while_stopped)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_A(1, "before");
	GO(variant->away);
	LOWER();
	RAISE();
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(variant->index == MSI);
}

/* Driver: asserted before the stop, connected while stopped: signalled once */
TEST_F(irq_pending, connected_while_stopped)
{
	RAISE();
	GO(variant->away);
	CONNECT(variant->index, self->a);
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(1);
}

/* Driver: asserted while stopped, connected when the device runs: signalled once */
TEST_F(irq_pending, connected_after)
{
	GO(variant->away);
	RAISE();
	GO(variant->back);
	CONNECT(variant->index, self->a);
	EXPECT_A(1, "connected");
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(0, "a second time");
}

/* Driver: eventfd replaced while stopped: the new one is signalled */
TEST_F(irq_pending, replaced_while_stopped)
{
	CONNECT(variant->index, self->b);
	GO(variant->away);
	RAISE();
	CONNECT(variant->index, self->a);
	EXPECT_ONCE_BACK(1);
	EXPECT_SIGNALS(0, self->b, "the old one");
}

/* Driver: disabled while stopped: not signalled */
TEST_F(irq_pending, disabled_while_stopped)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	ASSERT_RET(0, vmig_irq_disable(self->dev, variant->index), "disable");
	EXPECT_ONCE_BACK(0);
}

/* Driver: VFIO_DEVICE_RESET while stopped: no interrupt is pending */
TEST_F(irq_pending, reset_while_stopped)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	EXPECT_A(0, "reset");
	RAISE();
	EXPECT_A(1, "the next one");
}

/* The mask of INTx while the device does not run */
FIXTURE(irq_stopped_mask) {
	IRQ_MEMBERS;
};

FIXTURE_SETUP(irq_stopped_mask)
{
	OPEN_IRQ_DEVICE("mtty-2", .capture_size = "8K");
	CONNECT(INTX, self->a);
}

FIXTURE_TEARDOWN(irq_stopped_mask)
{
	CLOSE_IRQ_DEVICE();
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK in STOP: still masked when the device runs */
TEST_F(irq_stopped_mask, masked_in_stop)
{
	GO(VFIO_DEVICE_STATE_STOP);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	RAISE();
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(0, "masked");
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_A(1, "unmasked");
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK in STOP, level high: signalled once after it */
TEST_F(irq_stopped_mask, unmasked_in_stop)
{
	RAISE();
	EXPECT_A(1, "before");
	GO(VFIO_DEVICE_STATE_STOP);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_A(0, "in STOP");
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(1, "after");
	GO(VFIO_DEVICE_STATE_STOP);
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(0, "a second time");
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK, bound, in STOP: signalled once after it */
TEST_F(irq_stopped_mask, unmasked_in_stop_by_eventfd)
{
	RAISE();
	EXPECT_A(1, "before");
	GO(VFIO_DEVICE_STATE_STOP);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b), "bind");
	ASSERT_RET(0, vmig_eventfd_signal(self->b), "signal");
	/* Waits for the worker */
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, -1), "unbind");
	EXPECT_A(0, "in STOP");
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(1, "after");
}

/* Driver: VFIO_IRQ_SET_ACTION_UNMASK, bound before STOP: works after it */
TEST_F(irq_stopped_mask, binding_survives_stop)
{
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b), "bind");
	RAISE();
	EXPECT_A(1, "before");
	GO(VFIO_DEVICE_STATE_STOP_COPY);
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(0, "masked");
	ASSERT_RET(0, vmig_eventfd_signal(self->b), "signal");
	EXPECT_EQ(1, vmig_eventfd_wait(self->a, VMIG_IRQ_DEADLINE_MS));
}

/* @stream: of a device with its interrupt asserted, and never signalled */
FIXTURE(irq_resumed) {
	IRQ_MEMBERS;
};

FIXTURE_SETUP(irq_resumed)
{
	OPEN_IRQ_DEVICE("mtty-2", .capture_size = "8K");
	RAISE();
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
}

FIXTURE_TEARDOWN(irq_resumed)
{
	CLOSE_IRQ_DEVICE();
}

/* Driver: RESUMING -> STOP -> RUNNING: a pending interrupt is signalled in RUNNING */
TEST_F(irq_resumed, pending_one_is_signalled_in_running)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
		CONNECT(index, self->a);
		ASSERT_RET(0, vmig_transfer_reach(self->dev,
						  VFIO_DEVICE_STATE_RESUMING,
						  &self->stream, &self->fd),
			   "RESUMING");
		EXPECT_A(0, "index %u in RESUMING", index);
		GO(VFIO_DEVICE_STATE_STOP);
		EXPECT_A(0, "index %u in STOP", index);
		GO(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_A(1, "index %u in RUNNING", index);
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
		close(self->fd);
		self->fd = -1;
	}
}

/* Saves the device, with its interrupt asserted, and resets it */
static void save_again(struct __test_metadata *_metadata,
		       FIXTURE_DATA(irq_resumed) *self)
{
	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	vmig_eventfd_take(self->a);
}

static void load_and_run(struct __test_metadata *_metadata,
			 FIXTURE_DATA(irq_resumed) *self)
{
	ASSERT_RET(0, vmig_transfer_reach(self->dev, VFIO_DEVICE_STATE_RESUMING,
					  &self->stream, &self->fd), "load");
	GO(VFIO_DEVICE_STATE_RUNNING);
}

/* Driver: automask: not in the stream; the level is signalled on the destination */
TEST_F(irq_resumed, automask_of_the_source_does_not_move)
{
	CONNECT(INTX, self->a);
	RAISE();
	EXPECT_A(1, "on the source");
	save_again(_metadata, self);
	load_and_run(_metadata, self);
	EXPECT_A(1, "on the destination");
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK: not in the stream */
TEST_F(irq_resumed, mask_of_the_source_does_not_move)
{
	CONNECT(INTX, self->a);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	RAISE();
	EXPECT_A(0, "on the source");
	save_again(_metadata, self);
	load_and_run(_metadata, self);
	EXPECT_A(1, "on the destination");
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK set on the destination: stays */
TEST_F(irq_resumed, mask_of_the_destination_stays)
{
	CONNECT(INTX, self->a);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	load_and_run(_metadata, self);
	EXPECT_A(0, "masked");
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_A(1, "unmasked");
}

/* Driver: VFIO_DEVICE_SET_IRQS, from RESUMING on: connected late, nothing is lost */
TEST_F(irq_resumed, connected_at_any_time)
{
	unsigned int when;

	for (when = 0; when < 3; when++) {
		ASSERT_RET(0, vmig_transfer_reach(self->dev,
						  VFIO_DEVICE_STATE_RESUMING,
						  &self->stream, &self->fd),
			   "RESUMING");
		EXPECT_RET(0, vmig_irq_disable(self->dev, MSI), "disable");
		if (when == 0)
			CONNECT(MSI, self->a);
		GO(VFIO_DEVICE_STATE_STOP);
		if (when == 1)
			CONNECT(MSI, self->a);
		EXPECT_A(0, "not yet, %u", when);
		GO(VFIO_DEVICE_STATE_RUNNING);
		if (when == 2)
			CONNECT(MSI, self->a);
		EXPECT_A(1, "connected at %u", when);
		ASSERT_RET(0, vmig_irq_disable(self->dev, MSI), "disable");
		close(self->fd);
		self->fd = -1;
	}
}

TEST_HARNESS_MAIN
