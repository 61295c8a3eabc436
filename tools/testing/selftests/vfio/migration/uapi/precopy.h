/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by precopy_*_test.c: the steps of a session that begins in PRE_COPY.
 */
#ifndef VMIG_PRECOPY_H
#define VMIG_PRECOPY_H

#include <errno.h>

#include "stream.h"

/* So much at once, and so often, where each read() is looked at */
#define CHUNK		(256ul << 10)
#define READS_MAX	64

/* In a device that changes by itself, what a read() finds may be newer than the answer */
#define TRIES		3

/* PRE_COPY, with @self->fd as the data_fd */
#define ENTER_PRE_COPY() do { \
	NEED2(MIGRATION, PRE_COPY); \
	BEGIN_PRE_COPY(); \
} while (0)
#define BEGIN_PRE_COPY() do { \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY, \
					 &self->fd), "to PRE_COPY"); \
	ASSERT_LE(0, self->fd) { \
		TH_LOG("no data_fd in PRE_COPY"); \
	} \
} while (0)

/* Back to RUNNING: the session ends, and its bytes are dropped */
#define CANCEL_PRE_COPY() do { \
	GO(VFIO_DEVICE_STATE_RUNNING); \
	vmig_call_close(self->fd); \
	self->fd = -1; \
	self->stream.len = 0; \
} while (0)

#define ASK(_info) \
	ASSERT_RET(0, vmig_precopy_info(self->fd, _info), "VFIO_MIG_GET_PRECOPY_INFO")

#define DIRTY(_bytes) \
	ASSERT_RET(0, self->subject.ops->dirty(self->dev, _bytes), "change the device")

#define FILL(_seed) \
	ASSERT_RET(0, self->subject.ops->fill(self->dev, _seed), "fill the device")

/* The rest of a case needs the end of the stream, which did not come */
#define SKIP_IF_LONG(_ret) do { \
	if ((_ret) == -ETIMEDOUT || (_ret) == -EFBIG) { \
		if (_metadata->exit_code == KSFT_FAIL) \
			return; \
		SKIP(return, "not checked: no end of the stream after %zu bytes", \
		     self->stream.len); \
	} \
} while (0)

/*
 * DRAIN - read all that the device has in PRE_COPY. That the end is ENOMSG is judged by
 * cases of its own; for others a driver that says 0 there is good enough.
 */
#define DRAIN() do { \
	int drained = read_to_end(self->fd, &self->stream, CHUNK); \
	SKIP_IF_LONG(drained); \
	ASSERT_TRUE(!drained || drained == -ENOMSG) { \
		TH_LOG("no temporary end after %zu bytes: %s", self->stream.len, \
		       vmig_errno_name(drained)); \
	} \
} while (0)

/* In STOP_COPY, where the end is 0 */
#define READ_REST() do { \
	int rest = read_to_end(self->fd, &self->stream, CHUNK); \
	SKIP_IF_LONG(rest); \
	ASSERT_RET(0, rest, "read to the end in STOP_COPY"); \
} while (0)

#define FINISH() do { \
	GO(VFIO_DEVICE_STATE_STOP_COPY); \
	READ_REST(); \
} while (0)

/* The stream, loaded into a device, must give the contents of @_seed */
#define EXPECT_LOADS(_seed) do { \
	struct vmig_device *loaded_dev = NULL; \
	OPEN_DESTINATION(loaded_dev); \
	ASSERT_RET(0, vmig_transfer_load(loaded_dev, &self->stream), "load the stream"); \
	EXPECT_FILLED(loaded_dev, _seed); \
} while (0)

#endif /* VMIG_PRECOPY_H */
