// SPDX-License-Identifier: GPL-2.0-only
/* A stream over a TCP connection; see channel.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "channel_int.h"
#include "lib/vfio/util.h"

/* An address of either family */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

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
	/* No host names: a static program cannot resolve them */
	return inet_pton(AF_INET, text, &addr->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

/*
 * HOST:PORT; an empty host is any address of any family. The port has the same offset
 * in both families.
 */
static int parse_address(const char *name, union address *addr)
{
	const char *colon = strrchr(name, ':');
	unsigned int port;
	int ret = 0;

	if (!colon || vmig_number(colon + 1, 65535, &port))
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	if (*name == '[')
		ret = parse_v6(name, colon - name, addr);
	else if (colon != name)
		ret = parse_v4(name, colon - name, addr);
	addr->v4.sin_port = htons(port);
	return ret;
}

static int do_connect(struct vmig_channel *ch, const union address *addr,
		      socklen_t len)
{
	socklen_t size = sizeof(int);
	int ret, error = 0;

	if (!connect(ch->fd, &addr->any, len))
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	ret = vmig_io_wait(ch->fd, POLLOUT, ch->patience);
	if (!ret && getsockopt(ch->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		ret = -errno;
	return ret ? ret : -error;
}

/* Replace the listening socket by the first connection */
static int do_accept(struct vmig_channel *ch, const union address *addr,
		     socklen_t len)
{
	int off = 0, one = 1;
	int ret, fd;

	setsockopt(ch->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr->any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&addr->v6.sin6_addr))
		setsockopt(ch->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(ch->fd, &addr->any, len) || listen(ch->fd, 1))
		return -errno;
	do {
		ret = vmig_io_wait(ch->fd, POLLIN, ch->patience);
		if (ret)
			return ret;
		fd = accept4(ch->fd, NULL, NULL, SOCK_CLOEXEC);
		/* A connection that is already closed is an error of accept4(), too */
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN ||
			    errno == ECONNABORTED));
	if (fd < 0)
		return -errno;
	close(ch->fd);
	ch->fd = fd;
	return 0;
}

static int open_family(struct vmig_channel *ch, const union address *addr)
{
	socklen_t len = addr->any.sa_family == AF_INET6 ? sizeof(addr->v6) :
							  sizeof(addr->v4);

	ch->fd = socket(addr->any.sa_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ch->fd < 0)
		return -errno;
	return ch->way == VMIG_CHANNEL_WRITE ? do_connect(ch, addr, len) :
					       do_accept(ch, addr, len);
}

int vmig_tcp_open(struct vmig_channel *ch, const char *name)
{
	union address addr;
	int ret;

	ret = parse_address(name, &addr);
	if (ret || addr.any.sa_family)
		return ret ? ret : open_family(ch, &addr);

	/* An IPv6 socket accepts both, if the kernel has IPv6 */
	if (ch->way == VMIG_CHANNEL_READ) {
		addr.any.sa_family = AF_INET6;
		ret = open_family(ch, &addr);
		if (ret != -EAFNOSUPPORT && ret != -EADDRNOTAVAIL)
			return ret;
		if (ch->fd >= 0)
			close(ch->fd);
		ch->fd = -1;
	}
	addr.any.sa_family = AF_INET;
	return open_family(ch, &addr);
}

static bool has_option(int fd, int option, int want)
{
	socklen_t size = sizeof(int);
	int value;

	return !getsockopt(fd, SOL_SOCKET, option, &value, &size) &&
	       value == want;
}

bool vmig_tcp_is(int fd)
{
	return has_option(fd, SO_TYPE, SOCK_STREAM) &&
	       has_option(fd, SO_PROTOCOL, IPPROTO_TCP) &&
	       (has_option(fd, SO_DOMAIN, AF_INET) ||
		has_option(fd, SO_DOMAIN, AF_INET6));
}

/* Choose whether close() resets the connection */
static void set_linger(const struct vmig_channel *ch, int reset)
{
	const struct linger linger = { .l_onoff = reset };

	setsockopt(ch->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void vmig_tcp_begin(const struct vmig_channel *ch)
{
	int ms = ch->patience ? ch->patience->timeout_ms : -1;

	/* Detect a broken link earlier than the kernel's default */
	if (ms > 0)
		setsockopt(ch->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			   sizeof(ms));
	set_linger(ch, 1);
}

/*
 * The reader sends nothing, so read() returns how it has closed. After an error was
 * returned once, a broken connection looks closed as well.
 */
static int wait_for_close(const struct vmig_channel *ch)
{
	bool is_connected = !shutdown(ch->fd, SHUT_WR);
	char byte;
	ssize_t n;

	n = vmig_io_read(ch->fd, &byte, sizeof(byte), ch->patience);
	if (n > 0)
		return -EPROTO;
	return n || is_connected ? n : -ENOTCONN;
}

int vmig_tcp_finish(const struct vmig_channel *ch)
{
	int ret = 0;

	if (ch->way == VMIG_CHANNEL_WRITE)
		ret = wait_for_close(ch);
	/* close() has no effect on the peer if another process has it open */
	else if (shutdown(ch->fd, SHUT_WR))
		ret = -errno;
	if (!ret)
		set_linger(ch, 0);
	return ret;
}

void vmig_tcp_reset(const struct vmig_channel *ch)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	connect(ch->fd, &none, sizeof(none));
}
