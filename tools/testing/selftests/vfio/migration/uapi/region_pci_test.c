// SPDX-License-Identifier: GPL-2.0-only
/* The fixed regions of a PCI device: config space, BARs, ROM, and those behind them. */
#include "region.h"

#define CONFIG_MAX	PCI_CFG_SPACE_EXP_SIZE

SUBJECT_FIXTURE(region_pci);

/* Bytes of config space that cannot change without a write */
static const struct {
	unsigned int from;
	unsigned int to;
} constant[] = {
	{ PCI_VENDOR_ID, PCI_COMMAND },
	{ PCI_CLASS_REVISION, PCI_CACHE_LINE_SIZE },
	{ PCI_BASE_ADDRESS_0, PCI_CARDBUS_CIS },
	{ PCI_SUBSYSTEM_VENDOR_ID, PCI_ROM_ADDRESS },
};

CLAUSE_TEST_F(region_pci, num_regions, "region.pci-num-regions")
{
	struct vfio_region_info *info;
	unsigned int i;

	NEED(PCI);
	EXPECT_LT(CONFIG, self->dev->nr_regions);
	for (i = VFIO_PCI_NUM_REGIONS; i < regions_nr(self->dev); i++) {
		LIST_FROM_HERE();
		EXPECT_RET(0, region_info_whole(self->dev, i, &info), "region %u", i);
		if (info)
			EXPECT_NE(NULL, region_cap(info, VFIO_REGION_INFO_CAP_TYPE)) {
				TH_LOG("region %u has no type", i);
			}
		free(info);
	}
}

CLAUSE_TEST_F(region_pci, config_header, "region.pci-config")
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	uint16_t vendor = 0xffff;
	uint8_t type = 0xff, line = 0;

	NEED(PCI);
	EXPECT_EQ(rw, self->dev->region[CONFIG].flags & rw);
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_VENDOR_ID, &vendor), "vendor");
	EXPECT_TRUE(vendor != 0 && vendor != 0xffff) {
		TH_LOG("vendor ID %#x", vendor);
	}
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_HEADER_TYPE, &type), "header type");
	EXPECT_EQ(PCI_HEADER_TYPE_NORMAL, type & PCI_HEADER_TYPE_MASK);
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line), "line");
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, line ^ 0xff), "line");
	vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, line);
}

CLAUSE_TEST_F(region_pci, config_size, "region.pci-config-size")
{
	uint64_t size = self->dev->region[CONFIG].size;

	NEED(PCI);
	EXPECT_TRUE(size == PCI_CFG_SPACE_SIZE || size == PCI_CFG_SPACE_EXP_SIZE) {
		TH_LOG("config space has %llu bytes", (unsigned long long)size);
	}
}

/* The whole of it, with one call */
CLAUSE_TEST_F(region_pci, config_whole, "region.pci-config-access")
{
	uint64_t size = self->dev->region[CONFIG].size;
	uint8_t whole[CONFIG_MAX], val;
	unsigned int i, at;

	NEED(PCI);
	ASSERT_LE(PCI_STD_HEADER_SIZEOF, size);
	ASSERT_GE(sizeof(whole), size);
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, whole, size), "all of config space");
	for (i = 0; i < ARRAY_SIZE(constant); i++) {
		for (at = constant[i].from; at < constant[i].to; at++) {
			LIST_FROM_HERE();
			ASSERT_RET(0, vmig_config_read8(self->dev, at, &val), "byte %#x", at);
			EXPECT_EQ(whole[at], val) {
				TH_LOG("byte %#x", at);
			}
		}
	}
}

CLAUSE_TEST_F(region_pci, config_widths, "region.pci-config-access")
{
	uint8_t whole[PCI_STD_HEADER_SIZEOF], part[8];
	unsigned int i, at, len;

	NEED(PCI);
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, whole, sizeof(whole)), "header");
	for (i = 0; i < ARRAY_SIZE(constant); i++) {
		for (at = constant[i].from; at < constant[i].to; at++) {
			for (len = 1; len <= sizeof(part) && at + len <= constant[i].to; len++) {
				LIST_FROM_HERE();
				ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, at, part, len),
					   "%u bytes at %#x", len, at);
				EXPECT_EQ(0, memcmp(whole + at, part, len)) {
					TH_LOG("%u bytes at %#x", len, at);
				}
			}
		}
	}
}

static int bar_read(struct vmig_device *dev, unsigned int index, uint32_t *bar)
{
	return vmig_config_read32(dev, PCI_BASE_ADDRESS_0 + 4 * index, bar);
}

