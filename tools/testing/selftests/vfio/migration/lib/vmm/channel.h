/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a stream goes to or comes from: a file, a pipe, a socket. Bytes go one way
 * only.
 *
 * A destination never runs its device before it has read END_OF_STREAM, so until
 * that is handed over, a source can run on after any error. Afterwards it is the
 * channel that decides what the source may conclude:
 *
 *   TCP, by whatever name	the reader closes in order once its device runs: it
 *				runs there. The reader resets the connection, or
 *				its kernel does as the reader has died: it does not
 *				run there, and never will. Silence and every other
 *				error, such as a host that is not reached: unsure.
 *   file			stored, on disk and under its name: all is well. An
 *				error on the way there: there is no stream.
 *   pipe, other sockets	these close in the same way whether the reader has
 *				died or is satisfied. All was handed over, and that
 *				is all that there is to know.
 *
 * vmig_channel_verdict() is this rule in code. A reader's side of it: it runs its
 * device only behind END_OF_STREAM, says so by vmig_channel_finish(), and says
 * that it never will by vmig_channel_abort().
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_CHANNEL_H
#define VMIG_CHANNEL_H

#include <stdbool.h>

#include "lib/vfio/io.h"

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
 * enum vmig_channel_verdict - what a source may conclude at the end
 * @VMIG_CHANNEL_TAKEN:		TCP: it runs on the other side; else: all was stored,
 *				or handed over
 * @VMIG_CHANNEL_REFUSED:	it runs nowhere else, and never will
 * @VMIG_CHANNEL_UNSURE:	it is not known whether it runs on the other side
 */
enum vmig_channel_verdict {
	VMIG_CHANNEL_TAKEN,
	VMIG_CHANNEL_REFUSED,
	VMIG_CHANNEL_UNSURE,
};

/**
 * struct vmig_channel - an open channel
 * @fd:		to read from or write to; -1 when closed
 * @way:	which of the two
 * @is_tcp:	it is a TCP connection
 * @patience:	for how long to wait for the other side
 * @path:	file that is to be written, or NULL
 * @temp:	what it is called until it is complete
 */
struct vmig_channel {
	int fd;
	enum vmig_channel_way way;
	bool is_tcp;
	const struct vmig_patience *patience;
	char *path;
	char *temp;
};

/**
 * vmig_channel_open - open a channel by its name
 * @ch:		filled in
 * @name:	"-" (standard output or input), "fd:N", "tcp:HOST:PORT" with an
 *		address for HOST (IPv6 in brackets; empty is any, to listen on), or
 *		a path
 * @way:	which way
 * @patience:	for how long to wait for the other side, here and later; must be
 *		there until the channel is closed
 *
 * A file of that name is left as it is until vmig_channel_finish().
 *
 * Return: 0, -EINVAL for a name that makes no sense, -ENOTTY for a terminal,
 * -ETIMEDOUT if no peer was there in time, -ECANCELED, or the -errno of open(),
 * bind(), connect() and the like.
 */
int vmig_channel_open(struct vmig_channel *ch, const char *name,
		      enum vmig_channel_way way,
		      const struct vmig_patience *patience);

/**
 * vmig_channel_finish - all has been written, or read and found right
 * @ch:		closed, whatever is returned
 *
 * A writer waits here for what a TCP connection has to say, or until a file is on
 * disk and has its name.
 *
 * Return: 0 or -errno; what a writer's means is vmig_channel_verdict()'s to say.
 */
int vmig_channel_finish(struct vmig_channel *ch);

/**
 * vmig_channel_verdict - what a source may conclude
 * @ch:		what it has written to
 * @is_all:	vmig_channel_finish() has been called, so all had been written
 * @error:	what that, or the write that failed, has returned
 */
enum vmig_channel_verdict
vmig_channel_verdict(const struct vmig_channel *ch, bool is_all, int error);

/**
 * vmig_channel_abort - close it so that the other side knows that something is wrong
 * @ch:		closed; of a file that was written nothing is left
 */
void vmig_channel_abort(struct vmig_channel *ch);

#endif /* VMIG_CHANNEL_H */
