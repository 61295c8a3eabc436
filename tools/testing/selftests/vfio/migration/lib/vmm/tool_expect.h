/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Check what vfio-migrate does. The test includes kselftest_harness.h before, and its
 * fixture has an array "out" for the output.
 */
#ifndef VMIG_TOOL_EXPECT_H
#define VMIG_TOOL_EXPECT_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define TOOL(_in, _out, _err) \
	(&(const struct vmig_tool) { .in = _in, .out = _out, .err = _err })

/* With a function to be called in the child */
#define PREPARED(_prepare, _in, _out, _err) \
	(&(const struct vmig_tool) { .in = _in, .out = _out, .err = _err, \
				     .prepare = _prepare })

/* Run it; returns the exit status, and keeps all output in "out" */
#define RUN_PREPARED(_prepare, _fmt, ...) ({ \
	int pipe_fd[2]; \
	pid_t run_pid; \
	\
	ASSERT_EQ(0, pipe2(pipe_fd, O_CLOEXEC)); \
	run_pid = vmig_tool_start(PREPARED(_prepare, -1, pipe_fd[1], \
					   pipe_fd[1]), _fmt, ##__VA_ARGS__); \
	close(pipe_fd[1]); \
	vmig_tool_read(pipe_fd[0], self->out, sizeof(self->out)); \
	vmig_tool_finish(run_pid); \
})

#define RUN(...)	RUN_PREPARED(NULL, __VA_ARGS__)

#define EXPECT_RUN(_status, _fmt, ...) do { \
	int want_status = (_status); \
	int seen_status = RUN(_fmt, ##__VA_ARGS__); \
	EXPECT_EQ(want_status, seen_status) { \
		TH_LOG(_fmt, ##__VA_ARGS__); \
		TH_LOG("%s", self->out); \
	} \
} while (0)

/* Wait for one that was started with its outputs in a pipe */
#define EXPECT_FINISH(_status, _pid, _fd) do { \
	int want_status = (_status); \
	int seen_status; \
	\
	vmig_tool_read(_fd, self->out, sizeof(self->out)); \
	seen_status = vmig_tool_finish(_pid); \
	EXPECT_EQ(want_status, seen_status) { \
		TH_LOG("%s", self->out); \
	} \
} while (0)

#define EXPECT_OUT(_text) \
	EXPECT_NE(NULL, strstr(self->out, _text)) { \
		TH_LOG("missing: %s", _text); \
		TH_LOG("%s", self->out); \
	}

#endif /* VMIG_TOOL_EXPECT_H */
