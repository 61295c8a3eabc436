// SPDX-License-Identifier: GPL-2.0-only
/* See peer.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/vfio/io.h"
#include "lib/vfio/util.h"
#include "peer.h"

static const struct vmig_patience patience = {
	.timeout_ms = VMIG_PEER_DEADLINE_MS, .cancel_fd = -1,
};

int vmig_peer_loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, SIOCSIFFLAGS, &lo) ? -errno : 0;
	close(fd);
	return ret;
}

int vmig_peer_listen(uint16_t port)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret, one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) &&
	    !listen(fd, 1))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int vmig_peer_accept(int fd)
{
	int ret = vmig_io_wait(fd, POLLIN, &patience);

	if (ret)
		return ret;
	ret = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return ret < 0 ? -errno : ret;
}

static int connect_once(int family, uint16_t port)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = family == AF_INET6 ?
	      connect(fd, (const struct sockaddr *)&v6, sizeof(v6)) :
	      connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	if (!ret)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int vmig_peer_connect(int family, uint16_t port)
{
	const struct vmig_patience tick = { .timeout_ms = 5, .cancel_fd = -1 };
	int64_t end = vmig_now_ms() + VMIG_PEER_DEADLINE_MS;
	int ret;

	do {
		ret = connect_once(family, port);
		if (ret != -ECONNREFUSED)
			return ret;
		vmig_io_wait(-1, 0, &tick);
	} while (vmig_now_ms() < end);
	return ret;
}

ssize_t vmig_peer_read_all(int fd)
{
	char buf[4096];
	ssize_t len = 0;
	ssize_t n;

	while ((n = vmig_io_read(fd, buf, sizeof(buf), &patience)) > 0)
		len += n;
	return n ? n : len;
}

void vmig_peer_reset(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}
