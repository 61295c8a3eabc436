// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: an estimate, in each state, that STOP_COPY
 * then keeps to.
 */
#include <errno.h>
#include <unistd.h>

#include "../../kselftest_harness.h"

#include "lib/expect.h"
#include "lib/feature.h"
#include "lib/scene.h"
#include "lib/testdev.h"
#include "lib/transfer.h"

#define PORTS	2

/* The records that say how far the log has come, the ports, the interrupts */
#define TAIL_MAX	1024

FIXTURE(data_size) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	int fd;
};

FIXTURE_VARIANT(data_size) {
	const char *capture;
	uint64_t log_bytes;
};

FIXTURE_VARIANT_ADD(data_size, without_capture) {
	.capture = "0", .log_bytes = 0,
};

FIXTURE_VARIANT_ADD(data_size, capture_8K) {
	.capture = "8K", .log_bytes = 4096,
};

FIXTURE_VARIANT_ADD(data_size, capture_1M) {
	.capture = "1M", .log_bytes = (1 << 20) - 4096,
};

FIXTURE_SETUP(data_size)
{
	const struct vmig_attrs attrs = { .capture_size = variant->capture };

	self->fd = -1;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2",
				       VMIG_PATH_GROUP, &attrs));
}

FIXTURE_TEARDOWN(data_size)
{
	if (self->fd >= 0)
		close(self->fd);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

/* Clause: VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: "can be called on each device state" */
TEST_F(data_size, is_told_in_each_state)
{
	enum vfio_device_mig_state state;
	uint64_t size;

	ASSERT_RET(0, vmig_scene_set(self->dev, PORTS, 3), "scene");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	for (state = 0; state < VFIO_DEVICE_STATE_NR; state++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_transfer_reach(self->dev, state,
						  &self->stream, &self->fd),
			   "to %s", vmig_state_name(state));
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "in %s",
			   vmig_state_name(state));
		EXPECT_GE(2 * variant->log_bytes + TAIL_MAX, size);
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
	}
}

/* Clause: stop_copy_length without pre-copy: at least what is transferred, and near */
TEST_F(data_size, bounds_the_whole_stream)
{
	static const enum vfio_device_mig_state from[] = {
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	uint64_t size = 0;
	unsigned int i;

	ASSERT_RET(0, vmig_scene_set(self->dev, PORTS, 3), "scene");
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		ASSERT_RET(0, vmig_mig_set_state(self->dev, from[i], &self->fd),
			   "to %s", vmig_state_name(from[i]));
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "size");
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_STOP_COPY,
						 self->fd < 0 ? &self->fd : NULL),
			   "STOP_COPY");
		self->stream.len = 0;
		ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream,
						 VMIG_TRANSFER_CHUNK), "read");
		close(self->fd);
		self->fd = -1;
		EXPECT_LE(self->stream.len, size) {
			TH_LOG("from %s", vmig_state_name(from[i]));
		}
		EXPECT_GE(2 * self->stream.len + TAIL_MAX, size) {
			TH_LOG("from %s", vmig_state_name(from[i]));
		}
	}
}

/* Clause: stop_copy_length after pre-copy: what is left, no more the whole device */
TEST_F(data_size, shrinks_by_pre_copy)
{
	uint64_t size = 0;
	size_t before;

	ASSERT_RET(0, vmig_scene_set(self->dev, PORTS, 3), "scene");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream,
					       VMIG_TRANSFER_CHUNK), "pre-copy");
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "size");
	EXPECT_GE(TAIL_MAX, size);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	before = self->stream.len;
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream,
					 VMIG_TRANSFER_CHUNK), "rest");
	EXPECT_LE(self->stream.len - before, size);
}

/* Clause: stop_copy_length within STOP_COPY: counts down to nothing */
TEST_F(data_size, counts_down_in_stop_copy)
{
	uint64_t before = 0, after = 0;
	char part[50];

	ASSERT_RET(0, vmig_scene_set(self->dev, PORTS, 3), "scene");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &before), "size");
	ASSERT_EQ(50, read(self->fd, part, sizeof(part)));
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &after), "size");
	EXPECT_LE(after, before);
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "rest");
	EXPECT_LE(self->stream.len, after);
}

TEST_HARNESS_MAIN
