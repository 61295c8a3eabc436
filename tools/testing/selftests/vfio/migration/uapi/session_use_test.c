// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other threads use a data_fd when its session ends: each call returns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "session.h"

#define USERS		3
#define CALLS_MAX	300
#define DEADLINE_S	5

enum way {
	BY_STATE,	/* a SET of RUNNING */
	BY_RESET,
	BY_CLOSE,	/* the device is closed */
};

/**
 * struct user - a thread with the data_fd
 * @thread:	the thread
 * @fd:		the data_fd
 * @data:	what it writes, or NULL: it reads
 * @len:	bytes of @data
 * @began:	posted after its first call
 */
struct user {
	pthread_t thread;
	int fd;
	const uint8_t *data;
	size_t len;
	sem_t *began;
};

FIXTURE(in_use) {
	SUBJECT_MEMBERS;
	sem_t began;
	struct user user[USERS];
	unsigned int users;
};

FIXTURE_VARIANT(in_use) {
	enum vfio_device_mig_state state;
	enum way way;
};

#define IN_USE(_name, _state, _way) \
FIXTURE_VARIANT_ADD(in_use, _name) { .state = _state, .way = _way }

IN_USE(pre_copy_by_state, PRE_COPY, BY_STATE);
IN_USE(pre_copy_by_reset, PRE_COPY, BY_RESET);
IN_USE(pre_copy_by_close, PRE_COPY, BY_CLOSE);
IN_USE(stop_copy_by_state, STOP_COPY, BY_STATE);
IN_USE(stop_copy_by_reset, STOP_COPY, BY_RESET);
IN_USE(stop_copy_by_close, STOP_COPY, BY_CLOSE);
IN_USE(resuming_by_reset, RESUMING, BY_RESET);
IN_USE(resuming_by_close, RESUMING, BY_CLOSE);

FIXTURE_SETUP(in_use)
{
	ASSERT_EQ(0, sem_init(&self->began, 0, 0));
	OPEN_SUBJECT();
}

FIXTURE_TEARDOWN(in_use)
{
	CLOSE_SUBJECT();
	sem_destroy(&self->began);
}

/* Until the session has ended */
static void *use(void *opaque)
{
	struct user *user = opaque;
	uint8_t buf[13];
	unsigned int i;
	size_t done = 0;
	ssize_t n = 0;

	for (i = 0; i < CALLS_MAX && (n >= 0 || errno == ENOMSG); i++) {
		if (user->data) {
			if (done == user->len)
				break;
			/* Single bytes: a stream may be short */
			n = vmig_call_write(user->fd, user->data + done, 1);
			done += n == 1;
		} else {
			n = vmig_call_read(user->fd, buf, sizeof(buf));
		}
		events_now(user->fd);
		if (!i)
			sem_post(user->began);
	}
	return NULL;
}

/* Only one thread writes: the order of the bytes must stay */
static void start(struct __test_metadata *_metadata, FIXTURE_DATA(in_use) *self, bool loads)
{
	unsigned int i;

	self->users = loads ? 1 : USERS;
	for (i = 0; i < self->users; i++) {
		self->user[i] = (struct user) {
			.fd = self->fd, .began = &self->began,
			.data = loads ? self->stream.data : NULL, .len = self->stream.len,
		};
		ASSERT_EQ(0, pthread_create(&self->user[i].thread, NULL, use, &self->user[i]));
	}
}

/* A call that hangs must not let the case hang */
static void join(struct __test_metadata *_metadata, FIXTURE_DATA(in_use) *self)
{
	struct timespec end;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += DEADLINE_S;
	for (i = 0; i < self->users; i++) {
		ASSERT_EQ(0, pthread_timedjoin_np(self->user[i].thread, NULL, &end)) {
			TH_LOG("a call of another thread does not return");
		}
	}
}

CLAUSE_TEST_F(in_use, ends, "session.ended-in-use")
{
	const bool loads = variant->state == RESUMING;
	struct timespec end;
	unsigned int i;

	NEED_STATE(variant->state);
	if (loads)
		SAVE();
	BEGIN(variant->state, &self->fd);
	start(_metadata, self, loads);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += DEADLINE_S;
	for (i = 0; i < self->users; i++) {
		ASSERT_EQ(0, sem_timedwait(&self->began, &end)) {
			TH_LOG("a call of another thread does not return");
		}
	}
	if (variant->way == BY_CLOSE)
		vmig_device_close(self->dev);
	else if (variant->way == BY_RESET)
		RESET_LISTED();
	else
		GO(RUNNING);
	join(_metadata, self);
	if (variant->way == BY_CLOSE)
		ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	else
		EXPECT_STATE(RUNNING, self->dev, "afterwards");
}

SUBJECT_TEST_MAIN
