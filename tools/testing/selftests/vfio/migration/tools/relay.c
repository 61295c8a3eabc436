// SPDX-License-Identifier: GPL-2.0-only
/*
 * A link that breaks at a given byte: copy BYTES from one connection to another, then
 * reset both, or stop.
 *
 * Usage: relay FROM TO BYTES reset|silent      (FROM and TO as for vfio-migrate)
 * A negative number counts from the end.  A shorter stream is copied with its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vmm/channel.h"

/* Longer than that of the peers */
static const struct vmig_patience patience = {
	.timeout_ms = 60000, .cancel_fd = -1,
};

/* The most that can be held back */
#define HELD_MAX	65536

/* 1 if the link has to break now, 0 at the end of the stream, or -errno */
static int pass_on(int from, int to, unsigned long long bytes)
{
	char buf[4096];
	ssize_t n = 1;

	while (bytes) {
		n = vmig_io_read(from, buf, bytes < sizeof(buf) ? bytes :
				 sizeof(buf), &patience);
		if (n > 0 && vmig_io_write(to, buf, n, &patience))
			n = -EPIPE;
		if (n <= 0)
			break;
		bytes -= n;
	}
	if (n < 0)
		return n;
	return bytes ? 0 : 1;
}

/* Copy all but the last @bytes */
static int hold_back(int from, int to, size_t bytes)
{
	static char held[2 * HELD_MAX];
	size_t len = 0;
	ssize_t n;

	if (bytes > HELD_MAX)
		return -EINVAL;
	while ((n = vmig_io_read(from, held + len, sizeof(held) - len,
				 &patience)) > 0) {
		len += n;
		if (len <= bytes)
			continue;
		if (vmig_io_write(to, held, len - bytes, &patience))
			return -EPIPE;
		memmove(held, held + len - bytes, bytes);
		len = bytes;
	}
	return n < 0 ? n : 1;
}

/* Until both sides have closed, or given up waiting */
static void wait_in_silence(int from, int to)
{
	char buf[4096];

	while (vmig_io_read(from, buf, sizeof(buf), &patience) > 0)
		;
	while (vmig_io_read(to, buf, sizeof(buf), &patience) > 0)
		;
}

int main(int argc, char **argv)
{
	struct vmig_channel from, to;
	long long bytes;
	int ret;

	if (argc != 5) {
		fprintf(stderr, "usage: relay FROM TO BYTES reset|silent\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	ret = vmig_channel_open(&from, argv[1], VMIG_CHANNEL_READ, &patience);
	if (!ret)
		ret = vmig_channel_open(&to, argv[2], VMIG_CHANNEL_WRITE,
					&patience);
	if (ret) {
		fprintf(stderr, "relay: %s\n", strerror(-ret));
		return 1;
	}

	bytes = strtoll(argv[3], NULL, 10);
	if (bytes < 0)
		ret = hold_back(from.fd, to.fd, -bytes);
	else
		ret = pass_on(from.fd, to.fd, bytes);
	if (ret == 1 && !strcmp(argv[4], "silent"))
		wait_in_silence(from.fd, to.fd);
	/* Close one side as the other one was closed */
	if (!ret)
		ret = vmig_channel_finish(&to);
	if (ret) {
		vmig_channel_abort(&to);
		vmig_channel_abort(&from);
		return 0;
	}
	return vmig_channel_finish(&from) ? 1 : 0;
}
