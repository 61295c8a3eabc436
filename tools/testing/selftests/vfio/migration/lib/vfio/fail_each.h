/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What if there is no memory, or the user's memory is not there?  A scenario is
 * walked through step by step, and in each step every single allocation and every
 * copy from or to user memory fails once.  After each failure the step is undone,
 * or what it takes to do it again is, and it is done again; so a device that was
 * left in a bad way cannot get to the end of its scenario, where all that it should
 * hold must be there.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_FAIL_EACH_H
#define VMIG_FAIL_EACH_H

#include "fault.h"

/* What a step returns that has more to do, in another call */
#define VMIG_FAIL_EACH_MORE		1

struct vmig_fail_ctx;

/**
 * struct vmig_step - something that may fail at any point
 * @name:	for who reads a failure
 * @run:	do it: 0, VMIG_FAIL_EACH_MORE, or -errno
 * @undo:	called when something was made to fail, @ret being what came of it:
 *		whatever is needed for @run to be called again; NULL for nothing.
 *		Returns how many steps before this one it has undone as well, or
 *		-errno, which is -EUCLEAN if the failure has left something behind
 */
struct vmig_step {
	const char *name;
	int (*run)(struct vmig_fail_ctx *w);
	int (*undo)(struct vmig_fail_ctx *w, int ret);
};

/**
 * struct vmig_fail_each - what came of it
 * @faults:		how often something was made to fail
 * @no_memory:		how often the step said ENOMEM,
 * @bad_address:	EFAULT,
 * @in_part:		EIO, which the library makes of a call that did not do all,
 * @absorbed:		and nothing
 * @why:		if it has failed: the step, the fault, and what it said
 */
struct vmig_fail_each {
	unsigned int faults;
	unsigned int no_memory;
	unsigned int bad_address;
	unsigned int in_part;
	unsigned int absorbed;
	char why[128];
};

#define VMIG_FAIL_EACH_FMT	"%u faults: %u times ENOMEM, %u EFAULT, %u done in part, %u without a trace"
#define VMIG_FAIL_EACH_ARG(_s) \
	(_s)->faults, (_s)->no_memory, (_s)->bad_address, (_s)->in_part, \
	(_s)->absorbed

/**
 * vmig_fail_each - do every step, each with all its faults
 * @sweep:	zeroed; filled in
 * @fault:	from vmig_fault_init()
 * @steps:	the scenario
 * @nr:		of @steps
 * @w:		whatever the steps work on; each program defines its own
 *
 * A step that has more to do is one for each of its calls; those that were through
 * it already are not made to fail again when they have to be repeated.
 *
 * Return: 0; -EUCLEAN if a step failed in a way that no missing memory explains;
 * else what a step said without any fault, or its undoing. @sweep->why tells.
 */
int vmig_fail_each(struct vmig_fail_each *sweep, struct vmig_fault *fault,
	       const struct vmig_step *steps, unsigned int nr, struct vmig_fail_ctx *w);

/** vmig_fail_each_fds - how many files this process has open, or -errno */
int vmig_fail_each_fds(void);

#endif /* VMIG_FAIL_EACH_H */
