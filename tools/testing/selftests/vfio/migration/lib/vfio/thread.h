/* SPDX-License-Identifier: GPL-2.0-only */
/* Where threads run, and whether they sleep. Functions return 0 or -errno, unless stated. */
#ifndef VMIG_THREAD_H
#define VMIG_THREAD_H

/**
 * vmig_thread_sleeps - does a thread of this process sleep, so that only an event wakes it?
 * @tid:	thread ID; 0: not known yet
 *
 * Return: 1 if it sleeps, 0 if it does not, or -ESRCH if it has ended.
 */
int vmig_thread_sleeps(int tid);

/**
 * vmig_keep_cpu - stay on one CPU, with a higher priority than the kernel's workers
 *
 * Until the caller sleeps, no work item runs there. Needs CAP_SYS_NICE.
 */
int vmig_keep_cpu(void);

#endif /* VMIG_THREAD_H */
