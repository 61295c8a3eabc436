// SPDX-License-Identifier: GPL-2.0-only
/*
 * A data_fd as a file: its direction, no seeking, buffers that the kernel cannot access,
 * unknown ioctls, poll() and exec().
 */
#include <errno.h>
#include <fcntl.h>

#include "session.h"
#include "usable.h"

SUBJECT_FIXTURE(file);

CLAUSE_TEST_F(file, saving_cannot_be_written, "session.direction")
{
	NEED(MIGRATION);
	BEGIN(STOP_COPY, &self->fd);
	EXPECT_REFUSED("errno of write() when saving",
		       vmig_call_write(self->fd, "x", 1) < 0 ? -errno : 0);
}

CLAUSE_TEST_F(file, resuming_cannot_be_read, "session.direction")
{
	char byte;

	NEED(MIGRATION);
	BEGIN(RESUMING, &self->fd);
	EXPECT_REFUSED("errno of read() in RESUMING",
		       vmig_call_read(self->fd, &byte, 1) < 0 ? -errno : 0);
}

static int seek(int fd, int whence)
{
	off_t at;

	vmig_call_text("lseek(data_fd, 0, %s)", whence == SEEK_SET ? "SEEK_SET" : "SEEK_CUR");
	at = lseek(fd, 0, whence);
	vmig_call_result(at);
	return at < 0 ? -errno : 0;
}

CLAUSE_TEST_F(file, saving_cannot_seek, "session.no-seek")
{
	char byte;

	NEED(MIGRATION);
	BEGIN(STOP_COPY, &self->fd);
	EXPECT_REFUSED("errno of lseek()", seek(self->fd, SEEK_SET));
	EXPECT_REFUSED("errno of lseek()", seek(self->fd, SEEK_CUR));
	EXPECT_REFUSED("errno of pread()",
		       vmig_call_pread(self->fd, &byte, 1, 0) < 0 ? -errno : 0);
}

CLAUSE_TEST_F(file, resuming_cannot_seek, "session.no-seek")
{
	NEED(MIGRATION);
	BEGIN(RESUMING, &self->fd);
	EXPECT_REFUSED("errno of lseek()", seek(self->fd, SEEK_SET));
	EXPECT_REFUSED("errno of lseek()", seek(self->fd, SEEK_CUR));
	EXPECT_REFUSED("errno of pwrite()",
		       vmig_call_pwrite(self->fd, "x", 1, 0) < 0 ? -errno : 0);
}

CLAUSE_TEST_F(file, resuming_polls_writable, "session.poll-resuming")
{
	int events;

	NEED(MIGRATION);
	BEGIN(RESUMING, &self->fd);
	events = events_now(self->fd);
	ASSERT_LE(0, events);
	EXPECT_EQ(POLLOUT, events & (POLLOUT | POLLERR | POLLHUP));
}

FIXTURE_VARIANT(session) {
	enum vfio_device_mig_state state;
};

SUBJECT_FIXTURE(session);

