// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/irq.h"
#include "lib/vfio/precopy_v2.h"
#include "lib/vfio/util.h"
#include "has.h"
#include "subject.h"

/* vfio.h has five for PCI; a bad driver may claim any number */
#define IRQ_INDEXES_MAX	64

static const char *const names[VMIG_HAS_NR] = {
	"MIGRATION", "P2P", "PRE_COPY", "PRECOPY_V2", "DATA_SIZE", "DMA_LOGGING", "RESET", "PCI",
	"INTX", "MSI", "MSIX", "MMAP", "MDEV", "GROUP", "CDEV", "DMA", "VGA",
	"IRQ", "REGION",
};

static const struct {
	uint64_t flag;
	uint32_t has;
} mig_flags[] = {
	{ VFIO_MIGRATION_STOP_COPY, VMIG_HAS_MIGRATION },
	{ VFIO_MIGRATION_P2P, VMIG_HAS_P2P },
	{ VFIO_MIGRATION_PRE_COPY, VMIG_HAS_PRE_COPY },
};

static const struct {
	uint32_t feature;
	uint32_t has;
} features[] = {
	{ VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, VMIG_HAS_DATA_SIZE },
	{ VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
	  VMIG_HAS_DMA_LOGGING },
	{ VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
	  VMIG_HAS_PRECOPY_V2 },
};

static const uint32_t pci_irqs[] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = VMIG_HAS_INTX,
	[VFIO_PCI_MSI_IRQ_INDEX] = VMIG_HAS_MSI,
	[VFIO_PCI_MSIX_IRQ_INDEX] = VMIG_HAS_MSIX,
};

static uint32_t has_features(struct vmig_device *dev)
{
	uint64_t flags = 0;
	uint32_t has = 0;
	unsigned int i;

	if (vmig_mig_get_flags(dev, &flags))
		flags = 0;
	for (i = 0; i < ARRAY_SIZE(mig_flags); i++) {
		if (flags & mig_flags[i].flag)
			has |= mig_flags[i].has;
	}
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (!vmig_feature(dev, VFIO_DEVICE_FEATURE_PROBE | features[i].feature,
				  NULL, 0))
			has |= features[i].has;
	}
	return has;
}

static uint32_t has_irqs(struct vmig_device *dev)
{
	struct vfio_irq_info info;
	uint32_t has = 0;
	unsigned int i;

	for (i = 0; i < dev->nr_irqs && i < IRQ_INDEXES_MAX; i++) {
		if (vmig_irq_info(dev, i, &info) || !info.count)
			continue;
		has |= VMIG_HAS_IRQ;
		if ((dev->flags & VFIO_DEVICE_FLAGS_PCI) && i < ARRAY_SIZE(pci_irqs))
			has |= pci_irqs[i];
	}
	return has;
}

static uint32_t has_regions(const struct vmig_device *dev)
{
	uint32_t has = 0;
	unsigned int i;

	for (i = 0; i < dev->nr_regions && i < VMIG_REGIONS_MAX; i++) {
		if (dev->region[i].size)
			has |= VMIG_HAS_REGION;
		if (dev->region[i].flags & VFIO_REGION_INFO_FLAG_MMAP)
			has |= VMIG_HAS_MMAP;
	}
	if ((dev->flags & VFIO_DEVICE_FLAGS_PCI) && dev->region[VFIO_PCI_VGA_REGION_INDEX].size)
		has |= VMIG_HAS_VGA;
	return has;
}

uint32_t vmig_has(struct vmig_device *dev, const char *sysfs)
{
	uint32_t has = has_features(dev) | has_irqs(dev) | has_regions(dev);

	if (dev->flags & VFIO_DEVICE_FLAGS_PCI)
		has |= VMIG_HAS_PCI;
	if (dev->flags & VFIO_DEVICE_FLAGS_RESET)
		has |= VMIG_HAS_RESET;
	if (strlen(strrchr(sysfs, '/') + 1) == VMIG_UUID_LEN)
		has |= VMIG_HAS_MDEV;
	return has | (dev->path == VMIG_PATH_CDEV ? VMIG_HAS_CDEV : VMIG_HAS_GROUP);
}

const char *vmig_has_name(uint32_t has)
{
	unsigned int i;

	for (i = 0; i < VMIG_HAS_NR; i++) {
		if (has & (1u << i))
			return names[i];
	}
	return NULL;
}
