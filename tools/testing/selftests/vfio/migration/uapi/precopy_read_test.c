// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() and poll() in PRE_COPY: the temporary end, which is ENOMSG and not 0, and waiting
 * there.
 */
#include <poll.h>

#include "precopy.h"

SUBJECT_FIXTURE(precopy_read);

/* poll() for so long where data may still be on their way from the device */
#define POLL_MS	2000

static short poll_in(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret = vmig_call_poll(&pfd, timeout_ms);

	if (ret < 0)
		return -errno;
	return ret ? pfd.revents : 0;
}

/*
 * Reads as long as the answer says that there are data, and once more. Return: what the
 * last read() returned, or the -errno of the ioctl; @more: another one had failed before.
 */
static int read_by_answer(int fd, struct vmig_bytes *out, bool *more)
{
	struct vfio_precopy_info info;
	int64_t give_up = vmig_now_ms() + STREAM_MS;
	ssize_t got;
	int ret;

	*more = false;
	while (out->len < STREAM_MAX && vmig_now_ms() < give_up) {
		ret = vmig_precopy_info(fd, &info);
		if (ret)
			return ret;
		got = read_once(fd, out, CHUNK);
		if (!info.initial_bytes && !info.dirty_bytes)
			return got;
		*more = got <= 0;
		if (*more)
			return got;
	}
	return -ETIMEDOUT;
}

/* The same, then again after a change, if the device can be changed */
static int read_twice_by_answer(struct vmig_subject *subject, int fd, struct vmig_bytes *out,
				bool *more)
{
	size_t bytes;
	int ret;

	ret = read_by_answer(fd, out, more);
	if (ret != -ENOMSG || *more || !subject->ops->dirty)
		return ret;
	ret = subject->ops->dirty(&subject->dev, &bytes);
	return ret ? ret : read_by_answer(fd, out, more);
}

/* Another try, with a new list of calls; a driver may leave the state as it is over a close */
#define REOPEN() do { \
	CANCEL_PRE_COPY(); \
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "close and open"); \
} while (0)

CLAUSE_TEST_F(precopy_read, no_data_means_enomsg, "precopy.enomsg")
{
	unsigned int i;
	bool more;
	int ret;

	NEED2(MIGRATION, PRE_COPY);
	for (i = 0; i < TRIES; i++) {
		if (i)
			REOPEN();
		BEGIN_PRE_COPY();
		ret = read_twice_by_answer(&self->subject, self->fd, &self->stream, &more);
		if (ret == -ENOMSG || more)
			break;
	}
	SKIP_IF_LONG(ret);
	if (more)
		SKIP(return, "not checked: read() gave no data, but the answer said some");
	EXPECT_EQ(-ENOMSG, ret) {
		TH_LOG("initial_bytes and dirty_bytes are 0: expected ENOMSG, seen %s",
		       ret > 0 ? "data" : vmig_errno_name(ret));
	}
}

CLAUSE_TEST_F(precopy_read, enomsg_means_no_data, "precopy.enomsg-only-then")
{
	bool more;
	int ret;

	ENTER_PRE_COPY();
	ret = read_twice_by_answer(&self->subject, self->fd, &self->stream, &more);
	SKIP_IF_LONG(ret);
	EXPECT_FALSE(more && ret == -ENOMSG) {
		TH_LOG("ENOMSG, but initial_bytes or dirty_bytes was not 0");
	}
}

CLAUSE_TEST_F(precopy_read, no_end_in_pre_copy, "precopy.no-end")
{
	int ret;

	ENTER_PRE_COPY();
	ret = read_to_end(self->fd, &self->stream, CHUNK);
	SKIP_IF_LONG(ret);
	EXPECT_NE(0, ret) {
		TH_LOG("read() returned 0 after %zu bytes", self->stream.len);
	}
	/* Once more: it is temporary, but is not followed by a permanent one */
	ret = read_to_end(self->fd, &self->stream, CHUNK);
	EXPECT_NE(0, ret) {
		TH_LOG("read() returned 0 at the second time");
	}
}

