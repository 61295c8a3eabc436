// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: the estimate in each state, compared with the data
 * that STOP_COPY sends.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "mtty_format.h"

#define PORTS	2

/* All records but those of the capture memory */
#define TAIL_MAX	1024

/* Smaller than each record */
#define PART		20
#define MIN_PARTS	10
#define MAX_PARTS	1024

FIXTURE(data_size) {
	DEVICE_MEMBERS;
};

FIXTURE_VARIANT(data_size) {
	const char *policy;
	const char *capture;
	uint64_t log_bytes;
	bool opt_in;
};

FIXTURE_VARIANT_ADD(data_size, without_capture) { .capture = "0" };
FIXTURE_VARIANT_ADD(data_size, capture_8K) { .capture = "8K", .log_bytes = 4096 };

FIXTURE_VARIANT_ADD(data_size, capture_1M) {
	.capture = "1M", .log_bytes = (1 << 20) - 4096,
};

FIXTURE_VARIANT_ADD(data_size, independent) {
	.policy = "independent", .capture = "8K", .log_bytes = 4096,
};

FIXTURE_VARIANT_ADD(data_size, any_order) {
	.policy = "reorder", .capture = "8K", .log_bytes = 4096, .opt_in = true,
};

FIXTURE_SETUP(data_size)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy,
		    .capture_size = variant->capture);
	if (variant->opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, 3), "contents");
}

FIXTURE_TEARDOWN(data_size)
{
	CLOSE_DEVICE();
}

/* Driver: stop_copy_length in each state: not much more than the device has */
TEST_F(data_size, is_bounded_in_each_state)
{
	uint64_t max = 2 * variant->log_bytes + TAIL_MAX, size;
	enum vfio_device_mig_state state;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	for (state = 0; state < VFIO_DEVICE_STATE_NR; state++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_transfer_reach(self->dev, state,
						  &self->stream, &self->fd),
			   "to %s", vmig_state_name(state));
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "in %s",
			   vmig_state_name(state));
		EXPECT_GE(max, size);
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
	}
}

/* Driver: stop_copy_length without pre-copy: at least the size of the stream, and near */
TEST_F(data_size, bounds_the_whole_stream)
{
	static const enum vfio_device_mig_state from[] = {
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	uint64_t size = 0;
	unsigned int i;

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

/* Driver: stop_copy_length after pre-copy: the rest, not the whole device */
TEST_F(data_size, shrinks_by_pre_copy)
{
	uint64_t size = 0;
	size_t before;

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

/* Asks before each part: the estimate is at least the rest, and near it */
static void count_down(struct __test_metadata *_metadata, struct vmig_device *dev,
		       int fd)
{
	uint64_t estimate[MAX_PARTS], size = 0;
	unsigned int n = 0, i;
	char part[PART];
	ssize_t got;

	do {
		ASSERT_GT(MAX_PARTS, n);
		EXPECT_RET(0, vmig_mig_data_size(dev, &estimate[n]), "size");
		got = read(fd, part, sizeof(part));
		ASSERT_LE(0, got);
		size += got;
		estimate[n++] += size - got;
	} while (got);

	EXPECT_LT(MIN_PARTS, n);
	for (i = 0; i < n; i++) {
		EXPECT_LE(size, estimate[i]) {
			TH_LOG("part %u", i);
		}
		EXPECT_GE(size + TAIL_MAX, estimate[i]) {
			TH_LOG("part %u", i);
		}
	}
}

/* Driver: stop_copy_length within STOP_COPY: the rest, down to 0 */
TEST_F(data_size, counts_down_in_stop_copy)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	count_down(_metadata, self->dev, self->fd);
}

/* Driver: stop_copy_length within STOP_COPY: changes after they were read */
TEST_F(data_size, counts_down_changes)
{
	uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	uint8_t ones[64];

	memset(ones, 0xff, sizeof(ones));
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
