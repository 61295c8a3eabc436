// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that are left when a program has ended: they have become children of this one.
 * /proc is searched for them only if waitpid() says that there are some.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define STACK_LEN	4096

/* Those that survive SIGKILL; nothing more can be done to them */
static pid_t *stuck;
static unsigned int stuck_nr;

static bool is_stuck(pid_t pid)
{
	unsigned int i;

	for (i = 0; i < stuck_nr; i++) {
		if (stuck[i] == pid)
			return true;
	}
	return false;
}

/* One that has just ended counts: waitpid() is to be called again */
static bool is_child(pid_t pid)
{
	char path[32], text[512];
	const char *at;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (vmig_read_file(path, text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	return at && sscanf(at + 1, " %*c %d", &parent) == 1 && parent == getpid();
}

/* Call @action for each child that is not stuck; returns their number */
static unsigned int for_each(void (*action)(pid_t pid))
{
	DIR *dir = opendir("/proc");
	unsigned int pid, nr = 0;
	struct dirent *entry;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (vmig_number(entry->d_name, 1u << 30, &pid) || is_stuck(pid) ||
		    !is_child(pid))
			continue;
		action(pid);
		nr++;
	}
	closedir(dir);
	return nr;
}

static void kill_one(pid_t pid)
{
	pid_t group = getpgid(pid);

	if (group > 1 && group != getpgrp())
		kill(-group, SIGKILL);
	kill(pid, SIGKILL);
}

unsigned int conf_leftover_kill(void)
{
	return for_each(kill_one);
}

static char *stack;

static void give_up(pid_t pid)
{
	char path[32], text[STACK_LEN];
	bool is_known;

	stuck = conf_grow(stuck, stuck_nr, sizeof(*stuck));
	stuck[stuck_nr++] = pid;
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	is_known = !vmig_read_file(path, text, sizeof(text));
	conf_append(&stack, "process %d survives SIGKILL%s\n%s", pid,
		    is_known ? "; its stack:" : "", is_known ? text : "");
}

/* Do not wait for these any more; returns where they are in the kernel */
char *conf_leftover_give_up(void)
{
	stack = NULL;
	for_each(give_up);
	return stack;
}
