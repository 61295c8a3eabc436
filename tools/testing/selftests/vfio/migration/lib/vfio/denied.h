/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls that fail, for this process and what it starts, so that a test can have
 * errors that no healthy system has.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_DENIED_H
#define VMIG_DENIED_H

#include <stdint.h>

/* Any first argument */
#define VMIG_DENIED_ANY		UINT32_MAX

/**
 * vmig_deny - let a system call fail from now on
 * @nr:		which, __NR_*
 * @arg:	only with this for the low half of its first argument, or VMIG_DENIED_ANY
 * @error:	errno that it fails with
 *
 * Return: 0 or -errno; -EINVAL if the kernel has no filters of seccomp.
 */
int vmig_deny(unsigned int nr, uint32_t arg, int error);

#endif /* VMIG_DENIED_H */
