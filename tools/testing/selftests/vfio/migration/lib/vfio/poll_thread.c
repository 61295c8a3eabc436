// SPDX-License-Identifier: GPL-2.0-only
/* A thread that sleeps in poll(); see waiter.h. */
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
 * When its time is up, poll() looks once more and reports what it finds, as if
 * it had been woken: only the clock tells the difference.
 */
static void *wait_in_poll(void *arg)
{
	struct vmig_poll_thread *waiter = arg;
	int64_t end = vmig_now_ms() + VMIG_POLL_THREAD_DEADLINE_MS;
	int64_t left = VMIG_POLL_THREAD_DEADLINE_MS;

	__atomic_store_n(&waiter->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	do {
		waiter->ret = poll(&waiter->pfd, 1, left);
		left = end - vmig_now_ms();
	} while (waiter->ret < 0 && errno == EINTR && left > 0);
	if (waiter->ret < 0 && errno != EINTR)
		waiter->ret = -errno;
	else if (left <= 0)
		waiter->ret = 0;
	return NULL;
}

/* Is the thread in poll() and off the CPU?  0, or why this cannot be told */
static int is_asleep(struct vmig_poll_thread *waiter, bool *asleep)
{
	int tid = __atomic_load_n(&waiter->tid, __ATOMIC_ACQUIRE);
	char path[64], line[512];
	const char *state;
	FILE *file;

	*asleep = false;
	if (!tid)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)	/* it has come and gone */
		return -EALREADY;
	state = fgets(line, sizeof(line), file);
	fclose(file);
	if (!state)
		return -EALREADY;
	state = strrchr(line, ')');
	*asleep = state && state[1] == ' ' && state[2] == 'S';
	return 0;
}

int vmig_poll_thread_start(struct vmig_poll_thread *waiter, int fd, short events)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int ms, ret;
	bool asleep;

	memset(waiter, 0, sizeof(*waiter));
	waiter->pfd.fd = fd;
	waiter->pfd.events = events;
	ret = poll(&waiter->pfd, 1, 0);
	if (ret)
		return ret < 0 ? -errno : -EALREADY;

	ret = pthread_create(&waiter->thread, NULL, wait_in_poll, waiter);
	if (ret)
		return -ret;
	waiter->running = true;

	for (ms = 0; ms < VMIG_POLL_THREAD_DEADLINE_MS; ms++) {
		ret = is_asleep(waiter, &asleep);
		if (ret || asleep)
			return ret;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

int vmig_poll_thread_join(struct vmig_poll_thread *waiter, short *revents)
{
	int ret;

	*revents = 0;
	if (!waiter->running)
		return -ESRCH;
	ret = pthread_join(waiter->thread, NULL);
	waiter->running = false;
	if (ret)
		return -ret;
	if (waiter->ret < 0)
		return waiter->ret;
	*revents = waiter->pfd.revents;
	return waiter->ret ? 0 : -ETIMEDOUT;
}
