/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and writing where another process may be slow, or may never come.
 *
 * A wait ends when there is something to do, when its time is up, or when it is
 * cancelled. Nothing else ends it: a signal with a handler, or a stop and a
 * continue, changes nothing, nor how long it takes. A descriptor may be in
 * non-blocking mode or not.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_IO_H
#define VMIG_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct vmig_patience - what ends a wait
 * @timeout_ms:	how long the other side may do nothing, in milliseconds; -1: for ever
 * @cancel_fd:	waits end when it can be read; -1: there is no such thing
 *
 * Where a pointer to one is expected, NULL waits for ever.
 */
struct vmig_patience {
	int timeout_ms;
	int cancel_fd;
};

/**
 * vmig_io_wait - wait for a descriptor
 * @fd:		the descriptor; -1 to wait for the end of @patience alone
 * @events:	POLL*
 * @patience:	for how long
 *
 * Return: 0 when there is something to do, an error or a hang-up included;
 * -ECANCELED, -ETIMEDOUT, or another -errno of poll().
 */
int vmig_io_wait(int fd, short events, const struct vmig_patience *patience);

/**
 * vmig_io_read - read what is there, after a wait for it
 * @fd:		the descriptor
 * @buf:	where to
 * @len:	at most so many bytes
 * @patience:	for how long
 *
 * Return: bytes, 0 at the end, or the -errno of vmig_io_wait() or read().
 */
ssize_t vmig_io_read(int fd, void *buf, size_t len,
		     const struct vmig_patience *patience);

/**
 * vmig_io_write - write all
 * @fd:		the descriptor; a socket raises no SIGPIPE
 * @buf:	from where
 * @len:	bytes
 * @patience:	for how long, whenever nothing is taken
 *
 * On failure some of it may have been taken, but not the last byte.
 *
 * Return: 0, or the -errno of vmig_io_wait(), write() or send().
 */
int vmig_io_write(int fd, const void *buf, size_t len,
		  const struct vmig_patience *patience);

#endif /* VMIG_IO_H */
