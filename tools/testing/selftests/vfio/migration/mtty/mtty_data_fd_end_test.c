// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each way in which a data transfer session ends: read(), write(), ioctl(), poll() of its
 * data_fd after that, and the next session.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PORTS	2
#define SEED	40

enum way {
	BY_STATE,	/* a request for another state */
	BY_RESET,	/* VFIO_DEVICE_RESET */
	BY_CLOSE,	/* the device is closed */
	BY_ERROR,	/* a request that fails, and leads to ERROR */
};

FIXTURE_VARIANT(ended) {
	enum vfio_device_mig_state from;
	enum way way;
	enum vfio_device_mig_state to;
};

DEVICE_FIXTURE(ended, "mtty-2", .capture_size = "64K");

#define ENDED(_name, _from, _way, _to) \
FIXTURE_VARIANT_ADD(ended, _name) { \
	.from = VFIO_DEVICE_STATE_##_from, .way = _way, \
	.to = VFIO_DEVICE_STATE_##_to, \
}

ENDED(pre_copy_by_running, PRE_COPY, BY_STATE, RUNNING);
ENDED(pre_copy_by_stop, PRE_COPY, BY_STATE, STOP);
ENDED(pre_copy_by_resuming, PRE_COPY, BY_STATE, RESUMING);
ENDED(pre_copy_by_reset, PRE_COPY, BY_RESET, RUNNING);
ENDED(pre_copy_by_close, PRE_COPY, BY_CLOSE, RUNNING);
ENDED(pre_copy_p2p_by_running_p2p, PRE_COPY_P2P, BY_STATE, RUNNING_P2P);
ENDED(pre_copy_p2p_by_reset, PRE_COPY_P2P, BY_RESET, RUNNING);
ENDED(stop_copy_by_stop, STOP_COPY, BY_STATE, STOP);
ENDED(stop_copy_by_running, STOP_COPY, BY_STATE, RUNNING);
ENDED(stop_copy_by_resuming, STOP_COPY, BY_STATE, RESUMING);
ENDED(stop_copy_by_reset, STOP_COPY, BY_RESET, RUNNING);
ENDED(stop_copy_by_close, STOP_COPY, BY_CLOSE, RUNNING);
ENDED(resuming_by_stop, RESUMING, BY_STATE, STOP);
ENDED(resuming_by_stop_copy, RESUMING, BY_STATE, STOP_COPY);
ENDED(resuming_by_error, RESUMING, BY_ERROR, ERROR);
ENDED(resuming_by_reset, RESUMING, BY_RESET, RUNNING);
ENDED(resuming_by_close, RESUMING, BY_CLOSE, RUNNING);

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(ended) *self,
		  const FIXTURE_VARIANT(ended) *variant)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->from,
					  &self->stream, &self->fd), "%s",
		   vmig_state_name(variant->from));
}

static void finish(struct __test_metadata *_metadata,
		   FIXTURE_DATA(ended) *self,
		   const FIXTURE_VARIANT(ended) *variant)
{
	int new_fd = -1, ret;

	switch (variant->way) {
	case BY_STATE:
		EXPECT_RET(0, vmig_mig_set_state(self->dev, variant->to,
						 &new_fd), "%s",
			   vmig_state_name(variant->to));
		if (new_fd >= 0)
			close(new_fd);
		break;
	case BY_RESET:
		EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
		break;
	case BY_CLOSE:
		vmig_device_close(self->dev);
		break;
	case BY_ERROR:
		EXPECT_EQ(-1, write(self->fd, "behind the end", 14));
		ret = vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL);
		EXPECT_RET(-EBADMSG, ret, "STOP");
		break;
	}
}

static void expect_ended(struct __test_metadata *_metadata, int fd,
			 enum vfio_device_mig_state from)
{
	struct vfio_precopy_info info;
	char byte = 0;
	int i;

