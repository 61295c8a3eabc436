// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd as a file: direction, end of the stream, poll(), chunks of any size.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/mtty.h"

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

/* Clause: STOP -> STOP_COPY: data_fd is read with read(); POSIX write(): EBADF */
TEST_F(data_fd, saving_session_can_only_be_read)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_EQ(O_RDONLY, fcntl(self->fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(-1, write(self->fd, "x", 1));
	EXPECT_RET(-EBADF, -errno, "write to a saving session");
}

/* Clause: STOP -> RESUMING: data_fd is fed with write(); POSIX read(): EBADF */
TEST_F(data_fd, resuming_session_can_only_be_written)
{
	char byte;

	enter(_metadata, self, VFIO_DEVICE_STATE_RESUMING);
	EXPECT_EQ(O_WRONLY, fcntl(self->fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_RET(-EBADF, -errno, "read from a resuming session");
}

/* Clause: data_fd is a stream; POSIX lseek(), pread(): ESPIPE */
TEST_F(data_fd, saving_session_cannot_seek)
{
	char byte;

	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_RET(-ESPIPE, -errno, "lseek");
	EXPECT_EQ(-1, pread(self->fd, &byte, 1, 0));
	EXPECT_RET(-ESPIPE, -errno, "pread");
}

/* Clause: data_fd is a stream; POSIX lseek(), pwrite(): ESPIPE */
TEST_F(data_fd, resuming_session_cannot_seek)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_RESUMING);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_RET(-ESPIPE, -errno, "lseek");
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 0));
	EXPECT_RET(-ESPIPE, -errno, "pwrite");
}

/* Clause: vfio_precopy_info, read() at the end of stream in STOP_COPY: always 0 */
TEST_F(data_fd, end_of_stream_is_permanent)
{
	char byte;
	int i;

	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, read(self->fd, &byte, 1));
}

/* Clause: vfio_precopy_info, poll() in STOP_COPY: always readable, also at the end */
TEST_F(data_fd, stop_copy_is_always_readable)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_EQ(POLLIN, events(self->fd));
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	EXPECT_EQ(POLLIN, events(self->fd));
}

/* Clause: POSIX poll() in RESUMING: write() does not block, read() is not possible */
TEST_F(data_fd, resuming_is_writable)
{
	enter(_metadata, self, VFIO_DEVICE_STATE_RESUMING);
	EXPECT_EQ(POLLOUT, events(self->fd));
}

/* Clause: vfio_precopy_info, read() at temporary end of stream: ENOMSG */
TEST_F(data_fd, temporary_end_is_enomsg)
{
	char byte;
	int i;

	enter(_metadata, self, VFIO_DEVICE_STATE_PRE_COPY);
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "first round");
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-1, read(self->fd, &byte, 1));
		EXPECT_RET(-ENOMSG, -errno, "read %d", i);
	}
	EXPECT_RET(0, send_byte(self->dev), "byte");
	EXPECT_EQ(1, read(self->fd, &byte, 1));
}

/* Clause: vfio_precopy_info, read() in STOP_COPY after a temporary end: no ENOMSG */
TEST_F(data_fd, stop_copy_never_gives_enomsg)
{
	size_t before;

	enter(_metadata, self, VFIO_DEVICE_STATE_PRE_COPY);
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "PRE_COPY");
	before = self->stream.len;
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "STOP_COPY");
	EXPECT_LT(before, self->stream.len);
}

/* Clause: vfio_precopy_info, poll() in PRE_COPY: readable if there is data */
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

/* Clause: vfio_precopy_info, poll() in PRE_COPY between short reads: no error */
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

/* Clause: vfio_precopy_info: poll() waits for more data: the device transmits */
TEST_F(wake, by_a_transmitted_byte)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, send_byte(self->dev), "byte");
	expect_woken(_metadata, self);
}

/* Clause: vfio_precopy_info: poll() waits for more data: the device's memory is written */
TEST_F(wake, by_a_write_to_capture_memory)
{
	poll_at_end(_metadata, self, variant);
	EXPECT_RET(0, vmig_region_write(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET, "x", 1), "write");
	expect_woken(_metadata, self);
}

/* Clause: vfio_precopy_info: poll() in STOP_COPY is readable, so it returns */
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

/* Clause: vfio_device_feature_mig_state: segments of any size load the same device */
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

TEST_HARNESS_MAIN
