// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged streams: cut, flipped, reordered, repeated, spliced, extended. The
 * destination refuses each of them and goes to ERROR; after a reset it works. The
 * source is not affected.
 */
#include "lib/mtty.h"
#include "expect_offer.h"

#define PORTS	2
#define SEED	10

FIXTURE(corrupt) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_bytes good;
	struct vmig_bytes other;
	struct vmig_bytes bad;
	int fd;
};

static int save_running(struct vmig_device *dev, struct vmig_bytes *out)
{
	int ret = vmig_transfer_save(dev, out);

	return ret ? ret : vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL);
}

FIXTURE_SETUP(corrupt)
{
	const struct vmig_attrs attrs = { .capture_size = "8K" };

	self->fd = -1;
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY, &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY, &attrs)) {
		vmig_testdev_close(&self->src);
	}
	ASSERT_RET(0, vmig_contents_set(&self->src.dev, PORTS, SEED), "contents");
	ASSERT_RET(0, save_running(&self->src.dev, &self->good), "save");
	ASSERT_RET(0, save_running(&self->src.dev, &self->other), "save once more");
	ASSERT_EQ(self->good.len, self->other.len);
	ASSERT_RET(0, vmig_bytes_copy(&self->bad, &self->good), "copy");
}

/* After each test both devices must work and have their contents */
FIXTURE_TEARDOWN(corrupt)
{
	const char *what = "";

	if (self->fd >= 0)
		close(self->fd);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, &self->src.dev, "source");
	EXPECT_RET(0, vmig_contents_check(&self->src.dev, PORTS, SEED, &what),
		   "source: %s", what);
	EXPECT_RET(0, vmig_device_reset(&self->dst.dev), "destination");
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->good), "destination");
	EXPECT_RET(0, vmig_contents_check(&self->dst.dev, PORTS, SEED, &what),
		   "destination: %s", what);
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->other);
	vmig_bytes_free(&self->bad);
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

/* The next bad stream begins as a copy of the good one */
#define COPY_GOOD() \
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good))

/* The destination must refuse the bad stream, and accept a reset */
#define EXPECT_REFUSED(...) do { \
	EXPECT_OFFER(-EBADMSG, &self->dst.dev, &self->bad, __VA_ARGS__); \
	ASSERT_RET(0, vmig_device_reset(&self->dst.dev), __VA_ARGS__); \
} while (0)

/* Clause: RESUMING -> STOP: the stream of a saving session is loaded */
TEST_F(corrupt, intact_stream_is_loaded)
{
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->good), "load");
	EXPECT_STATE(VFIO_DEVICE_STATE_STOP, &self->dst.dev, "loaded");
	EXPECT_RET(0, vmig_device_reset(&self->dst.dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->other), "the other one");
}

/* Driver: RESUMING -> STOP before the last byte: ENODATA, and the rest may follow */
TEST_F(corrupt, stream_cut_at_every_byte_is_incomplete)
{
	struct vmig_device *dst = &self->dst.dev;
	size_t pos;
	int ret;

	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	for (pos = 0; pos < self->good.len; pos++) {
		ret = vmig_mig_set_state(dst, VFIO_DEVICE_STATE_STOP, NULL);
		ASSERT_RET(-ENODATA, ret, "cut at %zu of %zu", pos, self->good.len);
		ASSERT_EQ(1, write(self->fd, self->good.data + pos, 1));
	}
	EXPECT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_STOP, NULL), "complete");
	EXPECT_RET(0, vmig_device_reset(dst), "reset");
}

/* Driver: a cut stream, then VFIO_DEVICE_RESET: the device is as after any reset */
TEST_F(corrupt, stream_cut_at_record_borders_leaves_nothing)
{
	struct vmig_device *dst = &self->dst.dev;
	const char *what = "";
	struct vmig_rec rec;
	unsigned int nr;
	int write_err;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		self->bad.len = rec.offset;
		EXPECT_RET(-ENODATA, vmig_transfer_offer(dst, &self->bad,
							 &write_err),
			   "cut before record %u", nr);
		EXPECT_RET(0, write_err, "cut before record %u", nr);
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dst, "cut");
		ASSERT_RET(0, vmig_device_reset(dst), "reset");
		EXPECT_RET(0, vmig_contents_check_reset(dst, PORTS, &what),
			   "cut before record %u: %s", nr, what);
	}
}

/* Few calls only, because there are thousands of such streams */
static void check_flip(struct __test_metadata *_metadata,
		       FIXTURE_DATA(corrupt) *self, size_t pos, uint8_t mask)
{
	struct vmig_device *dst = &self->dst.dev;
	int write_err, stop_err;

	self->bad.data[pos] ^= mask;
	stop_err = vmig_transfer_offer(dst, &self->bad, &write_err);
	self->bad.data[pos] ^= mask;
	ASSERT_RET(-EBADMSG, write_err, "byte %zu of %zu ^ %#x", pos,
		   self->bad.len, mask);
	ASSERT_RET(-EBADMSG, stop_err, "byte %zu of %zu ^ %#x", pos, self->bad.len, mask);
	ASSERT_RET(0, vmig_device_reset(dst), "reset");
}

/* Driver: any one byte of the stream changed: EBADMSG */
TEST_F(corrupt, every_single_byte_flipped_is_refused)
{
	size_t pos;

	for (pos = 0; pos < self->bad.len; pos++)
		check_flip(_metadata, self, pos, 1 << (pos % 8));
}

