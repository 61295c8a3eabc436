/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the cases of regions: info with its capabilities, which regions and offsets an
 * access is safe at, and the BARs of config space. @self->dev is the device.
 */
#ifndef VMIG_UAPI_REGION_H
#define VMIG_UAPI_REGION_H

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>

#include "uapi.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define VGA		VFIO_PCI_VGA_REGION_INDEX
#define LAST_BAR	VFIO_PCI_BAR5_REGION_INDEX

/* No chain of a known driver comes near it */
#define INFO_MAX	65536

/* An info call changes nothing in the device: what follows needs no call before it */
#define LIST_FROM_HERE()	vmig_calls_restart("device was opened")

/* The regions that the library knows of */
static inline unsigned int regions_nr(const struct vmig_device *dev)
{
	return dev->nr_regions < VMIG_REGIONS_MAX ? dev->nr_regions : VMIG_REGIONS_MAX;
}

/* One region that shows a violation is enough */
#define EACH_REGION(_index) \
	for ((_index) = 0; (_index) < regions_nr(self->dev) && \
	     _metadata->exit_code != KSFT_FAIL; (_index)++)

static inline int region_info(struct vmig_device *dev, uint32_t index,
			      struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) { .argsz = sizeof(*info), .index = index };
	return vmig_call_error(vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info));
}

/**
 * region_info_whole - the info of a region with its capabilities
 * @dev:	the device
 * @index:	of the region
 * @info:	set; to be freed. Its argsz is the size of the info
 *
 * Return: 0, -errno, or -E2BIG if the driver asks for more than INFO_MAX.
 */
static inline int region_info_whole(struct vmig_device *dev, uint32_t index,
				    struct vfio_region_info **info)
{
	struct vfio_region_info small;
	int ret = region_info(dev, index, &small);

	*info = NULL;
	if (ret)
		return ret;
	if (small.argsz > INFO_MAX)
		return -E2BIG;
	if (small.argsz < sizeof(small))
		small.argsz = sizeof(small);
	/* With room for a capability that begins at the last bytes */
	*info = calloc(1, small.argsz + sizeof(struct vfio_region_info_cap_sparse_mmap));
	if (!*info)
		return -ENOMEM;
	**info = (struct vfio_region_info) { .argsz = small.argsz, .index = index };
	ret = vmig_call_error(vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, *info));
	(*info)->argsz = small.argsz;
	return ret;
}

/**
 * info_cap_next - the capability at an offset of an info structure
 * @info:	of @size bytes
 * @size:	bytes
 * @offset:	of the capability; set to the next one, or to 0 behind the last
 *
 * Return: NULL if there is none, or it is not inside the structure.
 */
static inline const struct vfio_info_cap_header *info_cap_next(const void *info, size_t size,
							       uint32_t *offset)
{
	const struct vfio_info_cap_header *cap;

	if (!*offset || *offset > size || size - *offset < sizeof(*cap) || *offset % 4)
		return NULL;
	cap = (const void *)((const char *)info + *offset);
	*offset = cap->next;
	return cap;
}

/* A capability of a region's info, or NULL; bounded, as the chain may be a circle */
static inline const void *region_cap(const struct vfio_region_info *info, uint16_t id)
{
	const struct vfio_info_cap_header *cap;
	uint32_t offset = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;
	unsigned int left = info->argsz / sizeof(*cap);

	while (left-- && (cap = info_cap_next(info, info->argsz, &offset))) {
		if (cap->id == id)
			return cap;
	}
	return NULL;
}

/* The bytes of a sparse capability that are inside the info */
static inline unsigned int sparse_areas(const struct vfio_region_info *info,
					const struct vfio_region_info_cap_sparse_mmap *sparse)
{
	size_t end = (const char *)info + info->argsz - (const char *)sparse;
	size_t room;

	if (end < sizeof(*sparse))
		return 0;
	room = (end - sizeof(*sparse)) / sizeof(sparse->areas[0]);
	return sparse->nr_areas < room ? sparse->nr_areas : room;
}

/*
 * Is this a region whose start a test may read and write? Of VGA only some ranges exist,
 * and the host's display may use them.
 */
static inline bool region_is_plain(const struct vmig_device *dev, unsigned int index)
{
	return dev->region[index].size &&
	       !((dev->flags & VFIO_DEVICE_FLAGS_PCI) && index == VGA);
}

/* No region has one of these bytes of the device's file */
static inline bool offset_is_free(const struct vmig_device *dev, uint64_t offset, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < regions_nr(dev); i++) {
		const struct vfio_region_info *region = &dev->region[i];

		if (offset < region->offset + region->size && region->offset < offset + len)
			return false;
	}
	return true;
}

/* A function answers accesses to its BARs only while it decodes them (PCI 3.0, 6.2.2) */
static inline int decode_bars(struct vmig_device *dev)
{
	uint16_t command;
	int ret;

	if (!(dev->flags & VFIO_DEVICE_FLAGS_PCI))
		return 0;
	ret = vmig_config_read16(dev, PCI_COMMAND, &command);
	if (ret)
		return ret;
	return vmig_config_write16(dev, PCI_COMMAND,
				   command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

#endif /* VMIG_UAPI_REGION_H */
