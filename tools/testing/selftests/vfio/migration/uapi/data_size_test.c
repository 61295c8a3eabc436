// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: an estimate, in each state, that STOP_COPY
 * then keeps to.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "mtty_format.h"

#define PORTS	2

/* The records that say how far the log has come, the ports, the interrupts */
#define TAIL_MAX	1024

/* So small that a record is read in several, the short ones at the end, too */
#define PART		20
#define MIN_PARTS	10
#define MAX_PARTS	1024

FIXTURE(data_size) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	int fd;
};

FIXTURE_VARIANT(data_size) {
	const char *policy;
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

FIXTURE_VARIANT_ADD(data_size, embedded) {
	.policy = "embedded", .capture = "8K", .log_bytes = 4096,
};

FIXTURE_SETUP(data_size)
{
	const struct vmig_attrs attrs = {
		.config_policy = variant->policy,
		.capture_size = variant->capture,
	};

	self->fd = -1;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2",
				       VMIG_PATH_ANY, &attrs));
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

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "scene");
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

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "scene");
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

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "scene");
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

/* To its end, asking before each part: never less than is left, and near */
static void count_down(struct __test_metadata *_metadata, struct vmig_device *dev,
		       int fd)
{
	uint64_t told[MAX_PARTS], size = 0;
	unsigned int n = 0, i;
	char part[PART];
	ssize_t got;

	do {
		ASSERT_GT(MAX_PARTS, n);
		EXPECT_RET(0, vmig_mig_data_size(dev, &told[n]), "size");
		got = read(fd, part, sizeof(part));
		ASSERT_LE(0, got);
		size += got;
		told[n++] += size - got;
	} while (got);

	EXPECT_LT(MIN_PARTS, n);
	for (i = 0; i < n; i++) {
		EXPECT_LE(size, told[i]) {
			TH_LOG("part %u", i);
		}
		EXPECT_GE(size + TAIL_MAX, told[i]) {
			TH_LOG("part %u", i);
		}
	}
}

/* Clause: stop_copy_length within STOP_COPY: what is left, down to nothing */
TEST_F(data_size, counts_down_in_stop_copy)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "scene");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	count_down(_metadata, self->dev, self->fd);
}

/* Clause: the same, of what has changed since it was read in PRE_COPY */
TEST_F(data_size, counts_down_what_has_changed)
{
	uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	uint8_t ones[64];

	memset(ones, 0xff, sizeof(ones));
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "scene");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream,
					       VMIG_TRANSFER_CHUNK), "pre-copy");
	ASSERT_RET(0, vmig_region_write(self->dev, VFIO_PCI_CONFIG_REGION_INDEX,
					PCI_COMMAND, &command, sizeof(command)),
		   "config space");
	if (variant->log_bytes)
		ASSERT_RET(0, vmig_region_write(self->dev,
						VFIO_PCI_BAR2_REGION_INDEX,
						MTTY_CAP_LOG_OFFSET, ones,
						sizeof(ones)), "BAR2");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	count_down(_metadata, self->dev, self->fd);
}

TEST_HARNESS_MAIN
