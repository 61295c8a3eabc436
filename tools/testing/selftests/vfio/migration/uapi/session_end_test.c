// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that have ended: their files have no data any more, and no part in the next
 * session.
 */
#include <errno.h>

#include "session.h"

/* @to: RUNNING by a reset if @reset is set */
FIXTURE_VARIANT(ended) {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	bool reset;
};

SUBJECT_FIXTURE(ended);

#define ENDED(_name, _from, _to, _reset) \
FIXTURE_VARIANT_ADD(ended, _name) { \
	.from = _from, .to = _to, \
	.reset = _reset, \
}

ENDED(pre_copy_by_running, PRE_COPY, RUNNING, false);
ENDED(pre_copy_by_stop, PRE_COPY, STOP, false);
ENDED(pre_copy_by_resuming, PRE_COPY, RESUMING, false);
ENDED(pre_copy_by_reset, PRE_COPY, RUNNING, true);
ENDED(pre_copy_p2p_by_running_p2p, PRE_COPY_P2P, RUNNING_P2P, false);
ENDED(pre_copy_p2p_by_reset, PRE_COPY_P2P, RUNNING, true);
ENDED(stop_copy_by_stop, STOP_COPY, STOP, false);
ENDED(stop_copy_by_running, STOP_COPY, RUNNING, false);
ENDED(stop_copy_by_resuming, STOP_COPY, RESUMING, false);
ENDED(stop_copy_by_reset, STOP_COPY, RUNNING, true);
ENDED(resuming_by_stop, RESUMING, STOP, false);
ENDED(resuming_by_running, RESUMING, RUNNING, false);
ENDED(resuming_by_stop_copy, RESUMING, STOP_COPY, false);
ENDED(resuming_by_reset, RESUMING, RUNNING, true);

/*
 * Bytes to be written before the session ends. A driver may know the length of its stream,
 * and refuse more in any session; after a reset, bytes that fit would be taken if the
 * session were alive. By a SET, RESUMING ends only after a whole stream.
 */
static size_t before_end(const struct vmig_bytes *stream, bool reset)
{
	return reset ? stream->len / 2 : stream->len;
}

/* A session of which nothing was read; or a whole stream was written, before a reset half */
#define BEGIN_VARIANT() do { \
	if (variant->from == RESUMING) \
		SAVE(); \
	BEGIN(variant->from, &self->fd); \
	if (variant->from == RESUMING) \
		TRY(vmig_transfer_write(self->fd, self->stream.data, \
					before_end(&self->stream, variant->reset), \
					VMIG_TRANSFER_CHUNK, NULL), "write"); \
} while (0)

#define NEED_VARIANT()	NEED_MASK(state_needs(variant->from) | state_needs(variant->to))

#define FINISH() do { \
	if (variant->reset) \
		RESET_LISTED(); \
	else \
		TRY_STATE(variant->to, NULL); \
} while (0)

CLAUSE_TEST_F(ended, moves_no_data, "session.ended")
{
	char byte = 0;
	size_t done;
	ssize_t n;

	NEED_VARIANT();
	BEGIN_VARIANT();
	FINISH();
	done = before_end(&self->stream, variant->reset);
	if (variant->from != RESUMING)
		n = vmig_call_read(self->fd, &byte, 1);
	else if (done < self->stream.len)
		n = vmig_call_write(self->fd, self->stream.data + done, self->stream.len - done);
	else
		n = vmig_call_write(self->fd, &byte, 1);
	EXPECT_GE(0, n) {
		TH_LOG("the session is alive");
	}
}

/* Enough for each kind of session */
FIXTURE_VARIANT(gone) {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	bool reset;
};

SUBJECT_FIXTURE(gone);

#define GONE(_name, _from, _to, _reset) \
FIXTURE_VARIANT_ADD(gone, _name) { \
	.from = _from, .to = _to, \
	.reset = _reset, \
}

GONE(pre_copy_by_running, PRE_COPY, RUNNING, false);
GONE(pre_copy_by_reset, PRE_COPY, RUNNING, true);
GONE(stop_copy_by_stop, STOP_COPY, STOP, false);
GONE(stop_copy_by_reset, STOP_COPY, RUNNING, true);

/* Nothing was read, so this cannot be the end */
CLAUSE_TEST_F(gone, is_no_end_of_stream, "session.no-false-end")
{
	char byte;

	NEED_VARIANT();
	BEGIN(variant->from, &self->fd);
	FINISH();
	EXPECT_NE(0, vmig_call_read(self->fd, &byte, 1)) {
		TH_LOG("an end of stream, but nothing was read");
	}
}

CLAUSE_TEST_F(gone, is_told_somehow, "session.ended-errno")
{
	char byte;
	ssize_t n;

	NEED_VARIANT();
	BEGIN(variant->from, &self->fd);
	FINISH();
	RECORD("poll() of a session that ended", "%s", events_text(events_now(self->fd)));
	n = vmig_call_read(self->fd, &byte, 1);
	RECORD("read() of a session that ended", "%s",
	       n < 0 ? vmig_errno_name(-errno) : n ? "data" : "0");
}

