/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a stream that is very long, or has no end: a device may have much data, and in
 * PRE_COPY it may have new data at each read().
 */
#ifndef VMIG_STREAM_H
#define VMIG_STREAM_H

#include <errno.h>

#include "uapi.h"

/* read_to_end() gives up a stream that is longer than this, or takes longer */
#define STREAM_MAX	(256ul * 1024 * 1024)
#define STREAM_MS	4000

/*
 * SKIP_IF_TOO_LONG - @_ret is the result of vmig_transfer_read(), or of a function that
 * calls it. A stream may have any length, but the suite keeps it in memory.
 */
#define SKIP_IF_TOO_LONG(_ret) do { \
	if ((_ret) == -EFBIG && _metadata->exit_code == KSFT_FAIL) \
		return; \
	if ((_ret) == -EFBIG) \
		SKIP(return, "not checked: the stream has more than 1 GiB"); \
} while (0)

/* ASSERT_STREAM - a read of a whole stream that the case judges */
#define ASSERT_STREAM(_call, _what) do { \
	int stream_ret = (_call); \
	SKIP_IF_TOO_LONG(stream_ret); \
	ASSERT_RET(0, stream_ret, "%s", _what); \
} while (0)

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
 * Read until there is an end, @chunk bytes at a time. Return: 0, the -errno of read(),
 * which is -ENOMSG at the temporary end, or -EFBIG or -ETIMEDOUT if no end comes.
 */
static inline int read_to_end(int fd, struct vmig_bytes *out, size_t chunk)
{
	int64_t give_up = vmig_now_ms() + STREAM_MS;
	ssize_t got;

	do {
		if (out->len > STREAM_MAX)
			return -EFBIG;
		if (vmig_now_ms() > give_up)
			return -ETIMEDOUT;
		got = read_once(fd, out, chunk);
	} while (got > 0);
	return got;
}

/*
 * Read what a device has in PRE_COPY. Return: 0 also if it has new data all the time: the
 * rest comes in STOP_COPY.
 */
static inline int read_pre_copy(int fd, struct vmig_bytes *out, size_t chunk)
{
	int ret = read_to_end(fd, out, chunk);

	return ret == -ENOMSG || ret == -EFBIG || ret == -ETIMEDOUT ? 0 : ret;
}

#endif /* VMIG_STREAM_H */
