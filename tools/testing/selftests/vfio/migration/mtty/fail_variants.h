/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by tests that inject faults; they include lib/mtty.h first. */
#ifndef VMIG_FAIL_VARIANTS_H
#define VMIG_FAIL_VARIANTS_H

/* A variant for each way to open a device, and policy */
#define FAIL_VARIANTS(_name) \
FIXTURE_VARIANT_ADD(_name, group_independent) { VMIG_PATH_GROUP, "independent" }; \
FIXTURE_VARIANT_ADD(_name, group_before_data) { VMIG_PATH_GROUP, "before-data" }; \
FIXTURE_VARIANT_ADD(_name, group_reorder) { VMIG_PATH_GROUP, "reorder" }; \
FIXTURE_VARIANT_ADD(_name, group_embedded) { VMIG_PATH_GROUP, "embedded" }; \
FIXTURE_VARIANT_ADD(_name, cdev_independent) { VMIG_PATH_CDEV, "independent" }; \
FIXTURE_VARIANT_ADD(_name, cdev_before_data) { VMIG_PATH_CDEV, "before-data" }; \
FIXTURE_VARIANT_ADD(_name, cdev_reorder) { VMIG_PATH_CDEV, "reorder" }; \
FIXTURE_VARIANT_ADD(_name, cdev_embedded) { VMIG_PATH_CDEV, "embedded" }

/* Set up fault injection; returns NULL, or what this kernel does not have */
static inline const char *fail_missing(struct vmig_fault *fault, enum vmig_path path)
{
	if (!vmig_path_available(path))
		return vmig_path_name(path);
	return vmig_fault_init(fault) ? "fault injection" : NULL;
}

/*
 * The number of the next device, if it gets down to @want in some seconds: a device is freed
 * when nothing uses it any more. One that never is may be no leak for kmemleak, as VFIO has
 * it in a list, but it keeps its number.
 */
static inline int fail_next_number(int want)
{
	int64_t end = vmig_now_ms() + 10000;
	int number;

	while ((number = vmig_testdev_next_number()) > want && vmig_now_ms() < end)
		usleep(10000);
	return number;
}

/* An error is below each number */
#define EXPECT_FREED(_number) do { \
	int next_number = fail_next_number(_number); \
	EXPECT_LE(0, next_number); \
	EXPECT_GE(_number, next_number); \
} while (0)

#endif /* VMIG_FAIL_VARIANTS_H */
