// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters of the log, and the size of the device, after each event that clears, keeps
 * or replaces them.
 */
#include <endian.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"
#include "mtty_format.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		8192u
#define CAPACITY	((SIZE - MTTY_CAP_LOG_OFFSET) / sizeof(struct mtty_cap_entry))
#define DROPPED		7
/* The low half is not enough for it */
#define MANY		0x1122334455667788ULL

FIXTURE(counts) {
	DEVICE_MEMBERS;
	struct vmig_bytes fresh;
	uint64_t fresh_size;
};

static int go(struct vmig_device *dev, enum vfio_device_mig_state state)
{
	return vmig_mig_set_state(dev, state, NULL);
}

static int keep(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return 0;
}

static int reset(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return vmig_device_reset(&td->dev);
}

static int reset_in_pre_copy(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, PRE_COPY) ?: vmig_device_reset(&td->dev);
}

static int reset_in_stop_copy(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, STOP_COPY) ?: vmig_device_reset(&td->dev);
}

static int reset_in_resuming(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, RESUMING) ?: vmig_device_reset(&td->dev);
}

static int reopen(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return vmig_testdev_reopen(td);
}

static int reopen_from_pre_copy(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, PRE_COPY) ?: reopen(td, fresh);
}

static int stop_and_run(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, STOP) ?: go(&td->dev, RUNNING);
}

static int cancel(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, PRE_COPY) ?: go(&td->dev, RUNNING);
}

static int cancel_late(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return go(&td->dev, PRE_COPY) ?: go(&td->dev, STOP_COPY) ?: go(&td->dev, RUNNING);
}

static int load(struct vmig_device *dev, const struct vmig_bytes *stream)
{
	return vmig_transfer_load(dev, stream) ?: go(dev, RUNNING);
}

static int load_own(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	struct vmig_bytes stream = { 0 };
	int ret;

	ret = vmig_transfer_save(&td->dev, &stream);
	if (!ret)
		ret = load(&td->dev, &stream);
	vmig_bytes_free(&stream);
	return ret;
}

static int load_own_after_reset(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	struct vmig_bytes stream = { 0 };
	int ret;

	ret = vmig_transfer_save(&td->dev, &stream) ?: vmig_device_reset(&td->dev) ?:
	      load(&td->dev, &stream);
	vmig_bytes_free(&stream);
	return ret;
}

static int load_own_by_pre_copy(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	struct vmig_bytes stream = { 0 };
	int fd, ret;

	ret = vmig_mig_set_state(&td->dev, PRE_COPY, &fd);
	if (ret)
		return ret;
	ret = vmig_transfer_read(fd, &stream, VMIG_TRANSFER_CHUNK);
	ret = ret != -ENOMSG ? -EPROTO : go(&td->dev, STOP_COPY);
	if (!ret)
		ret = vmig_transfer_read(fd, &stream, VMIG_TRANSFER_CHUNK);
	close(fd);
	if (!ret)
		ret = vmig_device_reset(&td->dev) ?: load(&td->dev, &stream);
	vmig_bytes_free(&stream);
	return ret;
}

static int load_fresh(struct vmig_testdev *td, const struct vmig_bytes *fresh)
{
	return load(&td->dev, fresh);
}

/* @event: happens to a device with a full log; @stays: log and memory survive it */
FIXTURE_VARIANT(counts) {
	int (*event)(struct vmig_testdev *td, const struct vmig_bytes *fresh);
	bool stays;
};

#define EVENT(_name, _stays) \
	FIXTURE_VARIANT_ADD(counts, after_##_name) { .event = _name, .stays = _stays }

EVENT(keep, true);
EVENT(reset, false);
EVENT(reset_in_pre_copy, false);
EVENT(reset_in_stop_copy, false);
EVENT(reset_in_resuming, false);
EVENT(reopen, false);
EVENT(reopen_from_pre_copy, false);
EVENT(stop_and_run, true);
EVENT(cancel, true);
EVENT(cancel_late, true);
EVENT(load_own, true);
EVENT(load_own_after_reset, true);
EVENT(load_own_by_pre_copy, true);
EVENT(load_fresh, false);

FIXTURE_SETUP(counts)
{
	OPEN_DEVICE("mtty-2", .capture_size = "8192");
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &self->fresh_size), "size");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->fresh), "save");
	GO(RUNNING);
}

FIXTURE_TEARDOWN(counts)
{
	vmig_bytes_free(&self->fresh);
	CLOSE_DEVICE();
}

