// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "io.h"
#include "poll_thread.h"
#include "thread.h"
#include "util.h"

/*
 * At its timeout, poll() checks the descriptors once more and reports events as if
 * they had woken it. Only the clock shows the difference.
 */
static void *wait_in_poll(void *arg)
{
	struct vmig_poll_thread *thread = arg;
	int64_t end = vmig_now_ms() + VMIG_POLL_THREAD_DEADLINE_MS;
	int64_t left = VMIG_POLL_THREAD_DEADLINE_MS;

	__atomic_store_n(&thread->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	do {
		thread->ret = poll(&thread->pfd, 1, left);
		left = end - vmig_now_ms();
	} while (thread->ret < 0 && errno == EINTR && left > 0);
	if (thread->ret < 0 && errno != EINTR)
		thread->ret = -errno;
	else if (left <= 0)
		thread->ret = 0;
	return NULL;
}

int vmig_poll_thread_start(struct vmig_poll_thread *thread, int fd, short events)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int ms, ret;

	memset(thread, 0, sizeof(*thread));
	thread->pfd.fd = fd;
	thread->pfd.events = events;
	ret = poll(&thread->pfd, 1, 0);
	if (ret)
		return ret < 0 ? -errno : -EALREADY;

	ret = pthread_create(&thread->thread, NULL, wait_in_poll, thread);
	if (ret)
		return -ret;
	thread->running = true;

	for (ms = 0; ms < VMIG_POLL_THREAD_DEADLINE_MS; ms++) {
		ret = vmig_thread_sleeps(__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE));
		if (ret < 0)	/* The thread has ended */
			return -EALREADY;
		if (ret)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

int vmig_poll_thread_join(struct vmig_poll_thread *thread, short *revents)
{
	int ret;

	*revents = 0;
	if (!thread->running)
		return -ESRCH;
	ret = pthread_join(thread->thread, NULL);
	thread->running = false;
	if (ret)
		return -ret;
	if (thread->ret < 0)
		return thread->ret;
	*revents = thread->pfd.revents;
	return thread->ret ? 0 : -ETIMEDOUT;
}
