// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes in a device's sysfs group "migration": defaults, accepted and refused
 * values, when they can be written, and the effect on the device.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define POLICY		"migration/config_policy"
#define FEATURES	"migration/features"
#define CAPTURE		"migration/capture_size"
#define DEFECT		"migration/defect_early_irq"

FIXTURE(sysfs) {
	DEVICE_MEMBERS;
	const struct vmig_mdev *mdev;
};

FIXTURE_SETUP(sysfs)
{
	OPEN_DEVICE("mtty-1");
	self->mdev = &self->td.mdev;
	vmig_device_close(self->dev);
}

FIXTURE_TEARDOWN(sysfs)
{
	CLOSE_DEVICE();
}

#define EXPECT_ATTR(_attr, _want) do { \
	char seen_attr[128] = ""; \
	EXPECT_RET(0, vmig_mdev_get_attr(self->mdev, _attr, seen_attr, \
					 sizeof(seen_attr)), "%s", _attr); \
	EXPECT_STREQ(_want, seen_attr); \
} while (0)

#define SET_ATTR(_want, _attr, _value) \
	EXPECT_RET(_want, vmig_mdev_set_attr(self->mdev, _attr, _value), \
		   "%s '%s'", _attr, _value)

/* Change all attributes, which must return @_want */
#define SET_ALL(_want) do { \
	SET_ATTR(_want, POLICY, "before-data"); \
	SET_ATTR(_want, FEATURES, "p2p"); \
	SET_ATTR(_want, CAPTURE, "8K"); \
} while (0)

#define EXPECT_DEFAULTS() do { \
	EXPECT_ATTR(POLICY, "embedded"); \
	EXPECT_ATTR(FEATURES, "stop_copy p2p pre_copy"); \
	EXPECT_ATTR(CAPTURE, "1048576"); \
} while (0)

/* None of these values is accepted, and the current one does not change */
static void expect_refused(struct __test_metadata *_metadata, FIXTURE_DATA(sysfs) *self,
			   const char *attr, const char *current,
			   const char * const *values, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		SET_ATTR(-EINVAL, attr, values[i]);
		EXPECT_ATTR(attr, current);
	}
}

static int reopen(FIXTURE_DATA(sysfs) *self)
{
	vmig_device_close(self->dev);
	return vmig_device_open(self->dev, self->mdev, VMIG_PATH_ANY);
}

/* Driver: migration/config_policy: "embedded" by default */
TEST_F(sysfs, policy_default)
{
	EXPECT_ATTR(POLICY, "embedded");
}

/* Driver: migration/features: all by default */
TEST_F(sysfs, features_default)
{
	EXPECT_ATTR(FEATURES, "stop_copy p2p pre_copy");
}

/* Driver: migration/capture_size: 1 MiB by default */
TEST_F(sysfs, capture_size_default)
{
	EXPECT_ATTR(CAPTURE, "1048576");
}

/* Driver: migration/config_policy: each word is accepted, and shown by the query */
TEST_F(sysfs, policy_words_are_accepted)
{
	static const struct {
		const char *write;
		const char *show;
		uint32_t need;
	} row[] = {
		{ "before-data", "before-data", VFIO_MIG_CONFIG_BEFORE_DATA },
		{ "independent", "independent", VFIO_MIG_CONFIG_NOT_NEEDED },
		{ "before-data\n", "before-data", VFIO_MIG_CONFIG_BEFORE_DATA },
		{ "independent\n", "independent", VFIO_MIG_CONFIG_NOT_NEEDED },
		{ "reorder", "reorder", VFIO_MIG_CONFIG_ANY_ORDER },
		{ "embedded", "embedded", VFIO_MIG_CONFIG_IN_DATA },
		{ "reorder\n", "reorder", VFIO_MIG_CONFIG_ANY_ORDER },
		{ "embedded\n", "embedded", VFIO_MIG_CONFIG_IN_DATA },
	};
	struct vmig_config_answer answer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		SET_ATTR(0, POLICY, row[i].write);
		EXPECT_ATTR(POLICY, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		ASSERT_RET(0, vmig_config_query(self->dev, &answer), "GET");
		EXPECT_EQ(row[i].need, answer.need);
		vmig_device_close(self->dev);
	}
}

/* Driver: migration/config_policy: other words: EINVAL, nothing changes */
TEST_F(sysfs, policy_refuses_other_words)
{
	static const char * const words[] = {
		"x", "before", "before-data-", "before_data", "Independent",
		"independent before-data", "0", " independent", "\n",
	};

	SET_ATTR(0, POLICY, "before-data");
	expect_refused(_metadata, self, POLICY, "before-data", words, ARRAY_SIZE(words));
}