CLAUSE_TEST_F(precopy_read, no_enomsg_in_stop_copy, "precopy.no-enomsg")
{
	ENTER_PRE_COPY();
	DRAIN();
	FINISH();
	EXPECT_RET(0, read_to_end(self->fd, &self->stream, CHUNK), "at the end");
}

CLAUSE_TEST_F(precopy_read, poll_sees_data, "precopy.poll-data")
{
	struct vfio_precopy_info info;
	short seen;

	ENTER_PRE_COPY();
	ASK(&info);
	if (!info.initial_bytes)
		SKIP(return, "not checked: initial_bytes is 0 at the start");
	seen = poll_in(self->fd, POLL_MS);
	ASSERT_EQ(POLLIN, seen);
	ASSERT_LT(0, read_once(self->fd, &self->stream, 1));
	ASK(&info);
	if (info.initial_bytes) {
		seen = poll_in(self->fd, POLL_MS);
		EXPECT_EQ(POLLIN, seen) {
			TH_LOG("after one byte");
		}
	}
}

CLAUSE_TEST_F(precopy_read, poll_sees_changes, "precopy.poll-data")
{
	struct vfio_precopy_info info;
	size_t bytes;

	ENTER_PRE_COPY();
	NEED_OP(dirty);
	DRAIN();
	DIRTY(&bytes);
	ASK(&info);
	if (!info.initial_bytes && !info.dirty_bytes)
		SKIP(return, "not applicable: the driver sends no changes in PRE_COPY");
	EXPECT_EQ(POLLIN, poll_in(self->fd, POLL_MS));
}

CLAUSE_TEST_F(precopy_read, poll_sees_the_temporary_end, "precopy.poll-waits")
{
	unsigned int i;
	short seen;

	ENTER_PRE_COPY();
	for (i = 0; i < TRIES; i++) {
		DRAIN();
		seen = poll_in(self->fd, 0);
		/* Data that came since are a good reason */
		if (!seen || read_once(self->fd, &self->stream, CHUNK) <= 0)
			break;
	}
	EXPECT_EQ(0, seen) {
		TH_LOG("poll() reports %#x at the temporary end", seen);
	}
}

/* A thread that sleeps in poll() at the temporary end */
#define SLEEP_IN_POLL(_thread) do { \
	int slept; \
	DRAIN(); \
	vmig_call_text("poll(data_fd, POLLIN, %d ms) in another thread", \
		       VMIG_POLL_THREAD_DEADLINE_MS); \
	slept = vmig_poll_thread_start(_thread, self->fd, POLLIN); \
	vmig_call_result(slept); \
	if (slept == -EALREADY) \
		SKIP(return, "not checked: poll() does not wait at the temporary end"); \
	ASSERT_RET(0, slept, "sleep in poll()"); \
} while (0)

#define EXPECT_WOKEN(_thread, _why) do { \
	short woken_by; \
	EXPECT_RET(0, vmig_poll_thread_join(_thread, &woken_by), _why); \
	EXPECT_EQ(POLLIN, woken_by); \
} while (0)

CLAUSE_TEST_F(precopy_read, poll_wakes_for_changes, "precopy.poll-changes")
{
	struct vmig_poll_thread thread;
	struct vfio_precopy_info info;
	size_t bytes;
	short seen;

	ENTER_PRE_COPY();
	NEED_OP(dirty);
	SLEEP_IN_POLL(&thread);
	DIRTY(&bytes);
	/* Some drivers look for changes only when they are asked */
	ASK(&info);
	if (!info.initial_bytes && !info.dirty_bytes) {
		GO(VFIO_DEVICE_STATE_STOP_COPY);
		vmig_poll_thread_join(&thread, &seen);
		SKIP(return, "not applicable: the driver sends no changes in PRE_COPY");
	}
	EXPECT_WOKEN(&thread, "woken by a change");
}

CLAUSE_TEST_F(precopy_read, poll_wakes_for_stop_copy, "precopy.poll-stop-copy")
{
	struct vmig_poll_thread thread;

	ENTER_PRE_COPY();
	SLEEP_IN_POLL(&thread);
	GO(VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_WOKEN(&thread, "woken by STOP_COPY");
}

SUBJECT_TEST_MAIN
