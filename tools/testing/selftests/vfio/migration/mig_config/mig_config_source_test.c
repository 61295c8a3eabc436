// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source, opted in: read(), poll() and VFIO_MIG_GET_PRECOPY_INFO when config space
 * changes, and the identity in the data.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/precopy_v2.h"
#include "recording.h"

FIXTURE(source) {
	DEVICE_MEMBERS;
	struct vmig_snapshot snapshot;
};

FIXTURE_VARIANT(source) {
	const char *policy;
};

POLICY_VARIANTS(source);

/* A change of config space is data to read */
#define IS_ANNOUNCED	(DEPENDS || IS("embedded"))
/* Result of read() at the start of a record, after config space has changed */
#define READ_ERR	(IS("before-data") ? -ESTALE : -ENOMSG)

FIXTURE_SETUP(source)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K",
		    .config_policy = variant->policy);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	GO(PRE_COPY, &self->fd);
}

FIXTURE_TEARDOWN(source)
{
	CLOSE_DEVICE();
}

/* Bytes that VFIO_MIG_GET_PRECOPY_INFO counts */
static uint64_t counted(struct __test_metadata *_metadata, int fd)
{
	struct vfio_precopy_info info;

	EXPECT_RET(0, vmig_precopy_info(fd, &info), "PRECOPY_INFO");

	return info.initial_bytes + info.dirty_bytes;
}

/* Proposal: read() before any GET_CONFIG: ESTALE under before-data only */
TEST_F(source, read_needs_a_snapshot_first)
{
	READ(READ_ERR, &self->stream);
	EXPECT_EQ(READ_ERR == -ESTALE, self->stream.len == 0);
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	EXPECT_NE(0, self->stream.len);
}

/* Proposal: objection "monitor": GET by a monitor does not count for the session */
TEST_F(source, objection_monitor_does_not_acknowledge)
{
	struct vmig_config_answer answer;

	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	CHANGE_CONFIG();
	ASSERT_RET(0, vmig_config_query(self->dev, &answer), "monitor");
	READ(READ_ERR, &self->stream);
}

/* Proposal: config space changes in a record: that may be read to its end, then ESTALE */
TEST_F(source, record_is_read_to_its_end)
{
	struct vmig_rec rec;
	char byte;

	GET_CONFIG(&self->snapshot);
	ASSERT_EQ(1, read(self->fd, &byte, 1));
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, &byte, 1));
	CHANGE_CONFIG();
	READ(READ_ERR, &self->stream);
	if (READ_ERR == -ESTALE) {
		/* START is the only record */
		ASSERT_RET(0, vmig_stream_at(&self->stream, 0, &rec), "record");
		EXPECT_EQ(rec.size, self->stream.len);
		READ(-ESTALE, &self->stream);
		EXPECT_EQ(rec.size, self->stream.len);
	}
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	GO(STOP_COPY, NULL);
	READ(0, &self->stream);
}

/* Proposal: a snapshot got in the middle of a record is the old one: read() is ESTALE */
TEST_F(source, snapshot_of_the_record_is_not_the_present_one)
{
	char byte;

	GET_CONFIG(&self->snapshot);
	ASSERT_EQ(1, read(self->fd, &byte, 1));
	CHANGE_CONFIG();
	GET_CONFIG(&self->snapshot);
	READ(READ_ERR, &self->stream);
}

/* Proposal: objection D: nothing counted: ENOMSG; ESTALE only if there is a record */
TEST_F(source, objection_d_enomsg_when_nothing_is_counted)
{
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	EXPECT_EQ(0, counted(_metadata, self->fd));
	READ(-ENOMSG, &self->stream);
	CHANGE_CONFIG();
	EXPECT_EQ(IS_ANNOUNCED, counted(_metadata, self->fd) != 0);
	READ(READ_ERR, &self->stream);
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	EXPECT_EQ(0, counted(_metadata, self->fd));
}

/* Proposal: objection D: after the end of the stream read() returns 0, not ESTALE */
TEST_F(source, objection_d_end_of_stream_stays)
{
	unsigned int i;

	GO(STOP_COPY, NULL);
	GET_CONFIG(&self->snapshot);
	READ(0, &self->stream);
	for (i = 0; i < 3; i++) {
		CHANGE_CONFIG();
		READ(0, &self->stream);
	}
}

/* Proposal: config space changes in STOP_COPY before the end: ESTALE under before-data */
TEST_F(source, change_in_stop_copy_is_noticed)
{
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	GO(STOP_COPY, NULL);
	CHANGE_CONFIG();
	READ(READ_ERR == -ESTALE ? -ESTALE : 0, &self->stream);
	GET_CONFIG(&self->snapshot);
	READ(0, &self->stream);
}

/* Proposal: objection "wakes nobody": a change is data to read, so poll() wakes */
TEST_F(source, objection_wakes_nobody_poll_wakes)
{
	struct vmig_poll_thread thread;
	short events = 0;

	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	ASSERT_EQ(0, vmig_poll_thread_start(&thread, self->fd, POLLIN));
	CHANGE_CONFIG();
	if (!IS_ANNOUNCED) {
		struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

		EXPECT_EQ(0, poll(&pfd, 1, 0));
		/* The stream has more data: wakes for that */
		GO(STOP_COPY, NULL);
	}
	EXPECT_RET(0, vmig_poll_thread_join(&thread, &events), "poll");
	EXPECT_EQ(POLLIN, events);
}

/* Proposal: objection "REINIT": reported once, and only if data depend on config space */
TEST_F(source, objection_reinit_only_where_data_depend)
{
	struct vfio_precopy_info info;
	unsigned int i, j;

	if (vmig_precopy_v2_opt_in(self->dev) == -ENOTTY)
		SKIP(return, "no VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 on this kernel");
	for (i = 0; i < 2; i++) {
		GET_CONFIG(&self->snapshot);
		READ(-ENOMSG, &self->stream);
		CHANGE_CONFIG();
		CHANGE_CONFIG();
		for (j = 0; j < 3; j++) {
			ASSERT_RET(0, vmig_precopy_info(self->fd, &info),
				   "PRECOPY_INFO");
			EXPECT_EQ(DEPENDS && !j ?
				  VFIO_PRECOPY_INFO_REINIT : 0, info.flags);
			EXPECT_EQ(DEPENDS, info.initial_bytes != 0);
		}
	}
}

/* Proposal: data carry the identity of their snapshot if they depend on it, else none */
TEST_F(source, data_carry_the_identity_of_their_snapshot)
{
	uint8_t none[VFIO_MIG_CONFIG_ID_SIZE] = { 0 };
	size_t offset = 0;
	struct vmig_rec rec;
	unsigned int i, nr = 0;

	for (i = 0; i < 3; i++) {
		CHANGE_CONFIG();
		if (i == 2)
			GO(STOP_COPY, NULL);
		GET_CONFIG(&self->snapshot);
		READ(i == 2 ? 0 : -ENOMSG, &self->stream);
		for (; offset < self->stream.len; offset += rec.size) {
			ASSERT_RET(0, vmig_stream_at(&self->stream, nr++, &rec),
				   "record");
			EXPECT_EQ(0, memcmp(self->stream.data + offset +
					    offsetof(struct mtty_rec_head,
						     source),
					    DEPENDS ?
					    self->snapshot.id : none,
					    sizeof(none)));
		}
	}
	EXPECT_LT(5, nr);
}

TEST_HARNESS_MAIN
