// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and the migration state: a device that does not run signals
 * nothing, and what came up meanwhile is signalled once when it runs again.
 * VFIO_DEVICE_SET_IRQS takes effect in every state.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/mtty.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK

static int open_device(struct vmig_testdev *td)
{
	const struct vmig_attrs attrs = { .capture_size = "8K" };
	int ret;

	ret = vmig_testdev_open(td, "mtty-2", VMIG_PATH_ANY, &attrs);
	return ret ? ret : vmig_bus_master_enable(&td->dev);
}

#define CONNECT(_index, _fd) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, _index, TRIGGER, _fd), \
		   "connect")
#define RAISE()	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise")
#define LOWER()	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower")
#define GO(_state) do { \
	enum vfio_device_mig_state to_state = (_state); \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, to_state, NULL), "to %s", \
		   vmig_state_name(to_state)); \
} while (0)
#define EXPECT_SIGNALS(_want, _fd, ...) do { \
	int64_t seen_signals = vmig_eventfd_take(_fd); \
	EXPECT_EQ(_want, seen_signals) { \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)

/* In each state: what SET_IRQS and the line do there */
FIXTURE(irq_state) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int data_fd;
	int a;
	int b;
};

FIXTURE_VARIANT(irq_state) {
	enum vfio_device_mig_state state;
	/* Signals for an interrupt that comes up there */
	int64_t signals;
};

FIXTURE_VARIANT_ADD(irq_state, in_error) {
	.state = VFIO_DEVICE_STATE_ERROR, .signals = 0,
};

FIXTURE_VARIANT_ADD(irq_state, in_stop) {
	.state = VFIO_DEVICE_STATE_STOP, .signals = 0,
};

FIXTURE_VARIANT_ADD(irq_state, in_running) {
	.state = VFIO_DEVICE_STATE_RUNNING, .signals = 1,
};

FIXTURE_VARIANT_ADD(irq_state, in_stop_copy) {
	.state = VFIO_DEVICE_STATE_STOP_COPY, .signals = 0,
};

FIXTURE_VARIANT_ADD(irq_state, in_resuming) {
	.state = VFIO_DEVICE_STATE_RESUMING, .signals = 0,
};

FIXTURE_VARIANT_ADD(irq_state, in_running_p2p) {
	.state = VFIO_DEVICE_STATE_RUNNING_P2P, .signals = 1,
};

FIXTURE_VARIANT_ADD(irq_state, in_pre_copy) {
	.state = VFIO_DEVICE_STATE_PRE_COPY, .signals = 1,
};

FIXTURE_VARIANT_ADD(irq_state, in_pre_copy_p2p) {
	.state = VFIO_DEVICE_STATE_PRE_COPY_P2P, .signals = 1,
};

FIXTURE_SETUP(irq_state)
{
	self->data_fd = -1;
	self->dev = &self->td.dev;
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	self->b = vmig_eventfd_create();
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, open_device(&self->td));
}

FIXTURE_TEARDOWN(irq_state)
{
	if (self->data_fd >= 0)
		close(self->data_fd);
	close(self->a);
	close(self->b);
	vmig_testdev_close(&self->td);
}

/* A fresh device, with INTx or MSI connected or not, in the variant's state */
static void enter(struct __test_metadata *_metadata,
		  FIXTURE_DATA(irq_state) *self,
		  const FIXTURE_VARIANT(irq_state) *variant)
{
	if (self->data_fd >= 0)
		close(self->data_fd);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "master");
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->state, NULL,
					  &self->data_fd), "to %s",
		   vmig_state_name(variant->state));
}

/* Clause: enum vfio_device_mig_state: signals while running, nothing otherwise */
TEST_F(irq_state, interrupt_is_signalled_if_running)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		CONNECT(index, self->a);
		enter(_metadata, self, variant);
		RAISE();
		EXPECT_SIGNALS(variant->signals, self->a, "index %u", index);
		LOWER();
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
	}
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER, connected there: signals only if running */
TEST_F(irq_state, connected_in_this_state)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		enter(_metadata, self, variant);
		RAISE();
		CONNECT(index, self->a);
		EXPECT_SIGNALS(variant->signals, self->a, "index %u", index);
		CONNECT(index, self->b);
		EXPECT_SIGNALS(0, self->a, "index %u", index);
		EXPECT_SIGNALS(0, self->b, "index %u", index);
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
		EXPECT_SIGNALS(0, self->b, "index %u", index);
	}
}

/* Clause: VFIO_IRQ_SET_ACTION_TRIGGER, NONE and BOOL: at once in every state */
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

/* Clause: VFIO_DEVICE_SET_IRQS, bad request: fails at once in every state */
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

/* Clause: VFIO_IRQ_SET_ACTION_MASK, _UNMASK: taken in every state */
TEST_F(irq_state, mask_and_unmask_are_taken)
{
	enter(_metadata, self, variant);
	CONNECT(INTX, self->a);
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	RAISE();
	EXPECT_SIGNALS(0, self->a, "masked");
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_SIGNALS(variant->signals, self->a, "unmasked");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b), "bind");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, INTX, MASK, self->a),
		   "the trigger");
	EXPECT_RET(0, vmig_eventfd_signal(self->b), "signal");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, -1), "unbind");
	EXPECT_SIGNALS(variant->signals, self->a, "unmasked by eventfd");
}

