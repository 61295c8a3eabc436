// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequences of calls of the Rust crate vfio-ioctls with migration (rust-vmm/vfio, pull
 * requests 140 and 150 of 2026). Facts: the object of a device keeps the data_fd that a SET
 * returned and does not hand it out, so it stays open over the next arcs, also those that
 * end the session. A new data_fd takes its place, and the old one is closed only then,
 * while the new session is in use.
 */
#include <errno.h>

#include "profile.h"

PROFILE_FIXTURE(rust);

/* A SET of the crate: a new data_fd replaces the one that is kept */
#define SET(_dev, _state) do { \
	int set_fd = -1; \
	ASSERT_RET(0, vmig_mig_set_state(_dev, _state, &set_fd), "to %s", \
		   vmig_state_name(_state)); \
	if (set_fd >= 0) { \
		if (self->fd >= 0) \
			vmig_call_close(self->fd); \
		self->fd = set_fd; \
	} \
} while (0)

#define READ_ALL() do { \
	self->stream.len = 0; \
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, PROFILE_CHUNK), "read"); \
} while (0)

/* Snapshots of a VM that runs on, and a restore in the same process */
CLAUSE_TEST_F(rust, keeps_the_data_fd, "profile.rust-data-fd", "session.ended-apart",
	      "session.new")
{
	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SET(self->dev, STOP);
	SET(self->dev, STOP_COPY);
	READ_ALL();
	SET(self->dev, STOP);
	SET(self->dev, RUNNING);
	FILL(self->dev, SEED + 1);
	SET(self->dev, STOP_COPY);
	READ_ALL();
	SET(self->dev, STOP);
	SET(self->dev, RUNNING);
	FILL(self->dev, SEED + 2);
	SET(self->dev, RESUMING);
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					  PROFILE_CHUNK, NULL), "write");
	RESTORE_CONFIG(self->dev);
	SET(self->dev, STOP);
	SET(self->dev, RUNNING);
	EXPECT_GUEST_GOES_ON(self->dev, SEED + 1);
}

/* The device is closed with the data_fd of its last session still open */
CLAUSE_TEST_F(rust, closes_the_device_first, "profile.rust-data-fd")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SET(self->dev, STOP_COPY);
	READ_ALL();
	SET(self->dev, STOP);
	ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	RESET_LISTED();
	CLOSE_FD(self->fd);
	OPEN_DESTINATION(dst);
	SET(dst, RESUMING);
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					  PROFILE_CHUNK, NULL), "write");
	RESTORE_CONFIG(dst);
	SET(dst, RUNNING);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

SUBJECT_TEST_MAIN