	for (i = 0; i < 2; i++) {
		if (from == VFIO_DEVICE_STATE_RESUMING) {
			EXPECT_EQ(-1, write(fd, &byte, 1));
			EXPECT_RET(-ENODEV, -errno, "write %d", i);
			continue;
		}
		EXPECT_EQ(-1, read(fd, &byte, 1));
		EXPECT_RET(-ENODEV, -errno, "read %d", i);
		EXPECT_RET(-EINVAL, vmig_precopy_info(fd, &info), "ioctl");
	}
}

/* Driver: an ended session: read(), write(): ENODEV; VFIO_MIG_GET_PRECOPY_INFO: EINVAL */
TEST_F(ended, calls_are_refused)
{
	begin(_metadata, self, variant);
	finish(_metadata, self, variant);
	expect_ended(_metadata, self->fd, variant->from);
}

/* Driver: poll() of an ended session: POLLERR and POLLHUP, requested or not */
TEST_F(ended, poll_reports_it)
{
	struct pollfd pfd = { .events = POLLIN | POLLOUT };

	begin(_metadata, self, variant);
	pfd.fd = self->fd;
	ASSERT_LE(0, poll(&pfd, 1, 0));
	EXPECT_EQ(0, pfd.revents & (POLLERR | POLLHUP));
	finish(_metadata, self, variant);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents & (POLLERR | POLLHUP));
	pfd.events = 0;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents);
}

/* A record is read, or written, in part; further bytes come from the next */
static void begin_a_record(struct __test_metadata *_metadata, FIXTURE_DATA(ended) *self,
			   const FIXTURE_VARIANT(ended) *variant)
{
	char byte;

	begin(_metadata, self, variant);
	if (variant->from != VFIO_DEVICE_STATE_RESUMING) {
		ASSERT_EQ(1, read(self->fd, &byte, 1));
		return;
	}
	if (variant->way != BY_RESET && variant->way != BY_CLOSE)
		return;
	/* Half of the stream instead of all of it */
	close(self->fd);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->from, &self->fd), "RESUMING");
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len / 2, 4096, NULL), "half");
}

/* Driver: an ended session: a record that was read or written in part is gone, too */
TEST_F(ended, rest_of_a_record_is_gone)
{
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	short usable = variant->from == VFIO_DEVICE_STATE_RESUMING ? POLLOUT : POLLIN;

	begin_a_record(_metadata, self, variant);
	pfd.fd = self->fd;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(usable, pfd.revents);
	finish(_metadata, self, variant);
	/* A call returns at once, with its error */
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(usable | POLLERR | POLLHUP, pfd.revents);
	expect_ended(_metadata, self->fd, variant->from);
}

/* Driver: poll() while a session ends: returns POLLERR and POLLHUP */
TEST_F(ended, poll_is_woken)
{
	struct vmig_poll_thread thread;
	short revents = 0;

	begin(_metadata, self, variant);
	ASSERT_RET(0, vmig_poll_thread_start(&thread, self->fd, 0), "poll");
	finish(_metadata, self, variant);
	EXPECT_RET(0, vmig_poll_thread_join(&thread, &revents), "wake-up");
	EXPECT_EQ(POLLERR | POLLHUP, revents);
}

/* Saves other contents in a new session, while the old data_fd is open */
static void save_again(struct __test_metadata *_metadata,
		       FIXTURE_DATA(ended) *self,
		       const FIXTURE_VARIANT(ended) *variant)
{
	begin(_metadata, self, variant);
	finish(_metadata, self, variant);
	if (variant->way == BY_CLOSE) {
		ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
					       VMIG_PATH_ANY), "open");
	} else {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	self->stream.len = 0;
	EXPECT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
}

static void load_again(struct __test_metadata *_metadata,
		       FIXTURE_DATA(ended) *self)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
}

/* Driver: the data_fd of an ended session: no part in the next ones */
TEST_F(ended, data_fd_stays_ended)
{
	const char *what = "";

	save_again(_metadata, self, variant);
	expect_ended(_metadata, self->fd, variant->from);
	load_again(_metadata, self);
	expect_ended(_metadata, self->fd, variant->from);
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED + 1, &what), "%s",
		   what);
}

TEST_HARNESS_MAIN
