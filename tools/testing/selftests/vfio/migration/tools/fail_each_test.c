// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does vmig_fail_each() make each allocation of each step fail, and does it see what a step
 * does wrong? A file stands in for the kernel's fail-nth: a step that "fails an allocation"
 * writes 0 there, as the kernel does. So no fault injection is needed.
 */
#include <errno.h>
#include <stdlib.h>

#define WITHOUT_DEVICE
#include "tools/fixture.h"

/**
 * struct vmig_fail_ctx - what the steps do
 * @fd:		stands in for fail-nth
 * @error:	of a step in which a fault has occurred
 * @late_error:	of the second step, without a fault
 * @leaks:	undo finds that something is left
 * @runs:	how often each step has run
 * @undone:	how often each step was undone
 */
struct vmig_fail_ctx {
	int fd;
	int error;
	int late_error;
	bool leaks;
	unsigned int runs[2];
	unsigned int undone[2];
};

/* The allocations of the steps */
static const unsigned int allocations[] = { 3, 2 };

/* Is one of the allocations of this step the one that has to fail? */
static bool is_hit(struct vmig_fail_ctx *w, unsigned int step)
{
	char text[16] = "";
	unsigned int nth;

	if (pread(w->fd, text, sizeof(text) - 1, 0) <= 0)
		return false;
	nth = atoi(text);
	if (!nth || nth > allocations[step])
		return false;
	return pwrite(w->fd, "0", 1, 0) == 1;
}

static int run(struct vmig_fail_ctx *w, unsigned int step)
{
	w->runs[step]++;
	return is_hit(w, step) ? w->error : 0;
}

static int run_first(struct vmig_fail_ctx *w)
{
	return run(w, 0);
}

static int run_second(struct vmig_fail_ctx *w)
{
	int ret = run(w, 1);

	return ret ? ret : w->late_error;
}

static int undo_first(struct vmig_fail_ctx *w, int ret)
{
	w->undone[0]++;
	return w->leaks ? -EUCLEAN : 0;
}

/* The first step has to be repeated, too */
static int undo_second(struct vmig_fail_ctx *w, int ret)
{
	w->undone[1]++;
	return 1;
}

static const struct vmig_step steps[] = {
	{ "first", run_first, undo_first },
	{ "second", run_second, undo_second },
};

FIXTURE(each) {
	struct vmig_fail_ctx w;
	struct vmig_fault fault;
	struct vmig_fail_counts seen;
};

FIXTURE_SETUP(each)
{
	self->fault.fd = memfd_create("fail-nth", MFD_CLOEXEC);
	ASSERT_LE(0, self->fault.fd);
	self->w.fd = self->fault.fd;
	self->w.error = -ENOMEM;
}

FIXTURE_TEARDOWN(each)
{
	close(self->fault.fd);
}

#define EXPECT_EACH(_want) \
	EXPECT_RET(_want, vmig_fail_each(&self->seen, &self->fault, steps, \
					 ARRAY_SIZE(steps), &self->w), "%s", self->seen.why)

/* Library: vmig_fail_each(): each allocation fails once, and each step is undone as often */
TEST_F(each, allocation_fails_once)
{
	EXPECT_EACH(0);
	EXPECT_EQ(5, self->seen.faults);
	EXPECT_EQ(5, self->seen.no_memory);
	EXPECT_EQ(3, self->w.undone[0]);
	EXPECT_EQ(2, self->w.undone[1]);
	/* Three faults and a success; again after each fault of the second step */
	EXPECT_EQ(6, self->w.runs[0]);
	EXPECT_EQ(3, self->w.runs[1]);
}

/* Library: vmig_fail_each(): the results of a step are counted by kind */
TEST_F(each, results_are_counted_by_kind)
{
	self->w.error = -EFAULT;
	EXPECT_EACH(0);
	EXPECT_EQ(5, self->seen.bad_address);
	self->w.error = -EIO;
	EXPECT_EACH(0);
	EXPECT_EQ(5, self->seen.in_part);
	self->w.error = 0;
	EXPECT_EACH(0);
	EXPECT_EQ(5, self->seen.absorbed);
	EXPECT_EQ(15, self->seen.faults);
	EXPECT_EQ(0, self->seen.no_memory);
}

/* Library: vmig_fail_each(): EUCLEAN for an error that a fault cannot have */
TEST_F(each, other_errors_are_found)
{
	self->w.error = -EPERM;
	EXPECT_EACH(-EUCLEAN);
	EXPECT_NE(NULL, strstr(self->seen.why, "first, with fault 1: EPERM"));
}

/* Library: vmig_fail_each(): EUCLEAN if a failure has left something behind */
TEST_F(each, leftovers_are_found)
{
	self->w.leaks = true;
	EXPECT_EACH(-EUCLEAN);
	EXPECT_NE(NULL, strstr(self->seen.why, "first, after fault 1: EUCLEAN"));
}

/* Library: vmig_fail_each(): the error of a step that fails without a fault */
TEST_F(each, error_without_a_fault)
{
	self->w.late_error = -EBUSY;
	EXPECT_EACH(-EBUSY);
	EXPECT_NE(NULL, strstr(self->seen.why, "second, without fault 0: EBUSY"));
}

/* Library: vmig_fault_disarm(): has the fault occurred? */
TEST_F(each, disarm_tells_whether_it_has_occurred)
{
	ASSERT_RET(0, vmig_fault_arm(&self->fault, 7), "arm");
	EXPECT_EQ(0, vmig_fault_disarm(&self->fault));
	ASSERT_RET(0, vmig_fault_arm(&self->fault, 1), "arm");
	EXPECT_RET(-ENOMEM, run_first(&self->w), "hit");
	EXPECT_EQ(1, vmig_fault_disarm(&self->fault));
	close(self->fault.fd);
	EXPECT_RET(-EBADF, vmig_fault_arm(&self->fault, 1), "closed");
	EXPECT_RET(-EBADF, vmig_fault_disarm(&self->fault), "closed");
}

TEST_HARNESS_MAIN
