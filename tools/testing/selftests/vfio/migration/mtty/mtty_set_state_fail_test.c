// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: how mtty fails requests, and the state after them:
 * from RESUMING to each state with no data, part of them, or invalid ones. The rules for
 * any device: ../uapi/state_fail_test.c
 */
#include <errno.h>

#include "mtty/irq_fixture.h"

FIXTURE_VARIANT(resuming) {
	const char *features;
	uint64_t flags;
};

DEVICE_FIXTURE(resuming, "mtty-1", .features = variant->features,
	       .capture_size = "8K");

FIXTURE_VARIANT_ADD(resuming, basic) {
	.features = "stop_copy",
	.flags = VFIO_MIGRATION_STOP_COPY,
};

FIXTURE_VARIANT_ADD(resuming, p2p) {
	.features = "stop_copy p2p",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
};

FIXTURE_VARIANT_ADD(resuming, precopy) {
	.features = "stop_copy pre_copy",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY,
};

FIXTURE_VARIANT_ADD(resuming, all) {
	.features = "stop_copy p2p pre_copy",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
		 VFIO_MIGRATION_PRE_COPY,
};

/* write() refuses it */
static const char invalid[64];

static bool supported(const FIXTURE_VARIANT(resuming) *variant,
		      enum vfio_device_mig_state state)
{
	static const uint64_t needed[VFIO_DEVICE_STATE_NR] = {
		[VFIO_DEVICE_STATE_RUNNING_P2P] = VFIO_MIGRATION_P2P,
		[VFIO_DEVICE_STATE_PRE_COPY] = VFIO_MIGRATION_PRE_COPY,
		[VFIO_DEVICE_STATE_PRE_COPY_P2P] = VFIO_MIGRATION_P2P |
						   VFIO_MIGRATION_PRE_COPY,
	};

	return (variant->flags & needed[state]) == needed[state];
}

static bool has_to_load(const FIXTURE_VARIANT(resuming) *variant,
			enum vfio_device_mig_state to)
{
	return to != VFIO_DEVICE_STATE_ERROR &&
	       to != VFIO_DEVICE_STATE_RESUMING && supported(variant, to);
}

/* No request that has to load the data may succeed; all of them fail with @err */
static void check_targets(struct __test_metadata *_metadata,
			  FIXTURE_DATA(resuming) *self,
			  const FIXTURE_VARIANT(resuming) *variant, int err)
{
	struct vmig_device *dev = self->dev;
	enum vfio_device_mig_state to;
	int fds = vmig_count_fds();

	ASSERT_LT(0, fds);
	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		int want = err, fd = -1;

		if (to == VFIO_DEVICE_STATE_ERROR || !supported(variant, to))
			want = -EINVAL;
		else if (to == VFIO_DEVICE_STATE_RESUMING)
			want = 0;
		EXPECT_RET(want, vmig_mig_set_state(dev, to, &fd),
			   "RESUMING -> %s", vmig_state_name(to));
		/* No data_fd is returned, and none is left open */
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(fds, vmig_count_fds());
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dev, "RESUMING -> %s",
			     vmig_state_name(to));
	}
}

/* Driver: VFIO_DEVICE_FEATURE_MIGRATION: the flags are those written to sysfs */
TEST_F(resuming, flags_are_the_features)
{
	uint64_t flags = 0;

	EXPECT_RET(0, vmig_mig_get_flags(self->dev, &flags), "flags");
	EXPECT_EQ(variant->flags, flags);
}

/* Driver: RESUMING -> STOP with no data: ENODATA, the state stays RESUMING */
TEST_F(resuming, empty_stream_stays_in_resuming)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	check_targets(_metadata, self, variant, -ENODATA);
}

/* Driver: RESUMING -> STOP, incomplete data: ENODATA, the rest can be written */
TEST_F(resuming, incomplete_stream_can_be_completed)
{
	struct vmig_device *dev = self->dev;
	size_t half;

	ASSERT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	half = self->stream.len / 2;
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, half,
					  4096, NULL), "first half");
	check_targets(_metadata, self, variant, -ENODATA);

	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data + half,
					  self->stream.len - half, 4096, NULL),
		   "second half");
	EXPECT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "completed");
}

/* RESUMING, with data that were refused */
static void enter_refused(struct __test_metadata *_metadata,
			  FIXTURE_DATA(resuming) *self)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(-EBADMSG, vmig_transfer_write(self->fd, invalid,
						 sizeof(invalid), 64, NULL),
		   "zeroes as a stream");
}

/* Driver: RESUMING -> any, data refused: the errno of write(), then ERROR */
TEST_F(resuming, refused_stream_ends_in_error)
{
	struct vmig_device *dev = self->dev;
	enum vfio_device_mig_state to;

	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		if (!has_to_load(variant, to))
			continue;
		enter_refused(_metadata, self);
		EXPECT_RET(-EBADMSG, vmig_mig_set_state(dev, to, NULL),
			   "RESUMING -> %s", vmig_state_name(to));
		EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dev, "RESUMING -> %s",
			     vmig_state_name(to));
		close(self->fd);
		self->fd = -1;
		ASSERT_RET(0, vmig_device_reset(dev), "reset");
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "after reset");
	}
}

/* Driver: RESUMING -> ERROR or unsupported, data refused: EINVAL, still RESUMING */
TEST_F(resuming, refused_stream_stays_in_resuming)
{
	struct vmig_device *dev = self->dev;
	enum vfio_device_mig_state to;

	enter_refused(_metadata, self);
	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		if (to != VFIO_DEVICE_STATE_ERROR && supported(variant, to))
			continue;
		EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, to, NULL),
			   "RESUMING -> %s", vmig_state_name(to));
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dev, "RESUMING -> %s",
			     vmig_state_name(to));
	}
	EXPECT_RET(-EBADMSG, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
						NULL), "STOP");
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dev, "after STOP");
}

/* Driver: vfio_device_feature_mig_state.device_state, no such state: EINVAL, no change */
TEST_F(resuming, states_that_do_not_exist_are_refused)
{
	static const uint32_t states[] = { 8, 9, 255, 0x80000002, 0xffffffff };
	struct vmig_device *dev = self->dev;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, states[i], NULL),
			   "device_state %#x", states[i]);
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "device_state %#x",
			     states[i]);
	}
}

TEST_HARNESS_MAIN
