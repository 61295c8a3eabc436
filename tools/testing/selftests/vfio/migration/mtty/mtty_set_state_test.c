// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: every request for a state, from every state, for
 * each of the four sets of features that mtty can have. ../uapi/arc_test.c sees only one
 * set of a device, and accepts any errno.
 *
 * The tables follow the comment at enum vfio_device_mig_state in
 * include/uapi/linux/vfio.h, not a driver or vfio_mig_get_next_state().
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "mtty/irq_fixture.h"

/* Result of a request; after all but NO the device is in the new state */
enum outcome {
	NO,		/* EINVAL, nothing has changed */
	OK,		/* no data_fd */
	SAVE,		/* a data_fd to read from */
	LOAD,		/* a data_fd to write to */
};

static bool is_saving(enum vfio_device_mig_state state)
{
	return state == STOP_COPY || state == PRE_COPY || state == PRE_COPY_P2P;
}

static const char * const outcome_name[] = {
	[NO] = "refused", [OK] = "no data_fd", [SAVE] = "a data_fd to read",
	[LOAD] = "a data_fd to write",
};

static enum outcome outcome_of(int ret, int data_fd)
{
	if (ret)
		return NO;
	if (data_fd < 0)
		return OK;
	return (fcntl(data_fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? SAVE : LOAD;
}

/* @fd: data_fd of the old session; @irq: eventfd */
FIXTURE(set_state) {
	DEVICE_MEMBERS;
	int irq;
	int new_fd;
};

FIXTURE_VARIANT(set_state) {
	const char *features;
	enum vfio_device_mig_state from;
	enum outcome to[VFIO_DEVICE_STATE_NR];
};

/*
 * Outcome for each target, in the order of enum vfio_device_mig_state: ERROR, STOP,
 * RUNNING, STOP_COPY, RESUMING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P.
 */
#define FROM(_set, _name, _from, _to...) \
FIXTURE_VARIANT_ADD(set_state, _set##_from_##_name) { \
	.features = FEATURES_##_set, .from = _from, .to = { _to }, \
}

#define FEATURES_basic		"stop_copy"
#define FEATURES_p2p		"stop_copy p2p"
#define FEATURES_precopy	"stop_copy pre_copy"
#define FEATURES_all		"stop_copy p2p pre_copy"

/*
 * STOP_COPY alone: RUNNING_P2P, PRE_COPY and PRE_COPY_P2P "cannot be used with
 * SET_STATE if the device does not support them".
 */
FROM(basic, error, ERROR,               NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO);
FROM(basic, stop, STOP,                 NO,   OK,   OK,   SAVE, LOAD, NO,   NO,   NO);
FROM(basic, running, RUNNING,           NO,   OK,   OK,   SAVE, LOAD, NO,   NO,   NO);
FROM(basic, stop_copy, STOP_COPY,       NO,   OK,   OK,   OK,   LOAD, NO,   NO,   NO);
FROM(basic, resuming, RESUMING,         NO,   OK,   OK,   SAVE, OK,   NO,   NO,   NO);

/* With P2P: RUNNING_P2P as well */
FROM(p2p, error, ERROR,                 NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO);
FROM(p2p, stop, STOP,                   NO,   OK,   OK,   SAVE, LOAD, OK,   NO,   NO);
FROM(p2p, running, RUNNING,             NO,   OK,   OK,   SAVE, LOAD, OK,   NO,   NO);
FROM(p2p, stop_copy, STOP_COPY,         NO,   OK,   OK,   OK,   LOAD, OK,   NO,   NO);
FROM(p2p, resuming, RESUMING,           NO,   OK,   OK,   SAVE, OK,   OK,   NO,   NO);
FROM(p2p, running_p2p, RUNNING_P2P,     NO,   OK,   OK,   SAVE, LOAD, OK,   NO,   NO);

/* With PRE_COPY: PRE_COPY as well; PRE_COPY_P2P needs both features */
FROM(precopy, error, ERROR,             NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO);
FROM(precopy, stop, STOP,               NO,   OK,   OK,   SAVE, LOAD, NO,   SAVE, NO);
FROM(precopy, running, RUNNING,         NO,   OK,   OK,   SAVE, LOAD, NO,   SAVE, NO);
FROM(precopy, stop_copy, STOP_COPY,     NO,   OK,   OK,   OK,   LOAD, NO,   NO,   NO);
FROM(precopy, resuming, RESUMING,       NO,   OK,   OK,   SAVE, OK,   NO,   SAVE, NO);
FROM(precopy, pre_copy, PRE_COPY,       NO,   OK,   OK,   OK,   LOAD, NO,   OK,   NO);

/*
 * All features. STOP_COPY to PRE_COPY and PRE_COPY_P2P "are not permitted". Within the
 * saving group the session stays, so there is no new data_fd.
 */
FROM(all, error, ERROR,                 NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO);
FROM(all, stop, STOP,                   NO,   OK,   OK,   SAVE, LOAD, OK,   SAVE, SAVE);
FROM(all, running, RUNNING,             NO,   OK,   OK,   SAVE, LOAD, OK,   SAVE, SAVE);
FROM(all, stop_copy, STOP_COPY,         NO,   OK,   OK,   OK,   LOAD, OK,   NO,   NO);
FROM(all, resuming, RESUMING,           NO,   OK,   OK,   SAVE, OK,   OK,   SAVE, SAVE);
FROM(all, running_p2p, RUNNING_P2P,     NO,   OK,   OK,   SAVE, LOAD, OK,   SAVE, SAVE);
FROM(all, pre_copy, PRE_COPY,           NO,   OK,   OK,   OK,   LOAD, OK,   OK,   OK);
FROM(all, pre_copy_p2p, PRE_COPY_P2P,   NO,   OK,   OK,   OK,   LOAD, OK,   OK,   OK);

FIXTURE_SETUP(set_state)
{
	self->new_fd = -1;
	OPEN_DEVICE("mtty-1", .features = variant->features, .capture_size = "8K");
	self->irq = vmig_eventfd_create();
	ASSERT_LE(0, self->irq);
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
}

static void close_sessions(FIXTURE_DATA(set_state) *self)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->new_fd >= 0)
		close(self->new_fd);
	self->fd = -1;
	self->new_fd = -1;
}

