/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests in uapi/, which judge any driver: requests that must be refused,
 * and a whole migration.
 */
#ifndef VMIG_UAPI_H
#define VMIG_UAPI_H

#include "lib/subject.h"

/*
 * EXPECT_REFUSED - the call must fail; vfio.h does not say how. @_key names the choice
 * that is recorded, such as "errno of a short argsz".
 */
#define EXPECT_REFUSED(_key, _call) do { \
	int refused_ret = (_call); \
	EXPECT_GT(0, refused_ret) { \
		TH_LOG("%s: %s succeeded", _key, #_call); \
	} \
	if (refused_ret < 0) \
		RECORD(_key, "%s", vmig_errno_name(refused_ret)); \
} while (0)

/* Raise or lower the interrupt of an index with the operation of the device */
#define RAISE(_index) \
	ASSERT_RET(0, self->subject.ops->irq_raise(self->dev, _index, 0), "raise")
#define LOWER(_index) \
	ASSERT_RET(0, self->subject.ops->irq_lower(self->dev, _index, 0), "lower")

/* EXPECT_FILLED - a device must have the contents of the operation fill */
#define EXPECT_FILLED(_dev, _seed) do { \
	const char *seen_what = ""; \
	EXPECT_RET(0, self->subject.ops->check(_dev, _seed, &seen_what), "%s", \
		   seen_what); \
} while (0)

#endif /* VMIG_UAPI_H */
