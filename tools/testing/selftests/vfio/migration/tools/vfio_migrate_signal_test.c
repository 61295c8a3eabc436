// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate with signals, silence, and inherited descriptors. The source continues,
 * or reports that it cannot know the result; the guest never runs twice.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "tools/fixture.h"

#define STREAM		"/tmp/vfio-migrate-signal.stream"
#define PORT		7535
#define DEADLINE_MS	10000
#define TCP		"tcp:127.0.0.1:7535"

TOOL_FIXTURE(signals);

/* A source that has sent all to the test, and waits for its answer */
#define START_WAITING(_pid, _peer, _prepare, _options) do { \
	int listener = vmig_peer_listen(PORT); \
\
	ASSERT_LE(0, listener); \
	_pid = START_PREPARED(_prepare, -1, -1, "save --json --guest=20 " \
			      _options " %s " TCP, self->src.uuid); \
	_peer = vmig_peer_accept(listener); \
	ASSERT_LE(0, _peer); \
	close(listener); \
	ASSERT_LT(1000, vmig_peer_read_all(_peer)); \
	ASSERT_EQ(0, vmig_tool_wait_state(_pid, 'S')); \
} while (0)

static void stop_and_continue(struct __test_metadata *_metadata, pid_t pid)
{
	kill(pid, SIGSTOP);
	ASSERT_EQ(0, vmig_tool_wait_state(pid, 'T'));
	kill(pid, SIGCONT);
}

/* Tool: stopped and continued while it waits for the other side: still waits */
TEST_F(signals, stop_and_continue_save)
{
	int peer;
	pid_t pid;

	START_WAITING(pid, peer, NULL, "--timeout 60");
	stop_and_continue(_metadata, pid);
	ASSERT_EQ(0, vmig_tool_wait_state(pid, 'S'));
	close(peer);
	EXPECT_STARTED(DONE, pid);
}

/* A whole stream, with a guest; its length, or -errno */
static ssize_t save_to(const char *uuid, char *stream, size_t size)
{
	int fd, ret = vmig_tool_finish(START_SILENT("save --guest=20 %s " STREAM,
						    uuid));
	ssize_t len;

	fd = ret ? -1 : open(STREAM, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -EIO;
	len = read(fd, stream, size);
	close(fd);
	return len;
}

static int wait_until_empty(int fd)
{
	int64_t end = vmig_now_ms() + DEADLINE_MS;
	int bytes;

	do {
		if (ioctl(fd, FIONREAD, &bytes))
			return -errno;
		if (vmig_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	} while (bytes);
	return 0;
}

/* Tool: stopped and continued while it waits for data: still waits */
TEST_F(signals, stop_and_continue_load)
{
	int fd[2];
	char stream[65536];
	ssize_t len;
	pid_t pid;

	len = save_to(self->src.uuid, stream, sizeof(stream));
	ASSERT_LT(1000, len);
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC | O_NONBLOCK));
	pid = START(fd[0], -1, "load --timeout 60 --guest=20 --json %s -",
		    self->dst.uuid);
	ASSERT_EQ(len / 2, write(fd[1], stream, len / 2));
	/* It has read all of that, and waits for more */
	ASSERT_EQ(0, wait_until_empty(fd[0]));
	ASSERT_EQ(0, vmig_tool_wait_state(pid, 'S'));
	stop_and_continue(_metadata, pid);
	ASSERT_EQ(0, vmig_tool_wait_state(pid, 'S'));
	ASSERT_EQ(len - len / 2, write(fd[1], stream + len / 2, len - len / 2));
	EXPECT_STARTED(DONE, pid);
	EXPECT_OUT("\"lost\":0,");
	close(fd[0]);
	close(fd[1]);
}