/* Away from RUNNING and back: what came up meanwhile */
FIXTURE(irq_pending) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int a;
	int b;
};

FIXTURE_VARIANT(irq_pending) {
	unsigned int index;
	enum vfio_device_mig_state away;
	enum vfio_device_mig_state back;
	/* Signals for a second assertion, if nobody unmasks INTx */
	int64_t second;
};

FIXTURE_VARIANT_ADD(irq_pending, intx_stop_running) {
	.index = INTX, .away = VFIO_DEVICE_STATE_STOP,
	.back = VFIO_DEVICE_STATE_RUNNING, .second = 0,
};

FIXTURE_VARIANT_ADD(irq_pending, intx_stop_running_p2p) {
	.index = INTX, .away = VFIO_DEVICE_STATE_STOP,
	.back = VFIO_DEVICE_STATE_RUNNING_P2P, .second = 0,
};

FIXTURE_VARIANT_ADD(irq_pending, intx_stop_copy_running) {
	.index = INTX, .away = VFIO_DEVICE_STATE_STOP_COPY,
	.back = VFIO_DEVICE_STATE_RUNNING, .second = 0,
};

FIXTURE_VARIANT_ADD(irq_pending, msi_stop_running) {
	.index = MSI, .away = VFIO_DEVICE_STATE_STOP,
	.back = VFIO_DEVICE_STATE_RUNNING, .second = 1,
};

FIXTURE_VARIANT_ADD(irq_pending, msi_stop_running_p2p) {
	.index = MSI, .away = VFIO_DEVICE_STATE_STOP,
	.back = VFIO_DEVICE_STATE_RUNNING_P2P, .second = 1,
};

FIXTURE_VARIANT_ADD(irq_pending, msi_stop_copy_running) {
	.index = MSI, .away = VFIO_DEVICE_STATE_STOP_COPY,
	.back = VFIO_DEVICE_STATE_RUNNING, .second = 1,
};

FIXTURE_SETUP(irq_pending)
{
	self->dev = &self->td.dev;
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	self->b = vmig_eventfd_create();
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, open_device(&self->td));
}

FIXTURE_TEARDOWN(irq_pending)
{
	close(self->a);
	close(self->b);
	vmig_testdev_close(&self->td);
}

#define EXPECT_A(_want, ...)	EXPECT_SIGNALS(_want, self->a, __VA_ARGS__)

/* Back, and through the states in which the device runs: no signal comes twice */
#define EXPECT_ONCE_BACK(_want) do { \
	GO(variant->back); \
	EXPECT_A(_want, "when back"); \
	GO(VFIO_DEVICE_STATE_RUNNING); \
	GO(VFIO_DEVICE_STATE_PRE_COPY); \
	GO(VFIO_DEVICE_STATE_STOP_COPY); \
	GO(VFIO_DEVICE_STATE_RUNNING); \
	EXPECT_A(0, "a second time"); \
} while (0)

/* Clause: enum vfio_device_mig_state: asserted meanwhile, signalled once after */
TEST_F(irq_pending, asserted_meanwhile)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(1);
}

/* Clause: enum vfio_device_mig_state: asserted and over meanwhile, not signalled */
TEST_F(irq_pending, withdrawn_meanwhile)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	LOWER();
	EXPECT_ONCE_BACK(0);
	RAISE();
	EXPECT_A(1, "the next one");
}

/* Clause: enum vfio_device_mig_state: signalled before, not signalled again */
TEST_F(irq_pending, signalled_before)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_A(1, "before");
	GO(variant->away);
	EXPECT_ONCE_BACK(0);
}

/* Clause: enum vfio_device_mig_state: asserted anew meanwhile, an edge for MSI */
TEST_F(irq_pending, asserted_anew_meanwhile)
{
	CONNECT(variant->index, self->a);
	RAISE();
	EXPECT_A(1, "before");
	GO(variant->away);
	LOWER();
	RAISE();
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(variant->second);
}

/* Clause: enum vfio_device_mig_state: asserted before, connected meanwhile: once */
TEST_F(irq_pending, connected_meanwhile)
{
	RAISE();
	GO(variant->away);
	CONNECT(variant->index, self->a);
	EXPECT_A(0, "in %s", vmig_state_name(variant->away));
	EXPECT_ONCE_BACK(1);
}

/* Clause: enum vfio_device_mig_state: asserted meanwhile, connected after: once */
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

/* Clause: enum vfio_device_mig_state: eventfd replaced meanwhile, the new one */
TEST_F(irq_pending, replaced_meanwhile)
{
	CONNECT(variant->index, self->b);
	GO(variant->away);
	RAISE();
	CONNECT(variant->index, self->a);
	EXPECT_ONCE_BACK(1);
	EXPECT_SIGNALS(0, self->b, "the old one");
}

