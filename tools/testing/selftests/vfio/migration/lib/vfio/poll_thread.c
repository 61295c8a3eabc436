// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "io.h"
#include "poll_thread.h"
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

/* Does the thread sleep? Return: 0, or -errno if that is not known */
static int is_asleep(struct vmig_poll_thread *thread, bool *asleep)
{
	int tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE);
	char path[64], line[512];
	const char *state;
	FILE *file;

	*asleep = false;
	if (!tid)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)	/* The thread has ended */
		return -EALREADY;
	state = fgets(line, sizeof(line), file);
	fclose(file);
	if (!state)
		return -EALREADY;
	state = strrchr(line, ')');
	*asleep = state && state[1] == ' ' && state[2] == 'S';
	return 0;
}

int vmig_poll_thread_start(struct vmig_poll_thread *thread, int fd, short events)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int ms, ret;
	bool asleep;

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
		ret = is_asleep(thread, &asleep);
		if (ret || asleep)
			return ret;
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
