// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_PRECOPY_INFO_REINIT: told to those who have opted in that config space has
 * changed, and to nobody else.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/precopy_v2.h"

#define PORTS	2
#define SEED	41
#define PAGE	4096

FIXTURE(reinit) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	int fd;
};

/* @rec: the record that stands for a change; @v1: for those who did not opt in */
FIXTURE_VARIANT(reinit) {
	const char *policy;
	uint32_t rec;
	uint32_t v1;
};

FIXTURE_VARIANT_ADD(reinit, independent) {
	.policy = "independent", .rec = MTTY_REC_REINIT,
};

FIXTURE_VARIANT_ADD(reinit, before_data) {
	.policy = "before-data", .rec = MTTY_REC_REINIT,
};

FIXTURE_VARIANT_ADD(reinit, reorder) {
	.policy = "reorder", .rec = MTTY_REC_REINIT,
};

FIXTURE_VARIANT_ADD(reinit, embedded) {
	.policy = "embedded", .rec = MTTY_REC_CONFIG, .v1 = MTTY_REC_CONFIG,
};

FIXTURE_SETUP(reinit)
{
	const struct vmig_attrs attrs = {
		.config_policy = variant->policy, .capture_size = "64K",
	};

	self->fd = -1;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_contents_set(self->dev, PORTS, SEED));
}

FIXTURE_TEARDOWN(reinit)
{
	if (self->fd >= 0)
		close(self->fd);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

static void enter(struct __test_metadata *_metadata,
		  FIXTURE_DATA(reinit) *self)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
}

static void drain(struct __test_metadata *_metadata,
		  FIXTURE_DATA(reinit) *self)
{
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "to the temporary end");
}

static struct vfio_precopy_info info(struct __test_metadata *_metadata,
				     FIXTURE_DATA(reinit) *self)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	EXPECT_RET(0, vmig_precopy_info(self->fd, &info), "PRECOPY_INFO");
	return info;
}

static void change(struct __test_metadata *_metadata,
		   FIXTURE_DATA(reinit) *self, uint8_t line)
{
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, line),
		   "line");
}

static void dirty(struct __test_metadata *_metadata, FIXTURE_DATA(reinit) *self,
		  uint8_t byte)
{
	ASSERT_RET(0, vmig_region_write(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
					2 * PAGE, &byte, 1), "memory");
}

static unsigned int count(FIXTURE_DATA(reinit) *self, uint32_t type)
{
	struct vmig_rec rec;
	unsigned int nr = 0;

	while (!vmig_stream_find(&self->stream, type, nr, &rec))
		nr++;
	return nr;
}

/* Stop, and load all of it into the same device */
static void expect_loads(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reinit) *self)
{
	struct vfio_device_feature_mig_config answer;
	const char *what = "";
	int fd;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "rest");
	ASSERT_RET(0, vmig_mig_config_get(self->dev, &answer), "GET");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	/* Its own is as good as any; under before-data there are two of them */
	if (!(answer.flags & VFIO_MIG_CONFIG_BEFORE_DATA)) {
		EXPECT_RET(0, vmig_transfer_write(fd, self->stream.data,
						  self->stream.len, 4096,
						  NULL), "load");
		EXPECT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what),
			   "%s", what);
	}
	close(fd);
}

#define NO_V2	"no VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 on this kernel"

static bool opt_in(struct __test_metadata *_metadata,
		   FIXTURE_DATA(reinit) *self)
{
	int ret = vmig_precopy_v2_opt_in(self->dev);

	if (ret == -ENOTTY)
		return false;
	EXPECT_RET(0, ret, "opt in");
	return true;
}

