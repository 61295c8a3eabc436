// SPDX-License-Identifier: GPL-2.0-only
/*
 * A data_fd as a file: its direction, no seeking, buffers that the kernel cannot access,
 * unknown ioctls, poll() and exec().
 */
#include <errno.h>
#include <fcntl.h>

#include "session.h"

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

static void expect_reads(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) *self,
			 size_t room, size_t len)
{
	ssize_t got;

	got = vmig_call_read(self->fd, self->edge - room, len);
	if (got < 0) {
		RECORD("errno of read() to a bad address", "%s", vmig_errno_name(-errno));
		return;
	}
	ASSERT_GE(room, got);
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, self->edge - room, got));
}

/* No room, room for a part, and again after a part was read */
CLAUSE_TEST_F(buffer, that_ends_early_is_read, "session.buffer-fault")
{
	static const size_t rooms[] = { 0, 3, 0, 100, 3, 1000 };
	struct vmig_device *dst;
	unsigned int i;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	BEGIN(STOP_COPY, &self->fd);
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		expect_reads(_metadata, self, rooms[i], rooms[i] + 100);
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "rest");
	OPEN_DESTINATION(dst);
	EXPECT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

/* Writes from @done on; returns how much was taken */
static size_t expect_writes(struct __test_metadata *_metadata, FIXTURE_DATA(buffer) *self,
			    size_t done, size_t room)
{
	ssize_t put;

	if (room > self->stream.len - done)
		room = self->stream.len - done;
	if (room)
		memcpy(self->edge - room, self->stream.data + done, room);
	put = vmig_call_write(self->fd, self->edge - room, room + 100);
	if (put < 0) {
		RECORD("errno of write() from a bad address", "%s", vmig_errno_name(-errno));
		return 0;
	}
	EXPECT_GE(room, put);
	return (size_t)put < room ? (size_t)put : room;
}

CLAUSE_TEST_F(buffer, that_ends_early_is_written, "session.buffer-fault")
{
	static const size_t rooms[] = { 0, 3, 0, 100, 3, 1000 };
	struct vmig_device *dst;
	size_t done = 0;
	unsigned int i;

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_mig_set_state(dst, RESUMING, &self->fd),
		   "to RESUMING");
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		done += expect_writes(_metadata, self, done, rooms[i]);
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data + done,
					  self->stream.len - done, VMIG_TRANSFER_CHUNK, NULL),
		   "rest");
	ASSERT_RET(0, vmig_mig_set_state(dst, STOP, NULL), "to STOP");
	EXPECT_CONTENTS(dst, SEED);
}

SUBJECT_TEST_MAIN
