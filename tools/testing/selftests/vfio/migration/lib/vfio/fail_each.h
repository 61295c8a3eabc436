/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run a list of steps, and make each allocation and each copy from or to userspace in
 * each step fail once. After each failure the step is undone and repeated. The last
 * steps of a list check the device, so a failure that damages it is found.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_FAIL_EACH_H
#define VMIG_FAIL_EACH_H

#include "fault.h"

/* Returned by a step that must be called again */
#define VMIG_FAIL_EACH_MORE		1

/* The data that the steps work on; each program defines its own */
struct vmig_fail_ctx;

/**
 * struct vmig_step - a step that may fail at any point
 * @name:	for messages
 * @run:	returns 0, VMIG_FAIL_EACH_MORE, or -errno
 * @undo:	called after a fault with the return value of @run, so that @run can be
 *		called again; may be NULL. Returns the number of earlier steps that it
 *		has undone as well, -EUCLEAN if the failure has left something behind,
 *		or another -errno
 */
struct vmig_step {
	const char *name;
	int (*run)(struct vmig_fail_ctx *w);
	int (*undo)(struct vmig_fail_ctx *w, int ret);
};

/**
 * struct vmig_fail_counts - counts of the faults, by the result of the step
 * @faults:		all
 * @no_memory:		ENOMEM
 * @bad_address:	EFAULT
 * @in_part:		EIO, with which the library reports a short read() or write()
 * @absorbed:		success
 * @why:		on failure: the step, the fault, and the result
 */
struct vmig_fail_counts {
	unsigned int faults;
	unsigned int no_memory;
	unsigned int bad_address;
	unsigned int in_part;
	unsigned int absorbed;
	char why[128];
};

#define VMIG_FAIL_EACH_FMT	"%u faults: %u times ENOMEM, %u EFAULT, %u short, %u without effect"
#define VMIG_FAIL_EACH_ARG(_s) \
	(_s)->faults, (_s)->no_memory, (_s)->bad_address, (_s)->in_part, \
	(_s)->absorbed

/**
 * vmig_fail_each - run all steps, each with all its faults
 * @each:	zeroed; filled in
 * @fault:	from vmig_fault_init()
 * @steps:	the steps
 * @nr:		number of @steps
 * @w:		passed to the steps
 *
 * Each call of a step that returns VMIG_FAIL_EACH_MORE has its own faults. Calls that
 * had them already are repeated without.
 *
 * Return: 0; -EUCLEAN if the result of a step does not fit a fault; or the -errno of
 * @undo, or of a step without a fault. @each->why has the reason.
 */
int vmig_fail_each(struct vmig_fail_counts *each, struct vmig_fault *fault,
		   const struct vmig_step *steps, unsigned int nr,
		   struct vmig_fail_ctx *w);

#endif /* VMIG_FAIL_EACH_H */