/* Driver: migration/features: any set of words, in any order; stop_copy is always on */
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
		SET_ATTR(0, FEATURES, row[i].write);
		EXPECT_ATTR(FEATURES, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		EXPECT_RET(0, vmig_mig_get_flags(self->dev, &flags), "flags");
		EXPECT_EQ(row[i].flags, flags);
		vmig_device_close(self->dev);
	}
}

/* Driver: migration/features: other words: EINVAL, nothing changes */
TEST_F(sysfs, features_refuse_other_words)
{
	static const char * const words[] = {
		"x", "p2", "p2px", "p2p,pre_copy", "p2p x", "precopy", "P2P",
		"7",
	};

	SET_ATTR(0, FEATURES, "p2p");
	expect_refused(_metadata, self, FEATURES, "stop_copy p2p", words,
		       ARRAY_SIZE(words));
}

/* The size of BAR2, found as a guest does */
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

/* Driver: migration/capture_size: 0 and powers of two; it is the size of BAR2 */
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
		SET_ATTR(0, CAPTURE, row[i].write);
		EXPECT_ATTR(CAPTURE, row[i].show);
		ASSERT_RET(0, reopen(self), "open");
		EXPECT_EQ(row[i].size,
			  self->dev->region[VFIO_PCI_BAR2_REGION_INDEX].size);
		EXPECT_RET(0, bar2_size(self->dev, &size), "BAR2");
		EXPECT_EQ(row[i].size, size);
		vmig_device_close(self->dev);
	}
}

/* Driver: migration/capture_size: other values: EINVAL, nothing changes */
TEST_F(sysfs, capture_size_refuses_other_values)
{
	static const char * const values[] = {
		"x", "\n", "1", "4096", "8191", "8193", "12288", "512M", "1G",
		"-8192", " 8192", "8192 8192", "8KB", "0x", "1048577",
		/* 0 and 8192 if truncated to 64 bits */
		"18446744073709551616", "18446744073709559808",
		"17179869184G",
	};

	SET_ATTR(0, CAPTURE, "16K");
	expect_refused(_metadata, self, CAPTURE, "16384", values, ARRAY_SIZE(values));
}

/*
 * Driver: migration/defect_early_irq: off by default; a bool, else EINVAL; EBUSY if open
 */
TEST_F(sysfs, defect_can_be_switched_on)
{
	EXPECT_ATTR(DEFECT, "0");
	SET_ATTR(0, DEFECT, "1");
	EXPECT_ATTR(DEFECT, "1");
	SET_ATTR(-EINVAL, DEFECT, "2");
	SET_ATTR(-EINVAL, DEFECT, "\n");
	EXPECT_ATTR(DEFECT, "1");
	ASSERT_RET(0, reopen(self), "open");
	SET_ATTR(-EBUSY, DEFECT, "0");
	EXPECT_ATTR(DEFECT, "1");
	vmig_device_close(self->dev);
	SET_ATTR(0, DEFECT, "n");
	EXPECT_ATTR(DEFECT, "0");
}

/* Driver: group migration/ while the device is open: EBUSY, nothing changes */
TEST_F(sysfs, nothing_can_be_changed_while_open)
{
	ASSERT_RET(0, reopen(self), "open");
	SET_ALL(-EBUSY);
	EXPECT_DEFAULTS();
	vmig_device_close(self->dev);
	SET_ALL(0);
}

/* Driver: group migration/: belongs to one device, not to the driver */
TEST_F(sysfs, other_devices_are_not_affected)
{
	struct vmig_testdev other;

	SET_ALL(0);
	ASSERT_EQ(0, vmig_testdev_open(&other, "mtty-2", VMIG_PATH_ANY, NULL));
	self->mdev = &other.mdev;
	EXPECT_DEFAULTS();
	self->mdev = &self->td.mdev;
	vmig_testdev_close(&other);
	EXPECT_ATTR(POLICY, "before-data");
}

/* Driver: group migration/: not changed by closing and opening the device */
TEST_F(sysfs, settings_survive_closing)
{
	SET_ATTR(0, FEATURES, "pre_copy");
	SET_ATTR(0, CAPTURE, "32K");
	ASSERT_RET(0, reopen(self), "open");
	ASSERT_RET(0, reopen(self), "open");
	vmig_device_close(self->dev);
	EXPECT_ATTR(FEATURES, "stop_copy pre_copy");
	EXPECT_ATTR(CAPTURE, "32768");
}

TEST_HARNESS_MAIN
