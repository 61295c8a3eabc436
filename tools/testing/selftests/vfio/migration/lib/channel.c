// SPDX-License-Identifier: GPL-2.0-only
/* Where a stream goes to or comes from; see channel.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "channel.h"

/* An address of either family */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_number(const char *text, long max, long *number)
{
	char *end;

	errno = 0;
	*number = strtol(text, &end, 10);
	if (errno || end == text || *end || *number < 0 || *number > max)
		return -EINVAL;
	return 0;
}

static int parse_v6(const char *host, size_t len, union address *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (len < 2 || host[len - 1] != ']' || len - 2 >= sizeof(text))
		return -EINVAL;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	addr->v6.sin6_family = AF_INET6;
	return inet_pton(AF_INET6, text, &addr->v6.sin6_addr) == 1 ? 0 :
								     -EINVAL;
}

static int parse_v4(const char *host, size_t len, union address *addr)
{
	char text[INET_ADDRSTRLEN];

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, host, len);
	text[len] = '\0';
	addr->v4.sin_family = AF_INET;
	/* No names: a static program cannot look them up */
	return inet_pton(AF_INET, text, &addr->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

/* HOST:PORT; an empty host is all of this machine's addresses */
static int parse_address(const char *name, union address *addr, socklen_t *len)
{
	const char *colon = strrchr(name, ':');
	long port;
	int ret;

	if (!colon)
		return -EINVAL;
	ret = parse_number(colon + 1, 65535, &port);
	if (ret)
		return ret;

	memset(addr, 0, sizeof(*addr));
	if (colon == name)
		addr->v4.sin_family = AF_INET;
	else if (*name == '[')
		ret = parse_v6(name, colon - name, addr);
	else
		ret = parse_v4(name, colon - name, addr);
	if (ret)
		return ret;

	if (addr->any.sa_family == AF_INET6) {
		addr->v6.sin6_port = htons(port);
		*len = sizeof(addr->v6);
	} else {
		addr->v4.sin_port = htons(port);
		*len = sizeof(addr->v4);
	}
	return 0;
}

/* To close it shall mean a reset, or not */
static void set_linger(const struct vmig_channel *ch, int reset)
{
	const struct linger linger = { .l_onoff = reset };

	setsockopt(ch->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* What a peer that has died, or a link that is cut, costs at most */
static void limit_silence(const struct vmig_channel *ch)
{
	const struct timeval limit = {
		.tv_sec = ch->timeout_ms / 1000,
		.tv_usec = ch->timeout_ms % 1000 * 1000,
	};
	unsigned int ms = ch->timeout_ms;

	setsockopt(ch->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(ch->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(ch->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static int wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	return ret ? 0 : -ETIMEDOUT;
}

static int do_connect(struct vmig_channel *ch, const union address *addr,
		      socklen_t len)
{
	socklen_t size = sizeof(int);
	int ret, error = 0;

	if (!connect(ch->fd, &addr->any, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	ret = wait_for(ch->fd, POLLOUT, ch->timeout_ms);
	if (!ret && getsockopt(ch->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		ret = -errno;
	return ret ? ret : -error;
}

/* The listening socket gives way to the first connection */
static int do_accept(struct vmig_channel *ch, const union address *addr,
		     socklen_t len)
{
	int one = 1;
	int ret, fd;

	setsockopt(ch->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(ch->fd, &addr->any, len) || listen(ch->fd, 1))
		return -errno;
	ret = wait_for(ch->fd, POLLIN, ch->timeout_ms);
	if (ret)
		return ret;
	fd = accept(ch->fd, NULL, NULL);
	if (fd < 0)
		return -errno;
	close(ch->fd);
	ch->fd = fd;
	return 0;
}

static int open_tcp(struct vmig_channel *ch, const char *name)
{
	union address addr;
	socklen_t len;
	int ret;

	ret = parse_address(name, &addr, &len);
	if (ret)
		return ret;
	ch->fd = socket(addr.any.sa_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ch->fd < 0)
		return -errno;
	ch->is_tcp = 1;
	if (ch->way == VMIG_CHANNEL_WRITE)
		ret = do_connect(ch, &addr, len);
	else
		ret = do_accept(ch, &addr, len);
	if (!ret && fcntl(ch->fd, F_SETFL, 0))
		ret = -errno;
	if (ret) {
		close(ch->fd);
		ch->fd = -1;
		return ret;
	}
	limit_silence(ch);
	/* However this process ends, only vmig_channel_finish() is in order */
	set_linger(ch, 1);
	return 0;
}

static int open_number(struct vmig_channel *ch, long fd)
{
	if (isatty(fd))
		return -ENOTTY;
	ch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return ch->fd < 0 ? -errno : 0;
}

static int open_path(struct vmig_channel *ch, const char *path)
{
	int flags = O_RDONLY;

	if (ch->way == VMIG_CHANNEL_WRITE)
		flags = O_WRONLY | O_CREAT | O_TRUNC;
	ch->fd = open(path, flags | O_CLOEXEC, 0666);
	return ch->fd < 0 ? -errno : 0;
}

int vmig_channel_open(struct vmig_channel *ch, const char *name,
		      enum vmig_channel_way way, int timeout_ms)
{
	long fd;

	*ch = (struct vmig_channel) {
		.fd = -1, .way = way, .timeout_ms = timeout_ms,
	};
	if (!strcmp(name, "-"))
		return open_number(ch, way == VMIG_CHANNEL_WRITE ?
				   STDOUT_FILENO : STDIN_FILENO);
	if (!strncmp(name, "fd:", 3))
		return parse_number(name + 3, 1 << 20, &fd) ? -EINVAL :
		       open_number(ch, fd);
	if (!strncmp(name, "tcp:", 4))
		return open_tcp(ch, name + 4);
	if (!*name)
		return -EINVAL;
	return open_path(ch, name);
}

/* The reader sends nothing: all that can come is how it has closed */
static int wait_for_close(struct vmig_channel *ch)
{
	char byte;
	ssize_t n;

	if (shutdown(ch->fd, SHUT_WR))
		return -errno;
	n = recv(ch->fd, &byte, sizeof(byte), 0);
	if (!n)
		return 0;
	if (n > 0)
		return -EPROTO;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int vmig_channel_finish(struct vmig_channel *ch)
{
	int ret = 0;

	if (ch->fd < 0)
		return 0;
	if (ch->is_tcp && ch->way == VMIG_CHANNEL_WRITE)
		ret = wait_for_close(ch);
	if (ch->is_tcp && !ret)
		set_linger(ch, 0);
	if (close(ch->fd) && !ret)
		ret = -errno;
	ch->fd = -1;
	return ret;
}

void vmig_channel_abort(struct vmig_channel *ch)
{
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
}
