/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A control group of one's own, to see what kernel memory one is charged for.
 *
 * The count may be behind by about a MiB: what is measured should be much more.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_CGROUP_H
#define VMIG_CGROUP_H

/**
 * vmig_cgroup_enter - this process is in a group of its own from now on
 *
 * Return: 0, or -errno where there is no memory controller of cgroup2.
 */
int vmig_cgroup_enter(void);

/** vmig_cgroup_leave - undo vmig_cgroup_enter() */
void vmig_cgroup_leave(void);

/** vmig_cgroup_charged - bytes of kernel memory the group is charged for, or -errno */
long long vmig_cgroup_charged(void);

#endif /* VMIG_CGROUP_H */
