/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file, pipe or socket with a stream, which has one direction.
 *
 * A destination runs its device after END_OF_STREAM only, so until that is handed over
 * a source can resume after any error. After that the channel decides what the source
 * may conclude:
 *
 *   TCP, under any name	The reader closes the connection after its device runs.
 *				A reset, by the reader, or by its kernel when the reader
 *				has died: the device does not run there, and never will.
 *				A timeout and any other error: unsure.
 *   file			On disk and under its name: success. Error: there is no
 *				stream.
 *   pipe, other sockets	Closed in the same way by a reader that has died. Success
 *				means that the stream was handed over, no more.
 *
 * vmig_channel_verdict() implements this rule. A reader confirms by
 * vmig_channel_finish(), and refuses by vmig_channel_abort().
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CHANNEL_H
#define VMIG_CHANNEL_H

#include <stdbool.h>

#include "lib/vfio/io.h"

/**
 * enum vmig_channel_way - direction
 * @VMIG_CHANNEL_WRITE:	connect, or create the file
 * @VMIG_CHANNEL_READ:	listen for one connection, or open the file
 */
enum vmig_channel_way {
	VMIG_CHANNEL_WRITE,
	VMIG_CHANNEL_READ,
};

/**
 * enum vmig_channel_end - what a source may conclude at the end
 * @VMIG_CHANNEL_TAKEN:		TCP: the destination runs; else: stored or handed over
 * @VMIG_CHANNEL_REFUSED:	the destination does not run, and never will
 * @VMIG_CHANNEL_UNSURE:	unknown whether the destination runs
 */
enum vmig_channel_end {
	VMIG_CHANNEL_TAKEN,
	VMIG_CHANNEL_REFUSED,
	VMIG_CHANNEL_UNSURE,
};

/**
 * struct vmig_channel - an open channel
 * @fd:		to read from or write to; -1 when closed
 * @way:	direction
 * @is_tcp:	it is a TCP connection
 * @patience:	limit of each wait for the other side
 * @path:	name of the file to be written, or NULL
 * @temp:	its name until it is complete
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
 * @way:	direction
 * @patience:	limit of each wait for the other side, here and later; must be valid
 *		until the channel is closed
 *
 * An existing file is not changed before vmig_channel_finish().
 *
 * Return: 0, -EINVAL for an invalid name, -ENOTTY for a terminal, -ETIMEDOUT if there
 * is no peer, -ECANCELED, or the -errno of open(), bind(), connect() and the like.
 */
int vmig_channel_open(struct vmig_channel *ch, const char *name,
		      enum vmig_channel_way way,
		      const struct vmig_patience *patience);

/**
 * vmig_channel_finish - close after the whole stream was written, or read and accepted
 * @ch:		closed in any case
 *
 * A writer waits for the end of a TCP connection, or until a file is on disk and has
 * its name.
 *
 * Return: 0 or -errno; for a writer see vmig_channel_verdict().
 */
int vmig_channel_finish(struct vmig_channel *ch);

/**
 * vmig_channel_verdict - what a source may conclude
 * @ch:		the channel
 * @is_all:	the whole stream was written, and vmig_channel_finish() called
 * @error:	return value of that, or of the write that failed
 */
enum vmig_channel_end
vmig_channel_verdict(const struct vmig_channel *ch, bool is_all, int error);

/**
 * vmig_channel_abort - close so that the other side sees a failure
 * @ch:		closed; a file that was written is removed
 */
void vmig_channel_abort(struct vmig_channel *ch);

#endif /* VMIG_CHANNEL_H */
