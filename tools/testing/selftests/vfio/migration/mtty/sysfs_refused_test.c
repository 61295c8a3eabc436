// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes in a device's sysfs group "migration": a write that is refused changes
 * none of them, whatever they were and in whatever state the device is; how they are shown.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

/* Longer than any attribute */
#define TEXT		128

enum { POLICY, FEATURES, CAPTURE, DEFECT, ATTRS };

static const char *const attrs[ATTRS] = {
	[POLICY] = "migration/config_policy",
	[FEATURES] = "migration/features",
	[CAPTURE] = "migration/capture_size",
	[DEFECT] = "migration/defect_early_irq",
};

/* Values of all attributes before a bad write, and as they are shown */
struct setting {
	const char *write[ATTRS];
	const char *show[ATTRS];
};

static const struct setting settings[] = {
	{ { "embedded", "stop_copy p2p pre_copy", "1M", "0" },
	  { "embedded\n", "stop_copy p2p pre_copy\n", "1048576\n", "0\n" } },
	{ { "before-data", "\n", "0", "1" },
	  { "before-data\n", "stop_copy\n", "0\n", "1\n" } },
	{ { "reorder", "pre_copy", "8192", "y" },
	  { "reorder\n", "stop_copy pre_copy\n", "8192\n", "1\n" } },
	{ { "independent", "p2p", "256M", "on" },
	  { "independent\n", "stop_copy p2p\n", "268435456\n", "1\n" } },
};

DEVICE_FIXTURE(refused, "mtty-1");

/* The whole attribute, its newlines included */
static int read_raw(const struct vmig_mdev *mdev, const char *attr, char text[TEXT])
{
	char path[TEXT];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/%s", mdev->uuid, attr);
	return vmig_read_file(path, text, TEXT);
}

static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(refused) *self,
		       const char *const *want, const char *attr, const char *value)
{
	char seen[TEXT] = "";
	unsigned int i;

	for (i = 0; i < ATTRS; i++) {
		EXPECT_RET(0, read_raw(&self->td.mdev, attrs[i], seen), "%s", attrs[i]);
		EXPECT_STREQ(want[i], seen) {
			TH_LOG("%s after '%s' was written to %s", attrs[i], value, attr);
		}
	}
}

static void set_all(struct __test_metadata *_metadata, FIXTURE_DATA(refused) *self,
		    const struct setting *setting)
{
	unsigned int i;

	for (i = 0; i < ATTRS; i++)
		ASSERT_RET(0, vmig_mdev_set_attr(&self->td.mdev, attrs[i], setting->write[i]),
			   "%s '%s'", attrs[i], setting->write[i]);
}

static const struct {
	unsigned int attr;
	const char *value;
} bad[] = {
	{ POLICY, "x" }, { POLICY, "\n" }, { POLICY, " reorder" }, { POLICY, "reorder " },
	{ POLICY, "reorde" }, { POLICY, "reorderx" }, { POLICY, "reorder embedded" },
	{ POLICY, "REORDER" }, { POLICY, "4" },
	/* Words that differ from each of the settings, before and behind an unknown one */
	{ FEATURES, "p2p x" }, { FEATURES, "pre_copy x" }, { FEATURES, "stop_copy x" },
	{ FEATURES, "x p2p" }, { FEATURES, "x pre_copy" }, { FEATURES, "x" },
	{ FEATURES, "p2p pre_copy x" }, { FEATURES, "p2p x pre_copy" },
	{ FEATURES, "p2p\npre_copy\nx\n" }, { FEATURES, "p2 pre_copy" }, { FEATURES, "p" },
	{ FEATURES, "p2p,pre_copy" }, { FEATURES, "p2p-" }, { FEATURES, "P2P" },
	{ CAPTURE, "x" }, { CAPTURE, "\n" }, { CAPTURE, "K" }, { CAPTURE, "M" },
	{ CAPTURE, "1" }, { CAPTURE, "4096" }, { CAPTURE, "8191" }, { CAPTURE, "8193" },
	{ CAPTURE, "12K" }, { CAPTURE, "3M" }, { CAPTURE, "257M" }, { CAPTURE, "512M" },
	{ CAPTURE, "16KB" }, { CAPTURE, "16 K" }, { CAPTURE, "-8192" }, { CAPTURE, "1G" },
	/* 2^64, and 8192 more, without and with a suffix: cut to 64 bits they are fine */
	{ CAPTURE, "18446744073709551616" }, { CAPTURE, "18446744073709559808" },
	{ CAPTURE, "18014398509481984K" }, { CAPTURE, "18014398509481992K" },
	{ CAPTURE, "17592186044416M" }, { CAPTURE, "17592186044418M" },
	/* 24 characters */
	{ CAPTURE, "0x0000000000000000004000" }, { CAPTURE, "0x000000000000000000010K" },
	{ CAPTURE, "0x00000000000000000000000000000000000000004000" },
	{ DEFECT, "x" }, { DEFECT, "\n" }, { DEFECT, "2" }, { DEFECT, "-1" }, { DEFECT, " 1" },
};

