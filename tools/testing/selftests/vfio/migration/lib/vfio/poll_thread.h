/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that sleeps in poll().
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_POLL_THREAD_H
#define VMIG_POLL_THREAD_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

/* Timeout for an event that must wake the thread */
#define VMIG_POLL_THREAD_DEADLINE_MS	5000

/**
 * struct vmig_poll_thread - the thread
 * @pfd:	argument of poll()
 * @ret:	result of poll(), -errno, or 0 at the timeout
 * @running:	the thread must be joined
 * @tid:	thread ID, set by the thread; 0 before
 * @thread:	for pthread_join()
 */
struct vmig_poll_thread {
	struct pollfd pfd;
	int ret;
	bool running;
	int tid;
	pthread_t thread;
};

/**
 * vmig_poll_thread_start - start a thread that sleeps in poll()
 * @thread:	filled in
 * @fd:		the descriptor
 * @events:	POLL*; 0 for POLLERR and POLLHUP alone
 *
 * Returns when the kernel shows the thread as sleeping, so a later event must wake it.
 *
 * Return: 0, -EALREADY if an event is there already, -ETIMEDOUT if the thread does not
 * sleep, or another -errno.
 */
int vmig_poll_thread_start(struct vmig_poll_thread *thread, int fd, short events);

/**
 * vmig_poll_thread_join - wait until an event has woken the thread
 * @thread:	from vmig_poll_thread_start()
 * @revents:	set to the events
 *
 * Return: 0, -ETIMEDOUT if there was no event, or another -errno.
 */
int vmig_poll_thread_join(struct vmig_poll_thread *thread, short *revents);

#endif /* VMIG_POLL_THREAD_H */
