/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device data through a data_fd, with no VMM around it: read a stream into
 * memory, write one from memory, and bring a device into any migration state.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_TRANSFER_H
#define VMIG_TRANSFER_H

#include <stddef.h>
#include <linux/vfio.h>

#include "bytes.h"
#include "device.h"

/* A chunk that takes any of the streams here in few system calls */
#define VMIG_TRANSFER_CHUNK	(256 * 1024)

/**
 * vmig_transfer_read - read a data_fd until it has nothing more
 * @data_fd:	of a saving session
 * @out:	what is read is appended
 * @chunk:	bytes to ask for in one read()
 *
 * Return: 0 at the end of the stream, -ENOMSG at its temporary end, or another
 * -errno of read().
 */
int vmig_transfer_read(int data_fd, struct vmig_bytes *out, size_t chunk);

/**
 * vmig_transfer_write - write to a data_fd until all is taken
 * @data_fd:	of a resuming session
 * @data:	what to write
 * @len:	how much
 * @chunk:	bytes to offer in one write()
 * @taken:	how much was taken, also on failure; may be NULL
 *
 * Return: 0 or the -errno of write(); -EIO if it took nothing and did not fail.
 */
int vmig_transfer_write(int data_fd, const void *data, size_t len,
			size_t chunk, size_t *taken);

/**
 * vmig_transfer_save - the whole stream of a device
 * @dev:	in any state that leads to STOP_COPY without a session being
 *		open; it is left in STOP_COPY
 * @out:	the stream is appended
 */
int vmig_transfer_save(struct vmig_device *dev, struct vmig_bytes *out);

/**
 * vmig_transfer_load - load a whole stream
 * @dev:	in any state that leads to RESUMING; it is left in STOP, or
 *		wherever it was when something failed
 * @stream:	what to load
 *
 * Return: 0, or the -errno of the first call that failed.
 */
int vmig_transfer_load(struct vmig_device *dev, const struct vmig_bytes *stream);

/**
 * vmig_transfer_offer - what a device makes of a stream that may be bad
 * @dev:	in any state that leads to RESUMING
 * @stream:	what to offer
 * @write_err:	0 or the -errno of write()
 *
 * Return: 0 or the -errno of the request for STOP that follows, or of the one
 * for RESUMING (then @write_err is 0).
 */
int vmig_transfer_offer(struct vmig_device *dev,
			const struct vmig_bytes *stream, int *write_err);

/**
 * vmig_transfer_reach - bring a running device into a state
 * @dev:	in RUNNING
 * @state:	where to; ERROR is reached by offering a stream that is none
 * @stream:	what to write in RESUMING, or NULL for nothing
 * @data_fd:	the fd of the session that is open there, or -1
 *
 * Return: 0 or -errno; -EPROTO if ERROR could not be reached.
 */
int vmig_transfer_reach(struct vmig_device *dev,
			enum vfio_device_mig_state state,
			const struct vmig_bytes *stream, int *data_fd);

#endif /* VMIG_TRANSFER_H */
