// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a program in a process group of its own, read its output, and end it.
 *
 * All waits are poll() with a deadline: SIGCHLD, and the signals that end the run, are read
 * from a signalfd. Processes whose parent has ended become children of this program, so
 * that nothing of a case is left when the next one begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/* Longer lines are cut */
#define LINE_MAX_LEN	1024

/* A file that a case writes, its log of calls too, ends here */
#define FILE_MAX	(64ul << 20)

#define CLOSE_RANGE_CLOEXEC_BIT	4

/**
 * struct output - what a program prints, as lines
 * @child:	the program
 * @fd:		reads from it; -1 at its end
 * @line:	of it, the line that is not complete
 * @len:	bytes in @line; what exceeds it is dropped
 */
struct output {
	struct conf_child *child;
	int fd;
	char line[LINE_MAX_LEN];
	size_t len;
};

static int signal_fd;
static int ended_by;

static void set_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

int conf_child_init(void)
{
	const struct rlimit no_core = {}, file = { FILE_MAX, FILE_MAX };
	sigset_t set;

	set_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	/* A case gets no descriptor but its own: older kernels have no such call */
	syscall(__NR_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC_BIT);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_FSIZE, &file);
	return 0;
}

/* Name of the signal that ended the run, or NULL */
const char *conf_child_signal(void)
{
	return ended_by == SIGINT ? "SIGINT" : ended_by == SIGTERM ? "SIGTERM" :
	       ended_by ? "SIGHUP" : NULL;
}

static void read_signals(void)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD && !ended_by)
			ended_by = info.ssi_signo;
	}
}

static void put_line(struct output *out)
{
	size_t i;

	for (i = 0; i < out->len; i++) {
		if ((out->line[i] < ' ' && out->line[i] != '\t') || out->line[i] > '~')
			out->line[i] = '?';
	}
	out->line[out->len] = '\0';
	out->len = 0;
	out->child->line(out->child->opaque, out->line);
}

/* Takes what one read() returns */
static void read_output(struct output *out)
{
	char bytes[8192];
	ssize_t i, n = read(out->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(out->fd);
		out->fd = -1;
		return;
	}
	for (i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			put_line(out);
		else if (out->len < sizeof(out->line) - 1)
			out->line[out->len++] = bytes[i];
	}
}

static int start(struct conf_child *child, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int ret;

	sigemptyset(&none);
	set_signals(&all);
	sigaddset(&all, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	if (child->calls >= 0)
		posix_spawn_file_actions_adddup2(&files, child->calls, CONF_CALLS_FD);
	ret = posix_spawn(pid, child->argv[0], &files, &attr, child->argv, child->envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -ret;
}

/* It stays a zombie, so that its number and its group's are not used again */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/* Wait for @pid; false at @deadline, or when a signal ends the run */
static bool wait_for(pid_t pid, struct output *out, int64_t deadline)
{
	struct pollfd pfd[2] = { { signal_fd, POLLIN, 0 } };
	int64_t left;

	while (!has_ended(pid)) {
		left = deadline - vmig_now_ms();
		if (left <= 0 || ended_by)
			return false;
		pfd[1] = (struct pollfd){ out->fd, POLLIN, 0 };
		if (poll(pfd, 2, left) < 0)
			continue;
		if (pfd[0].revents)
			read_signals();
		if (pfd[1].revents)
			read_output(out);
	}
	return true;
}

/* Kill all that is left of the program; false if something survives */
static bool clean(struct conf_child *child, pid_t pid)
{
	int64_t left, deadline = vmig_now_ms() + CONF_STUCK_MS;
	struct pollfd pfd = { signal_fd, POLLIN, 0 };
	int status;
	pid_t ended;

	kill(-pid, SIGKILL);
	for (;;) {
		read_signals();
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
			if (ended != pid)
				continue;
			child->status = status;
			child->is_reaped = true;
		}
		if (ended < 0 || !conf_leftover_kill())
			return true;
		left = deadline - vmig_now_ms();
		if (left <= 0)
			return false;
		poll(&pfd, 1, left);
	}
}

/* A survivor may go on writing: only what is there is read, and no more than a pipe has */
static void drain(struct output *out)
{
	int i;
	struct pollfd pfd = { .events = POLLIN };

	for (i = 0; i < 1024 && out->fd >= 0; i++) {
		pfd.fd = out->fd;
		if (poll(&pfd, 1, 0) <= 0)
			break;
		read_output(out);
	}
	if (out->len)
		put_line(out);
	if (out->fd >= 0)
		close(out->fd);
}

int conf_child_run(struct conf_child *child)
{
	struct output *out;
	int64_t began = vmig_now_ms();
	int ret, pipe_fd[2];
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	ret = start(child, pipe_fd[1], &pid);
	close(pipe_fd[1]);
	out = ret ? NULL : calloc(1, sizeof(*out));
	if (!out) {
		close(pipe_fd[0]);
		return ret ?: -ENOMEM;
	}
	out->child = child;
	out->fd = pipe_fd[0];
	child->is_timeout = !wait_for(pid, out, began + child->timeout_ms) && !ended_by;
	if (!clean(child, pid)) {
		child->is_stuck = true;
		child->stack = conf_leftover_give_up();
	}
	drain(out);
	free(out);
	child->ms = vmig_now_ms() - began;
	return ended_by ? -EINTR : 0;
}