FIXTURE_VARIANT_ADD(session, of_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(session, of_stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(session, of_resuming) { .state = RESUMING };

CLAUSE_TEST_F(session, refuses_unknown_ioctls, "session.unknown-ioctl")
{
	struct vfio_device_feature feature = { .argsz = sizeof(feature) };
	static const unsigned long requests[] = {
		VFIO_DEVICE_RESET, VFIO_DEVICE_FEATURE, VFIO_DEVICE_GET_INFO, _IO('x', 1),
		0xffffffff,
	};
	unsigned int i;
	int ret;

	NEED_STATE(variant->state);
	BEGIN(variant->state, &self->fd);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		ret = vmig_call_ioctl(self->fd, requests[i], &feature) ? -errno : 0;
		EXPECT_RET(-ENOTTY, ret, "ioctl %#lx", requests[i]);
	}
	EXPECT_STATE(variant->state, self->dev, "afterwards");
}

CLAUSE_TEST_F(session, is_closed_on_exec, "session.cloexec")
{
	NEED_STATE(variant->state);
	BEGIN(variant->state, &self->fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
}

FIXTURE(buffer) {
	SUBJECT_MEMBERS;
	size_t page;
	uint8_t *edge;
};

/* @edge: end of the memory that can be used */
FIXTURE_SETUP(buffer)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->edge = guarded_page_map();
	ASSERT_NE(NULL, self->edge);
	OPEN_SUBJECT();
}

FIXTURE_TEARDOWN(buffer)
{
	CLOSE_SUBJECT();
	guarded_page_unmap(self->edge);
}

/* No room, room for a part, and again after a part was moved */
static const size_t rooms[] = { 0, 3, 0, 100, 3, 1000 };

static void expect_read(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) *self,
			size_t room)
{
	ssize_t got;

	got = vmig_call_read(self->fd, self->edge - room, room + 100);
	EXPECT_GE((ssize_t)room, got);
	if (got < 0)
		RECORD("errno of read() to a bad address", "%s", vmig_errno_name(-errno));
	else if ((size_t)got <= room)
		ASSERT_EQ(0, vmig_bytes_add(&self->stream, self->edge - room, got));
}

/* After a fault. The device is usable again, whatever became of the session. */
#define EXPECT_USABLE_AFTER_RESET() do { \
	vmig_call_close(self->fd); \
	self->fd = -1; \
	RESET_LISTED(); \
	EXPECT_STATE(RUNNING, self->dev, "after a reset"); \
	EXPECT_USABLE(SEED); \
} while (0)

/* The stream is compared with one that was read before: in STOP the device stays as it is */
CLAUSE_TEST_F(buffer, that_ends_early_is_read, "session.buffer-fault")
{
	struct vmig_bytes whole = { 0 };
	unsigned int i;
	int ret;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	ASSERT_EQ(0, vmig_bytes_copy(&whole, &self->stream));
	self->stream.len = 0;
	TRY_STATE(STOP, NULL);
	BEGIN(STOP_COPY, &self->fd);
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		expect_read(_metadata, self, rooms[i]);
	ret = vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK);
	RECORD("read() after a bad address", "%s",
	       ret ? vmig_errno_name(ret) : "goes on to the end");
	if (!ret)
		RECORD("stream after a bad address", "%s",
		       self->stream.len < whole.len ? "lacks bytes" :
		       self->stream.len > whole.len ? "has more bytes" : "has all bytes");
	vmig_bytes_free(&whole);
	EXPECT_USABLE_AFTER_RESET();
}

/* Write from @done on. Return: bytes taken, or -errno */
static ssize_t write_at(struct vmig_bytes *stream, int fd, uint8_t *edge, size_t done,
			size_t room)
{
	ssize_t put;

	if (room)
		memcpy(edge - room, stream->data + done, room);
	put = vmig_call_write(fd, edge - room, room + 100);
	return put < 0 ? -errno : put;
}

/* A refused write() may have taken a part: what follows would then be a damaged stream */
CLAUSE_TEST_F(buffer, that_ends_early_is_written, "session.buffer-fault")
{
	size_t done = 0, room = 0;
	ssize_t put = 0;
	unsigned int i;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(STOP, NULL);
	BEGIN(RESUMING, &self->fd);
	for (i = 0; i < ARRAY_SIZE(rooms) && (put >= 0 || !room); i++) {
		room = rooms[i] < self->stream.len - done ? rooms[i] : self->stream.len - done;
		put = write_at(&self->stream, self->fd, self->edge, done, room);
		ASSERT_GE((ssize_t)room, put);
		if (put > 0)
			done += put;
		else if (put < 0)
			RECORD("errno of write() from a bad address", "%s",
			       vmig_errno_name(put));
	}
	if (put >= 0 || !room)
		RECORD("write() after a bad address", "%s",
		       vmig_errno_name(vmig_transfer_write(self->fd, self->stream.data + done,
							   self->stream.len - done,
							   VMIG_TRANSFER_CHUNK, NULL)));
	EXPECT_USABLE_AFTER_RESET();
}

SUBJECT_TEST_MAIN
