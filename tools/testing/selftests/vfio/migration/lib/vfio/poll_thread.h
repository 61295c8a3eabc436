/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that sleeps in poll(), and what woke it.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_POLL_THREAD_H
#define VMIG_POLL_THREAD_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

/* How long something that must wake a sleeper may take */
#define VMIG_POLL_THREAD_DEADLINE_MS	5000

/**
 * struct vmig_poll_thread - one sleeper
 * @pfd:	what it waits for
 * @ret:	what poll() returned, 0 if nothing woke it in time
 * @running:	there is a thread to join
 * @tid:	of the thread, once it is there
 * @thread:	itself
 */
struct vmig_poll_thread {
	struct pollfd pfd;
	int ret;
	bool running;
	int tid;
	pthread_t thread;
};

/**
 * vmig_poll_thread_start - put a thread to sleep in poll()
 * @waiter:	to be filled in
 * @fd:		what to wait on
 * @events:	POLL*; 0 for POLLERR and POLLHUP alone
 *
 * Returns once the kernel says that the thread is asleep, so that what comes
 * next really has to wake it.
 *
 * Return: 0, -EALREADY if there was nothing to wait for, -ETIMEDOUT if the
 * thread did not fall asleep, or another -errno.
 */
int vmig_poll_thread_start(struct vmig_poll_thread *waiter, int fd, short events);

/**
 * vmig_poll_thread_join - wait until the thread has been woken
 * @waiter:	from vmig_poll_thread_start()
 * @revents:	what it was woken by
 *
 * Return: 0, -ETIMEDOUT if nothing woke it, or another -errno.
 */
int vmig_poll_thread_join(struct vmig_poll_thread *waiter, short *revents);

#endif /* VMIG_POLL_THREAD_H */
