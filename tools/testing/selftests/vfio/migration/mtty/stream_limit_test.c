// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values and sizes of the stream at a limit, one below it and one above it, and numbers
 * that need more than 8, 16 or 32 bits.
 */
#include <endian.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "expect_offer.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define CAPTURE		8192
#define CAPACITY	((CAPTURE - MTTY_CAP_LOG_OFFSET) / 2)
#define PAGE		4096

/* A row of a log: what it says, and the errno */
struct log_row {
	uint64_t logged;
	uint64_t dropped;
	int err;
};

/* @stream: of a device after a reset; @bad: a changed copy */
FIXTURE(limit) {
	DEVICE_MEMBERS;
	struct vmig_bytes bad;
};

FIXTURE_SETUP(limit)
{
	OPEN_DEVICE("mtty-2", .capture_size = "8K");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

FIXTURE_TEARDOWN(limit)
{
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

/* A stream with this log; true if it is loaded */
static bool offer_log(struct __test_metadata *_metadata, struct vmig_device *dev,
		      struct vmig_bytes *stream, const struct log_row *row)
{
	const struct mtty_rec_log log = {
		.logged = htole64(row->logged), .dropped = htole64(row->dropped),
	};
	struct vmig_rec rec = { 0 };

	EXPECT_EQ(0, vmig_stream_find(stream, MTTY_REC_LOG, 0, &rec));
	EXPECT_EQ(0, vmig_stream_poke(stream, &rec, 0, &log, sizeof(log)));
	EXPECT_EQ(0, vmig_stream_fix_sums(stream));
	EXPECT_OFFER(row->err, dev, stream, "logged %llu, dropped %llu",
		     (unsigned long long)row->logged, (unsigned long long)row->dropped);
	return !row->err;
}

/* Driver: mtty_rec_log: a log of any length; bytes dropped only if it is full; EINVAL */
TEST_F(limit, log)
{
	static const struct log_row rows[] = {
		{ 0, 0, 0 }, { CAPACITY - 1, 0, 0 }, { CAPACITY, 0, 0 },
		{ CAPACITY + 1, 0, -EINVAL }, { CAPACITY | 1ULL << 32, 0, -EINVAL },
		{ CAPACITY, 1, 0 }, { CAPACITY, 1ULL << 32, 0 },
		{ CAPACITY, 1ULL << 63, 0 }, { CAPACITY, ~0ULL, 0 },
		{ CAPACITY - 1, 1, -EINVAL }, { CAPACITY - 1, ~0ULL, -EINVAL },
		{ CAPACITY - 1, 1ULL << 32, -EINVAL }, { 0, 1, -EINVAL },
		{ 0, 1ULL << 32, -EINVAL }, { CAPACITY + 1, 1, -EINVAL },
	};
	struct vmig_capture_head info = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (offer_log(_metadata, self->dev, &self->stream, &rows[i])) {
			EXPECT_RET(0, vmig_capture_info(self->dev, &info), "row %u", i);
			EXPECT_EQ(rows[i].logged, info.logged);
			EXPECT_EQ(rows[i].dropped, info.dropped);
		}
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
}

DEVICE_FIXTURE(no_memory, "mtty-2", .capture_size = "0");

/* Driver: mtty_rec_log of a device without capture memory: it counts nothing, else EINVAL */
TEST_F(no_memory, log)
{
	static const struct log_row rows[] = {
		{ 0, 0, 0 }, { 0, 1, -EINVAL }, { 1, 0, -EINVAL }, { 1, 1, -EINVAL },
		{ 0, 1ULL << 32, -EINVAL }, { 1ULL << 32, 0, -EINVAL },
	};
	unsigned int i;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		offer_log(_metadata, self->dev, &self->stream, &rows[i]);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
}

/* Driver: MTTY_REC_CAPTURE of any length, without capture memory: EINVAL at its head */
TEST_F(no_memory, capture)
{
	static const uint8_t payload[8 + MTTY_REC_CAPTURE_MAX];
	static const size_t lens[] = { 1, 8, 256, 257, MTTY_REC_CAPTURE_MAX };
	struct vmig_bytes stream = { 0 };
	struct vmig_rec rec;
	unsigned int i;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_LOG, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&stream, &self->stream));
		ASSERT_EQ(0, vmig_stream_insert(&stream, rec.offset, MTTY_REC_CAPTURE,
						&rec, payload, 8 + lens[i]));
		ASSERT_EQ(0, vmig_stream_renumber(&stream));
		stream.len = rec.offset + sizeof(struct mtty_rec_head);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_OFFER(-EINVAL, self->dev, &stream, "%zu bytes", lens[i]);
	}
	vmig_bytes_free(&stream);
}

