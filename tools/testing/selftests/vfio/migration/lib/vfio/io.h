/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read and write with a timeout, for descriptors with a slow peer, or none.
 *
 * A wait ends when the descriptor is ready, at its timeout, or when it is cancelled.
 * A signal with a handler, or SIGSTOP and SIGCONT, does not end it and does not make
 * it longer. Descriptors may be blocking or non-blocking.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_IO_H
#define VMIG_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct vmig_patience - what ends a wait
 * @timeout_ms:	milliseconds for each wait; -1: no limit
 * @cancel_fd:	end waits when it is readable; -1: none
 *
 * A NULL pointer means: no limit and no @cancel_fd.
 */
struct vmig_patience {
	int timeout_ms;
	int cancel_fd;
};

/**
 * vmig_io_wait - wait for a descriptor
 * @fd:		the descriptor; -1: wait for the timeout or @cancel_fd only
 * @events:	POLL*
 * @patience:	what ends the wait
 *
 * Return: 0 for an event, POLLERR and POLLHUP included; -ECANCELED, -ETIMEDOUT, or
 * another -errno of poll().
 */
int vmig_io_wait(int fd, short events, const struct vmig_patience *patience);

/**
 * vmig_io_read - wait, then read once
 * @fd:		the descriptor
 * @buf:	destination
 * @len:	bytes of @buf
 * @patience:	what ends the wait
 *
 * Return: bytes, 0 at end of file, or the -errno of vmig_io_wait() or read().
 */
ssize_t vmig_io_read(int fd, void *buf, size_t len,
		     const struct vmig_patience *patience);

/**
 * vmig_io_write - write all
 * @fd:		the descriptor; a socket raises no SIGPIPE
 * @buf:	the bytes
 * @len:	bytes of @buf
 * @patience:	what ends each wait
 *
 * On failure a part may have been written, but never the last byte.
 *
 * Return: 0, or the -errno of vmig_io_wait(), write() or send().
 */
int vmig_io_write(int fd, const void *buf, size_t len,
		  const struct vmig_patience *patience);

#endif /* VMIG_IO_H */
