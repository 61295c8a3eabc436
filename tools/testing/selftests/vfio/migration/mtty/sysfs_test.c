// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes in a device's sysfs group "migration": defaults, what is
 * accepted and what is refused, when, and what it does to the device.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define POLICY		"migration/config_policy"
#define FEATURES	"migration/features"
#define CAPTURE		"migration/capture_size"
#define DEFECT		"migration/defect_early_irq"

FIXTURE(sysfs) {
	struct vmig_testdev td;
	const struct vmig_mdev *mdev;
	struct vmig_device *dev;
};

FIXTURE_SETUP(sysfs)
{
	self->mdev = &self->td.mdev;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1", VMIG_PATH_ANY, NULL));
	vmig_device_close(self->dev);
}

FIXTURE_TEARDOWN(sysfs)
{
	vmig_testdev_close(&self->td);
}

#define EXPECT_ATTR(_attr, _want) do { \
	char seen_attr[128] = ""; \
	EXPECT_RET(0, vmig_mdev_get_attr(self->mdev, _attr, seen_attr, \
					 sizeof(seen_attr)), _attr); \
	EXPECT_STREQ(_want, seen_attr); \
} while (0)

static int reopen(FIXTURE_DATA(sysfs) *self)
{
	vmig_device_close(self->dev);
	return vmig_device_open(self->dev, self->mdev, VMIG_PATH_ANY);
}

/* Clause: migration/config_policy: "independent" by default */
TEST_F(sysfs, policy_default)
{
	EXPECT_ATTR(POLICY, "independent");
}

/* Clause: migration/features: everything by default */
TEST_F(sysfs, features_default)
{
	EXPECT_ATTR(FEATURES, "stop_copy p2p pre_copy");
}

/* Clause: migration/capture_size: 1 MiB by default */
TEST_F(sysfs, capture_size_default)
{
	EXPECT_ATTR(CAPTURE, "1048576");
}

/* Clause: migration/config_policy: each word is taken, and shows in the query */
TEST_F(sysfs, policy_words_are_accepted)
{
	static const struct {
		const char *write;
		const char *show;
		uint64_t flags;
	} row[] = {
		{ "before-data", "before-data", VFIO_MIG_CONFIG_BEFORE_DATA },
		{ "independent", "independent", 0 },
		{ "before-data\n", "before-data", VFIO_MIG_CONFIG_BEFORE_DATA },
		{ "independent\n", "independent", 0 },
		{ "reorder", "reorder", VFIO_MIG_CONFIG_REORDER },
		{ "embedded", "embedded", VFIO_MIG_CONFIG_EMBEDDED },
		{ "reorder\n", "reorder", VFIO_MIG_CONFIG_REORDER },
		{ "embedded\n", "embedded", VFIO_MIG_CONFIG_EMBEDDED },
	};
	struct vfio_device_feature_mig_config config;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, POLICY,
						 row[i].write), "%s",
			   row[i].write);
		EXPECT_ATTR(POLICY, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
		EXPECT_EQ(row[i].flags, config.flags);
		vmig_device_close(self->dev);
	}
}

/* Clause: migration/config_policy: unknown words EINVAL, nothing changes */
TEST_F(sysfs, policy_refuses_other_words)
{
	static const char * const words[] = {
		"x", "before", "before-data-", "before_data", "Independent",
		"independent before-data", "0", " independent", "\n",
	};
	unsigned int i;

	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, POLICY, "before-data"),
		   "before-data");
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		EXPECT_RET(-EINVAL, vmig_mdev_set_attr(self->mdev, POLICY,
						       words[i]),
			   "'%s'", words[i]);
		EXPECT_ATTR(POLICY, "before-data");
	}
}

/* Clause: migration/features: any set of words, in any order; stop_copy stays */
TEST_F(sysfs, feature_words_are_accepted)
{
	static const struct {
		const char *write;
		const char *show;
		uint64_t flags;
	} row[] = {
		{ "stop_copy", "stop_copy", VFIO_MIGRATION_STOP_COPY },
		{ "p2p", "stop_copy p2p",
		  VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P },
		{ "pre_copy stop_copy\n", "stop_copy pre_copy",
		  VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY },
		{ " pre_copy  p2p ", "stop_copy p2p pre_copy",
		  VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
		  VFIO_MIGRATION_PRE_COPY },
	};
	uint64_t flags;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, FEATURES,
						 row[i].write), "'%s'",
			   row[i].write);
		EXPECT_ATTR(FEATURES, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		EXPECT_RET(0, vmig_mig_get_flags(self->dev, &flags), "flags");
		EXPECT_EQ(row[i].flags, flags);
		vmig_device_close(self->dev);
	}
}

/* Clause: migration/features: unknown words EINVAL, nothing changes */
TEST_F(sysfs, features_refuse_other_words)
{
	static const char * const words[] = {
		"x", "p2", "p2px", "p2p,pre_copy", "p2p x", "precopy", "P2P",
		"7",
	};
	unsigned int i;

	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, FEATURES, "p2p"), "p2p");
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		EXPECT_RET(-EINVAL, vmig_mdev_set_attr(self->mdev, FEATURES,
						       words[i]),
			   "'%s'", words[i]);
		EXPECT_ATTR(FEATURES, "stop_copy p2p");
	}
}

/* What BAR2 says about its size when it is asked as a guest would */
static int bar2_size(struct vmig_device *dev, uint32_t *size)
{
	uint32_t val;
	int ret;

	ret = vmig_config_write32(dev, PCI_BASE_ADDRESS_2, 0xffffffff);
	if (ret)
		return ret;
	ret = vmig_config_read32(dev, PCI_BASE_ADDRESS_2, &val);
	if (ret)
		return ret;
	*size = -(val & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK);
	return 0;
}

