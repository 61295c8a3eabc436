// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd is closed before its session ends, or is open longer than the device.
 */
#include <errno.h>

#include "session.h"

FIXTURE_VARIANT(early) {
	enum vfio_device_mig_state state;
};

SUBJECT_FIXTURE(early);

FIXTURE_VARIANT_ADD(early, in_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(early, in_pre_copy_p2p) { .state = PRE_COPY_P2P };
FIXTURE_VARIANT_ADD(early, in_stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(early, in_resuming) { .state = RESUMING };

/* In RESUMING after a whole stream, else in the middle of it */
CLAUSE_TEST_F(early, close_changes_no_state, "session.close-early")
{
	char byte;

	NEED_STATE(variant->state);
	FILL(self->dev, SEED);
	if (variant->state == RESUMING)
		SAVE();
	BEGIN(variant->state, &self->fd);
	if (variant->state == RESUMING)
		WRITE_ALL(self->fd);
	else
		ASSERT_EQ(1, vmig_call_read(self->fd, &byte, 1));
	EXPECT_EQ(0, vmig_call_close(self->fd));
	self->fd = -1;
	EXPECT_STATE(variant->state, self->dev, "after the close");
	TRY_STATE(RUNNING, NULL);
	EXPECT_CONTENTS(self->dev, SEED);
}

/* Another session can begin, and is whole */
CLAUSE_TEST_F(early, close_spares_the_next_session, "session.close-early", "session.new")
{
	struct vmig_device *dst;

	NEED_STATE(variant->state);
	FILL(self->dev, SEED);
	if (variant->state == RESUMING) {
		BEGIN(variant->state, &self->fd);
		EXPECT_EQ(0, vmig_call_close(self->fd));
		RESET_LISTED();
		FILL(self->dev, SEED);
	} else {
		BEGIN(variant->state, &self->fd);
		EXPECT_EQ(0, vmig_call_close(self->fd));
		TRY_STATE(STOP, NULL);
	}
	self->fd = -1;
	SAVE();
	OPEN_DESTINATION(dst);
	EXPECT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

FIXTURE_VARIANT(outlived) {
	enum vfio_device_mig_state state;
};

SUBJECT_FIXTURE(outlived);

FIXTURE_VARIANT_ADD(outlived, in_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(outlived, in_stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(outlived, in_resuming) { .state = RESUMING };

/* Each call once; the kernel must survive them */
static void use(int fd, bool loads, const char *when)
{
	struct vfio_precopy_info info;
	char byte = 0;
	ssize_t n;
	int ret;

	n = loads ? vmig_call_write(fd, &byte, 1) : vmig_call_read(fd, &byte, 1);
	RECORD("data_fd", "%s() after %s: %s", loads ? "write" : "read", when,
	       n < 0 ? vmig_errno_name(-errno) : n ? "1 byte" : "0");
	ret = vmig_precopy_info(fd, &info);
	RECORD("data_fd", "VFIO_MIG_GET_PRECOPY_INFO after %s: %s", when,
	       vmig_errno_name(ret));
	ret = events_now(fd);
	RECORD("data_fd", "poll() after %s: %s", when, events_text(ret));
}

CLAUSE_TEST_F(outlived, by_its_data_fd, "session.after-close")
{
	const bool loads = variant->state == RESUMING;

	NEED_STATE(variant->state);
	BEGIN(variant->state, &self->fd);
	vmig_call_close(self->dev->fd);
	self->dev->fd = -1;
	vmig_device_close(self->dev);
	use(self->fd, loads, "the device was closed");
	if (self->subject.mdev.uuid[0]) {
		ASSERT_RET(0, vmig_mdev_remove(&self->subject.mdev), "remove the device");
		use(self->fd, loads, "the device was removed");
	} else {
		ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	}
	EXPECT_EQ(0, vmig_call_close(self->fd));
	self->fd = -1;
}

/* The device is opened again while the old file is open, and has a new session */
CLAUSE_TEST_F(outlived, and_opened_again, "session.ended-apart")
{
	const bool loads = variant->state == RESUMING;
	struct vmig_device *dst;

	NEED_STATE(variant->state);
	BEGIN(variant->state, &self->fd);
	ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	RESET_LISTED();
	FILL(self->dev, SEED);
	SAVE();
	use(self->fd, loads, "the device was opened again");
	EXPECT_EQ(0, vmig_call_close(self->fd));
	self->fd = -1;
	OPEN_DESTINATION(dst);
	EXPECT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_CONTENTS(dst, SEED);
}

/* Also where the close keeps the state, the session is gone: the host must survive it */
CLAUSE_TEST_F(outlived, and_leaves_the_state, "session.after-close")
{
	enum vfio_device_mig_state state;
	int ret;

	NEED_STATE(variant->state);
	BEGIN(variant->state, &self->fd);
	ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "get the state");
	RECORD("state after the close and an open", "%s, closed in %s", vmig_state_name(state),
	       vmig_state_name(variant->state));
	ret = vmig_mig_set_state(self->dev, STOP, NULL);
	if (ret)
		RESET_LISTED();
	vmig_mig_set_state(self->dev, RUNNING, NULL);
}

SUBJECT_TEST_MAIN
