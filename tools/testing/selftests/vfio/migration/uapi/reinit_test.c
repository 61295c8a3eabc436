// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_PRECOPY_INFO_REINIT: reports a change of config space, only after the opt-in.
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
	DEVICE_MEMBERS;
};

/* @rec: the record of a change; @v1: the same without the opt-in, or 0 */
FIXTURE_VARIANT(reinit) {
	const char *policy;
	uint32_t rec;
	uint32_t v1;
};

#define VARIANT(_name, _policy, _rec, _v1) \
	FIXTURE_VARIANT_ADD(reinit, _name) { .policy = _policy, .rec = _rec, .v1 = _v1 }

VARIANT(independent, "independent", MTTY_REC_REINIT, 0);
VARIANT(before_data, "before-data", MTTY_REC_REINIT, 0);
VARIANT(reorder, "reorder", MTTY_REC_REINIT, 0);
VARIANT(embedded, "embedded", MTTY_REC_CONFIG, MTTY_REC_CONFIG);

FIXTURE_SETUP(reinit)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy,
		    .capture_size = "64K");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
}

FIXTURE_TEARDOWN(reinit)
{
	CLOSE_DEVICE();
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
		   FIXTURE_DATA(reinit) *self, uint8_t val)
{
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, val),
		   "config space");
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

/* Stops, and loads the stream into the same device */
static void expect_loads(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reinit) *self)
{
	struct vfio_device_feature_mig_config config;
	const char *what = "";
	int fd;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "rest");
	ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	/* Under before-data the stream needs two snapshots of config space */
	if (!(config.flags & VFIO_MIG_CONFIG_BEFORE_DATA)) {
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

/* Driver: a change of config space: REINIT, once, and one record of it */
TEST_F(reinit, change_is_reported_once)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	EXPECT_EQ(0, info(_metadata, self).flags);
	drain(_metadata, self);
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

/* Driver: changes of config space between two reports are one; no change is none */
TEST_F(reinit, changes_coalesce)
{
	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, self).flags);
	change(_metadata, self, 8);
	change(_metadata, self, 9);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, self).flags);
	EXPECT_EQ(0, info(_metadata, self).flags);
	change(_metadata, self, 9);
	EXPECT_EQ(0, info(_metadata, self).flags);
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: new initial data, which is read down to zero */
TEST_F(reinit, means_new_initial_data)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
	change(_metadata, self, 7);
	seen = info(_metadata, self);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(0, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);
	drain(_metadata, self);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
}

/*
 * Clause: VFIO_PRECOPY_INFO_REINIT: dirty_bytes is reset to zero, also if memory was
 * written, and a part of the new initial data was read, before the report
 */
TEST_F(reinit, resets_dirty_bytes)
{
	struct vfio_precopy_info seen;
	uint8_t some[10];

	if (!opt_in(_metadata, self))
		SKIP(return, NO_V2);
	enter(_metadata, self);
	drain(_metadata, self);
	change(_metadata, self, 7);
	ASSERT_EQ(sizeof(some), read(self->fd, some, sizeof(some)));
	ASSERT_RET(0, vmig_bytes_add(&self->stream, some, sizeof(some)), "add");
	dirty(_metadata, self, 0x42);
	seen = info(_metadata, self);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(PAGE, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);
	drain(_metadata, self);
	dirty(_metadata, self, 0x43);
	seen = info(_metadata, self);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);
	expect_loads(_metadata, self);
}

/* Driver: PRECOPY_INFO that cannot be copied: EFAULT, REINIT is reported next time */
TEST_F(reinit, is_repeated_after_efault)
{
	/* In read-only memory */
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

static void change_without_opt_in(struct __test_metadata *_metadata,
				  FIXTURE_DATA(reinit) *self)
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
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: not without the opt-in; initial_bytes never grows */
TEST_F(reinit, needs_the_opt_in)
{
	change_without_opt_in(_metadata, self);
}

/* Driver: without the opt-in no record of a change, but for config space itself */
TEST_F(reinit, records_without_the_opt_in)
{
	change_without_opt_in(_metadata, self);
	EXPECT_EQ(0, count(self, MTTY_REC_REINIT));
	EXPECT_EQ(variant->v1 ? 3 : 0, count(self, MTTY_REC_CONFIG));
	expect_loads(_metadata, self);
}

/* Driver: MIG_PRECOPY_INFOv2: the opt-in ends when the device is closed */
TEST_F(reinit, opt_in_ends_with_close)
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
