// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong calls of a data_fd: bad addresses, buffers that end too early, unknown ioctls.
 * They fail, and the stream stays complete.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "mtty/irq_fixture.h"

#define PORTS	2
#define SEED	21

/* @edge: end of the memory that can be used */
FIXTURE(args) {
	DEVICE_MEMBERS;
	size_t page;
	uint8_t *edge;
};

FIXTURE_SETUP(args)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
	self->page = sysconf(_SC_PAGESIZE);
	self->edge = guarded_page_map();
	ASSERT_NE(NULL, self->edge);
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
}

FIXTURE_TEARDOWN(args)
{
	guarded_page_unmap(self->edge);
	CLOSE_DEVICE();
}

/* No byte was lost or repeated: the stream is valid and can be loaded */
static void expect_whole(struct __test_metadata *_metadata,
			 FIXTURE_DATA(args) *self)
{
	struct vmig_stream_iter iter;
	const char *what = "";
	struct vmig_rec rec = { 0 };
	int ret;

	vmig_stream_start(&iter, self->stream.data, self->stream.len);
	while (!(ret = vmig_stream_next(&iter, &rec)))
		EXPECT_TRUE(rec.head_ok && rec.data_ok);
	EXPECT_RET(-ENOENT, ret, "all records");
	EXPECT_EQ(MTTY_REC_END, rec.type);

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

static void start_saving(struct __test_metadata *_metadata,
			 FIXTURE_DATA(args) *self)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
}

static void start_resuming(struct __test_metadata *_metadata,
			   FIXTURE_DATA(args) *self)
{
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

/* Clause: read(2), a bad address: EFAULT, no byte is lost */
TEST_F(args, reading_to_a_bad_address_loses_nothing)
{
	start_saving(_metadata, self);
	EXPECT_EQ(-1, read(self->fd, self->edge, 100));
	EXPECT_RET(-EFAULT, -errno, "at the start");
	ASSERT_EQ(100, read(self->fd, self->edge - 100, 100));
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, self->edge - 100, 100));
	EXPECT_EQ(-1, read(self->fd, self->edge, 100));
	EXPECT_RET(-EFAULT, -errno, "within a record");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "the rest");
	expect_whole(_metadata, self);
}

/* Clause: read(2), the buffer ends too early: what fits, or EFAULT */
TEST_F(args, reading_past_the_end_of_memory_loses_nothing)
{
	size_t room;

	start_saving(_metadata, self);
	for (room = 1; room < self->page; room *= 3) {
		ssize_t got = read(self->fd, self->edge - room, 2 * room);

		if (got < 0) {
			EXPECT_RET(-EFAULT, -errno, "%zu bytes of room", room);
			continue;
		}
		ASSERT_GE(room, got);
		ASSERT_EQ(0, vmig_bytes_add(&self->stream, self->edge - room,
					    got));
	}
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "the rest");
	expect_whole(_metadata, self);
}

/* Clause: write(2), a bad address: EFAULT, nothing is taken */
TEST_F(args, writing_from_a_bad_address_takes_nothing)
{
	size_t len;

	start_resuming(_metadata, self);
	len = self->stream.len;
	EXPECT_EQ(-1, write(self->fd, self->edge, len));
	EXPECT_RET(-EFAULT, -errno, "at the start");
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, 45, 45,
					  NULL), "part of it");
	EXPECT_EQ(-1, write(self->fd, self->edge, len));
	EXPECT_RET(-EFAULT, -errno, "within a record");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data + 45,
					  len - 45, len, NULL), "the rest");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	expect_whole(_metadata, self);
}

/* Clause: write(2), the buffer ends too early: what can be read, or EFAULT */
TEST_F(args, writing_past_the_end_of_memory_takes_what_is_readable)
{
	size_t len, done = 0;

	start_resuming(_metadata, self);
	for (len = 1; len < self->page; len *= 3) {
		ssize_t put;

		ASSERT_GE(self->stream.len, done + len);
		memcpy(self->edge - len, self->stream.data + done, len);
		put = write(self->fd, self->edge - len, 2 * len);
		if (put < 0) {
			EXPECT_RET(-EFAULT, -errno, "%zu readable bytes", len);
			continue;
		}
		ASSERT_GE(len, put);
		done += put;
	}
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data + done,
					  self->stream.len - done, 4096, NULL),
		   "the rest");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	expect_whole(_metadata, self);
}

/* Clause: ioctl(2), VFIO_MIG_GET_PRECOPY_INFO with a bad address: EFAULT */
TEST_F(args, precopy_info_at_a_bad_address_is_efault)
{
	struct vfio_precopy_info *info = (void *)self->edge;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	EXPECT_EQ(-1, ioctl(self->fd, VFIO_MIG_GET_PRECOPY_INFO, info));
	EXPECT_RET(-EFAULT, -errno, "nothing can be read");
	/* argsz can be read, the rest cannot be written */
	info = (void *)(self->edge - sizeof(info->argsz));
	info->argsz = sizeof(*info);
	EXPECT_EQ(-1, ioctl(self->fd, VFIO_MIG_GET_PRECOPY_INFO, info));
	EXPECT_RET(-EFAULT, -errno, "only argsz can be read");
}

/* Driver: VFIO_MIG_GET_PRECOPY_INFO on a resuming session: no such ioctl, ENOTTY */
TEST_F(args, precopy_info_of_a_resuming_session_is_enotty)
{
	struct vfio_precopy_info info;

	start_resuming(_metadata, self);
	EXPECT_RET(-ENOTTY, vmig_precopy_info(self->fd, &info), "RESUMING");
}

/* Clause: ioctl(2), any other ioctl of a data_fd: ENOTTY, in both directions */
TEST_F(args, other_ioctls_are_enotty)
{
	static const unsigned long cmds[] = {
		VFIO_DEVICE_RESET, VFIO_DEVICE_FEATURE, VFIO_DEVICE_GET_INFO,
		_IO('x', 1), 0xffffffff,
	};
	enum vfio_device_mig_state state = VFIO_DEVICE_STATE_STOP_COPY;
	struct vfio_device_feature none = { .argsz = sizeof(none) };
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev, state, &self->fd),
			   "%s", vmig_state_name(state));
		for (i = 0; i < ARRAY_SIZE(cmds); i++) {
			EXPECT_EQ(-1, ioctl(self->fd, cmds[i], &none));
			EXPECT_RET(-ENOTTY, -errno, "%#lx in %s", cmds[i],
				   vmig_state_name(state));
		}
		close(self->fd);
		self->fd = -1;
		state = VFIO_DEVICE_STATE_RESUMING;
	}
}

TEST_HARNESS_MAIN
