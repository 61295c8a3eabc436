// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: every request for a state, from every
 * state, for each of the four sets of features.
 *
 * The tables are read off the comment at enum vfio_device_mig_state in
 * include/uapi/linux/vfio.h, not off a driver, nor off the kernel's
 * vfio_mig_get_next_state(): they are what that text promises a user.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/mtty.h"

#define ERROR		VFIO_DEVICE_STATE_ERROR
#define STOP		VFIO_DEVICE_STATE_STOP
#define RUNNING		VFIO_DEVICE_STATE_RUNNING
#define STOP_COPY	VFIO_DEVICE_STATE_STOP_COPY
#define RESUMING	VFIO_DEVICE_STATE_RESUMING
#define RUNNING_P2P	VFIO_DEVICE_STATE_RUNNING_P2P
#define PRE_COPY	VFIO_DEVICE_STATE_PRE_COPY
#define PRE_COPY_P2P	VFIO_DEVICE_STATE_PRE_COPY_P2P

/* What a request does; all that succeed leave the device in the new state. */
enum outcome {
	NO,		/* EINVAL, and nothing has happened */
	GO,		/* no data_fd comes */
	SAVE,		/* a data_fd to read from comes */
	LOAD,		/* a data_fd to write to comes */
};

/* In the order of enum vfio_device_mig_state */
#define TO(_error, _stop, _running, _stop_copy, _resuming, _running_p2p, \
	   _pre_copy, _pre_copy_p2p) { \
	[ERROR] = _error, [STOP] = _stop, [RUNNING] = _running, \
	[STOP_COPY] = _stop_copy, [RESUMING] = _resuming, \
	[RUNNING_P2P] = _running_p2p, [PRE_COPY] = _pre_copy, \
	[PRE_COPY_P2P] = _pre_copy_p2p, \
}

static bool runs(enum vfio_device_mig_state state)
{
	return state == RUNNING || state == RUNNING_P2P ||
	       state == PRE_COPY || state == PRE_COPY_P2P;
}

static bool is_saving(enum vfio_device_mig_state state)
{
	return state == STOP_COPY || state == PRE_COPY || state == PRE_COPY_P2P;
}

static const char * const outcome_name[] = {
	[NO] = "refused", [GO] = "no data_fd", [SAVE] = "a data_fd to read",
	[LOAD] = "a data_fd to write",
};

