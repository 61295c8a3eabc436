/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judging the 0 or -errno that the library returns; for tests only, which
 * include kselftest_harness.h first.
 */
#ifndef VMIG_EXPECT_H
#define VMIG_EXPECT_H

#include <string.h>

/*
 * What hangs comes to the limit of its program, which is chosen for the machine and
 * the kernel (settings, TEST_TIMEOUT); the harness's own 30 seconds are not.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/**
 * vmig_errno_name - "EINVAL" for -EINVAL, "0" for 0
 * @ret:	what a function of the library returned
 */
static inline const char *vmig_errno_name(int ret)
{
	const char *name = strerrorname_np(ret < 0 ? -ret : ret);

	return name ? name : "?";
}

/*
 * EXPECT_RET - the call must return exactly this
 *
 * What follows names the case, as for printf(): an assertion inside a loop is
 * worth nothing if it does not say for which round it failed.
 */
#define EXPECT_RET(_want, _call, ...) do { \
	int want_ret = (_want); \
	int seen_ret = (_call); \
	EXPECT_EQ(want_ret, seen_ret) { \
		TH_LOG(__VA_ARGS__); \
		TH_LOG("  %s: expected %s, seen %s", #_call, \
		       vmig_errno_name(want_ret), vmig_errno_name(seen_ret)); \
	} \
} while (0)

/* ASSERT_RET - EXPECT_RET, and there is no point in going on */
#define ASSERT_RET(_want, _call, ...) do { \
	int want_ret = (_want); \
	int seen_ret = (_call); \
	ASSERT_EQ(want_ret, seen_ret) { \
		TH_LOG(__VA_ARGS__); \
		TH_LOG("  %s: expected %s, seen %s", #_call, \
		       vmig_errno_name(want_ret), vmig_errno_name(seen_ret)); \
	} \
} while (0)

/* EXPECT_STATE - the device must be in this migration state */
#define EXPECT_STATE(_want, _dev, ...) do { \
	enum vfio_device_mig_state seen_state = VFIO_DEVICE_STATE_NR; \
	EXPECT_RET(0, vmig_mig_get_state(_dev, &seen_state), __VA_ARGS__); \
	EXPECT_STREQ(vmig_state_name(_want), vmig_state_name(seen_state)) { \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)

#endif /* VMIG_EXPECT_H */
