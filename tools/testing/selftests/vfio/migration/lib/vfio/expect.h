/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assertions on the 0 or -errno that the library returns. For tests only: include
 * kselftest_harness.h first.
 */
#ifndef VMIG_EXPECT_H
#define VMIG_EXPECT_H

#include <string.h>

/*
 * A case that hangs is ended by the timeout of the program, which fits the machine
 * and the kernel (settings, TEST_TIMEOUT). The harness's own 30 seconds are too short.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/**
 * vmig_errno_name - "EINVAL" for -EINVAL, "0" for 0
 * @ret:	return value of a function of the library
 */
static inline const char *vmig_errno_name(int ret)
{
	const char *name = strerrorname_np(ret < 0 ? -ret : ret);

	return name ? name : "?";
}

/*
 * EXPECT_RET - the call must return exactly @_want
 *
 * The other arguments are those of printf(). They name the case, so that a failure
 * in a loop shows its iteration.
 */
#define EXPECT_RET(_want, _call, ...) \
	COMPARE_RET(EXPECT_EQ, _want, _call, #_call, __VA_ARGS__)

/* ASSERT_RET - EXPECT_RET, and end the test on failure */
#define ASSERT_RET(_want, _call, ...) \
	COMPARE_RET(ASSERT_EQ, _want, _call, #_call, __VA_ARGS__)

#define COMPARE_RET(_eq, _want, _call, _text, ...) do { \
	int want_ret = (_want); \
	int seen_ret = (_call); \
	_eq(want_ret, seen_ret) { \
		TH_LOG(__VA_ARGS__); \
		TH_LOG("  %s: expected %s, seen %s", _text, \
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
