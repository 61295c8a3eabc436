// SPDX-License-Identifier: GPL-2.0-only
/* See tool.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#include "lib/vfio/io.h"
#include "lib/vfio/util.h"
#include "tool.h"

#define PROGRAM		"./vfio-migrate"
#define MAX_WORDS	16
#define MAX_LEN		1024

static void sleep_a_little(void)
{
	const struct timespec tick = { .tv_nsec = 2000000 };

	nanosleep(&tick, NULL);
}

static void split(char *words, char **argv)
{
	unsigned int nr = 0;

	argv[nr++] = (char *)PROGRAM;
	for (words = strtok(words, " "); words && nr < MAX_WORDS - 1;
	     words = strtok(NULL, " "))
		argv[nr++] = words;
	argv[nr] = NULL;
}

static void exec_tool(const struct vmig_tool *tool, char **argv)
{
	const int fd[3] = { tool->in, tool->out, tool->err };
	int i, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (i = 0; i < 3; i++)
		dup2(fd[i] < 0 ? null : fd[i], i);
	if (tool->prepare)
		tool->prepare();
	execv(PROGRAM, argv);
	_exit(127);
}

pid_t vmig_tool_start(const struct vmig_tool *tool, const char *fmt, ...)
{
	char words[MAX_LEN], *argv[MAX_WORDS];
	va_list args;
	pid_t pid;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	split(words, argv);
	pid = fork();
	if (!pid)
		exec_tool(tool, argv);
	return pid;
}

int vmig_tool_finish(pid_t pid)
{
	int64_t end = vmig_now_ms() + VMIG_TOOL_DEADLINE_MS;
	int status, killed = 0;
	pid_t ret;

	while (!(ret = waitpid(pid, &status, WNOHANG))) {
		if (!killed && vmig_now_ms() > end) {
			killed = 1;
			kill(pid, SIGKILL);
		}
		sleep_a_little();
	}
	if (ret != pid)
		return -errno;
	if (killed)
		return -SIGKILL;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   -1000 - WTERMSIG(status);
}

static char get_state(pid_t pid)
{
	char path[32], line[256] = "";
	const char *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return '\0';
	at = fgets(line, sizeof(line), file);
	fclose(file);
	at = at ? strrchr(line, ')') : NULL;
	return at && at[1] == ' ' ? at[2] : '\0';
}

int vmig_tool_wait_state(pid_t pid, char state)
{
	int64_t end = vmig_now_ms() + VMIG_TOOL_DEADLINE_MS;

	while (get_state(pid) != state) {
		if (vmig_now_ms() > end)
			return -ETIMEDOUT;
		sleep_a_little();
	}
	return 0;
}

void vmig_tool_read(int fd, char *text, size_t size)
{
	const struct vmig_patience patience = {
		.timeout_ms = VMIG_TOOL_DEADLINE_MS, .cancel_fd = -1,
	};
	size_t got = 0;
	char lost[256];
	ssize_t n;

	do {
		if (got + 1 < size)
			n = vmig_io_read(fd, text + got, size - 1 - got,
					 &patience);
		else
			n = vmig_io_read(fd, lost, sizeof(lost), &patience);
		if (n > 0 && got + 1 < size)
			got += n;
	} while (n > 0);
	text[got] = '\0';
	close(fd);
}
