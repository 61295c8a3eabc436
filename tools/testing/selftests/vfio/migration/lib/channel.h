/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a stream goes to or comes from: a file, a pipe, a TCP connection.  Bytes
 * go one way only.
 *
 * Over TCP the writer still learns whether the reader is satisfied, from the
 * connection itself: a reader closes it in order when all is well, and resets it
 * otherwise.  A peer that says nothing for too long is an error on both sides.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_CHANNEL_H
#define VMIG_CHANNEL_H

/**
 * enum vmig_channel_way - which way it goes
 * @VMIG_CHANNEL_WRITE:	connects, or creates the file
 * @VMIG_CHANNEL_READ:	listens for one connection, or opens the file
 */
enum vmig_channel_way {
	VMIG_CHANNEL_WRITE,
	VMIG_CHANNEL_READ,
};

/**
 * struct vmig_channel - an open channel
 * @fd:		to read() from or write() to
 * @way:	which of the two
 * @is_tcp:	it is a connection
 * @timeout_ms:	how long the peer may say nothing
 */
struct vmig_channel {
	int fd;
	enum vmig_channel_way way;
	int is_tcp;
	int timeout_ms;
};

/**
 * vmig_channel_open - open a channel by its name
 * @ch:		filled in
 * @name:	"-" (standard output or input), "fd:N", "tcp:HOST:PORT" with an
 *		address for HOST (IPv6 in brackets; empty is any, to listen on), or
 *		a path
 * @way:	which way
 * @timeout_ms:	how long to wait for a connection, and later for the peer
 *
 * Return: 0, -EINVAL for a name that makes no sense, -ENOTTY for a terminal,
 * -ETIMEDOUT if no peer was there in time, or the -errno of open(), bind(),
 * connect() and the like.
 */
int vmig_channel_open(struct vmig_channel *ch, const char *name,
		      enum vmig_channel_way way, int timeout_ms);

/**
 * vmig_channel_finish - all has been written, or read and found right
 * @ch:		closed, whatever is returned
 *
 * Return: 0; for a writer also -ECONNRESET if the reader was not satisfied,
 * -ETIMEDOUT if it did not say, or the -errno of close().
 */
int vmig_channel_finish(struct vmig_channel *ch);

/** vmig_channel_abort - close it so that the peer knows that something is wrong */
void vmig_channel_abort(struct vmig_channel *ch);

#endif /* VMIG_CHANNEL_H */