/* Wait until SIGTERM is blocked, or is not */
static int wait_blocked(pid_t pid, bool is_blocked)
{
	int64_t end = vmig_now_ms() + VMIG_TOOL_DEADLINE_MS;
	unsigned long long mask;
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	do {
		mask = 0;
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file)) {
			if (!strncmp(line, "SigBlk:", 7))
				mask = strtoull(line + 7, NULL, 16);
		}
		if (file)
			fclose(file);
		if (!(mask >> (SIGTERM - 1) & 1) == !is_blocked)
			return 0;
		usleep(1000);
	} while (vmig_now_ms() < end);
	return -ETIMEDOUT;
}

/* Tool: a signal while a part of the stream was sent: 1, and the source continues */
TEST_F(signals, end_in_the_middle)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
	int fd[2], len;
	char want[32];
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
		pid = START(-1, fd[1], "save --timeout 60 --dirty 400 --guest=20 --json %s -",
			    self->src.uuid);
		/* The pipe has no reader, so it is in the middle when the pipe is full */
		do {
			usleep(1000);
			ASSERT_EQ(0, ioctl(fd[0], FIONREAD, &len));
		} while (len < 60000);
		kill(pid, ends[i]);
		EXPECT_STARTED(FAILED, pid);
		snprintf(want, sizeof(want), "stopped by SIG%s",
			 sigabbrev_np(ends[i]));
		EXPECT_OUT(want);
		EXPECT_OUT("\"lost\":0,");
		close(fd[0]);
		close(fd[1]);
	}
}

/* Tool: a signal while it waits for the other side, without an answer: 5 */
TEST_F(signals, end_at_the_end)
{
	int peer;
	pid_t pid;

	START_WAITING(pid, peer, NULL, "--timeout 60");
	kill(pid, SIGTERM);
	EXPECT_STARTED(UNSURE, pid);
	EXPECT_OUT("stopped by SIGTERM");
	close(peer);

	START_WAITING(pid, peer, NULL, "--timeout 60 --unsure resume");
	kill(pid, SIGTERM);
	EXPECT_STARTED(FAILED, pid);
	EXPECT_OUT("\"lost\":0,");
	close(peer);
}

static void ignore_hangup(void)
{
	signal(SIGHUP, SIG_IGN);
}

/* Tool: a signal that was ignored at the start (nohup) is ignored */
TEST_F(signals, ignored_end)
{
	int peer;
	pid_t pid;

	START_WAITING(pid, peer, ignore_hangup, "--timeout 60");
	kill(pid, SIGHUP);
	stop_and_continue(_metadata, pid);
	close(peer);
	EXPECT_STARTED(DONE, pid);
}

/* Tool: a signal before any data are sent: the source continues; a second one ends it */
TEST_F(signals, end_before_and_after)
{
	pid_t pid;

	pid = START_SILENT("save --guest=600000 %s " STREAM, self->src.uuid);
	ASSERT_EQ(0, wait_blocked(pid, true));
	kill(pid, SIGTERM);
	ASSERT_EQ(0, wait_blocked(pid, false));
	EXPECT_NE(0, access(STREAM, F_OK));
	kill(pid, SIGTERM);
	EXPECT_EQ(-1000 - SIGTERM, vmig_tool_finish(pid));
}

/* Tool: a signal while load waits for data: 1; while its guest runs: the check is made */
TEST_F(signals, end_of_load)
{
	char stream[65536];
	ssize_t len;
	pid_t pid;
	int peer;

	pid = START(-1, -1, "load --timeout 600 %s tcp::7535", self->dst.uuid);
	ASSERT_EQ(0, wait_blocked(pid, true));
	kill(pid, SIGINT);
	EXPECT_STARTED(FAILED, pid);
	EXPECT_OUT("stopped by SIGINT");

	len = save_to(self->src.uuid, stream, sizeof(stream));
	ASSERT_LT(1000, len);
	pid = START(-1, -1, "load --json --guest=600000 %s tcp::7535",
		    self->dst.uuid);
	peer = vmig_peer_connect(AF_INET, PORT);
	ASSERT_LE(0, peer);
	ASSERT_EQ(len, write(peer, stream, len));
	/* It closes the connection when its guest runs */
	EXPECT_EQ(0, vmig_peer_read_all(peer));
	close(peer);
	kill(pid, SIGTERM);
	EXPECT_STARTED(DONE, pid);
	EXPECT_OUT("\"lost\":0,");
}

