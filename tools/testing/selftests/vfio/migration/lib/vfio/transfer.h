/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device data through a data_fd, without a VMM: read a stream into memory, write it
 * from memory, and bring a device into any migration state.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_TRANSFER_H
#define VMIG_TRANSFER_H

#include <stddef.h>
#include <linux/vfio.h>

#include "bytes.h"
#include "device.h"
#include "feature.h"

/* Bytes for one read() or write() */
#define VMIG_TRANSFER_CHUNK	(256 * 1024)

/* A driver whose stream does not end is stopped here */
#define VMIG_TRANSFER_MAX	(1024ull * 1024 * 1024)

/**
 * vmig_transfer_read - read a data_fd to the end
 * @data_fd:	of a saving session
 * @out:	the data is appended
 * @chunk:	bytes for one read()
 *
 * Return: 0 at the end of the stream, -ENOMSG at its temporary end (vfio.h,
 * VFIO_MIG_GET_PRECOPY_INFO), -EFBIG after VMIG_TRANSFER_MAX bytes, -EOVERFLOW if read()
 * returned more than @chunk, or another -errno of read().
 */
int vmig_transfer_read(int data_fd, struct vmig_bytes *out, size_t chunk);

/**
 * vmig_transfer_write - write all to a data_fd
 * @data_fd:	of a resuming session
 * @data:	the data
 * @len:	bytes of @data
 * @chunk:	bytes for one write()
 * @taken:	set to the number of bytes written, also on failure; may be NULL
 *
 * Return: 0 or the -errno of write(); -EIO if write() returned 0.
 */
int vmig_transfer_write(int data_fd, const void *data, size_t len,
			size_t chunk, size_t *taken);

/**
 * vmig_transfer_save_config - save config space, then the whole stream of a device
 * @dev:	in RUNNING or STOP; STOP_COPY afterwards
 * @snapshot:	filled in; its size is 0 if the device was not opted in
 * @out:	the stream is appended
 */
int vmig_transfer_save_config(struct vmig_device *dev,
			      struct vmig_snapshot *snapshot,
			      struct vmig_bytes *out);

/** vmig_transfer_save - the same without config space, for a device not opted in */
int vmig_transfer_save(struct vmig_device *dev, struct vmig_bytes *out);

/**
 * vmig_transfer_load_config - load config space, then a whole stream
 * @dev:	opted in, in any state with a path to RESUMING; STOP afterwards
 * @snapshot:	the snapshot
 * @stream:	the stream
 *
 * Return: 0, or the -errno of the first call that failed.
 */
int vmig_transfer_load_config(struct vmig_device *dev,
			      const struct vmig_snapshot *snapshot,
			      const struct vmig_bytes *stream);

/**
 * vmig_transfer_load - load a whole stream
 * @dev:	in any state with a path to RESUMING; STOP afterwards
 * @stream:	the stream
 *
 * Return: 0, or the -errno of the first call that failed.
 */
int vmig_transfer_load(struct vmig_device *dev, const struct vmig_bytes *stream);

/**
 * vmig_transfer_offer - load a stream that may be refused
 * @dev:	in any state with a path to RESUMING
 * @stream:	the stream
 * @write_err:	set to 0 or the -errno of write()
 *
 * Return: 0, or the -errno of the change to STOP, which is requested also after a
 * failed write(); or that of the change to RESUMING, with a @write_err of 0.
 */
int vmig_transfer_offer(struct vmig_device *dev,
			const struct vmig_bytes *stream, int *write_err);

/**
 * vmig_transfer_reach - bring a running device into a state
 * @dev:	in RUNNING
 * @state:	the state; for ERROR, an invalid stream is loaded
 * @stream:	written in RESUMING, unless NULL
 * @data_fd:	set to the fd of the session that is open in @state, or -1
 *
 * Return: 0 or -errno; -EPROTO if ERROR could not be reached.
 */
int vmig_transfer_reach(struct vmig_device *dev,
			enum vfio_device_mig_state state,
			const struct vmig_bytes *stream, int *data_fd);

#endif /* VMIG_TRANSFER_H */
