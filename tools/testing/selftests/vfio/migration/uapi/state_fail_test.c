// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: requests that fail: states that the device does
 * not have, no room for the result, bad data. The state after them, and ERROR.
 */
#include <errno.h>
#include <sys/resource.h>

#include "states.h"

#define FEATURE_SET_STATE \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)

/* The argument of SET, on a page of its own */
struct set_state {
	struct vfio_device_feature feature;
	struct vfio_device_feature_mig_state mig;
};

SUBJECT_FIXTURE(state_fail);

static const uint32_t no_states[] = {
	VFIO_DEVICE_STATE_NR + 247, 0x7fffffff, 0x80000000 + RUNNING, UINT32_MAX,
};

/* A request that no arc belongs to: the state is the one before, or ERROR */
#define EXPECT_STAYS(_state, ...) do { \
	enum vfio_device_mig_state stays = VFIO_DEVICE_STATE_NR; \
	EXPECT_RET(0, vmig_mig_get_state(self->dev, &stays), __VA_ARGS__); \
	EXPECT_TRUE(stays == (_state) || stays == ERROR) { \
		TH_LOG(__VA_ARGS__); \
		TH_LOG("expected %s or ERROR, seen %s", vmig_state_name(_state), \
		       vmig_state_name(stays)); \
	} \
} while (0)

CLAUSE_TEST_F(state_fail, no_such_state, "state.unknown", "state.fail-where")
{
	enum vfio_device_mig_state before;
	unsigned int i;

	NEED(MIGRATION);
	TRY(vmig_mig_get_state(self->dev, &before), "GET");
	for (i = 0; i < ARRAY_SIZE(no_states); i++) {
		EXPECT_REFUSED("errno of a number that is no state",
			       vmig_mig_set_state(self->dev, no_states[i], NULL));
		EXPECT_STAYS(before, "SET %#x", no_states[i]);
	}
}

CLAUSE_TEST_F(state_fail, a_state_that_the_flags_do_not_have, "state.unsupported",
	      "state.fail-where")
{
	enum vfio_device_mig_state state;
	bool any = false;

	NEED(MIGRATION);
	for (state = RUNNING_P2P; state <= PRE_COPY_P2P; state++) {
		if (has_state(&self->subject, state))
			continue;
		any = true;
		EXPECT_REFUSED("errno of a state that the device does not have",
			       vmig_mig_set_state(self->dev, state, NULL));
		EXPECT_STAYS(RUNNING, "SET %s", vmig_state_name(state));
	}
	if (!any)
		SKIP(return, "not applicable: the device has all states");
}

CLAUSE_TEST_F(state_fail, error_in_each_state, "state.fail-where")
{
	enum vfio_device_mig_state state;

	NEED(MIGRATION);
	for (state = STOP; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!has_state(&self->subject, state))
			continue;
		REACH(state);
		vmig_mig_set_state(self->dev, ERROR, NULL);
		EXPECT_STAYS(state, "SET ERROR in %s", vmig_state_name(state));
		START_AGAIN();
	}
}

CLAUSE_TEST_F(state_fail, back_to_pre_copy, "state.fail-where", "state.fail-recover")
{
	enum vfio_device_mig_state state;

	NEED2(MIGRATION, PRE_COPY);
	REACH(STOP_COPY);
	vmig_mig_set_state(self->dev, PRE_COPY, NULL);
	EXPECT_STAYS(STOP_COPY, "STOP_COPY to PRE_COPY");
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "GET");
	if (state == STOP_COPY)
		EXPECT_RET(0, vmig_mig_set_state(self->dev, RUNNING, NULL),
			   "to RUNNING, after a SET that failed");
}

CLAUSE_TEST_F(state_fail, other_requests_work, "state.fail-recover")
{
	enum vfio_device_mig_state state;

	NEED(MIGRATION);
	REACH(STOP);
	vmig_mig_set_state(self->dev, UINT32_MAX, NULL);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "GET");
	if (state == ERROR)
		SKIP(return, "not applicable: the device is in ERROR");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, STOP_COPY, &self->fd),
		   "STOP to STOP_COPY, after a SET that failed");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, RUNNING, NULL), "to RUNNING");
}

CLAUSE_TEST_F(state_fail, data_fd_of_a_failure, "state.fail-fd")
{
	struct set_state arg = {
		.feature = { .argsz = sizeof(arg), .flags = FEATURE_SET_STATE },
	};
	unsigned int i;
	int before;

	NEED(MIGRATION);
	before = vmig_count_fds();
	ASSERT_LT(0, before);
	for (i = 0; i < ARRAY_SIZE(no_states); i++) {
		arg.mig.device_state = no_states[i];
		arg.mig.data_fd = 77;
		EXPECT_EQ(-1, vmig_call_ioctl(self->dev->fd, VFIO_DEVICE_FEATURE, &arg));
		EXPECT_EQ(-1, arg.mig.data_fd) {
			TH_LOG("SET %#x", no_states[i]);
		}
	}
	EXPECT_EQ(before, vmig_count_fds());
}

/* After a SET whose session could not be given to the caller */
static void expect_usable(struct __test_metadata *_metadata, FIXTURE_DATA(state_fail) *self)
{
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_STATE(RUNNING, self->dev, "after a reset");
	self->stream.len = 0;
	ASSERT_STREAM(vmig_transfer_save(self->dev, &self->stream), "save after a reset");
	START_AGAIN();
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load after a reset");
}

