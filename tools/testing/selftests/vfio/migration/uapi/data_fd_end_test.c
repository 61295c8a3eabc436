// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a data transfer session ends, each way there is, and what its data_fd is
 * good for afterwards: to be told so, and to be closed.
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
	BY_ERROR,	/* a request that fails for good: ERROR */
};

FIXTURE(ended) {
	DEVICE_MEMBERS;
	struct vmig_poll_thread waiter;
};

FIXTURE_VARIANT(ended) {
	enum vfio_device_mig_state from;
	enum way way;
	enum vfio_device_mig_state to;
};

FIXTURE_VARIANT_ADD(ended, pre_copy_by_running) {
	.from = VFIO_DEVICE_STATE_PRE_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_RUNNING,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_by_stop) {
	.from = VFIO_DEVICE_STATE_PRE_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_STOP,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_by_resuming) {
	.from = VFIO_DEVICE_STATE_PRE_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_RESUMING,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_by_reset) {
	.from = VFIO_DEVICE_STATE_PRE_COPY, .way = BY_RESET,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_by_close) {
	.from = VFIO_DEVICE_STATE_PRE_COPY, .way = BY_CLOSE,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_p2p_by_running_p2p) {
	.from = VFIO_DEVICE_STATE_PRE_COPY_P2P,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_RUNNING_P2P,
};

FIXTURE_VARIANT_ADD(ended, pre_copy_p2p_by_reset) {
	.from = VFIO_DEVICE_STATE_PRE_COPY_P2P, .way = BY_RESET,
};

FIXTURE_VARIANT_ADD(ended, stop_copy_by_stop) {
	.from = VFIO_DEVICE_STATE_STOP_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_STOP,
};

FIXTURE_VARIANT_ADD(ended, stop_copy_by_running) {
	.from = VFIO_DEVICE_STATE_STOP_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_RUNNING,
};

FIXTURE_VARIANT_ADD(ended, stop_copy_by_resuming) {
	.from = VFIO_DEVICE_STATE_STOP_COPY,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_RESUMING,
};

FIXTURE_VARIANT_ADD(ended, stop_copy_by_reset) {
	.from = VFIO_DEVICE_STATE_STOP_COPY, .way = BY_RESET,
};

FIXTURE_VARIANT_ADD(ended, stop_copy_by_close) {
	.from = VFIO_DEVICE_STATE_STOP_COPY, .way = BY_CLOSE,
};

FIXTURE_VARIANT_ADD(ended, resuming_by_stop) {
	.from = VFIO_DEVICE_STATE_RESUMING,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_STOP,
};

FIXTURE_VARIANT_ADD(ended, resuming_by_stop_copy) {
	.from = VFIO_DEVICE_STATE_RESUMING,
	.way = BY_STATE, .to = VFIO_DEVICE_STATE_STOP_COPY,
};

FIXTURE_VARIANT_ADD(ended, resuming_by_error) {
	.from = VFIO_DEVICE_STATE_RESUMING, .way = BY_ERROR,
};

FIXTURE_VARIANT_ADD(ended, resuming_by_reset) {
	.from = VFIO_DEVICE_STATE_RESUMING, .way = BY_RESET,
};

FIXTURE_VARIANT_ADD(ended, resuming_by_close) {
	.from = VFIO_DEVICE_STATE_RESUMING, .way = BY_CLOSE,
};

FIXTURE_SETUP(ended)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(ended)
{
	CLOSE_DEVICE();
}

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(ended) *self,
		  const FIXTURE_VARIANT(ended) *variant)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "scene");
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

/*
 * Clause: an arc that terminates a data transfer session: read(), write() ENODEV,
 * VFIO_MIG_GET_PRECOPY_INFO EINVAL
 */
TEST_F(ended, calls_are_refused)
{
	begin(_metadata, self, variant);
	finish(_metadata, self, variant);
	expect_ended(_metadata, self->fd, variant->from);
}

/* Clause: poll() on an ended session: POLLERR and POLLHUP, asked for or not */
TEST_F(ended, poll_says_so)
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

/* Clause: poll() while a session ends: woken */
TEST_F(ended, sleeper_is_woken)
{
	short revents = 0;

	begin(_metadata, self, variant);
	ASSERT_RET(0, vmig_poll_thread_start(&self->waiter, self->fd, 0), "poll");
	finish(_metadata, self, variant);
	EXPECT_RET(0, vmig_poll_thread_join(&self->waiter, &revents), "wake-up");
	EXPECT_EQ(POLLERR | POLLHUP, revents);
}

/* Clause: a new session while the fd of an ended one is open: its own, and whole */
TEST_F(ended, next_session_is_not_disturbed)
{
	const char *what = "";

	begin(_metadata, self, variant);
	finish(_metadata, self, variant);
	if (variant->way == BY_CLOSE) {
		ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
					       VMIG_PATH_ANY), "open");
	} else {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "scene");
	self->stream.len = 0;
	EXPECT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	expect_ended(_metadata, self->fd, variant->from);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	expect_ended(_metadata, self->fd, variant->from);
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED + 1, &what), "%s",
		   what);
}

TEST_HARNESS_MAIN
