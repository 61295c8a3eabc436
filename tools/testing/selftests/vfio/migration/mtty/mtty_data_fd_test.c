// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of mtty as a file: errnos, exact events of poll(), records in chunks of any
 * size. Rules for any driver are in ../uapi/session_*_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS	2
#define SEED	7

DEVICE_FIXTURE(data_fd, "mtty-2", .capture_size = "64K");

/* Enter a state that opens a session, with contents to transfer */
static void enter(struct __test_metadata *_metadata, FIXTURE_DATA(data_fd) *self,
		  enum vfio_device_mig_state state)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, state, &self->fd), "%s",
		   vmig_state_name(state));
	ASSERT_LE(0, self->fd);
}

static short events(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

/* Makes the device dirty */
static int send_byte(struct vmig_device *dev)
{
	return vmig_uart_out(dev, 0, UART_TX, 'd');
}

/* Driver: a saving data_fd: O_RDONLY; write(): EBADF; lseek(), pread(): ESPIPE */
TEST_F(data_fd, saving_session_is_a_stream_to_read)
{
	char byte;

	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_EQ(O_RDONLY, fcntl(self->fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-1, write(self->fd, "x", 1));
	EXPECT_RET(-EBADF, -errno, "write to a saving session");
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_RET(-ESPIPE, -errno, "lseek");
	EXPECT_EQ(-1, pread(self->fd, &byte, 1, 0));
	EXPECT_RET(-ESPIPE, -errno, "pread");
}

/* Driver: a resuming data_fd: O_WRONLY; read(): EBADF; lseek(), pwrite(): ESPIPE */
TEST_F(data_fd, resuming_session_is_a_stream_to_write)
{
	char byte;

	enter(_metadata, self, VFIO_DEVICE_STATE_RESUMING);
	EXPECT_EQ(O_WRONLY, fcntl(self->fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_RET(-EBADF, -errno, "read from a resuming session");
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_RET(-ESPIPE, -errno, "lseek");
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 0));
	EXPECT_RET(-ESPIPE, -errno, "pwrite");
}

/* Driver: poll() in STOP_COPY: POLLIN and no other event, also at the end */
TEST_F(data_fd, stop_copy_is_only_readable)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_EQ(POLLIN, events(self->fd));
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	EXPECT_EQ(POLLIN, events(self->fd));
}

/* Driver: poll() in RESUMING: POLLOUT and no other event */
TEST_F(data_fd, resuming_is_only_writable)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_RESUMING);
	EXPECT_EQ(POLLOUT, events(self->fd));
}

/* Driver: poll() in PRE_COPY: POLLIN if there is data, else no event, each round */
TEST_F(data_fd, pre_copy_is_readable_iff_there_is_data)
{
	int i;

	enter(_metadata, self, VFIO_DEVICE_STATE_PRE_COPY);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(POLLIN, events(self->fd));
		EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream,
						       1000), "round %d", i);
		EXPECT_EQ(0, events(self->fd));
		EXPECT_RET(0, send_byte(self->dev), "byte");
	}
}

/* Driver: poll() in PRE_COPY between short reads: no error */
TEST_F(data_fd, short_reads_do_not_disturb_poll)
{
	char byte;

	enter(_metadata, self, VFIO_DEVICE_STATE_PRE_COPY);
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "first round");
	EXPECT_RET(0, send_byte(self->dev), "byte");
	while (read(self->fd, &byte, 1) == 1)
		ASSERT_EQ(0, events(self->fd) & (POLLERR | POLLHUP));
	EXPECT_RET(-ENOMSG, -errno, "end");
	EXPECT_EQ(0, events(self->fd));
}

FIXTURE(wake) {
	DEVICE_MEMBERS;
	struct vmig_poll_thread thread;
};

FIXTURE_VARIANT(wake) {
	enum vfio_device_mig_state state;
};

FIXTURE_VARIANT_ADD(wake, pre_copy) { .state = VFIO_DEVICE_STATE_PRE_COPY };
FIXTURE_VARIANT_ADD(wake, pre_copy_p2p) { .state = VFIO_DEVICE_STATE_PRE_COPY_P2P };

FIXTURE_SETUP(wake)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(wake)
{
	CLOSE_DEVICE();
}

/* A thread polls at the temporary end of the stream */
static void poll_at_end(struct __test_metadata *_metadata,
			FIXTURE_DATA(wake) *self,
			const FIXTURE_VARIANT(wake) *variant)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state, &self->fd),
		   "%s", vmig_state_name(variant->state));
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "to the temporary end");
	ASSERT_RET(0, vmig_poll_thread_start(&self->thread, self->fd, POLLIN),
		   "poll");
}

static void expect_woken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(wake) *self)
{
	short revents;

	EXPECT_RET(0, vmig_poll_thread_join(&self->thread, &revents), "wake-up");
	EXPECT_EQ(POLLIN, revents);
}

