// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "io.h"
#include "util.h"

int vmig_io_wait(int fd, short events, const struct vmig_patience *patience)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = events },
		{ .fd = patience ? patience->cancel_fd : -1, .events = POLLIN },
	};
	int64_t limit = patience ? patience->timeout_ms : -1;
	int64_t left = limit, end = vmig_now_ms() + limit;
	int ret;

	/* poll() checks the descriptors before signals, even with a timeout of 0 */
	while ((ret = poll(pfd, 2, left)) < 0 && errno == EINTR && left) {
		if (limit >= 0)
			left = end - vmig_now_ms();
		if (limit >= 0 && left < 0)
			left = 0;
	}
	if (ret < 0 && errno != EINTR)
		return -errno;
	if (pfd[1].revents && ret > 0)
		return -ECANCELED;
	return ret > 0 ? 0 : -ETIMEDOUT;
}

static int must_repeat(ssize_t n)
{
	return n < 0 && (errno == EINTR || errno == EAGAIN);
}

ssize_t vmig_io_read(int fd, void *buf, size_t len,
		     const struct vmig_patience *patience)
{
	ssize_t n;
	int ret;

	do {
		ret = vmig_io_wait(fd, POLLIN, patience);
		if (ret)
			return ret;
		n = read(fd, buf, len);
	} while (must_repeat(n));
	return n < 0 ? -errno : n;
}

/* A pipe that is ready takes PIPE_BUF bytes without blocking; a file takes all */
static size_t max_write(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? SIZE_MAX : PIPE_BUF;
}

static ssize_t write_some(int fd, const void *buf, size_t len, size_t max)
{
	ssize_t n = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno == ENOTSOCK)
		n = write(fd, buf, len < max ? len : max);
	if (!n) {
		errno = EIO;
		return -1;
	}
	return n;
}

int vmig_io_write(int fd, const void *buf, size_t len,
		  const struct vmig_patience *patience)
{
	size_t max = max_write(fd);
	size_t done = 0;

	while (done < len) {
		ssize_t n;
		int ret;

		ret = vmig_io_wait(fd, POLLOUT, patience);
		if (ret)
			return ret;
		n = write_some(fd, (const char *)buf + done, len - done, max);
		if (n < 0 && !must_repeat(n))
			return -errno;
		if (n > 0)
			done += n;
	}
	return 0;
}