/* Driver: any one bit outside capture memory changed: EBADMSG */
TEST_F(corrupt, every_single_bit_of_the_device_flipped_is_refused)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;

	vmig_stream_start(&iter, self->good.data, self->good.len);
	while (!vmig_stream_next(&iter, &rec)) {
		size_t len = rec.type == MTTY_REC_CAPTURE ?
			     sizeof(struct mtty_rec_head) +
			     sizeof(struct mtty_rec_capture) : rec.size;
		size_t bit;

		for (bit = 0; bit < 8 * len; bit++)
			check_flip(_metadata, self, rec.offset + bit / 8, 1 << (bit % 8));
	}
}

/* Driver: a record is missing: EBADMSG, or ENODATA for the last one */
TEST_F(corrupt, removed_records_are_noticed)
{
	unsigned int nr = 0, count;
	struct vmig_rec rec;

	count = vmig_stream_count(&self->good);
	for (nr = 0; nr + 1 < count; nr++) {
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		COPY_GOOD();
		ASSERT_EQ(0, vmig_bytes_cut(&self->bad, rec.offset, rec.size));
		EXPECT_REFUSED("without record %u, %s", nr,
			       vmig_stream_type_name(rec.type));
	}
}

/* Driver: a record is repeated: EBADMSG */
TEST_F(corrupt, repeated_records_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		COPY_GOOD();
		ASSERT_EQ(0, vmig_bytes_insert(&self->bad, rec.offset,
					       self->good.data + rec.offset,
					       rec.size));
		EXPECT_REFUSED("record %u twice, %s", nr,
			       vmig_stream_type_name(rec.type));
	}
}

/* Driver: two records in reverse order: EBADMSG */
TEST_F(corrupt, reordered_records_are_refused)
{
	struct vmig_rec a, b;
	unsigned int i, k;

	for (i = 0; !vmig_stream_at(&self->good, i, &a); i++) {
		for (k = i + 1; !vmig_stream_at(&self->good, k, &b); k++) {
			COPY_GOOD();
			ASSERT_EQ(0, vmig_bytes_cut(&self->bad, b.offset, b.size));
			ASSERT_EQ(0, vmig_bytes_insert(&self->bad, a.offset,
						       self->good.data +
						       b.offset, b.size));
			EXPECT_REFUSED("record %u before record %u", k, i);
		}
	}
}

/* Driver: a record of another session of the same device: EBADMSG */
TEST_F(corrupt, records_of_another_session_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		COPY_GOOD();
		memcpy(self->bad.data + rec.offset,
		       self->other.data + rec.offset, rec.size);
		EXPECT_REFUSED("record %u, %s", nr, vmig_stream_type_name(rec.type));
	}
}

/* Driver: a stream that continues as that of another session: EBADMSG */
TEST_F(corrupt, spliced_streams_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 1; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		COPY_GOOD();
		memcpy(self->bad.data + rec.offset,
		       self->other.data + rec.offset,
		       self->bad.len - rec.offset);
		EXPECT_REFUSED("from record %u on", nr);
	}
}

/* Driver: bytes behind the END record: EBADMSG */
TEST_F(corrupt, bytes_behind_the_end_are_refused)
{
	static const size_t more[] = { 1, 31, 32, 33, 100000 };
	uint8_t zero[1024] = { 0 };
	unsigned int i;
	size_t left;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		COPY_GOOD();
		for (left = more[i]; left;) {
			size_t n = left < sizeof(zero) ? left : sizeof(zero);

			ASSERT_EQ(0, vmig_bytes_add(&self->bad, zero, n));
			left -= n;
		}
		EXPECT_REFUSED("%zu zeroes more", more[i]);
	}
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
	ASSERT_EQ(0, vmig_bytes_add(&self->bad, self->good.data, self->good.len));
	EXPECT_REFUSED("the whole stream twice");
}

/* Driver: data without any structure: EBADMSG */
TEST_F(corrupt, garbage_is_refused)
{
	uint8_t fill[] = { 0x00, 0xff, 0x55, 0x01 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fill); i++) {
		memset(self->bad.data, fill[i], self->bad.len);
		EXPECT_REFUSED("all %#x", fill[i]);
	}
	for (i = 0; i < self->bad.len; i++)
		self->bad.data[i] = self->good.data[self->good.len - 1 - i];
	EXPECT_REFUSED("backwards");
}

/* Driver: write() after a refusal, and the change to STOP: the same errno, then ERROR */
TEST_F(corrupt, refused_stream_stays_refused)
{
	struct vmig_device *dst = &self->dst.dev;
	struct vmig_rec rec;
	size_t taken;
	int i, ret;

	ASSERT_EQ(0, vmig_stream_at(&self->good, 1, &rec));
	self->bad.data[rec.offset + 40] ^= 1;
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(-EBADMSG, vmig_transfer_write(self->fd, self->bad.data,
						 self->bad.len, 4096, NULL),
		   "bad data");
	for (i = 0; i < 3; i++) {
		ret = vmig_transfer_write(self->fd, self->good.data,
					  self->good.len, 1 + i * 4096, &taken);
		EXPECT_RET(-EBADMSG, ret, "good data, try %d", i);
		EXPECT_EQ(0, taken);
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dst, "try %d", i);
	}
	EXPECT_RET(-EBADMSG, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_STOP,
						NULL), "STOP");
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dst, "STOP");
}

/* Clause: any -> ERROR: only VFIO_DEVICE_RESET leaves ERROR after a refused stream */
TEST_F(corrupt, refused_stream_needs_a_reset)
{
	struct vmig_device *dst = &self->dst.dev;

	memset(self->bad.data, 0, self->bad.len);
	EXPECT_OFFER(-EBADMSG, dst, &self->bad, "zeroes");
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING,
					       NULL), "try again without reset");
}

TEST_HARNESS_MAIN
