/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that sleeps in poll(), and what woke it.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_WAITER_H
#define VMIG_WAITER_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

/* How long something that must wake a sleeper may take */
#define VMIG_WAITER_DEADLINE_MS	5000

/**
 * struct vmig_waiter - one sleeper
 * @pfd:	what it waits for
 * @ret:	what poll() returned, 0 if nothing woke it in time
 * @running:	there is a thread to join
 * @tid:	of the thread, once it is there
 * @thread:	itself
 */
struct vmig_waiter {
	struct pollfd pfd;
	int ret;
	bool running;
	int tid;
	pthread_t thread;
};

/**
 * vmig_waiter_start - put a thread to sleep in poll()
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
int vmig_waiter_start(struct vmig_waiter *waiter, int fd, short events);

/**
 * vmig_waiter_join - wait until the thread has been woken
 * @waiter:	from vmig_waiter_start()
 * @revents:	what it was woken by
 *
 * Return: 0, -ETIMEDOUT if nothing woke it, or another -errno.
 */
int vmig_waiter_join(struct vmig_waiter *waiter, short *revents);

#endif /* VMIG_WAITER_H */
