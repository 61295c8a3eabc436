/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests in uapi/, which judge any driver: requests that must be refused,
 * and a whole migration.
 */
#ifndef VMIG_UAPI_H
#define VMIG_UAPI_H

#include <errno.h>
#include <stdlib.h>

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

/*
 * May a case read and write this region? A read of a register may clear it, and one that a
 * function does not take may raise a bus error. So of a device that was given, and that the
 * suite does not know, only config space and the ROM are accessed.
 */
static inline bool may_access(const struct vmig_subject *subject, unsigned int index)
{
	if (!vmig_subject_given() || subject->ops != &vmig_ops_none ||
	    getenv("VFIO_DESTRUCTIVE"))
		return true;
	return (subject->dev.flags & VFIO_DEVICE_FLAGS_PCI) &&
	       (index == VFIO_PCI_CONFIG_REGION_INDEX || index == VFIO_PCI_ROM_REGION_INDEX);
}

#define NOT_ACCESSED \
	"not checked: reads of BARs may have effects; allow them with --destructive"

/* Has the case connected no eventfd before? @ret: the result of doing it now */
static inline bool is_first_connect(int ret)
{
	static bool connected;
	bool first = !connected;

	if (!ret)
		connected = true;
	return first;
}

/*
 * NEED_CONNECTED - the result of connecting eventfds to the first @_nr interrupts. The host
 * may have fewer, or another device on the line of INTx: that says nothing about the driver.
 * A case that has failed before stays failed.
 */
#define NEED_CONNECTED(_index, _nr, _ret) do { \
	int connected_ret = (_ret); \
	bool first_connect = is_first_connect(connected_ret); \
	bool may_skip = _metadata->exit_code != KSFT_FAIL; \
\
	if (may_skip && connected_ret > 0 && connected_ret < (int)(_nr)) \
		SKIP(return, "not checked: the host has only %d interrupts", connected_ret); \
	if (may_skip && connected_ret == -EBUSY && (_index) == INTX && \
	    first_connect && vmig_subject_given()) \
		SKIP(return, "not checked: the host has other users of the INTx line"); \
	ASSERT_RET(0, connected_ret, "connect eventfds"); \
} while (0)

/* Connect an eventfd to the first interrupt of an index */
#define CONNECT_FD(_index, _fd) \
	NEED_CONNECTED(_index, 1, vmig_irq_set_fd(self->dev, _index, TRIGGER, _fd))

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