static bool bar_is_64(uint32_t bar)
{
	return !(bar & PCI_BASE_ADDRESS_SPACE_IO) &&
	       (bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

/* The upper half of a 64-bit BAR is no BAR of its own; an absent one reads as zero */
CLAUSE_TEST_F(region_pci, unimplemented, "region.pci-unimplemented")
{
	bool upper = false;
	unsigned int i;
	uint32_t bar;

	NEED(PCI);
	for (i = 0; i <= LAST_BAR; i++) {
		ASSERT_RET(0, bar_read(self->dev, i, &bar), "BAR %u", i);
		if (upper) {
			EXPECT_EQ(0, self->dev->region[i].size) {
				TH_LOG("BAR %u is the upper half of another one", i);
			}
			upper = false;
			continue;
		}
		if (!self->dev->region[i].size)
			EXPECT_EQ(0, bar) {
				TH_LOG("BAR %u is %#x, but the region has size zero", i, bar);
			}
		upper = bar_is_64(bar);
	}
}

static void check_bar(struct __test_metadata *_metadata, struct vmig_device *dev,
		      unsigned int index)
{
	uint64_t size = dev->region[index].size, address;
	uint32_t bar, upper = 0;

	ASSERT_RET(0, bar_read(dev, index, &bar), "BAR %u", index);
	if (bar_is_64(bar)) {
		ASSERT_GT(LAST_BAR, index);
		ASSERT_RET(0, bar_read(dev, index + 1, &upper), "BAR %u", index + 1);
	}
	address = bar & PCI_BASE_ADDRESS_SPACE_IO ? bar & PCI_BASE_ADDRESS_IO_MASK :
						    bar & PCI_BASE_ADDRESS_MEM_MASK;
	address |= (uint64_t)upper << 32;
	/* The BAR is a power of 2; the region may be a part of it */
	while (size & (size - 1))
		size += size & -size;
	EXPECT_EQ(0, address & (size - 1)) {
		TH_LOG("BAR %u: address %#llx is not aligned to its size %#llx", index,
		       (unsigned long long)address, (unsigned long long)size);
	}
}

CLAUSE_TEST_F(region_pci, bar_is_aligned, "region.pci-bar")
{
	unsigned int i, seen = 0;

	NEED(PCI);
	for (i = 0; i <= LAST_BAR; i++) {
		if (!self->dev->region[i].size)
			continue;
		seen++;
		check_bar(_metadata, self->dev, i);
	}
	if (!seen)
		SKIP(return, "not applicable: the function has no BAR");
}

/* Write ones to a BAR and read the size; then it is restored */
static int bar_size(struct vmig_device *dev, unsigned int index, uint64_t *size)
{
	unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * index;
	uint32_t bar, upper = 0, ones = 0, upper_ones = UINT32_MAX;
	bool is_64;
	int ret;

	ret = vmig_config_read32(dev, reg, &bar);
	if (ret)
		return ret;
	is_64 = bar_is_64(bar) && index < LAST_BAR;
	ret = vmig_config_write32(dev, reg, UINT32_MAX);
	if (!ret)
		ret = vmig_config_read32(dev, reg, &ones);
	if (!ret && is_64) {
		ret = vmig_config_read32(dev, reg + 4, &upper);
		if (!ret)
			ret = vmig_config_write32(dev, reg + 4, UINT32_MAX);
		if (!ret)
			ret = vmig_config_read32(dev, reg + 4, &upper_ones);
		vmig_config_write32(dev, reg + 4, upper);
	}
	vmig_config_write32(dev, reg, bar);
	/* A port BAR may have 16 bits only (PCI 3.0, 6.2.5.1) */
	if (bar & PCI_BASE_ADDRESS_SPACE_IO)
		*size = (uint16_t)-(ones & PCI_BASE_ADDRESS_IO_MASK);
	else
		*size = -((uint64_t)upper_ones << 32 | (ones & PCI_BASE_ADDRESS_MEM_MASK));
	return ret;
}

DESTRUCTIVE_TEST_F(region_pci, bar_sizing, "writes ones to the BARs, and restores them",
		   "region.pci-bar")
{
	unsigned int i, seen = 0;
	uint64_t size;

	NEED(PCI);
	for (i = 0; i <= LAST_BAR; i++) {
		if (!self->dev->region[i].size)
			continue;
		seen++;
		LIST_FROM_HERE();
		ASSERT_RET(0, bar_size(self->dev, i, &size), "BAR %u", i);
		EXPECT_LE(self->dev->region[i].size, size) {
			TH_LOG("BAR %u: the BAR has %#llx bytes, the region %#llx", i,
			       (unsigned long long)size,
			       (unsigned long long)self->dev->region[i].size);
		}
		RECORD("the region of a BAR", "%s",
		       self->dev->region[i].size < size ? "a part of it" : "the whole BAR");
	}
	if (!seen)
		SKIP(return, "not applicable: the function has no BAR");
}

/* 0, or -errno if there is no function of the host */
static int host_id(const struct vmig_subject *subject, const char *file, uint16_t *id)
{
	char path[256], text[32];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", subject->sysfs, file);
	ret = vmig_read_file(path, text, sizeof(text));
	*id = ret ? 0 : strtoul(text, NULL, 0);
	return ret;
}

/* A function of the host is the one that sysfs shows */
CLAUSE_TEST_F(region_pci, is_the_function, "region.pci-ids")
{
	uint16_t vendor, device, seen;

	NEED(PCI);
	if (host_id(&self->subject, "vendor", &vendor) ||
	    host_id(&self->subject, "device", &device))
		SKIP(return, "not applicable: no PCI function of the host");
	ASSERT_RET(0, vmig_config_read16(self->dev, PCI_VENDOR_ID, &seen), "vendor");
	EXPECT_EQ(vendor, seen) {
		TH_LOG("vendor: sysfs has %#x", vendor);
	}
	ASSERT_RET(0, vmig_config_read16(self->dev, PCI_DEVICE_ID, &seen), "device");
	RECORD("device ID in config space", "%s",
	       seen == device ? "the one of sysfs" : "another one than in sysfs");
}

SUBJECT_TEST_MAIN