/* Driver: poll() at the temporary end returns POLLIN: the device transmits */
TEST_F(wake, by_a_transmitted_byte)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, send_byte(self->dev), "byte");
	expect_woken(_metadata, self);
}

/* Driver: the same: the device's memory is written */
TEST_F(wake, by_a_write_to_capture_memory)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, vmig_region_write(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET, "x", 1), "write");
	expect_woken(_metadata, self);
}

/* Driver: the same: config space changes, which is part of the data */
TEST_F(wake, by_a_change_of_config_space)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	expect_woken(_metadata, self);
}

/* Driver: the same, for each of two threads that poll */
TEST_F(wake, of_two_threads)
{
	struct vmig_poll_thread second;
	short revents;

	poll_at_end(_metadata, self, variant);
	ASSERT_RET(0, vmig_poll_thread_start(&second, self->fd, POLLIN), "poll");
	EXPECT_RET(0, send_byte(self->dev), "byte");
	expect_woken(_metadata, self);
	EXPECT_RET(0, vmig_poll_thread_join(&second, &revents), "wake-up");
	EXPECT_EQ(POLLIN, revents);
}

/* Driver: poll() at the temporary end: no event for a call that changes no data */
TEST_F(wake, not_without_a_change)
{
	struct vmig_device *dev = self->dev;
	uint16_t command;
	uint8_t byte = 1;

	ASSERT_RET(0, vmig_mig_set_state(dev, variant->state, &self->fd), "%s",
		   vmig_state_name(variant->state));
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	EXPECT_RET(0, vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET - 1, &byte, 1), "header");
	EXPECT_RET(0, vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX, MTTY_CAP_LOG_OFFSET,
				       &byte, 1), "memory");
	EXPECT_RET(0, vmig_config_read16(dev, PCI_COMMAND, &command), "command");
	EXPECT_RET(0, vmig_config_write16(dev, PCI_COMMAND, command), "command");
	EXPECT_EQ(0, events(self->fd));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_RET(-ENOMSG, -errno, "read");
}

/* Driver: the same: the session goes to STOP_COPY */
TEST_F(wake, by_stop_copy)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	expect_woken(_metadata, self);
}

FIXTURE(chunks) {
	DEVICE_MEMBERS;
	struct vmig_bytes whole;
	struct vmig_bytes parts;
};

FIXTURE_VARIANT(chunks) {
	size_t size;
};

FIXTURE_VARIANT_ADD(chunks, of_1) { .size = 1, };
FIXTURE_VARIANT_ADD(chunks, of_3) { .size = 3, };
FIXTURE_VARIANT_ADD(chunks, of_31) { .size = 31, };
FIXTURE_VARIANT_ADD(chunks, of_32) { .size = 32, };
FIXTURE_VARIANT_ADD(chunks, of_33) { .size = 33, };
FIXTURE_VARIANT_ADD(chunks, of_4095) { .size = 4095, };
FIXTURE_VARIANT_ADD(chunks, of_4097) { .size = 4097, };
FIXTURE_VARIANT_ADD(chunks, of_1000003) { .size = 1000003, };

FIXTURE_SETUP(chunks)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->whole), "save");
}

FIXTURE_TEARDOWN(chunks)
{
	vmig_bytes_free(&self->whole);
	vmig_bytes_free(&self->parts);
	CLOSE_DEVICE();
}

/* Two streams of a device: valid, the same records; START has a random number */
static void expect_same(struct __test_metadata *_metadata,
			const struct vmig_bytes *a, const struct vmig_bytes *b)
{
	const char *differs;

	EXPECT_EQ(a->len, b->len);
	differs = vmig_dump_compare_streams(a, b, 1u << MTTY_REC_START);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("differs: %s", differs);
	}
}

/* Driver: read() of any size: the same records */
TEST_F(chunks, reading_gives_the_same_stream)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->parts, variant->size),
		   "chunks of %zu", variant->size);
	expect_same(_metadata, &self->whole, &self->parts);
}

/* Driver: write() of any size: a device with the same records */
TEST_F(chunks, writing_loads_the_same_device)
{
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->whole.data,
					  self->whole.len, variant->size, NULL),
		   "chunks of %zu", variant->size);
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->parts), "save");
	expect_same(_metadata, &self->whole, &self->parts);
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/* @edge: end of the memory that can be used */
FIXTURE(args) {
	DEVICE_MEMBERS;
	uint8_t *edge;
};

FIXTURE_SETUP(args)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
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

/* Driver: read() to a bad address: EFAULT; the records stay whole */
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

/* Driver: write() from a bad address: EFAULT; the records stay whole */
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

/* Driver: VFIO_MIG_GET_PRECOPY_INFO with a bad address: EFAULT */
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

TEST_HARNESS_MAIN
