// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: the estimate of what STOP_COPY will send. */
#include <errno.h>

#include "session.h"

FIXTURE_VARIANT(size) {
	enum vfio_device_mig_state state;
};

SUBJECT_FIXTURE(size);

FIXTURE_VARIANT_ADD(size, in_stop) { .state = STOP };
FIXTURE_VARIANT_ADD(size, in_running) { .state = RUNNING };
FIXTURE_VARIANT_ADD(size, in_stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(size, in_resuming) { .state = RESUMING };
FIXTURE_VARIANT_ADD(size, in_running_p2p) { .state = RUNNING_P2P };
FIXTURE_VARIANT_ADD(size, in_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(size, in_pre_copy_p2p) { .state = PRE_COPY_P2P };

CLAUSE_TEST_F(size, is_told, "size.every-state", "size.no-effect")
{
	uint64_t bytes;

	NEED_MASK(VMIG_HAS_DATA_SIZE | state_needs(variant->state));
	if (variant->state != RUNNING)
		ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state, &self->fd), "to %s",
			   vmig_state_name(variant->state));
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size");
	EXPECT_STATE(variant->state, self->dev, "afterwards");
}

SUBJECT_FIXTURE(estimate);

/* Asked before, within and at the end of the stream, which is whole */
CLAUSE_TEST_F(estimate, leaves_the_stream_as_it_is, "size.no-effect")
{
	struct vmig_device *dst;
	uint64_t bytes;
	uint8_t byte;

	NEED2(MIGRATION, DATA_SIZE);
	FILL(self->dev, SEED);
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size in RUNNING");
	BEGIN(STOP_COPY, &self->fd);
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size before the stream");
	ASSERT_EQ(1, vmig_call_read(self->fd, &byte, 1));
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, &byte, 1));
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size within the stream");
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read");
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size at the end");
	OPEN_DESTINATION(dst);
	EXPECT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

/* Asked while the stream is written */
CLAUSE_TEST_F(estimate, leaves_the_loading_as_it_is, "size.no-effect")
{
	struct vmig_device *dst;
	uint64_t bytes;

	NEED2(MIGRATION, DATA_SIZE);
	FILL(self->dev, SEED);
	SAVE();
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_mig_set_state(dst, RESUMING, &self->fd), "to RESUMING");
	ASSERT_EQ(1, vmig_call_write(self->fd, self->stream.data, 1));
	EXPECT_RET(0, vmig_mig_data_size(dst, &bytes), "size");
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data + 1, self->stream.len - 1,
					  VMIG_TRANSFER_CHUNK, NULL), "write");
	EXPECT_RET(0, vmig_mig_data_size(dst, &bytes), "size");
	ASSERT_RET(0, vmig_mig_set_state(dst, STOP, NULL), "to STOP");
	EXPECT_CONTENTS(dst, SEED);
}

CLAUSE_TEST_F(estimate, cannot_be_set, "size.no-set")
{
	struct vfio_device_feature_mig_data_size size = { 0 };

	NEED2(MIGRATION, DATA_SIZE);
	EXPECT_REFUSED("errno of a SET of MIG_DATA_SIZE",
		       vmig_feature(self->dev, VFIO_DEVICE_FEATURE_SET |
				    VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &size, sizeof(size)));
}

/* Where the call fails, size.every-state is violated, but not this */
#define ASK(_bytes) do { \
	if (vmig_mig_data_size(self->dev, _bytes)) \
		SKIP(return, "not checked: the size is not told"); \
} while (0)

CLAUSE_TEST_F(estimate, is_an_estimate, "size.estimate")
{
	uint64_t running = 0, stopped = 0, at_start = 0, at_end = 0;

	NEED2(MIGRATION, DATA_SIZE);
	FILL(self->dev, SEED);
	ASK(&running);
	GO(STOP);
	ASK(&stopped);
	BEGIN(STOP_COPY, &self->fd);
	ASK(&at_start);
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read");
	ASK(&at_end);
	RECORD("stop_copy_length",
	       "%ju in RUNNING, %ju in STOP, %ju and %ju at both ends of a stream of %zu bytes",
	       (uintmax_t)running, (uintmax_t)stopped, (uintmax_t)at_start,
	       (uintmax_t)at_end, self->stream.len);
}

DESTRUCTIVE_TEST_F(estimate, is_told_in_error, "writes invalid data", "size.in-error")
{
	uint64_t bytes;
	int ret;

	NEED2(MIGRATION, DATA_SIZE);
	ret = vmig_transfer_reach(self->dev, ERROR, NULL, &self->fd);
	if (ret == -EPROTO)
		SKIP(return, "not checked: the driver did not enter ERROR");
	ASSERT_RET(0, ret, "to ERROR");
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "size in ERROR");
	EXPECT_STATE(ERROR, self->dev, "afterwards");
}

SUBJECT_TEST_MAIN
