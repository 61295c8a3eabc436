// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream that begins in PRE_COPY is complete: whatever was read before STOP_COPY, and
 * whatever changed meanwhile. A case fills the device, saves, loads and compares.
 */
#include "precopy.h"

/* Contents at first, and those that replace them */
#define FIRST	11
#define LAST	22

SUBJECT_FIXTURE(precopy_data);

/* A part of what there is to read: at least a byte, about half of the initial data */
static size_t part_of(int fd)
{
	struct vfio_precopy_info info;

	if (vmig_precopy_info(fd, &info))
		return 1;
	if (info.initial_bytes / 2 > CHUNK)
		return CHUNK;
	return info.initial_bytes / 2 + 1;
}

/* An arc within the session must not return another file */
#define GO_ON(_state) do { \
	int more_fd; \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, _state, &more_fd), "to %s", \
		   vmig_state_name(_state)); \
	EXPECT_EQ(-1, more_fd) { \
		TH_LOG("%s returned a data_fd", vmig_state_name(_state)); \
	} \
	if (more_fd >= 0) \
		vmig_call_close(more_fd); \
} while (0)

CLAUSE_TEST_F(precopy_data, one_session_to_stop_copy, "precopy.one-session")
{
	ENTER_PRE_COPY();
	GO_ON(VFIO_DEVICE_STATE_STOP_COPY);
	READ_REST();
	EXPECT_LT(0, self->stream.len);
}

CLAUSE_TEST_F(precopy_data, one_session_in_all_saving_states, "precopy.one-session")
{
	NEED(P2P);
	ENTER_PRE_COPY();
	NEED_OP(fill);
	FILL(FIRST);
	EXPECT_LT(0, read_once(self->fd, &self->stream, part_of(self->fd)));
	GO_ON(VFIO_DEVICE_STATE_PRE_COPY_P2P);
	DRAIN();
	GO_ON(VFIO_DEVICE_STATE_PRE_COPY);
	DRAIN();
	GO_ON(VFIO_DEVICE_STATE_PRE_COPY_P2P);
	GO_ON(VFIO_DEVICE_STATE_STOP_COPY);
	READ_REST();
	EXPECT_LOADS(FIRST);
}

CLAUSE_TEST_F(precopy_data, changes_after_reading_are_sent, "precopy.changes-sent")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	DRAIN();
	FILL(LAST);
	FINISH();
	EXPECT_LOADS(LAST);
}

/* The same if the changes are read in PRE_COPY, and then there are new ones */
CLAUSE_TEST_F(precopy_data, changes_of_changes_are_sent, "precopy.changes-sent")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	BEGIN_PRE_COPY();
	DRAIN();
	FILL(FIRST);
	DRAIN();
	FILL(LAST);
	DRAIN();
	FINISH();
	EXPECT_LOADS(LAST);
}

CLAUSE_TEST_F(precopy_data, changes_while_reading_are_sent, "precopy.changes-sent")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	EXPECT_LT(0, read_once(self->fd, &self->stream, part_of(self->fd)));
	FILL(LAST);
	FINISH();
	EXPECT_LOADS(LAST);
}

CLAUSE_TEST_F(precopy_data, changes_before_reading_are_sent, "precopy.changes-sent")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	FILL(LAST);
	DRAIN();
	FINISH();
	EXPECT_LOADS(LAST);
}

CLAUSE_TEST_F(precopy_data, left_with_nothing_read, "precopy.early")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	FINISH();
	EXPECT_LOADS(FIRST);
}

CLAUSE_TEST_F(precopy_data, left_after_one_byte, "precopy.early")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	EXPECT_LT(0, read_once(self->fd, &self->stream, 1));
	FINISH();
	EXPECT_LOADS(FIRST);
}

/* Any driver: the second session has at least a stream of its own */
CLAUSE_TEST_F(precopy_data, next_session_begins_anew, "precopy.again")
{
	struct vfio_precopy_info first, second;

	ENTER_PRE_COPY();
	ASK(&first);
	DRAIN();
	CANCEL_PRE_COPY();
	BEGIN_PRE_COPY();
	ASK(&second);
	EXPECT_EQ(!first.initial_bytes, !second.initial_bytes);
	FINISH();
	EXPECT_LT(0, self->stream.len);
}

CLAUSE_TEST_F(precopy_data, next_session_has_it_all, "precopy.again")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	DRAIN();
	CANCEL_PRE_COPY();
	BEGIN_PRE_COPY();
	DRAIN();
	FINISH();
	EXPECT_LOADS(FIRST);
}

/* The first session had these bytes before they changed */
CLAUSE_TEST_F(precopy_data, next_session_has_changes, "precopy.again")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(fill);
	FILL(FIRST);
	BEGIN_PRE_COPY();
	EXPECT_LT(0, read_once(self->fd, &self->stream, part_of(self->fd)));
	CANCEL_PRE_COPY();
	FILL(LAST);
	BEGIN_PRE_COPY();
	DRAIN();
	FINISH();
	EXPECT_LOADS(LAST);
}

SUBJECT_TEST_MAIN
