// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream of a data transfer session: its end, pieces of any size, and that it has the
 * whole device.
 */
#include <errno.h>

#include "session.h"

SUBJECT_FIXTURE(stream);

CLAUSE_TEST_F(stream, end_is_permanent, "session.end")
{
	char byte;
	int i;

	NEED(MIGRATION);
	BEGIN(STOP_COPY, &self->fd);
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK),
		      "to the end");
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, vmig_call_read(self->fd, &byte, 1));
}

CLAUSE_TEST_F(stream, stop_copy_polls_readable, "session.poll-stop-copy")
{
	int events;

	NEED(MIGRATION);
	BEGIN(STOP_COPY, &self->fd);
	events = events_now(self->fd);
	EXPECT_TRUE(events > 0 && events & POLLIN) {
		TH_LOG("at the start: %s", events_text(events));
	}
	TRY_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK),
		   "to the end");
	events = events_now(self->fd);
	EXPECT_TRUE(events > 0 && events & POLLIN) {
		TH_LOG("at the end: %s", events_text(events));
	}
}

CLAUSE_TEST_F(stream, has_the_whole_device, "session.complete")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	NEED_OP(fill);
	FILL(self->dev, SEED);
	SAVE();
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

/* The same after a reset, and the device runs */
CLAUSE_TEST_F(stream, returns_to_its_device, "session.complete")
{
	NEED(MIGRATION);
	NEED_OP(fill);
	FILL(self->dev, SEED);
	SAVE();
	FILL(self->dev, SEED + 1);
	RESET_LISTED();
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	TRY_STATE(RUNNING, NULL);
	EXPECT_CONTENTS(self->dev, SEED);
}

CLAUSE_TEST_F(stream, fits_a_second_device, "session.second-device")
{
	int ret;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	ret = vmig_subject_open_second(&self->second);
	if (ret == -ENODEV)
		SKIP(return, "not checked: no second device was given");
	ASSERT_RET(0, ret, "open the second device");
	ASSERT_RET(0, vmig_transfer_load(&self->second.dev, &self->stream), "load");
	EXPECT_CONTENTS(&self->second.dev, SEED);
}

/* The first session is given up in the middle; its file stays open */
CLAUSE_TEST_F(stream, second_session_is_whole, "session.new")
{
	struct vmig_device *dst;
	char byte;
	int fd;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	BEGIN(STOP_COPY, &self->fd);
	ASSERT_EQ(1, vmig_call_read(self->fd, &byte, 1));
	TRY_STATE(STOP, NULL);
	BEGIN(STOP_COPY, &fd);
	ASSERT_STREAM(vmig_transfer_read(fd, &self->stream, VMIG_TRANSFER_CHUNK), "read");
	EXPECT_EQ(0, vmig_call_close(fd));
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

CLAUSE_TEST_F(stream, saving_keeps_the_device, "session.save-keeps")
{
	NEED(MIGRATION);
	NEED_OP(fill);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(RUNNING, NULL);
	EXPECT_CONTENTS(self->dev, SEED);
}

/* A second saving sees the device that the first has seen */
CLAUSE_TEST_F(stream, saving_twice_keeps_the_device, "session.save-keeps", "session.new")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(RUNNING, NULL);
	self->stream.len = 0;
	SAVE();
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

/* So many pieces, then a large one: a stream may have many megabytes */
#define PIECES	200

FIXTURE_VARIANT(pieces) {
	size_t size;
};

SUBJECT_FIXTURE(pieces);

FIXTURE_VARIANT_ADD(pieces, of_1) { .size = 1 };
FIXTURE_VARIANT_ADD(pieces, of_7) { .size = 7 };
FIXTURE_VARIANT_ADD(pieces, of_4095) { .size = 4095 };
FIXTURE_VARIANT_ADD(pieces, of_4097) { .size = 4097 };
FIXTURE_VARIANT_ADD(pieces, of_4m) { .size = 4 << 20 };

static size_t nth_size(unsigned int n, size_t size)
{
	return (n + 1) % (PIECES + 1) ? size : VMIG_TRANSFER_CHUNK;
}

static int read_pieces(int fd, size_t size, struct vmig_bytes *out)
{
	unsigned int n;
	ssize_t got;
	int ret;

	for (n = 0; out->len < VMIG_TRANSFER_MAX; n++) {
		size_t room = nth_size(n, size);

		ret = vmig_bytes_reserve(out, room);
		if (ret)
			return ret;
		got = vmig_call_read(fd, out->data + out->len, room);
		if (got <= 0)
			return got ? -errno : 0;
		if ((size_t)got > room)
			return -EOVERFLOW;
		out->len += got;
	}
	return -EFBIG;
}

static int write_pieces(int fd, size_t size, const struct vmig_bytes *stream)
{
	size_t done, taken = 0;
	unsigned int n = 0;
	int ret = 0;

	for (done = 0; done < stream->len && !ret; done += taken) {
		size_t len = nth_size(n++, size);

		if (len > stream->len - done)
			len = stream->len - done;
		ret = vmig_transfer_write(fd, stream->data + done, len, len, &taken);
	}
	return ret;
}

CLAUSE_TEST_F(pieces, are_read, "session.read-sizes")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	BEGIN(STOP_COPY, &self->fd);
	ASSERT_STREAM(read_pieces(self->fd, variant->size, &self->stream), "read");
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

CLAUSE_TEST_F(pieces, are_written, "session.write-sizes")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	OPEN_DESTINATION(dst);
	BEGIN_OF(dst, RESUMING, &self->fd);
	ASSERT_RET(0, write_pieces(self->fd, variant->size, &self->stream), "write");
	ASSERT_RET(0, vmig_mig_set_state(dst, STOP, NULL), "to STOP");
	EXPECT_CONTENTS(dst, SEED);
}

SUBJECT_TEST_MAIN
