// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged streams: cut, flipped, reordered, repeated, spliced, prolonged.  None
 * of them may be loaded, and none may do harm: the destination says so, goes to
 * ERROR, and a reset brings it back; the source goes on as if nothing happened.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/mtty.h"

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

FIXTURE_SETUP(corrupt)
{
	const struct vmig_attrs attrs = { .capture_size = "8K" };

	self->fd = -1;
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs)) {
		vmig_testdev_close(&self->src);
	}
}

/* Whatever was done to the destination, both devices must be none the worse. */
FIXTURE_TEARDOWN(corrupt)
{
	const char *what = "";

	if (self->fd >= 0)
		close(self->fd);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, &self->src.dev, "source");
	EXPECT_RET(0, vmig_contents_check(&self->src.dev, PORTS, SEED, &what),
		   "source: %s", what);
	EXPECT_RET(0, vmig_device_reset(&self->dst.dev), "destination");
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->good),
		   "destination");
	EXPECT_RET(0, vmig_contents_check(&self->dst.dev, PORTS, SEED, &what),
		   "destination: %s", what);
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->other);
	vmig_bytes_free(&self->bad);
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

static int save_running(struct vmig_device *dev, struct vmig_bytes *out)
{
	int ret = vmig_transfer_save(dev, out);

	return ret ? ret : vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING,
					      NULL);
}

static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(corrupt) *self)
{
	struct vmig_device *src = &self->src.dev;

	ASSERT_RET(0, vmig_contents_set(src, PORTS, SEED), "scene");
	ASSERT_RET(0, save_running(src, &self->good), "save");
	ASSERT_RET(0, save_running(src, &self->other), "save once more");
	ASSERT_EQ(self->good.len, self->other.len);
	ASSERT_RET(0, vmig_bytes_copy(&self->bad, &self->good), "copy");
}

/* The destination must refuse the stream: at once, at STOP, and then for good */
#define EXPECT_REFUSED(_err, _stream, ...) do { \
	struct vmig_device *dst_ = &self->dst.dev; \
	int write_err_ = 0; \
	int stop_err_ = vmig_transfer_offer(dst_, _stream, &write_err_); \
	EXPECT_RET(_err, write_err_, __VA_ARGS__); \
	EXPECT_RET(_err, stop_err_, __VA_ARGS__); \
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dst_, __VA_ARGS__); \
	ASSERT_RET(0, vmig_device_reset(dst_), __VA_ARGS__); \
} while (0)

/* Clause: data of a saving session, as they came: loaded */
TEST_F(corrupt, intact_stream_is_loaded)
{
	prepare(_metadata, self);
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->good), "load");
	EXPECT_STATE(VFIO_DEVICE_STATE_STOP, &self->dst.dev, "loaded");
	EXPECT_RET(0, vmig_device_reset(&self->dst.dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(&self->dst.dev, &self->other),
		   "the other one");
}

/* Clause: RESUMING -> STOP after each byte but the last: ENODATA, goes on */
TEST_F(corrupt, stream_cut_at_every_byte_is_incomplete)
{
	struct vmig_device *dst = &self->dst.dev;
	size_t pos;
	int ret;

	prepare(_metadata, self);
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	for (pos = 0; pos < self->good.len; pos++) {
		ret = vmig_mig_set_state(dst, VFIO_DEVICE_STATE_STOP, NULL);
		ASSERT_RET(-ENODATA, ret, "cut at %zu of %zu", pos,
			   self->good.len);
		ASSERT_EQ(1, write(self->fd, self->good.data + pos, 1));
	}
	EXPECT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_STOP, NULL),
		   "complete");
	EXPECT_RET(0, vmig_device_reset(dst), "reset");
}

/* Clause: a cut stream, then VFIO_DEVICE_RESET: nothing of it stays */
TEST_F(corrupt, stream_cut_at_record_borders_leaves_nothing)
{
	struct vmig_device *dst = &self->dst.dev;
	const char *what = "";
	struct vmig_rec rec;
	unsigned int nr;
	int write_err;

	prepare(_metadata, self);
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

/* One flipped stream; quick, as there are thousands of them */
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
	ASSERT_RET(-EBADMSG, stop_err, "byte %zu of %zu ^ %#x", pos,
		   self->bad.len, mask);
	ASSERT_RET(0, vmig_device_reset(dst), "reset");
}

/* Clause: any one byte of the stream changed: EBADMSG */
TEST_F(corrupt, every_single_byte_flipped_is_refused)
{
	size_t pos;

	prepare(_metadata, self);
	for (pos = 0; pos < self->bad.len; pos++)
		check_flip(_metadata, self, pos, 1 << (pos % 8));
}