/* What came: an outcome, told from the data_fd and its direction */
static enum outcome outcome_of(int ret, int data_fd)
{
	if (ret)
		return NO;
	if (data_fd < 0)
		return GO;
	return (fcntl(data_fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? SAVE : LOAD;
}

FIXTURE(set_state) {
	struct vmig_testdev td;
	struct vmig_bytes stream;
	int irq;
	int old_fd;
	int new_fd;
};

FIXTURE_VARIANT(set_state) {
	const char *features;
	enum vfio_device_mig_state from;
	enum outcome to[VFIO_DEVICE_STATE_NR];
};

/*
 * STOP_COPY alone: RUNNING_P2P, PRE_COPY and PRE_COPY_P2P "cannot be used with
 * SET_STATE if the device does not support them".
 */
FIXTURE_VARIANT_ADD(set_state, basic_from_error) {
	.features = "stop_copy", .from = ERROR,
	.to = TO(NO, NO, NO, NO, NO, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, basic_from_stop) {
	.features = "stop_copy", .from = STOP,
	.to = TO(NO, GO, GO, SAVE, LOAD, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, basic_from_running) {
	.features = "stop_copy", .from = RUNNING,
	.to = TO(NO, GO, GO, SAVE, LOAD, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, basic_from_stop_copy) {
	.features = "stop_copy", .from = STOP_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, basic_from_resuming) {
	.features = "stop_copy", .from = RESUMING,
	.to = TO(NO, GO, GO, SAVE, GO, NO, NO, NO),
};

/* With P2P: RUNNING_P2P as well */
FIXTURE_VARIANT_ADD(set_state, p2p_from_error) {
	.features = "stop_copy p2p", .from = ERROR,
	.to = TO(NO, NO, NO, NO, NO, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, p2p_from_stop) {
	.features = "stop_copy p2p", .from = STOP,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, p2p_from_running) {
	.features = "stop_copy p2p", .from = RUNNING,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, p2p_from_stop_copy) {
	.features = "stop_copy p2p", .from = STOP_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, GO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, p2p_from_resuming) {
	.features = "stop_copy p2p", .from = RESUMING,
	.to = TO(NO, GO, GO, SAVE, GO, GO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, p2p_from_running_p2p) {
	.features = "stop_copy p2p", .from = RUNNING_P2P,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, NO, NO),
};

/* With PRE_COPY: PRE_COPY as well; PRE_COPY_P2P takes both features */
FIXTURE_VARIANT_ADD(set_state, precopy_from_error) {
	.features = "stop_copy pre_copy", .from = ERROR,
	.to = TO(NO, NO, NO, NO, NO, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, precopy_from_stop) {
	.features = "stop_copy pre_copy", .from = STOP,
	.to = TO(NO, GO, GO, SAVE, LOAD, NO, SAVE, NO),
};

FIXTURE_VARIANT_ADD(set_state, precopy_from_running) {
	.features = "stop_copy pre_copy", .from = RUNNING,
	.to = TO(NO, GO, GO, SAVE, LOAD, NO, SAVE, NO),
};

FIXTURE_VARIANT_ADD(set_state, precopy_from_stop_copy) {
	.features = "stop_copy pre_copy", .from = STOP_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, precopy_from_resuming) {
	.features = "stop_copy pre_copy", .from = RESUMING,
	.to = TO(NO, GO, GO, SAVE, GO, NO, SAVE, NO),
};

FIXTURE_VARIANT_ADD(set_state, precopy_from_pre_copy) {
	.features = "stop_copy pre_copy", .from = PRE_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, NO, GO, NO),
};

/*
 * Everything.  STOP_COPY to PRE_COPY and PRE_COPY_P2P "are not permitted";
 * within the saving group the session stays, so that no new data_fd comes.
 */
FIXTURE_VARIANT_ADD(set_state, all_from_error) {
	.features = "stop_copy p2p pre_copy", .from = ERROR,
	.to = TO(NO, NO, NO, NO, NO, NO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, all_from_stop) {
	.features = "stop_copy p2p pre_copy", .from = STOP,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, SAVE, SAVE),
};

FIXTURE_VARIANT_ADD(set_state, all_from_running) {
	.features = "stop_copy p2p pre_copy", .from = RUNNING,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, SAVE, SAVE),
};

FIXTURE_VARIANT_ADD(set_state, all_from_stop_copy) {
	.features = "stop_copy p2p pre_copy", .from = STOP_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, GO, NO, NO),
};

FIXTURE_VARIANT_ADD(set_state, all_from_resuming) {
	.features = "stop_copy p2p pre_copy", .from = RESUMING,
	.to = TO(NO, GO, GO, SAVE, GO, GO, SAVE, SAVE),
};

FIXTURE_VARIANT_ADD(set_state, all_from_running_p2p) {
	.features = "stop_copy p2p pre_copy", .from = RUNNING_P2P,
	.to = TO(NO, GO, GO, SAVE, LOAD, GO, SAVE, SAVE),
};

FIXTURE_VARIANT_ADD(set_state, all_from_pre_copy) {
	.features = "stop_copy p2p pre_copy", .from = PRE_COPY,
	.to = TO(NO, GO, GO, GO, LOAD, GO, GO, GO),
};

FIXTURE_VARIANT_ADD(set_state, all_from_pre_copy_p2p) {
	.features = "stop_copy p2p pre_copy", .from = PRE_COPY_P2P,
	.to = TO(NO, GO, GO, GO, LOAD, GO, GO, GO),
};

FIXTURE_SETUP(set_state)
{
	const struct vmig_attrs attrs = {
		.features = variant->features,
		.capture_size = "8K",
	};

	self->irq = -1;
	self->old_fd = -1;
	self->new_fd = -1;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1",
				       VMIG_PATH_ANY, &attrs));
}

FIXTURE_TEARDOWN(set_state)
{
	if (self->old_fd >= 0)
		close(self->old_fd);
	if (self->new_fd >= 0)
		close(self->new_fd);
	if (self->irq >= 0)
		close(self->irq);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

/*
 * The session that was open before lives on when nothing has changed, and
 * within the saving group; everything else ends it.
 */
static bool session_lives(const FIXTURE_VARIANT(set_state) *variant,
			  enum vfio_device_mig_state to)
{
	return variant->to[to] == NO || variant->from == to ||
	       (is_saving(variant->from) && is_saving(to));
}

static void check_old_session(struct __test_metadata *_metadata,
			      FIXTURE_DATA(set_state) *self,
			      const FIXTURE_VARIANT(set_state) *variant,
			      enum vfio_device_mig_state to)
{
	struct pollfd pfd = { .fd = self->old_fd, .events = POLLIN | POLLOUT };
	char byte = 0;
	ssize_t ret;

	if (self->old_fd < 0)
		return;
	ASSERT_LE(0, poll(&pfd, 1, 0));
	if (session_lives(variant, to)) {
		EXPECT_EQ(0, pfd.revents & (POLLERR | POLLHUP));
		return;
	}

	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents & (POLLERR | POLLHUP));
	ret = variant->from == RESUMING ? write(self->old_fd, &byte, 1) :
					  read(self->old_fd, &byte, 1);
	EXPECT_EQ(-1, ret);
	EXPECT_RET(-ENODEV, -errno, "the session of %s",
		   vmig_state_name(variant->from));
}

/* A byte comes in; a device that runs says so, any other one says nothing. */
static void check_interrupt(struct __test_metadata *_metadata,
			    FIXTURE_DATA(set_state) *self,
			    enum vfio_device_mig_state state)
{
	struct vmig_device *dev = &self->td.dev;

	EXPECT_RET(0, vmig_uart_init(dev, 0, UART_FCR_TRIGGER_1, UART_IER_RDI),
		   "in %s", vmig_state_name(state));
	vmig_eventfd_take(self->irq);
	EXPECT_RET(0, vmig_uart_out(dev, 0, UART_TX, 'i'), "in %s",
		   vmig_state_name(state));
	if (runs(state)) {
		EXPECT_EQ(1, vmig_eventfd_wait(self->irq, VMIG_IRQ_DEADLINE_MS));
		return;
	}

	EXPECT_EQ(0, vmig_eventfd_take(self->irq)) {
		TH_LOG("an interrupt in %s", vmig_state_name(state));
	}
	/* Silence proves nothing unless the device had something to say. */
	if (state == STOP || state == STOP_COPY) {
		EXPECT_RET(0, vmig_mig_set_state(dev, RUNNING, NULL), "on");
		EXPECT_EQ(1, vmig_eventfd_wait(self->irq, VMIG_IRQ_DEADLINE_MS));
	}
}

static void check_request(struct __test_metadata *_metadata,
			  FIXTURE_DATA(set_state) *self,
			  const FIXTURE_VARIANT(set_state) *variant,
			  enum vfio_device_mig_state to)
{
	const char *from_name = vmig_state_name(variant->from);
	struct vmig_device *dev = &self->td.dev;
	enum outcome want = variant->to[to];
	enum vfio_device_mig_state end = want == NO ? variant->from : to;
	int ret;

	ASSERT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(dev, RUNNING, NULL), "back");
	ASSERT_RET(0, vmig_bus_master_enable(dev), "master");
	self->irq = vmig_eventfd_create();
	ASSERT_LE(0, self->irq);
	ASSERT_RET(0, vmig_irq_set_fd(dev, VFIO_PCI_MSI_IRQ_INDEX,
				      VFIO_IRQ_SET_ACTION_TRIGGER, self->irq),
		   "MSI");
	ASSERT_RET(0, vmig_transfer_reach(dev, variant->from, &self->stream,
					  &self->old_fd), "to %s", from_name);

	ret = vmig_mig_set_state(dev, to, &self->new_fd);
	EXPECT_RET(want == NO ? -EINVAL : 0, ret, "%s -> %s", from_name,
		   vmig_state_name(to));
	EXPECT_STREQ(outcome_name[want],
		     outcome_name[outcome_of(ret, self->new_fd)]) {
		TH_LOG("%s -> %s", from_name, vmig_state_name(to));
	}
	EXPECT_STATE(end, dev, "%s -> %s", from_name, vmig_state_name(to));
	check_old_session(_metadata, self, variant, to);
	check_interrupt(_metadata, self, end);
}

/* Clause: any -> ERROR: cannot be specified as a device state, EINVAL */
TEST_F(set_state, to_error)
{
	check_request(_metadata, self, variant, ERROR);
}

/* Clause: arcs to STOP and combinations that end there: as the table says */
TEST_F(set_state, to_stop)
{
	check_request(_metadata, self, variant, STOP);
}

/* Clause: arcs to RUNNING and combinations that end there: as the table says */
TEST_F(set_state, to_running)
{
	check_request(_metadata, self, variant, RUNNING);
}

/* Clause: arcs to STOP_COPY and combinations that end there: as the table says */
TEST_F(set_state, to_stop_copy)
{
	check_request(_metadata, self, variant, STOP_COPY);
}

/* Clause: arcs to RESUMING and combinations that end there: as the table says */
TEST_F(set_state, to_resuming)
{
	check_request(_metadata, self, variant, RESUMING);
}

/* Clause: arcs to RUNNING_P2P and combinations that end there: as the table says */
TEST_F(set_state, to_running_p2p)
{
	check_request(_metadata, self, variant, RUNNING_P2P);
}

/* Clause: arcs to PRE_COPY and combinations that end there: as the table says */
TEST_F(set_state, to_pre_copy)
{
	check_request(_metadata, self, variant, PRE_COPY);
}

/* Clause: arcs to PRE_COPY_P2P and combinations that end there: as the table says */
TEST_F(set_state, to_pre_copy_p2p)
{
	check_request(_metadata, self, variant, PRE_COPY_P2P);
}

TEST_HARNESS_MAIN
