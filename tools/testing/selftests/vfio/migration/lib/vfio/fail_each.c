// SPDX-License-Identifier: GPL-2.0-only
/* Everything fails once; see sweep.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "expect.h"
#include "fail_each.h"

/* There is an end to what a step can do: this is far beyond */
#define MANY	100000u

/* Where it is, and how far it has been */
struct place {
	unsigned int step;
	unsigned int call;
	unsigned int nth;
	unsigned int steps_done;
	unsigned int calls_done;
};

static int say(struct vmig_fail_each *sweep, const struct vmig_step *step,
	       const char *when, unsigned int nth, int ret)
{
	snprintf(sweep->why, sizeof(sweep->why), "%s, %s fault %u: %s",
		 step->name, when, nth, vmig_errno_name(ret));
	return ret;
}

/* What may come of it when memory or the user's memory is missing */
static int judge(struct vmig_fail_each *sweep, int ret)
{
	sweep->faults++;
	if (ret >= 0)
		sweep->absorbed++;
	else if (ret == -ENOMEM)
		sweep->no_memory++;
	else if (ret == -EFAULT)
		sweep->bad_address++;
	else if (ret == -EIO)
		sweep->in_part++;
	else
		return -EUCLEAN;
	return 0;
}

/* Back to where it can go on from */
static int undo(struct vmig_fail_each *sweep, const struct vmig_step *step,
		struct place *at, struct vmig_fail_ctx *w, int ret)
{
	if (judge(sweep, ret)) {
		say(sweep, step, "with", at->nth, ret);
		return -EUCLEAN;
	}
	ret = step->undo ? step->undo(w, ret) : 0;
	if (ret < 0)
		return say(sweep, step, "after", at->nth, ret);
	if (at->nth++ > MANY)
		return say(sweep, step, "with", at->nth, -ELOOP);

	at->step -= ret;
	if (ret)
		at->call = 0;
	return 0;
}

static void go_on(struct place *at, bool armed, int ret)
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

int vmig_fail_each(struct vmig_fail_each *sweep, struct vmig_fault *fault,
	       const struct vmig_step *steps, unsigned int nr, struct vmig_fail_ctx *w)
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
				return say(sweep, step, "arming", at.nth, ret);
		}
		ret = step->run(w);
		if (armed)
			hit = vmig_fault_disarm(fault);
		if (hit < 0)
			return say(sweep, step, "disarming", at.nth, hit);

		if (hit)
			ret = undo(sweep, step, &at, w, ret);
		else if (ret >= 0)
			go_on(&at, armed, ret);
		if (ret < 0)
			return hit ? ret : say(sweep, step, "without", 0, ret);
	}
	return 0;
}

int vmig_fail_each_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}