SUBJECT_FIXTURE(loaded);

CLAUSE_TEST_F(loaded, is_told_somehow, "session.ended-errno")
{
	char byte = 0;
	ssize_t n;

	NEED(MIGRATION);
	SAVE();
	BEGIN(RESUMING, &self->fd);
	WRITE_ALL(self->fd);
	TRY_STATE(STOP, NULL);
	RECORD("poll() of a loading session that ended", "%s",
	       events_text(events_now(self->fd)));
	n = vmig_call_write(self->fd, &byte, 1);
	RECORD("write() to a session that ended", "%s",
	       n < 0 ? vmig_errno_name(-errno) : n ? "taken" : "0");
}

/* @was, @is: the states of the session that ended, and of the next one */
FIXTURE_VARIANT(apart) {
	enum vfio_device_mig_state was;
	enum vfio_device_mig_state is;
};

SUBJECT_FIXTURE(apart);

#define APART(_name, _was, _is) \
FIXTURE_VARIANT_ADD(apart, _name) { \
	.was = _was, .is = _is, \
}

APART(stop_copy_and_stop_copy, STOP_COPY, STOP_COPY);
APART(stop_copy_and_resuming, STOP_COPY, RESUMING);
APART(resuming_and_stop_copy, RESUMING, STOP_COPY);
APART(resuming_and_resuming, RESUMING, RESUMING);
APART(pre_copy_and_stop_copy, PRE_COPY, STOP_COPY);
APART(pre_copy_and_resuming, PRE_COPY, RESUMING);

/* Use the old file once, and close it; other cases judge the results */
static void use_and_close(int *fd, bool loads)
{
	char byte = 0;

	if (loads)
		vmig_call_write(*fd, &byte, 1);
	else
		vmig_call_read(*fd, &byte, 1);
	vmig_call_close(*fd);
	*fd = -1;
}

/* The old file is used and closed in the middle of the new stream */
static int read_beside(struct __test_metadata *_metadata, FIXTURE_DATA(apart) *self,
		       int new_fd, bool loads)
{
	char byte;

	self->stream.len = 0;
	ASSERT_EQ(1, vmig_call_read(new_fd, &byte, 1));
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, &byte, 1));
	use_and_close(&self->fd, loads);
	return vmig_transfer_read(new_fd, &self->stream, VMIG_TRANSFER_CHUNK);
}

static void write_beside(struct __test_metadata *_metadata, FIXTURE_DATA(apart) *self,
			 int new_fd, bool loads)
{
	ASSERT_EQ(1, vmig_call_write(new_fd, self->stream.data, 1));
	use_and_close(&self->fd, loads);
	EXPECT_RET(0, vmig_transfer_write(new_fd, self->stream.data + 1, self->stream.len - 1,
					  VMIG_TRANSFER_CHUNK, NULL), "write");
}

CLAUSE_TEST_F(apart, next_session_is_whole, "session.ended-apart")
{
	const bool old_loads = variant->was == RESUMING;
	const bool new_loads = variant->is == RESUMING;
	struct vmig_device *dst = self->dev;
	int new_fd;

	NEED_STATE(variant->was);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(RUNNING, NULL);
	BEGIN(variant->was, &self->fd);
	if (old_loads)
		WRITE_ALL(self->fd);
	TRY_STATE(RUNNING, NULL);
	FILL(self->dev, SEED + 1);
	BEGIN(variant->is, &new_fd);
	if (new_loads) {
		write_beside(_metadata, self, new_fd, old_loads);
		TRY_STATE(STOP, NULL);
	} else {
		ASSERT_STREAM(read_beside(_metadata, self, new_fd, old_loads), "read");
	}
	EXPECT_EQ(0, vmig_call_close(new_fd));
	if (!new_loads) {
		OPEN_DESTINATION(dst);
		EXPECT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	}
	EXPECT_CONTENTS(dst, new_loads ? SEED : SEED + 1);
}

SUBJECT_FIXTURE(in_error);

DESTRUCTIVE_TEST_F(in_error, moves_no_data, "writes invalid data", "session.ended-by-error")
{
	static const char invalid[256];
	enum vfio_device_mig_state state = VFIO_DEVICE_STATE_NR;
	int ret;

	NEED(MIGRATION);
	BEGIN(RESUMING, &self->fd);
	vmig_call_write(self->fd, invalid, sizeof(invalid));
	ret = vmig_mig_set_state(self->dev, STOP, NULL);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	if (!ret || state != ERROR)
		SKIP(return, "not checked: the driver did not enter ERROR");
	EXPECT_GE(0, vmig_call_write(self->fd, invalid, 1));
}

SUBJECT_TEST_MAIN
