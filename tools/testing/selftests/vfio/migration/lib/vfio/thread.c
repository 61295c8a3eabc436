// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "thread.h"

int vmig_thread_sleeps(int tid)
{
	char path[64], line[512];
	const char *state;
	FILE *file;

	if (!tid)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return -ESRCH;
	state = fgets(line, sizeof(line), file);
	fclose(file);
	if (!state)
		return -ESRCH;
	/* The name of the program may have any characters */
	state = strrchr(line, ')');
	return state && !strncmp(state, ") S", 3);
}

int vmig_keep_cpu(void)
{
	const struct sched_param param = { .sched_priority = 1 };
	int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0)
		return -errno;
	if (cpu >= CPU_SETSIZE)
		return -EOVERFLOW;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	return 0;
}