#define EXPECT_COUNTS(_logged, _dropped) do { \
	struct vmig_capture_head seen_info = { 0 }; \
	EXPECT_RET(0, vmig_capture_info(self->dev, &seen_info), "header"); \
	EXPECT_EQ(SIZE, seen_info.size); \
	EXPECT_EQ(CAPACITY, seen_info.capacity); \
	EXPECT_EQ(_logged, seen_info.logged); \
	EXPECT_EQ(_dropped, seen_info.dropped); \
} while (0)

/* Driver: struct mtty_cap_header after each event: each field */
TEST_F(counts, each_is_right)
{
	ASSERT_RET(0, vmig_capture_transmit(self->dev, CAPACITY + DROPPED), "transmit");
	EXPECT_COUNTS(CAPACITY, DROPPED);
	ASSERT_RET(0, variant->event(&self->td, &self->fresh), "event");
	EXPECT_COUNTS(variant->stays ? CAPACITY : 0, variant->stays ? DROPPED : 0);
	ASSERT_RET(0, vmig_capture_transmit(self->dev, 3), "transmit");
	EXPECT_COUNTS(variant->stays ? CAPACITY : 3, variant->stays ? DROPPED + 3 : 0);
}

/* Driver: stop_copy_length after each event: the pages that the device has then */
TEST_F(counts, size_is_right)
{
	uint64_t before, after;

	ASSERT_RET(0, vmig_capture_transmit(self->dev, 1), "transmit");
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &before), "size");
	EXPECT_LT(self->fresh_size, before);
	ASSERT_RET(0, variant->event(&self->td, &self->fresh), "event");
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &after), "size");
	EXPECT_EQ(variant->stays ? before : self->fresh_size, after);
}

FIXTURE(loaded_counts) {
	DEVICE_MEMBERS;
};

FIXTURE_SETUP(loaded_counts)
{
	OPEN_DEVICE("mtty-2", .capture_size = "8192");
}

FIXTURE_TEARDOWN(loaded_counts)
{
	CLOSE_DEVICE();
}

/* A stream of an empty device, but for the counters of the log */
static int make_stream(struct vmig_device *dev, struct vmig_bytes *stream, uint64_t logged,
		       uint64_t dropped)
{
	struct mtty_rec_log log = {
		.logged = htole64(logged), .dropped = htole64(dropped),
	};
	struct vmig_rec rec;
	int ret;

	ret = vmig_transfer_save(dev, stream) ?:
	      vmig_stream_find(stream, MTTY_REC_LOG, 0, &rec) ?:
	      vmig_stream_poke(stream, &rec, 0, &log, sizeof(log));
	return ret ?: vmig_stream_fix_sums(stream);
}

/* Driver: struct mtty_rec_log: counters of 64 bits are loaded, counted on, and saved */
TEST_F(loaded_counts, of_64_bits_go_on)
{
	struct mtty_rec_log log = { 0 };
	struct vmig_rec rec;

	ASSERT_RET(0, make_stream(self->dev, &self->stream, CAPACITY, MANY), "stream");
	ASSERT_RET(0, load(self->dev, &self->stream), "load");
	EXPECT_COUNTS(CAPACITY, MANY);
	ASSERT_RET(0, vmig_capture_transmit(self->dev, 2), "transmit");
	EXPECT_COUNTS(CAPACITY, MANY + 2);
	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_stream_find(&self->stream, MTTY_REC_LOG, 0, &rec), "LOG");
	memcpy(&log, rec.payload, sizeof(log));
	EXPECT_EQ(CAPACITY, le64toh(log.logged));
	EXPECT_EQ(MANY + 2, le64toh(log.dropped));
}

/* Driver: struct mtty_cap_header.logged: the log goes on behind the entry loaded last */
TEST_F(loaded_counts, of_the_log_go_on_to_its_end)
{
	struct mtty_cap_entry entry[2] = { 0 };

	ASSERT_RET(0, make_stream(self->dev, &self->stream, CAPACITY - 1, 0), "stream");
	ASSERT_RET(0, load(self->dev, &self->stream), "load");
	EXPECT_COUNTS(CAPACITY - 1, 0);
	ASSERT_RET(0, vmig_capture_transmit(self->dev, 2), "transmit");
	EXPECT_COUNTS(CAPACITY, 1);
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, SIZE - sizeof(entry), entry,
				       sizeof(entry)), "log");
	EXPECT_EQ(0, entry[0].data);
	EXPECT_EQ('a', entry[1].data);
}

TEST_HARNESS_MAIN