/* Clause: migration/capture_size: 0 and powers of two, the size of BAR2 */
TEST_F(sysfs, capture_sizes_are_accepted)
{
	static const struct {
		const char *write;
		const char *show;
		uint32_t size;
	} row[] = {
		{ "0", "0", 0 },
		{ "8192", "8192", 8192 },
		{ "8K", "8192", 8192 },
		{ "0x10000\n", "65536", 65536 },
		{ "2M", "2097152", 2 << 20 },
		{ "256M", "268435456", 256 << 20 },
		{ "268435456", "268435456", 256 << 20 },
	};
	uint32_t size = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, CAPTURE,
						 row[i].write), "'%s'",
			   row[i].write);
		EXPECT_ATTR(CAPTURE, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		EXPECT_EQ(row[i].size,
			  self->dev->region[VFIO_PCI_BAR2_REGION_INDEX].size);
		EXPECT_RET(0, bar2_size(self->dev, &size), "BAR2");
		EXPECT_EQ(row[i].size, size);
		vmig_device_close(self->dev);
	}
}

/* Clause: migration/capture_size: everything else EINVAL, nothing changes */
TEST_F(sysfs, capture_size_refuses_other_values)
{
	static const char * const values[] = {
		"x", "\n", "1", "4096", "8191", "8193", "12288", "512M", "1G",
		"-8192", " 8192", "8192 8192", "8KB", "0x", "1048577",
		/* 0 and 8192 again, once around 64 bits */
		"18446744073709551616", "18446744073709559808",
		"17179869184G",
	};
	unsigned int i;

	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, CAPTURE, "16K"), "16K");
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_RET(-EINVAL, vmig_mdev_set_attr(self->mdev, CAPTURE,
						       values[i]),
			   "'%s'", values[i]);
		EXPECT_ATTR(CAPTURE, "16384");
	}
}

/* Clause: migration/defect_early_irq: off by default; what is no yes or no is EINVAL */
TEST_F(sysfs, defect_is_off_and_can_be_had)
{
	EXPECT_ATTR(DEFECT, "0");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, DEFECT, "1"), "1");
	EXPECT_ATTR(DEFECT, "1");
	EXPECT_RET(-EINVAL, vmig_mdev_set_attr(self->mdev, DEFECT, "2"), "2");
	EXPECT_RET(-EINVAL, vmig_mdev_set_attr(self->mdev, DEFECT, "\n"), "");
	EXPECT_ATTR(DEFECT, "1");
	ASSERT_RET(0, reopen(self), "open");
	EXPECT_RET(-EBUSY, vmig_mdev_set_attr(self->mdev, DEFECT, "0"), "open");
	EXPECT_ATTR(DEFECT, "1");
	vmig_device_close(self->dev);
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, DEFECT, "n"), "n");
	EXPECT_ATTR(DEFECT, "0");
}

/* Clause: group migration/ while the device is open: EBUSY, nothing changes */
TEST_F(sysfs, nothing_can_be_changed_while_open)
{
	ASSERT_RET(0, reopen(self), "open");
	EXPECT_RET(-EBUSY, vmig_mdev_set_attr(self->mdev, POLICY,
					      "before-data"), "policy");
	EXPECT_RET(-EBUSY, vmig_mdev_set_attr(self->mdev, FEATURES, "p2p"),
		   "features");
	EXPECT_RET(-EBUSY, vmig_mdev_set_attr(self->mdev, CAPTURE, "8K"),
		   "capture size");
	EXPECT_ATTR(POLICY, "independent");
	EXPECT_ATTR(FEATURES, "stop_copy p2p pre_copy");
	EXPECT_ATTR(CAPTURE, "1048576");

	vmig_device_close(self->dev);
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, POLICY, "before-data"),
		   "policy");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, FEATURES, "p2p"),
		   "features");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, CAPTURE, "8K"),
		   "capture size");
}

/* Clause: group migration/: belongs to one device, not to the driver */
TEST_F(sysfs, other_devices_are_not_affected)
{
	struct vmig_testdev other;

	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, POLICY, "before-data"),
		   "policy");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, FEATURES, "p2p"),
		   "features");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, CAPTURE, "8K"),
		   "capture size");
	ASSERT_EQ(0, vmig_testdev_open(&other, "mtty-2", VMIG_PATH_ANY, NULL));
	self->mdev = &other.mdev;
	EXPECT_ATTR(POLICY, "independent");
	EXPECT_ATTR(FEATURES, "stop_copy p2p pre_copy");
	EXPECT_ATTR(CAPTURE, "1048576");
	self->mdev = &self->td.mdev;
	vmig_testdev_close(&other);
	EXPECT_ATTR(POLICY, "before-data");
}

/* Clause: group migration/: survives closing and opening the device */
TEST_F(sysfs, settings_survive_closing)
{
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, FEATURES, "pre_copy"),
		   "features");
	EXPECT_RET(0, vmig_mdev_set_attr(self->mdev, CAPTURE, "32K"),
		   "capture size");
	ASSERT_RET(0, reopen(self), "open");
	ASSERT_RET(0, reopen(self), "open");
	vmig_device_close(self->dev);
	EXPECT_ATTR(FEATURES, "stop_copy pre_copy");
	EXPECT_ATTR(CAPTURE, "32768");
}

TEST_HARNESS_MAIN
