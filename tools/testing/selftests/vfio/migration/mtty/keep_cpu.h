/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what a driver leaves to a work item. Include <sched.h> with _GNU_SOURCE.
 */
#ifndef VMIG_KEEP_CPU_H
#define VMIG_KEEP_CPU_H

#include <errno.h>

/*
 * Stay on one CPU, with a higher priority than the kernel's workers: until the test sleeps,
 * no work item runs there. Returns 0 or -errno.
 */
static inline int keep_the_cpu(void)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return -errno;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	return 0;
}

#endif /* VMIG_KEEP_CPU_H */
