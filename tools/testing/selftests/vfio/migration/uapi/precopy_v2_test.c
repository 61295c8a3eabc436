// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, and VFIO_PRECOPY_INFO_REINIT, which it allows. A
 * driver may never report REINIT: cases judge what must hold if it does.
 */
#include <linux/pci_regs.h>

#include "precopy.h"
#include "lib/vfio/precopy_v2.h"

/* With this in flags, an answer shows whether the driver writes them */
#define ALL_FLAGS	UINT32_MAX

SUBJECT_FIXTURE(precopy_v2);

#define OPT_IN()	ASSERT_RET(0, vmig_precopy_v2_opt_in(self->dev), "SET MIG_PRECOPY_INFOv2")

/* The flags of the answer, if those of the request are these */
static int ask_flags(int fd, uint32_t request, uint32_t *answer)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info), .flags = request };

	if (vmig_call_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info))
		return -errno;
	*answer = info.flags;
	return 0;
}

/*
 * Changes that may make a driver begin anew: other contents, another configuration. The line
 * of the interrupt is a register that only software uses.
 */
static int change_all(struct vmig_subject *subject)
{
	struct vmig_device *dev = &subject->dev;
	size_t bytes;
	uint8_t line;
	int ret = 0;

	if (subject->ops->dirty)
		ret = subject->ops->dirty(dev, &bytes);
	if (!ret && subject->ops->fill)
		ret = subject->ops->fill(dev, 33);
	if (ret || !(subject->has & VMIG_HAS_PCI))
		return ret;
	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line ^ 1);
}

CLAUSE_TEST_F(precopy_v2, set, "precopy.v2-set")
{
	NEED(PRECOPY_V2);
	EXPECT_RET(0, vmig_precopy_v2_opt_in(self->dev), "SET");
}

CLAUSE_TEST_F(precopy_v2, get, "precopy.v2-no-get")
{
	NEED(PRECOPY_V2);
	EXPECT_REFUSED("errno of GET MIG_PRECOPY_INFOv2",
		       vmig_feature(self->dev, VFIO_DEVICE_FEATURE_GET |
				    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0));
	EXPECT_REFUSED("errno of PROBE GET MIG_PRECOPY_INFOv2",
		       vmig_feature(self->dev, VFIO_DEVICE_FEATURE_PROBE |
				    VFIO_DEVICE_FEATURE_GET |
				    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0));
}

CLAUSE_TEST_F(precopy_v2, without_pre_copy, "precopy.v2-no-pre-copy")
{
	if (!vmig_subject_lacks(&self->subject, VMIG_HAS_PRE_COPY))
		SKIP(return, "not applicable: the device has PRE_COPY");
	EXPECT_REFUSED("errno of SET MIG_PRECOPY_INFOv2 without PRE_COPY",
		       vmig_precopy_v2_opt_in(self->dev));
}

/*
 * A driver that does not write flags in the first version shows itself the end of the
 * choice; others must at least not report REINIT.
 */
CLAUSE_TEST_F(precopy_v2, ends_with_close, "precopy.v2-close")
{
	uint32_t before = 0, after = 0;

	NEED(PRECOPY_V2);
	ENTER_PRE_COPY();
	ASSERT_RET(0, ask_flags(self->fd, ALL_FLAGS, &before), "first version");
	CANCEL_PRE_COPY();
	OPT_IN();
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "close and open");
	BEGIN_PRE_COPY();
	DRAIN();
	ASSERT_RET(0, change_all(&self->subject), "change the device");
	ASSERT_RET(0, ask_flags(self->fd, ALL_FLAGS, &after), "after close");
	EXPECT_EQ(before, after);
	RECORD("flags of the first version, given all ones", "%#x", before);
}

CLAUSE_TEST_F(precopy_v2, flags_are_output, "precopy.v2-flags")
{
	uint32_t flags = 0;

	NEED(PRECOPY_V2);
	OPT_IN();
	ENTER_PRE_COPY();
	ASSERT_RET(0, ask_flags(self->fd, ALL_FLAGS, &flags), "flags all ones");
	EXPECT_EQ(0, flags & ~VFIO_PRECOPY_INFO_REINIT);
	/* A device may be new again, or stay new until its data are read */
	ASSERT_RET(0, ask_flags(self->fd, ALL_FLAGS, &flags), "flags all ones, again");
	EXPECT_EQ(0, flags & ~VFIO_PRECOPY_INFO_REINIT);
	RECORD("REINIT in a second answer", "%s",
	       flags & VFIO_PRECOPY_INFO_REINIT ? "reported" : "not reported");
}

CLAUSE_TEST_F(precopy_v2, no_reinit_in_the_first_version, "precopy.v1-no-reinit")
{
	uint32_t flags = 0;

	NEED(PRECOPY_V2);
	ENTER_PRE_COPY();
	ASSERT_RET(0, ask_flags(self->fd, 0, &flags), "at the start");
	EXPECT_EQ(0, flags & VFIO_PRECOPY_INFO_REINIT);
	DRAIN();
	ASSERT_RET(0, change_all(&self->subject), "change the device");
	ASSERT_RET(0, ask_flags(self->fd, 0, &flags), "after a change");
	EXPECT_EQ(0, flags & VFIO_PRECOPY_INFO_REINIT);
}

/* All is read, then the device changes. The answer to that is @_info */
#define PROVOKE_REINIT(_info) do { \
	NEED(PRECOPY_V2); \
	OPT_IN(); \
	ENTER_PRE_COPY(); \
	DRAIN(); \
	ASSERT_RET(0, change_all(&self->subject), "change the device"); \
	ASK(_info); \
} while (0)

#define NEED_REINIT(_info) do { \
	if (!((_info)->flags & VFIO_PRECOPY_INFO_REINIT)) \
		SKIP(return, "not applicable: the driver did not report REINIT"); \
} while (0)

CLAUSE_TEST_F(precopy_v2, reinit, "precopy.reinit")
{
	struct vfio_precopy_info info;

	PROVOKE_REINIT(&info);
	RECORD("REINIT after a change", "%s",
	       info.flags & VFIO_PRECOPY_INFO_REINIT ? "reported" : "not reported");
	if (!(info.flags & VFIO_PRECOPY_INFO_REINIT))
		EXPECT_EQ(0, info.initial_bytes);
}

CLAUSE_TEST_F(precopy_v2, reinit_has_initial_data, "precopy.reinit-data")
{
	struct vfio_precopy_info info;

	PROVOKE_REINIT(&info);
	NEED_REINIT(&info);
	EXPECT_LT(0, info.initial_bytes);
	EXPECT_LT(0, read_once(self->fd, &self->stream, 1));
	DRAIN();
	ASK(&info);
	EXPECT_EQ(0, info.initial_bytes);
}

CLAUSE_TEST_F(precopy_v2, reinit_resets_dirty_bytes, "precopy.reinit-dirty")
{
	struct vfio_precopy_info info;

	PROVOKE_REINIT(&info);
	NEED_REINIT(&info);
	EXPECT_EQ(0, info.dirty_bytes);
}

SUBJECT_TEST_MAIN