/* A stream that has one record of capture memory, filled with ones */
static void offer_capture(struct __test_metadata *_metadata, FIXTURE_DATA(limit) *self,
			  uint64_t offset, size_t len, int err)
{
	const uint64_t at = htole64(offset);
	struct vmig_bytes payload = { 0 };
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_bytes_add(&payload, &at, sizeof(at)));
	ASSERT_EQ(0, vmig_bytes_reserve(&payload, len));
	memset(payload.data + payload.len, 0xff, len);
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->stream));
	ASSERT_EQ(0, vmig_stream_find(&self->bad, MTTY_REC_LOG, 0, &rec));
	ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset, MTTY_REC_CAPTURE, &rec,
					payload.data, payload.len + len));
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
	vmig_bytes_free(&payload);
	EXPECT_OFFER(err, self->dev, &self->bad, "%zu bytes at %#llx", len,
		     (unsigned long long)offset);
}

/* The bytes of the record are there, and no others */
static void expect_ones(struct __test_metadata *_metadata, FIXTURE_DATA(limit) *self,
			uint64_t offset, size_t len)
{
	uint8_t seen[CAPTURE];
	size_t i;

	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, 0, seen, sizeof(seen)), "read");
	for (i = MTTY_CAP_LOG_OFFSET; i < sizeof(seen); i++)
		ASSERT_EQ(i >= offset && i < offset + len ? 0xff : 0, seen[i]) {
			TH_LOG("%zu bytes at %#llx: byte %#zx", len,
			       (unsigned long long)offset, i);
		}
}

/* Driver: mtty_rec_capture.offset: from the end of the header to that of BAR2; EINVAL */
TEST_F(limit, place_in_capture_memory)
{
	static const struct {
		uint64_t offset;
		size_t len;
		int err;
	} rows[] = {
		{ PAGE, 1, 0 }, { PAGE - 1, 1, -EINVAL }, { PAGE - 1, 2, -EINVAL },
		{ PAGE, PAGE, 0 }, { PAGE, PAGE + 1, -EINVAL },
		{ PAGE + 1, PAGE - 1, 0 }, { PAGE + 1, PAGE, -EINVAL },
		{ CAPTURE - 1, 1, 0 }, { CAPTURE - 1, 2, -EINVAL },
		{ CAPTURE - 2, 2, 0 }, { CAPTURE, 1, -EINVAL },
		{ PAGE | 1ULL << 32, 1, -EINVAL }, { PAGE | 1ULL << 63, 1, -EINVAL },
		{ ~0ULL, 1, -EINVAL }, { ~0ULL, 2, -EINVAL },
		{ -(uint64_t)PAGE, 2 * PAGE + 1, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		offer_capture(_metadata, self, rows[i].offset, rows[i].len, rows[i].err);
		if (!rows[i].err)
			expect_ones(_metadata, self, rows[i].offset, rows[i].len);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
}

/* So many pages of which every second one is written, each a record of its own */
#define MANY		300

/* Enough for pages of 64 KiB */
DEVICE_FIXTURE(many, "mtty-1", .capture_size = "64M");

/* Driver: mtty_rec_head.seq, mtty_rec_end.records: more than a byte can count */
TEST_F(many, records_are_counted)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct vmig_bytes *stream = &self->stream;
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	uint64_t records = 0, nr = 0;
	uint8_t byte = 0;
	unsigned int i;

	for (i = 1; i <= MANY; i++)
		ASSERT_RET(0, vmig_region_write(self->dev, BAR2, 2 * i * page, "m", 1),
			   "page %u", i);
	/* With its neighbours it is one record, of several parts */
	ASSERT_RET(0, vmig_region_write(self->dev, BAR2, 3 * page, "n", 1), "page");
	ASSERT_RET(0, vmig_transfer_save(self->dev, stream), "save");
	vmig_stream_start(&iter, stream->data, stream->len);
	for (; !vmig_stream_next(&iter, &rec); nr++) {
		ASSERT_TRUE(rec.head_ok && rec.data_ok);
		ASSERT_EQ(nr, rec.seq);
	}
	EXPECT_LT(256, nr);
	memcpy(&records, rec.payload, sizeof(records));
	EXPECT_EQ(nr - 1, le64toh(records));

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_transfer_load(self->dev, stream), "load");
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, 2 * MANY * page, &byte, 1), "read");
	EXPECT_EQ('m', byte);
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, 3 * page, &byte, 1), "read");
	EXPECT_EQ('n', byte);
}

TEST_HARNESS_MAIN
