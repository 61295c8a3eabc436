// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "expect.h"
#include "fail_each.h"

/* No step makes so many allocations and copies: -ELOOP */
#define FAULTS_MAX	100000u

/*
 * The next call is number @call of step number @step; fault number @nth follows. All
 * faults were done in the first @calls_done calls of step number @steps_done, and in
 * the steps before.
 */
struct place {
	unsigned int step;
	unsigned int call;
	unsigned int nth;
	unsigned int steps_done;
	unsigned int calls_done;
};

static int fail(struct vmig_fail_counts *each, const struct vmig_step *step,
		const char *when, unsigned int nth, int ret)
{
	snprintf(each->why, sizeof(each->why), "%s, %s fault %u: %s",
		 step->name, when, nth, vmig_errno_name(ret));
	return ret;
}

/* -EUCLEAN if a fault cannot have this result */
static int count(struct vmig_fail_counts *each, int ret)
{
	each->faults++;
	if (ret >= 0)
		each->absorbed++;
	else if (ret == -ENOMEM)
		each->no_memory++;
	else if (ret == -EFAULT)
		each->bad_address++;
	else if (ret == -EIO)
		each->in_part++;
	else
		return -EUCLEAN;
	return 0;
}

/* After a fault: go back to the step that has to be repeated */
static int undo(struct vmig_fail_counts *each, const struct vmig_step *step,
		struct place *at, struct vmig_fail_ctx *w, int ret)
{
	if (count(each, ret)) {
		fail(each, step, "with", at->nth, ret);
		return -EUCLEAN;
	}
	ret = step->undo ? step->undo(w, ret) : 0;
	if (ret < 0)
		return fail(each, step, "after", at->nth, ret);
	if (at->nth++ > FAULTS_MAX)
		return fail(each, step, "with", at->nth, -ELOOP);

	at->step -= ret;
	if (ret)
		at->call = 0;
	return 0;
}

static void advance(struct place *at, bool armed, int ret)
{
	at->call++;
	if (armed) {
		at->nth = 1;
		at->calls_done++;
	}
	if (ret == VMIG_FAIL_EACH_MORE)
		return;
	if (armed) {
		at->calls_done = 0;
		at->steps_done++;
	}
	at->call = 0;
	at->step++;
}

int vmig_fail_each(struct vmig_fail_counts *each, struct vmig_fault *fault,
		   const struct vmig_step *steps, unsigned int nr,
		   struct vmig_fail_ctx *w)
{
	struct place at = { .nth = 1 };

	while (at.step < nr) {
		const struct vmig_step *step = &steps[at.step];
		bool armed = at.step == at.steps_done &&
			     at.call == at.calls_done;
		int ret, hit = 0;

		if (armed) {
			ret = vmig_fault_arm(fault, at.nth);
			if (ret)
				return fail(each, step, "arming", at.nth, ret);
		}
		ret = step->run(w);
		if (armed)
			hit = vmig_fault_disarm(fault);
		if (hit < 0)
			return fail(each, step, "disarming", at.nth, hit);

		if (hit)
			ret = undo(each, step, &at, w, ret);
		else if (ret >= 0)
			advance(&at, armed, ret);
		if (ret < 0)
			return hit ? ret : fail(each, step, "without", 0, ret);
	}
	return 0;
}