/* Clause: enum vfio_device_mig_state: disabled meanwhile, nothing is signalled */
TEST_F(irq_pending, disabled_meanwhile)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	ASSERT_RET(0, vmig_irq_disable(self->dev, variant->index), "disable");
	EXPECT_ONCE_BACK(0);
}

/* Clause: VFIO_DEVICE_RESET meanwhile: nothing is pending any more */
TEST_F(irq_pending, reset_meanwhile)
{
	CONNECT(variant->index, self->a);
	GO(variant->away);
	RAISE();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "master");
	EXPECT_A(0, "reset");
	RAISE();
	EXPECT_A(1, "the next one");
}

/* What only INTx has: its mask, while the device does not run */
FIXTURE(irq_stopped_mask) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	int a;
	int b;
};

FIXTURE_SETUP(irq_stopped_mask)
{
	self->dev = &self->td.dev;
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	self->b = vmig_eventfd_create();
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, open_device(&self->td));
	CONNECT(INTX, self->a);
}

FIXTURE_TEARDOWN(irq_stopped_mask)
{
	close(self->a);
	close(self->b);
	vmig_testdev_close(&self->td);
}

/* Clause: VFIO_IRQ_SET_ACTION_MASK in STOP: holds when the device runs again */
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

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK in STOP, level high: signalled once after */
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

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK, bound, in STOP: signalled once after */
TEST_F(irq_stopped_mask, unmasked_in_stop_by_eventfd)
{
	RAISE();
	EXPECT_A(1, "before");
	GO(VFIO_DEVICE_STATE_STOP);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, self->b), "bind");
	ASSERT_RET(0, vmig_eventfd_signal(self->b), "signal");
	/* Waits for what was set off */
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK, -1), "unbind");
	EXPECT_A(0, "in STOP");
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(1, "after");
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK, bound before STOP: works after it */
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

/* A stream of a device with its interrupt asserted, and never signalled */
FIXTURE(irq_resumed) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	int data_fd;
	int a;
};

FIXTURE_SETUP(irq_resumed)
{
	self->data_fd = -1;
	self->dev = &self->td.dev;
	self->a = vmig_eventfd_create();
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, open_device(&self->td));
	ASSERT_EQ(0, vmig_port_irq_raise(self->dev, 0));
	ASSERT_EQ(0, vmig_transfer_save(self->dev, &self->stream));
	ASSERT_EQ(0, vmig_device_reset(self->dev));
	ASSERT_EQ(0, vmig_bus_master_enable(self->dev));
}

FIXTURE_TEARDOWN(irq_resumed)
{
	if (self->data_fd >= 0)
		close(self->data_fd);
	close(self->a);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

/* Clause: RESUMING -> STOP -> RUNNING: what was pending is signalled in RUNNING */
TEST_F(irq_resumed, pending_one_is_signalled_in_running)
{
	unsigned int index;

	for (index = INTX; index <= MSI; index++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "master");
		CONNECT(index, self->a);
		ASSERT_RET(0, vmig_transfer_reach(self->dev,
						  VFIO_DEVICE_STATE_RESUMING,
						  &self->stream,
						  &self->data_fd), "RESUMING");
		EXPECT_A(0, "index %u in RESUMING", index);
		GO(VFIO_DEVICE_STATE_STOP);
		EXPECT_A(0, "index %u in STOP", index);
		GO(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_A(1, "index %u in RUNNING", index);
		ASSERT_RET(0, vmig_irq_disable(self->dev, index), "disable");
		close(self->data_fd);
		self->data_fd = -1;
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
					  &self->stream, &self->data_fd), "load");
	GO(VFIO_DEVICE_STATE_RUNNING);
}

/*
 * Driver: automask: belongs to the user that was signalled; the level is signalled to
 * the destination's user, which was not
 */
TEST_F(irq_resumed, automask_of_the_source_does_not_move)
{
	CONNECT(INTX, self->a);
	RAISE();
	EXPECT_A(1, "on the source");
	save_again(_metadata, self);
	load_and_run(_metadata, self);
	EXPECT_A(1, "on the destination");
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK: a mask of the source's user does not move */
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

/* Driver: VFIO_IRQ_SET_ACTION_MASK: the destination's user has set it, and it stays */
TEST_F(irq_resumed, mask_of_the_destination_stays)
{
	CONNECT(INTX, self->a);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
	load_and_run(_metadata, self);
	EXPECT_A(0, "masked");
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_A(1, "unmasked");
}

/* Clause: VFIO_DEVICE_SET_IRQS, DATA_NONE count 0, in RESUMING: loses nothing */
TEST_F(irq_resumed, connected_at_any_time)
{
	unsigned int when;

	for (when = 0; when < 3; when++) {
		ASSERT_RET(0, vmig_transfer_reach(self->dev,
						  VFIO_DEVICE_STATE_RESUMING,
						  &self->stream,
						  &self->data_fd), "RESUMING");
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
		close(self->data_fd);
		self->data_fd = -1;
	}
}

TEST_HARNESS_MAIN
