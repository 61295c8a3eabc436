/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault injection: the n-th allocation, or copy from or to userspace, that the calling
 * thread makes in the kernel fails (/proc/thread-self/fail-nth).
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_FAULT_H
#define VMIG_FAULT_H

#include <stdbool.h>

#define VMIG_FAULT_KINDS	3
#define VMIG_FAULT_KNOBS	5

/**
 * struct vmig_fault - fault injection of one thread
 * @fd:		fail-nth, or -1
 * @was:	earlier values of the files in debugfs; empty if not changed
 */
struct vmig_fault {
	int fd;
	char was[VMIG_FAULT_KINDS][VMIG_FAULT_KNOBS][24];
};

/**
 * vmig_fault_init - let every kind of allocation fail for the calling thread
 * @fault:	filled in
 *
 * Nothing fails until vmig_fault_arm() is called.
 *
 * Return: 0, or -ENOENT if the kernel has no fault injection or no debugfs.
 */
int vmig_fault_init(struct vmig_fault *fault);

/**
 * vmig_fault_exclude - let no fault occur in a function, or in what it calls
 * @fault:	from vmig_fault_init()
 * @module:	the module of the function; NULL: the kernel
 * @function:	a function that is known not to handle faults
 *
 * Return: 0, or -ENOENT if the kernel cannot do that or has no such function.
 */
int vmig_fault_exclude(struct vmig_fault *fault, const char *module,
		       const char *function);

/** vmig_fault_exit - undo vmig_fault_init(); idempotent */
void vmig_fault_exit(struct vmig_fault *fault);

/**
 * vmig_fault_arm - make one allocation or copy fail, from now on
 * @fault:	from vmig_fault_init()
 * @nth:	which one, counted from 1
 */
int vmig_fault_arm(struct vmig_fault *fault, unsigned int nth);

/**
 * vmig_fault_disarm - undo vmig_fault_arm()
 * @fault:	from vmig_fault_init()
 *
 * Return: 1 if the fault has occurred, 0 if not, or -errno.
 */
int vmig_fault_disarm(struct vmig_fault *fault);

#endif /* VMIG_FAULT_H */