/* In memory that can only be read */
static int set_state_read_only(struct vmig_device *dev, uint32_t state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct set_state *arg;
	int ret;

	arg = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arg == MAP_FAILED)
		return -errno;
	arg->feature.argsz = sizeof(*arg);
	arg->feature.flags = FEATURE_SET_STATE;
	arg->mig.device_state = state;
	ret = mprotect(arg, page, PROT_READ);
	if (!ret)
		ret = vmig_call_ioctl(dev->fd, VFIO_DEVICE_FEATURE, arg);
	ret = ret ? -errno : 0;
	munmap(arg, page);
	return ret;
}

CLAUSE_TEST_F(state_fail, result_cannot_be_written, "state.set-fault")
{
	static const enum vfio_device_mig_state states[] = { STOP_COPY, RESUMING, PRE_COPY };
	unsigned int i;
	int before;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		if (!has_state(&self->subject, states[i]))
			continue;
		before = vmig_count_fds();
		ASSERT_LT(0, before);
		EXPECT_REFUSED("errno of a SET in memory that can only be read",
			       set_state_read_only(self->dev, states[i]));
		EXPECT_EQ(before, vmig_count_fds()) {
			TH_LOG("SET %s has left an open file", vmig_state_name(states[i]));
		}
		expect_usable(_metadata, self);
		START_AGAIN();
	}
}

/* With a limit of no files */
static int set_state_no_files(struct vmig_device *dev, enum vfio_device_mig_state state)
{
	struct rlimit old, none;
	int ret;

	if (getrlimit(RLIMIT_NOFILE, &old))
		return 0;
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	ret = vmig_mig_set_state(dev, state, NULL);
	setrlimit(RLIMIT_NOFILE, &old);
	return ret;
}

CLAUSE_TEST_F(state_fail, no_file_descriptor_is_left, "state.set-no-fd-left")
{
	static const enum vfio_device_mig_state states[] = { STOP_COPY, RESUMING, PRE_COPY };
	unsigned int i;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		if (!has_state(&self->subject, states[i]))
			continue;
		EXPECT_REFUSED("errno of a SET without a free file descriptor",
			       set_state_no_files(self->dev, states[i]));
		expect_usable(_metadata, self);
		START_AGAIN();
	}
}

/* The states on the shortest path from RESUMING to each state, both ends included */
static uint32_t path_from_resuming(enum vfio_device_mig_state to)
{
#define BIT(_state) (1u << (_state))
	static const uint32_t between[VFIO_DEVICE_STATE_NR] = {
		[STOP_COPY] = BIT(STOP),
		[RUNNING_P2P] = BIT(STOP),
		[RUNNING] = BIT(STOP) | BIT(RUNNING_P2P),
		[PRE_COPY_P2P] = BIT(STOP) | BIT(RUNNING_P2P),
		[PRE_COPY] = BIT(STOP) | BIT(RUNNING_P2P) | BIT(RUNNING),
	};

	return BIT(RESUMING) | between[to] | BIT(to);
}

/* RESUMING, with the first half of the saved stream */
#define REACH_RESUMING_HALF() do { \
	TRY_STATE(RESUMING, &self->fd); \
	vmig_transfer_write(self->fd, self->stream.data, self->stream.len / 2, \
			    VMIG_TRANSFER_CHUNK, NULL); \
} while (0)

DESTRUCTIVE_TEST_F(state_fail, half_a_stream, "writes half a stream", "state.fail-where")
{
	enum vfio_device_mig_state to, seen;
	bool failed = false;

	NEED(MIGRATION);
	SAVE_STREAM();
	for (to = STOP; to < VFIO_DEVICE_STATE_NR; to++) {
		if (to == RESUMING || !has_state(&self->subject, to))
			continue;
		REACH_RESUMING_HALF();
		if (!vmig_mig_set_state(self->dev, to, NULL)) {
			RECORD("half a stream", "accepted");
			START_AGAIN();
			continue;
		}
		failed = true;
		ASSERT_RET(0, vmig_mig_get_state(self->dev, &seen), "GET");
		ASSERT_GT(VFIO_DEVICE_STATE_NR, seen);
		EXPECT_TRUE(seen == ERROR || (path_from_resuming(to) & BIT(seen))) {
			TH_LOG("RESUMING to %s has failed, and the state is %s",
			       vmig_state_name(to), vmig_state_name(seen));
		}
		RECORD("state after a stream that is not complete", "%s", vmig_state_name(seen));
		START_AGAIN();
	}
	if (!failed)
		SKIP(return, "not checked: the driver accepts half a stream");
}

/* By zeroes, or by a stream that is not complete; @self->stream is saved */
static int enter_error(FIXTURE_DATA(state_fail) *self)
{
	enum vfio_device_mig_state state;
	struct vmig_bytes half = self->stream;
	int write_err, ret;

	if (!vmig_transfer_reach(self->dev, ERROR, NULL, &self->fd))
		return 0;
	if (vmig_device_reset(self->dev))
		return -EPROTO;
	half.len /= 2;
	vmig_transfer_offer(self->dev, &half, &write_err);
	ret = vmig_mig_get_state(self->dev, &state);
	return ret || state == ERROR ? ret : -EPROTO;
}

DESTRUCTIVE_TEST_F(state_fail, error_until_reset, "writes invalid data", "state.error")
{
	enum vfio_device_mig_state to;

	NEED(MIGRATION);
	SAVE_STREAM();
	if (enter_error(self))
		SKIP(return, "not checked: the driver did not enter ERROR");
	for (to = STOP; to < VFIO_DEVICE_STATE_NR; to++) {
		if (!has_state(&self->subject, to))
			continue;
		EXPECT_REFUSED("errno of a SET in ERROR",
			       vmig_mig_set_state(self->dev, to, NULL));
		EXPECT_STATE(ERROR, self->dev, "after SET %s", vmig_state_name(to));
	}
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_STATE(RUNNING, self->dev, "after a reset");
}

SUBJECT_TEST_MAIN
