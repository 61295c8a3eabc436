/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared code of the tests in tools/. The fixture of the tests of vfio-migrate has a source,
 * a destination, and what was printed last; its test defines STREAM, a path that is
 * removed in the end.
 */
#ifndef VMIG_TOOLS_FIXTURE_H
#define VMIG_TOOLS_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/vmm.h"
#include "lib/vmm/tool_expect.h"

/* Time between two signals, a short limit, and more bytes than a pipe holds */
#define SIGNALS_US	2000
#define SILENCE_MS	200
#define LEN		(256 * 1024)

#define FIFO		STREAM ".fifo"

#define TOOL_MEMBERS \
	struct vmig_mdev src; \
	struct vmig_mdev dst; \
	char out[65536]; \
	int printed

#define OPEN_TOOL() do { \
	vmig_peer_loopback_up(); \
	ASSERT_EQ(0, vmig_testdev_create(&self->src, "mtty-2")); \
	ASSERT_EQ(0, vmig_testdev_create(&self->dst, "mtty-2")); \
} while (0)

#define CLOSE_TOOL() do { \
	unlink(STREAM); \
	unlink(FIFO); \
	vmig_mdev_remove(&self->src); \
	vmig_mdev_remove(&self->dst); \
} while (0)

/* A fixture that has nothing else */
#define TOOL_FIXTURE(_name) \
FIXTURE(_name) { \
	TOOL_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_TOOL(); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_TOOL(); \
} \
struct _name##_needs_a_semicolon

/* Start vfio-migrate; both outputs go to a pipe, standard output only if @_out is -1 */
#define START_PREPARED(_prepare, _in, _out, _fmt, ...) ({ \
	int pipe_fd[2], start_out = (_out); \
	pid_t start_pid; \
\
	ASSERT_EQ(0, pipe2(pipe_fd, O_CLOEXEC)); \
	start_pid = vmig_tool_start(PREPARED(_prepare, _in, start_out < 0 ? \
					     pipe_fd[1] : start_out, \
					     pipe_fd[1]), _fmt, ##__VA_ARGS__); \
	close(pipe_fd[1]); \
	self->printed = pipe_fd[0]; \
	start_pid; \
})

#define START(...)	START_PREPARED(NULL, __VA_ARGS__)

/* The exit status of the last one that was started with START() */
#define EXPECT_STARTED(_status, _pid) \
	EXPECT_FINISH(_status, _pid, self->printed)

/* Start vfio-migrate with neither input nor output */
#define START_SILENT(_fmt, ...) \
	vmig_tool_start(TOOL(-1, -1, -1), _fmt, ##__VA_ARGS__)

/* Both ends of a terminal; the first one, or -errno */
static inline int open_terminal(int *tty)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	*tty = -1;
	if (fd < 0 || grantpt(fd) || unlockpt(fd))
		return -errno;
	*tty = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *tty < 0 ? -errno : fd;
}

/* A TCP connection; one end, or -errno */
static inline int open_connection(uint16_t port, int *peer)
{
	int fd, listener = vmig_peer_listen(port);

	if (listener < 0)
		return listener;
	fd = vmig_peer_connect(AF_INET, port);
	*peer = vmig_peer_accept(listener);
	close(listener);
	return fd >= 0 && *peer < 0 ? *peer : fd;
}

#endif /* VMIG_TOOLS_FIXTURE_H */