static void limit_file_size(void)
{
	const struct rlimit limit = { 16384, 16384 };

	setrlimit(RLIMIT_FSIZE, &limit);
}

/* Tool: a file that grows too large: an error, not a signal; the old stream stays */
TEST_F(signals, file_too_large)
{
	struct stat old, now;
	int status;

	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
	ASSERT_EQ(0, stat(STREAM, &old));
	status = RUN_PREPARED(limit_file_size,
			      "save --guest=20 --dirty 100 --json %s " STREAM,
			      self->src.uuid);
	EXPECT_EQ(FAILED, status);
	EXPECT_OUT("File too large");
	EXPECT_OUT("\"lost\":0,");
	ASSERT_EQ(0, stat(STREAM, &now));
	EXPECT_EQ(old.st_ino, now.st_ino);
	EXPECT_EQ(old.st_size, now.st_size);
	EXPECT_RUN(DONE, "load %s " STREAM, self->dst.uuid);
}

/* Tool: --timeout limits the wait for a pipe that is not read, written, or opened */
TEST_F(signals, silence)
{
	static const char * const words[] = {
		"save --timeout 1 --dirty 400 --guest=20 %s -",
		"load --timeout 1 %s -", "inspect --timeout 1 -",
		"save --timeout 1 --guest=20 %s " FIFO,
		"load --timeout 1 %s " FIFO, "inspect --timeout 1 " FIFO,
	};
	unsigned int i;
	int fd[2];
	pid_t pid;

	ASSERT_EQ(0, mkfifo(FIFO, 0600));
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
		pid = START(fd[0], fd[1], words[i], self->src.uuid);
		EXPECT_STARTED(FAILED, pid);
		EXPECT_OUT("timed out");
		close(fd[0]);
		close(fd[1]);
	}
}

/* Tool: a TCP connection by number, and as standard output: no answer is 5 */
TEST_F(signals, connection_by_number)
{
	char name[16];
	int fd, peer, i;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		fd = open_connection(PORT, &peer);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fcntl(fd, F_SETFD, 0));
		snprintf(name, sizeof(name), "fd:%d", fd);
		pid = START(-1, i ? fd : -1,
			    "save --timeout 1 --guest=20 --json %s %s",
			    self->src.uuid, i ? "-" : name);
		EXPECT_STARTED(UNSURE, pid);
		EXPECT_OUT("not confirmed");
		close(fd);
		close(peer);
	}
}

/* Tool: a load from a connection by number that fails resets the connection */
TEST_F(signals, refusal_by_number)
{
	static const struct vmig_patience patience = {
		VMIG_TOOL_DEADLINE_MS, -1
	};
	int peer, fd = open_connection(PORT, &peer);
	char byte;
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = vmig_tool_start(TOOL(fd, -1, -1), "load %s -", self->dst.uuid);
	ASSERT_EQ(8, write(peer, "no good", 8));
	ASSERT_EQ(0, shutdown(peer, SHUT_WR));
	EXPECT_EQ(BROKEN, vmig_tool_finish(pid));
	EXPECT_RET(-ECONNRESET, vmig_io_read(peer, &byte, 1, &patience), "read");
	close(fd);
	close(peer);
}

/* Tool: inspect runs no device, so it refuses the stream of a live migration */
TEST_F(signals, inspect_refuses)
{
	int ret = FAILED, tries;
	pid_t pid;

	pid = START_SILENT("inspect tcp::7535");
	for (tries = 0; tries < 200; tries++) {
		ret = RUN("save --guest=20 --json %s " TCP, self->src.uuid);
		if (ret != FAILED || !strstr(self->out, "refused"))
			break;
	}
	EXPECT_EQ(FAILED, ret);
	EXPECT_OUT("the other side has aborted");
	EXPECT_OUT("\"lost\":0,");
	EXPECT_EQ(DONE, vmig_tool_finish(pid));
}

TEST_HARNESS_MAIN
