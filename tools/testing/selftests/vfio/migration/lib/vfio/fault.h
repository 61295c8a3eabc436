/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on purpose: of what the calling thread does, the n-th allocation or copy
 * from or to user memory fails (/proc/thread-self/fail-nth).
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_FAULT_H
#define VMIG_FAULT_H

#include <stdbool.h>

#define VMIG_FAULT_KINDS	3
#define VMIG_FAULT_KNOBS	5

/**
 * struct vmig_fault - what it takes
 * @fd:		of fail-nth, or -1
 * @was:	what the knobs in debugfs were before, for each kind of fault; empty
 *		for those that were not touched
 */
struct vmig_fault {
	int fd;
	char was[VMIG_FAULT_KINDS][VMIG_FAULT_KNOBS][24];
};

/**
 * vmig_fault_init - let every kind of allocation be one that can fail
 * @fault:	filled in
 *
 * For the thread that calls it, and only once vmig_fault_arm() is called.
 *
 * Return: 0, or -ENOENT if the kernel has no such thing, or there is no debugfs.
 */
int vmig_fault_init(struct vmig_fault *fault);

/**
 * vmig_fault_spare - let nothing fail that a function, and what it calls, does
 * @fault:	from vmig_fault_init(), which spares nothing
 * @module:	where it is; NULL: in the kernel itself
 * @function:	a mistake of somebody else's is in there
 *
 * Return: 0, or -ENOENT if the kernel cannot do that, or has no such function.
 */
int vmig_fault_spare(struct vmig_fault *fault, const char *module,
		     const char *function);

/** vmig_fault_exit - undo vmig_fault_init(); idempotent */
void vmig_fault_exit(struct vmig_fault *fault);

/**
 * vmig_fault_arm - from now on count, and fail once
 * @fault:	from vmig_fault_init()
 * @nth:	which allocation or copy, counted from 1
 */
int vmig_fault_arm(struct vmig_fault *fault, unsigned int nth);

/**
 * vmig_fault_disarm - nothing fails any more
 * @fault:	from vmig_fault_init()
 *
 * Return: 1 if something has failed, 0 if there were not so many, or -errno.
 */
int vmig_fault_disarm(struct vmig_fault *fault);

#endif /* VMIG_FAULT_H */