/* Driver: group migration/: a value that is refused changes no attribute */
TEST_F(refused, bad_value_changes_nothing)
{
	unsigned int s, i;

	vmig_device_close(self->dev);
	for (s = 0; s < ARRAY_SIZE(settings); s++) {
		set_all(_metadata, self, &settings[s]);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			const char *attr = attrs[bad[i].attr];

			EXPECT_RET(-EINVAL, vmig_mdev_set_attr(&self->td.mdev, attr,
							       bad[i].value),
				   "%s '%s'", attr, bad[i].value);
			expect_all(_metadata, self, settings[s].show, attr, bad[i].value);
		}
	}
}

/* Driver: group migration/: a bad value reaches no user: size and flags are those shown */
TEST_F(refused, bad_value_does_not_reach_the_device)
{
	uint64_t flags = 0;
	unsigned int i;

	vmig_device_close(self->dev);
	set_all(_metadata, self, &settings[2]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		vmig_mdev_set_attr(&self->td.mdev, attrs[bad[i].attr], bad[i].value);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	EXPECT_EQ(8192, self->dev->region[VFIO_PCI_BAR2_REGION_INDEX].size);
	EXPECT_RET(0, vmig_mig_get_flags(self->dev, &flags), "flags");
	EXPECT_EQ(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY, flags);
}

static const struct {
	unsigned int attr;
	const char *value;
	const char *show;
} good[] = {
	{ CAPTURE, "16k", "16384\n" }, { CAPTURE, "16K\n", "16384\n" },
	{ CAPTURE, "2m", "2097152\n" }, { CAPTURE, "2M\n", "2097152\n" },
	{ CAPTURE, "0K", "0\n" }, { CAPTURE, "0m", "0\n" },
	{ CAPTURE, "0x8K", "8192\n" }, { CAPTURE, "020000", "8192\n" },
	{ CAPTURE, "268435456", "268435456\n" }, { CAPTURE, "262144K", "268435456\n" },
	/* 23 characters, octal and hexadecimal */
	{ CAPTURE, "00000000000000000040000", "16384\n" },
	{ CAPTURE, "0x00000000000000000010K\n", "16384\n" },
	{ FEATURES, "\n", "stop_copy\n" }, { FEATURES, " ", "stop_copy\n" },
	{ FEATURES, "\n\n p2p\n\n pre_copy ", "stop_copy p2p pre_copy\n" },
	{ FEATURES, "p2p p2p", "stop_copy p2p\n" }, { FEATURES, "\n\n", "stop_copy\n" },
	{ FEATURES, "pre_copy\np2p", "stop_copy p2p pre_copy\n" },
	{ FEATURES, "stop_copy", "stop_copy\n" },
	{ DEFECT, "on", "1\n" }, { DEFECT, "off\n", "0\n" }, { DEFECT, "Y", "1\n" },
	{ DEFECT, "0", "0\n" },
};

/* Driver: group migration/: how a value may be written; each is shown as one line */
TEST_F(refused, good_value_is_shown_as_one_line)
{
	char seen[TEXT] = "";
	unsigned int i;

	vmig_device_close(self->dev);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		const char *attr = attrs[good[i].attr];

		EXPECT_RET(0, vmig_mdev_set_attr(&self->td.mdev, attr, good[i].value), "%s '%s'",
			   attr, good[i].value);
		EXPECT_RET(0, read_raw(&self->td.mdev, attr, seen), "%s", attr);
		EXPECT_STREQ(good[i].show, seen) {
			TH_LOG("%s '%s'", attr, good[i].value);
		}
	}
}

FIXTURE(refused_open) {
	DEVICE_MEMBERS;
};

FIXTURE_VARIANT(refused_open) {
	enum vfio_device_mig_state state;
};

STATE_VARIANTS(refused_open);

FIXTURE_SETUP(refused_open)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(refused_open)
{
	CLOSE_DEVICE();
}

/* Driver: group migration/ while the device is open, in any state: EBUSY, nothing changes */
TEST_F(refused_open, open_device_in_any_state)
{
	static const char *const want[ATTRS] = {
		"embedded\n", "stop_copy p2p pre_copy\n", "65536\n", "0\n",
	};
	char seen[TEXT] = "";
	unsigned int s, i;

	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->state, NULL, &self->fd),
		   "to %s", vmig_state_name(variant->state));
	for (s = 1; s < ARRAY_SIZE(settings); s++) {
		for (i = 0; i < ATTRS; i++)
			EXPECT_RET(-EBUSY, vmig_mdev_set_attr(&self->td.mdev, attrs[i],
							      settings[s].write[i]),
				   "%s '%s'", attrs[i], settings[s].write[i]);
		for (i = 0; i < ATTRS; i++) {
			EXPECT_RET(0, read_raw(&self->td.mdev, attrs[i], seen), "%s", attrs[i]);
			EXPECT_STREQ(want[i], seen);
		}
	}
	EXPECT_RET(-EBUSY, vmig_mdev_set_attr(&self->td.mdev, attrs[POLICY], "x"),
		   "a bad value of a device that is open");
}

TEST_HARNESS_MAIN
