/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests of vfio-migrate: a source and a destination, and what was
 * printed last. The test defines STREAM, a path that is removed in the end.
 */
#ifndef VMIG_TOOL_FIXTURE_H
#define VMIG_TOOL_FIXTURE_H

#include <unistd.h>

#include "lib/vmm.h"
#include "lib/vmm/tool_expect.h"

#define FIFO		STREAM ".fifo"

#define TOOL_MEMBERS \
	struct vmig_mdev src; \
	struct vmig_mdev dst; \
	char out[65536]; \
	int printed

#define OPEN_TOOL() do { \
	vmig_peer_loopback_up(); \
	ASSERT_EQ(0, vmig_mdev_create(&self->src, "mtty-2")); \
	ASSERT_EQ(0, vmig_mdev_create(&self->dst, "mtty-2")); \
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

#endif /* VMIG_TOOL_FIXTURE_H */
