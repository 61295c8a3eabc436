// SPDX-License-Identifier: GPL-2.0-only
/*
 * with_mtty COMMAND...: run a command while the module mtty is loaded, for scripts. As a test
 * does, it loads the module if it has to, and is skipped where no device is possible.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../kselftest.h"

#include "lib/mtty/testdev.h"

int main(int argc, char **argv)
{
	const char *missing = vmig_testdev_missing();
	pid_t pid;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: %s COMMAND...\n", argv[0]);
		return EXIT_FAILURE;
	}
	if (missing) {
		ksft_print_header();
		ksft_exit_skip("%s\n", missing);
	}
	pid = fork();
	if (!pid) {
		/* The command must not go on without its module */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("with_mtty");
		return EXIT_FAILURE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
