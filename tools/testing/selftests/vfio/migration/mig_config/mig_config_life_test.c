// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of each object: the table of linux/vfio_mig_config.h, for the session, the content of
 * config space and the opt-in; and what a new session, or a new opening, knows.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define LINE	0x5c

FIXTURE(life) {
	TWO_DEVICES;
	struct vmig_snapshot fresh;
	struct vmig_snapshot before;
	struct vmig_snapshot after;
};

FIXTURE_VARIANT(life) {
	const char *policy;
};

POLICY_VARIANTS(life);

/* Content that differs from that after a reset, in RUNNING */
FIXTURE_SETUP(life)
{
	OPEN_TWO_DEVICES(variant->policy);
	RECORD();
	ASSERT_RET(0, read_content(self->dev, self->fresh.data), "content");
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, LINE),
		   "line");
}

FIXTURE_TEARDOWN(life)
{
	CLOSE_TWO_DEVICES();
}

/* PRE_COPY with a snapshot, and nothing left to read */
static void save_some(struct __test_metadata *_metadata,
		      FIXTURE_DATA(life) *self)
{
	struct vmig_bytes data = { 0 };

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->before);
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &data, 4096), "read");
	vmig_bytes_free(&data);
}

/* The saving session has ended; a new one is opted in and needs its own snapshot */
static void expect_new_session(struct __test_metadata *_metadata,
			       FIXTURE_DATA(life) *self, bool is_before_data)
{
	struct vmig_bytes data = { 0 };

	EXPECT_RET(-ENODEV, vmig_config_get(self->fd, &self->after), "old");
	close(self->fd);
	GO(STOP_COPY, &self->fd);
	EXPECT_RET(is_before_data ? -ESTALE : 0,
		   vmig_transfer_read(self->fd, &data, 4096), "no snapshot");
	vmig_bytes_free(&data);
	GET_CONFIG(&self->after);
}

/* Proposal: RESET: the session ends, reset values with a new identity, opt-in stays */
TEST_F(life, reset_of_a_source)
{
	save_some(_metadata, self);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_CONTENT(&self->fresh);
	expect_new_session(_metadata, self, IS("before-data"));
	EXPECT_FALSE(same_id(&self->before, &self->after));
}

/* Proposal: RESET in RESUMING: the same; what was loaded is gone */
TEST_F(life, reset_of_a_destination)
{
	GO(RESUMING, &self->fd);
	LOAD_PARTS(0);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_CONTENT(&self->fresh);
	EXPECT_RET(-ENODEV, vmig_config_set(self->fd, &self->rec.snapshot[0]),
		   "SET_CONFIG");
	CHECK(-ENODEV);
	RESUME();
	CHECK(-ENODATA);
	LOAD(IS("before-data") ? -EPROTO : 0, 0);
}

/* Proposal: ERROR: the session ends, content and opt-in stay; RESET leads out */
TEST_F(life, error)
{
	struct vmig_snapshot *first = &self->rec.snapshot[0];

	self->rec.data.data[self->rec.at[1] - 1] ^= 1;
	GO(RESUMING, &self->fd);
	ASSERT_RET(0, vmig_config_set(self->fd, first), "SET_CONFIG");
	LOAD(-EBADMSG, 0);
	ASSERT_RET(0, read_content(self->dev, first->data), "content");
	STOP(-EBADMSG);
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, self->dev, "STOP");
	CHECK(-ENODEV);
	EXPECT_CONTENT(first);
	RESUME();
	CHECK(-ENODATA);
	EXPECT_CONTENT(&self->fresh);
}

/* Proposal: close: the opt-in ends; a new opening has reset values and a new identity */
TEST_F(life, close_and_open)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->before);
	CHANGE_CONFIG();
	vmig_device_close(self->dev);
	EXPECT_RET(-ENODEV, vmig_config_get(self->fd, &self->after), "closed");
	ASSERT_EQ(0, vmig_device_open(self->dev, &self->dst.mdev,
				      VMIG_PATH_ANY));
	EXPECT_RET(-ENODEV, vmig_config_get(self->fd, &self->after), "reopened");
	close(self->fd);
	EXPECT_CONTENT(&self->fresh);
	GO(PRE_COPY, &self->fd);
	EXPECT_RET(-ENOTTY, vmig_config_get(self->fd, &self->after), "opt-in");
	close(self->fd);
	GO(RUNNING, NULL);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->after);
	EXPECT_EQ(0, memcmp(self->before.data, self->after.data,
			    self->before.size));
	EXPECT_FALSE(same_id(&self->before, &self->after));
}

/* Proposal: RESUMING -> STOP: the session ends, content and opt-in stay */
TEST_F(life, resuming_to_stop)
{
	GO(RESUMING, &self->fd);
	LOAD_PARTS(0);
	GO(STOP, NULL);
	CHECK(-ENODEV);
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	close(self->fd);
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->after);
	/* The identity is one of this device, not that of the source */
	EXPECT_FALSE(same_id(&self->after, &self->rec.snapshot[LAST]));
}

/* Proposal: a second RESUMING session knows nothing but the content */
TEST_F(life, second_resuming)
{
	GO(RESUMING, &self->fd);
	LOAD_PARTS(0);
	GO(STOP, NULL);
	close(self->fd);
	/* A snapshot of another source: the first one would make this ESTALE */
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->before);
	close(self->fd);
	GO(RESUMING, &self->fd);
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	CHECK(-ENODATA);
	LOAD_BYTES(IS("before-data") ? -EPROTO : 0, 0, 1);
	EXPECT_RET(0, vmig_config_set(self->fd, &self->before), "other source");
	LOAD_BYTES(DEPENDS ? -ESTALE : 0, !IS("before-data"), self->rec.at[1]);
}

/* Proposal: PRE_COPY -> RUNNING: the session ends; content, identity and opt-in stay */
TEST_F(life, cancelled_in_pre_copy)
{
	save_some(_metadata, self);
	GO(RUNNING, NULL);
	expect_new_session(_metadata, self, IS("before-data"));
	EXPECT_EQ(0, memcmp(&self->before, &self->after, sizeof(self->after)));
}

/* Proposal: STOP_COPY -> STOP: the same */
TEST_F(life, cancelled_in_stop_copy)
{
	save_some(_metadata, self);
	GO(STOP_COPY, NULL);
	GO(STOP, NULL);
	expect_new_session(_metadata, self, IS("before-data"));
	EXPECT_EQ(0, memcmp(&self->before, &self->after, sizeof(self->after)));
}

/* Proposal: to and from P2P: the session, its snapshot and the identity stay */
TEST_F(life, p2p)
{
	save_some(_metadata, self);
	GO(PRE_COPY_P2P, NULL);
	GET_CONFIG(&self->after);
	EXPECT_EQ(0, memcmp(&self->before, &self->after, sizeof(self->after)));
	GO(PRE_COPY, NULL);
	GO(PRE_COPY_P2P, NULL);
	/* No ESTALE: the snapshot from before is the present one */
	GO(STOP_COPY, NULL);
	READ(0, &self->rec.data);
	close(self->fd);
	GO(RUNNING, NULL);
	GO(RUNNING_P2P, NULL);
	GO(RUNNING, NULL);
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->after);
	EXPECT_EQ(0, memcmp(&self->before, &self->after, sizeof(self->after)));
}

TEST_HARNESS_MAIN