/* Clause: MIG_PRECOPY_INFOv2, config space changes: REINIT, once, initial data again */
TEST_F(reinit, change_is_told_once)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	EXPECT_EQ(0, info(_metadata, self).flags);
	drain(_metadata, self);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);

	dirty(_metadata, self, 1);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);

	change(_metadata, self, 7);
	seen = info(_metadata, self);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(PAGE, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);
	EXPECT_EQ(0, info(_metadata, self).flags);
	EXPECT_LT(PAGE, info(_metadata, self).initial_bytes);

	drain(_metadata, self);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
	EXPECT_EQ(1 + (variant->rec == MTTY_REC_CONFIG),
		  count(self, variant->rec));
	expect_loads(_metadata, self);
}

/* Clause: MIG_PRECOPY_INFOv2: a change alone is initial data, too, and wakes */
TEST_F(reinit, there_is_initial_data_when_it_is_told)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	seen = info(_metadata, self);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(0, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);

	/* Changes that nobody asked about in between are one */
	change(_metadata, self, 8);
	change(_metadata, self, 9);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, self).flags);
	EXPECT_EQ(0, info(_metadata, self).flags);
	/* What is the same is no change */
	change(_metadata, self, 9);
	EXPECT_EQ(0, info(_metadata, self).flags);
}

/*
 * Clause: vfio_precopy_info, VFIO_PRECOPY_INFO_REINIT: dirty_bytes is reset to zero, also
 * if a part of the new initial data was read, and memory written, before it is told
 */
TEST_F(reinit, nothing_is_dirty_when_it_is_told)
{
	struct vfio_precopy_info seen;
	uint8_t some[10];

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	ASSERT_EQ(sizeof(some), read(self->fd, some, sizeof(some)));
	ASSERT_RET(0, vmig_bytes_add(&self->stream, some, sizeof(some)), "room");
	dirty(_metadata, self, 0x42);
	seen = info(_metadata, self);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(PAGE, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);
	/* From then on it counts again */
	drain(_metadata, self);
	dirty(_metadata, self, 0x43);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);
	expect_loads(_metadata, self);
}

/* Clause: PRECOPY_INFO that cannot be filled in: EFAULT, and REINIT is still to be told */
TEST_F(reinit, who_got_no_answer_is_told_next_time)
{
	/* Can be read, and cannot be written */
	static const struct vfio_precopy_info constant = {
		.argsz = sizeof(constant),
	};

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	EXPECT_EQ(-1, ioctl(self->fd, VFIO_MIG_GET_PRECOPY_INFO, &constant));
	EXPECT_RET(-EFAULT, -errno, "constant");
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, self).flags);
	EXPECT_EQ(0, info(_metadata, self).flags);
	EXPECT_EQ(-1, ioctl(self->fd, VFIO_MIG_GET_PRECOPY_INFO, &constant));
	EXPECT_EQ(0, info(_metadata, self).flags);
}

/* Clause: PRECOPY_INFO without the opt-in: no flag, initial_bytes never grows */
TEST_F(reinit, nobody_else_is_told)
{
	struct vfio_precopy_info seen;
	uint64_t initial;
	unsigned int i;

	enter(_metadata, self);
	initial = info(_metadata, self).initial_bytes;
	for (i = 0; i < 3; i++) {
		change(_metadata, self, 7 + i);
		dirty(_metadata, self, i);
		seen = info(_metadata, self);
		EXPECT_EQ(0, seen.flags);
		EXPECT_GE(initial, seen.initial_bytes);
		initial = seen.initial_bytes;
		drain(_metadata, self);
		seen = info(_metadata, self);
		EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
		initial = 0;
	}
	EXPECT_EQ(0, count(self, MTTY_REC_REINIT));
	EXPECT_EQ(variant->v1 ? 3 : 0, count(self, MTTY_REC_CONFIG));
	expect_loads(_metadata, self);
}

/* Clause: MIG_PRECOPY_INFOv2: for those who have the device open, not the next */
TEST_F(reinit, opt_in_ends_with_the_device)
{
	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	EXPECT_EQ(0, info(_metadata, self).flags);
	EXPECT_EQ(0, info(_metadata, self).initial_bytes);
}

TEST_HARNESS_MAIN