/* Clause: any one bit of what is not capture memory changed: EBADMSG */
TEST_F(corrupt, every_single_bit_of_the_device_flipped_is_refused)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;

	prepare(_metadata, self);
	vmig_stream_start(&iter, self->good.data, self->good.len);
	while (!vmig_stream_next(&iter, &rec)) {
		size_t len = rec.type == MTTY_REC_CAPTURE ?
			     sizeof(struct mtty_rec_head) +
			     sizeof(struct mtty_rec_capture) : rec.size;
		size_t bit;

		for (bit = 0; bit < 8 * len; bit++)
			check_flip(_metadata, self, rec.offset + bit / 8,
				   1 << (bit % 8));
	}
}

/* Clause: a record left out: EBADMSG, but the last one, without it: ENODATA */
TEST_F(corrupt, removed_records_are_noticed)
{
	unsigned int nr = 0, count;
	struct vmig_rec rec;

	prepare(_metadata, self);
	count = vmig_stream_count(&self->good);
	for (nr = 0; nr + 1 < count; nr++) {
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_bytes_cut(&self->bad, rec.offset, rec.size));
		EXPECT_REFUSED(-EBADMSG, &self->bad, "without record %u, %s",
			       nr, vmig_stream_type_name(rec.type));
	}
}

/* Clause: a record that comes twice: EBADMSG */
TEST_F(corrupt, repeated_records_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	prepare(_metadata, self);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_bytes_insert(&self->bad, rec.offset,
					       self->good.data + rec.offset,
					       rec.size));
		EXPECT_REFUSED(-EBADMSG, &self->bad, "record %u twice, %s", nr,
			       vmig_stream_type_name(rec.type));
	}
}

/* Clause: two records that change places: EBADMSG */
TEST_F(corrupt, reordered_records_are_refused)
{
	struct vmig_rec a, b;
	unsigned int i, k;

	prepare(_metadata, self);
	for (i = 0; !vmig_stream_at(&self->good, i, &a); i++) {
		for (k = i + 1; !vmig_stream_at(&self->good, k, &b); k++) {
			ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
			ASSERT_EQ(0, vmig_bytes_cut(&self->bad, b.offset,
						    b.size));
			ASSERT_EQ(0, vmig_bytes_insert(&self->bad, a.offset,
						       self->good.data +
						       b.offset, b.size));
			EXPECT_REFUSED(-EBADMSG, &self->bad,
				       "record %u before record %u", k, i);
		}
	}
}

/* Clause: a record of another session of the same device: EBADMSG */
TEST_F(corrupt, records_of_another_session_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	prepare(_metadata, self);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		memcpy(self->bad.data + rec.offset,
		       self->other.data + rec.offset, rec.size);
		EXPECT_REFUSED(-EBADMSG, &self->bad, "record %u, %s", nr,
			       vmig_stream_type_name(rec.type));
	}
}

/* Clause: a stream that goes on as that of another session: EBADMSG */
TEST_F(corrupt, spliced_streams_are_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	prepare(_metadata, self);
	for (nr = 1; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		memcpy(self->bad.data + rec.offset,
		       self->other.data + rec.offset,
		       self->bad.len - rec.offset);
		EXPECT_REFUSED(-EBADMSG, &self->bad, "from record %u on", nr);
	}
}

/* Clause: anything behind the end: EBADMSG */
TEST_F(corrupt, bytes_behind_the_end_are_refused)
{
	static const size_t more[] = { 1, 31, 32, 33, 100000 };
	uint8_t zero[1024] = { 0 };
	unsigned int i;
	size_t left;

	prepare(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		for (left = more[i]; left;) {
			size_t n = left < sizeof(zero) ? left : sizeof(zero);

			ASSERT_EQ(0, vmig_bytes_add(&self->bad, zero, n));
			left -= n;
		}
		EXPECT_REFUSED(-EBADMSG, &self->bad, "%zu zeroes more", more[i]);
	}
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
	ASSERT_EQ(0, vmig_bytes_add(&self->bad, self->good.data,
				    self->good.len));
	EXPECT_REFUSED(-EBADMSG, &self->bad, "the whole stream twice");
}

/* Clause: anything that is not a stream at all: EBADMSG */
TEST_F(corrupt, garbage_is_refused)
{
	uint8_t fill[] = { 0x00, 0xff, 0x55, 0x01 };
	unsigned int i;

	prepare(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(fill); i++) {
		memset(self->bad.data, fill[i], self->bad.len);
		EXPECT_REFUSED(-EBADMSG, &self->bad, "all %#x", fill[i]);
	}
	for (i = 0; i < self->bad.len; i++)
		self->bad.data[i] = self->good.data[self->good.len - 1 - i];
	EXPECT_REFUSED(-EBADMSG, &self->bad, "backwards");
}

/* Clause: write() after a refusal: the same errno, whatever comes */
TEST_F(corrupt, refused_stream_stays_refused)
{
	struct vmig_device *dst = &self->dst.dev;
	struct vmig_rec rec;
	size_t taken;
	int i, ret;

	prepare(_metadata, self);
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
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING,
					       NULL), "try again without reset");
}

TEST_HARNESS_MAIN
