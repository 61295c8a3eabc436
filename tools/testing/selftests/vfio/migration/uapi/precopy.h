/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by precopy_*_test.c: reading a stream that a wrong driver may never end, and
 * loading it.
 */
#ifndef VMIG_PRECOPY_H
#define VMIG_PRECOPY_H

#include <errno.h>

#include "uapi.h"

/*
 * A case gives up a stream that is longer than this, or takes longer: a device may have much
 * data, and a wrong driver may never end them.
 */
#define STREAM_MAX	(256ul * 1024 * 1024)
#define STREAM_MS	4000

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

/*
 * Read once, and append to @out. Return: bytes, 0 for an end, or the -errno of read();
 * -EOVERFLOW if read() says that it gave more than was asked for.
 */
static inline ssize_t read_once(int fd, struct vmig_bytes *out, size_t len)
{
	ssize_t got;
	int ret;

	ret = vmig_bytes_reserve(out, len);
	if (ret)
		return ret;
	got = vmig_call_read(fd, out->data + out->len, len);
	if (got < 0)
		return -errno;
	if ((size_t)got > len)
		return -EOVERFLOW;
	out->len += got;
	return got;
}

/*
 * Read until there is an end. Return: 0, the -errno of read(), which is -ENOMSG at the
 * temporary end, or -EFBIG or -ETIMEDOUT if no end comes.
 */
static inline int read_to_end(int fd, struct vmig_bytes *out)
{
	int64_t give_up = vmig_now_ms() + STREAM_MS;
	ssize_t got;

	do {
		if (out->len > STREAM_MAX)
			return -EFBIG;
		if (vmig_now_ms() > give_up)
			return -ETIMEDOUT;
		got = read_once(fd, out, CHUNK);
	} while (got > 0);
	return got;
}

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
	int drained = read_to_end(self->fd, &self->stream); \
	SKIP_IF_LONG(drained); \
	ASSERT_TRUE(!drained || drained == -ENOMSG) { \
		TH_LOG("no temporary end after %zu bytes: %s", self->stream.len, \
		       vmig_errno_name(drained)); \
	} \
} while (0)

/* In STOP_COPY, where the end is 0 */
#define READ_REST() do { \
	int rest = read_to_end(self->fd, &self->stream); \
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