FIXTURE_TEARDOWN(set_state)
{
	close_sessions(self);
	close(self->irq);
	CLOSE_DEVICE();
}

/* The old session stays open if nothing has changed, and within the saving group */
static bool session_stays(const FIXTURE_VARIANT(set_state) *variant,
			  enum vfio_device_mig_state to)
{
	return variant->to[to] == NO || variant->from == to ||
	       (is_saving(variant->from) && is_saving(to));
}

/* POLLERR and POLLHUP of a data_fd */
static short errors_of(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents & (POLLERR | POLLHUP);
}

static void expect_ended(struct __test_metadata *_metadata,
			 FIXTURE_DATA(set_state) *self,
			 const FIXTURE_VARIANT(set_state) *variant)
{
	char byte = 0;
	ssize_t ret;

	EXPECT_EQ(POLLERR | POLLHUP, errors_of(self->fd));
	ret = variant->from == RESUMING ? write(self->fd, &byte, 1) :
					  read(self->fd, &byte, 1);
	EXPECT_EQ(-1, ret);
	EXPECT_RET(-ENODEV, -errno, "the session of %s",
		   vmig_state_name(variant->from));
}

/* A byte is received; the device signals it only if it runs */
static void check_interrupt(struct __test_metadata *_metadata,
			    FIXTURE_DATA(set_state) *self,
			    enum vfio_device_mig_state state)
{
	struct vmig_device *dev = self->dev;

	EXPECT_RET(0, vmig_uart_init(dev, 0, UART_FCR_TRIGGER_1, UART_IER_RDI),
		   "in %s", vmig_state_name(state));
	vmig_eventfd_take(self->irq);
	EXPECT_RET(0, vmig_uart_out(dev, 0, UART_TX, 'i'), "in %s",
		   vmig_state_name(state));
	if (state_runs(state)) {
		EXPECT_EQ(1, vmig_eventfd_wait(self->irq, VMIG_IRQ_DEADLINE_MS));
		return;
	}

