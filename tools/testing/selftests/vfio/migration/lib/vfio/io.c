// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing with a limit to each wait; see io.h. */
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

	/* poll() looks before it lets a signal end it, even with no time left */
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

static int is_to_be_repeated(ssize_t n)
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
	} while (is_to_be_repeated(n));
	return n < 0 ? -errno : n;
}

/*
 * A pipe that is ready takes PIPE_BUF bytes without a wait; a
 * file takes all.
 */
static size_t most_at_once(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? SIZE_MAX : PIPE_BUF;
}

static ssize_t write_some(int fd, const void *buf, size_t len, size_t most)
{
	ssize_t n = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno == ENOTSOCK)
		n = write(fd, buf, len < most ? len : most);
	if (!n) {
		errno = EIO;
		return -1;
	}
	return n;
}

int vmig_io_write(int fd, const void *buf, size_t len,
		  const struct vmig_patience *patience)
{
	size_t most = most_at_once(fd);
	size_t done = 0;

	while (done < len) {
		ssize_t n;
		int ret;

		ret = vmig_io_wait(fd, POLLOUT, patience);
		if (ret)
			return ret;
		n = write_some(fd, (const char *)buf + done, len - done, most);
		if (n < 0 && !is_to_be_repeated(n))
			return -errno;
		if (n > 0)
			done += n;
	}
	return 0;
}
