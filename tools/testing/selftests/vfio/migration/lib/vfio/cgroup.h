/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A control group for this process, to see the kernel memory that is charged to it.
 *
 * The kernel's count may lag by about a MiB: measure something much larger.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CGROUP_H
#define VMIG_CGROUP_H

/**
 * vmig_cgroup_enter - move this process to a new group
 *
 * Return: 0, or -errno if cgroup2 has no memory controller.
 */
int vmig_cgroup_enter(void);

/** vmig_cgroup_leave - undo vmig_cgroup_enter() */
void vmig_cgroup_leave(void);

/** vmig_cgroup_charged - bytes of kernel memory charged to the group, or -errno */
long long vmig_cgroup_charged(void);

#endif /* VMIG_CGROUP_H */