	EXPECT_EQ(0, vmig_eventfd_take(self->irq)) {
		TH_LOG("an interrupt in %s", vmig_state_name(state));
	}
	/* The silence above proves something only if an interrupt was pending */
	if (state == STOP || state == STOP_COPY) {
		EXPECT_RET(0, vmig_mig_set_state(dev, RUNNING, NULL), "RUNNING");
		EXPECT_EQ(1, vmig_eventfd_wait(self->irq, VMIG_IRQ_DEADLINE_MS));
	}
}

/* From the state of the variant, with its session if it has one */
static int request(struct __test_metadata *_metadata,
		   FIXTURE_DATA(set_state) *self,
		   const FIXTURE_VARIANT(set_state) *variant,
		   enum vfio_device_mig_state to)
{
	int ret;

	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->from, &self->stream,
					  &self->fd), "to %s",
		   vmig_state_name(variant->from));
	EXPECT_EQ(is_saving(variant->from) || variant->from == RESUMING,
		  self->fd >= 0);
	ret = vmig_mig_set_state(self->dev, to, &self->new_fd);
	EXPECT_RET(variant->to[to] == NO ? -EINVAL : 0, ret, "%s -> %s",
		   vmig_state_name(variant->from), vmig_state_name(to));
	return ret;
}

static void check_request(struct __test_metadata *_metadata,
			  FIXTURE_DATA(set_state) *self,
			  const FIXTURE_VARIANT(set_state) *variant,
			  enum vfio_device_mig_state to)
{
	const char *from_name = vmig_state_name(variant->from);
	struct vmig_device *dev = self->dev;
	enum outcome want = variant->to[to];
	enum vfio_device_mig_state end = want == NO ? variant->from : to;
	int ret;

	ASSERT_RET(0, vmig_mig_set_state(dev, RUNNING, NULL), "RUNNING");
	CONNECT(MSI, self->irq);
	ret = request(_metadata, self, variant, to);
	EXPECT_STREQ(outcome_name[want],
		     outcome_name[outcome_of(ret, self->new_fd)]) {
		TH_LOG("%s -> %s", from_name, vmig_state_name(to));
	}
	EXPECT_STATE(end, dev, "%s -> %s", from_name, vmig_state_name(to));
	if (self->fd >= 0 && session_stays(variant, to))
		EXPECT_EQ(0, errors_of(self->fd));
	check_interrupt(_metadata, self, end);
}

/* Driver: the end of a session: ENODEV, POLLERR and POLLHUP from its data_fd */
TEST_F(set_state, ends_the_session)
{
	enum vfio_device_mig_state to;

	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		request(_metadata, self, variant, to);
		if (self->fd >= 0 && !session_stays(variant, to))
			expect_ended(_metadata, self, variant);
		close_sessions(self);
	}
}

/* Driver: any -> ERROR: EINVAL, nothing changes */
TEST_F(set_state, to_error)
{
	check_request(_metadata, self, variant, ERROR);
}

/* Driver: to STOP: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_stop)
{
	check_request(_metadata, self, variant, STOP);
}

/* Driver: to RUNNING: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_running)
{
	check_request(_metadata, self, variant, RUNNING);
}

/* Driver: to STOP_COPY: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_stop_copy)
{
	check_request(_metadata, self, variant, STOP_COPY);
}

/* Driver: to RESUMING: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_resuming)
{
	check_request(_metadata, self, variant, RESUMING);
}

/* Driver: to RUNNING_P2P: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_running_p2p)
{
	check_request(_metadata, self, variant, RUNNING_P2P);
}

/* Driver: to PRE_COPY: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_pre_copy)
{
	check_request(_metadata, self, variant, PRE_COPY);
}

/* Driver: to PRE_COPY_P2P: the table above; no interrupt in a state that is stopped */
TEST_F(set_state, to_pre_copy_p2p)
{
	check_request(_metadata, self, variant, PRE_COPY_P2P);
}

TEST_HARNESS_MAIN
