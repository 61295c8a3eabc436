/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Make system calls fail, for this process and its children, to test errors that do
 * not occur otherwise.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_DENIED_H
#define VMIG_DENIED_H

#include <stdint.h>

#define VMIG_DENIED_ANY		UINT32_MAX

/**
 * vmig_deny - make a system call fail from now on
 * @nr:		__NR_*
 * @arg:	fail only with this low half of the first argument; VMIG_DENIED_ANY: always
 * @error:	its errno
 *
 * Return: 0 or -errno; -EINVAL if the kernel has no seccomp filters.
 */
int vmig_deny(unsigned int nr, uint32_t arg, int error);

#endif /* VMIG_DENIED_H */
