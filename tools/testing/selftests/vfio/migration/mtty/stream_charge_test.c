// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of resuming sessions: charged to the user, bounded, and freed with the
 * data_fd. Many sessions are measured, because the kernel's count may lag.
 */
#include <unistd.h>

#include "lib/mtty.h"

#define SESSIONS	200
#define SLACK		0x100000
#define KIB		1024

FIXTURE(charge) {
	DEVICE_MEMBERS;
	int session[SESSIONS];
};

/* A session takes from @least to @most bytes */
FIXTURE_VARIANT(charge) {
	const char *capture_size;
	long long least;
	long long most;
};

FIXTURE_VARIANT_ADD(charge, with_capture_memory) {
	.capture_size = "8K", .least = 64 * KIB, .most = 160 * KIB,
};

FIXTURE_VARIANT_ADD(charge, without_capture_memory) {
	.capture_size = "0", .least = 0, .most = 2 * KIB,
};

FIXTURE_SETUP(charge)
{
	/* -1: the test closes all of them, also those that did not begin */
	memset(self->session, 0xff, sizeof(self->session));
	OPEN_DEVICE("mtty-1", .capture_size = variant->capture_size);
}

FIXTURE_TEARDOWN(charge)
{
	CLOSE_DEVICE();
}

/* Each session is ended by a reset, and has memory as long as its data_fd is open */
static int begin_all(FIXTURE_DATA(charge) *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < SESSIONS && !ret; i++) {
		ret = vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->session[i]);
		if (!ret)
			ret = vmig_device_reset(self->dev);
	}
	return ret;
}

/* Driver: memory of a resuming session: charged, within the documented bound, and freed */
TEST_F(charge, of_a_resuming_session)
{
	long long before, during, after;
	unsigned int i;

	if (vmig_cgroup_enter())
		SKIP(return, "no memory controller of cgroup2 here");
	before = vmig_cgroup_charged();
	EXPECT_RET(0, begin_all(self), "sessions");
	during = vmig_cgroup_charged();
	for (i = 0; i < SESSIONS; i++)
		close(self->session[i]);
	after = vmig_cgroup_charged();
	vmig_cgroup_leave();

	ASSERT_LE(0, before);
	ASSERT_LE(0, during);
	ASSERT_LE(0, after);
	EXPECT_LE(before + SESSIONS * variant->least - SLACK, during);
	EXPECT_GE(before + SESSIONS * variant->most + SLACK, during);
	EXPECT_GE(before + SLACK, after);
}

TEST_HARNESS_MAIN
