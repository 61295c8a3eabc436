/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO device: open it by group or by cdev, read and write its regions.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_DEVICE_H
#define VMIG_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "mdev.h"

/**
 * enum vmig_path - how a device is opened
 * @VMIG_PATH_GROUP:	/dev/vfio/GROUP and a type 1 container
 * @VMIG_PATH_CDEV:	/dev/vfio/devices/vfioN bound to an iommufd
 * @VMIG_PATH_NR:	number of the above
 * @VMIG_PATH_ANY:	vmig_path_default()
 */
enum vmig_path {
	VMIG_PATH_GROUP,
	VMIG_PATH_CDEV,
	VMIG_PATH_NR,
	VMIG_PATH_ANY = VMIG_PATH_NR
};

/* More than any driver of the kernel has: vfio-pci adds at most a few to its nine */
#define VMIG_REGIONS_MAX	32

/**
 * struct vmig_device - an open device
 * @fd:		the device; -1 when closed
 * @path:	how it was opened
 * @group:	group fd, or -1
 * @container:	container fd, or -1
 * @iommufd:	iommufd, or -1
 * @flags:	VFIO_DEVICE_FLAGS_*
 * @nr_irqs:	number of interrupt indexes
 * @nr_regions:	number of region indexes, those above VFIO_PCI_NUM_REGIONS included
 * @region:	from VFIO_DEVICE_GET_REGION_INFO; of size 0 if there is none
 */
struct vmig_device {
	int fd;
	enum vmig_path path;
	int group;
	int container;
	int iommufd;
	uint32_t flags;
	unsigned int nr_irqs;
	unsigned int nr_regions;
	struct vfio_region_info region[VMIG_REGIONS_MAX];
};

/* A device that is not open; vmig_device_close() ignores it */
#define VMIG_DEVICE_CLOSED	((struct vmig_device) { \
	.fd = -1, .group = -1, .container = -1, .iommufd = -1, \
})

/**
 * vmig_path_available - does this kernel have the files to open devices so?
 * @path:	VMIG_PATH_GROUP or VMIG_PATH_CDEV
 */
bool vmig_path_available(enum vmig_path path);

/**
 * vmig_path_default - the path that the environment variable VMIG_PATH names
 *
 * Return: VMIG_PATH_GROUP for "group", VMIG_PATH_CDEV for "cdev", VMIG_PATH_NR for any other
 * value. Without the variable: group, but cdev if only that is available.
 */
enum vmig_path vmig_path_default(void);

/** vmig_path_name - "group" or "cdev" */
const char *vmig_path_name(enum vmig_path path);

/**
 * vmig_device_open - open a device
 * @dev:	filled in; closed on failure
 * @mdev:	the device
 * @path:	how to open it
 *
 * Return: 0, -ENODEV if the kernel does not have @path, -EINVAL if the environment
 * variable VMIG_PATH has an unknown value, or another -errno.
 */
int vmig_device_open(struct vmig_device *dev, const struct vmig_mdev *mdev,
		     enum vmig_path path);

/**
 * vmig_device_open_at - open a device of any bus
 * @dev:	filled in; closed on failure
 * @sysfs:	its directory, such as "/sys/bus/pci/devices/0000:00:08.0"
 * @path:	how to open it
 *
 * Return: as vmig_device_open(); -EPERM if another device of its group is not bound to a
 * vfio driver.
 */
int vmig_device_open_at(struct vmig_device *dev, const char *sysfs, enum vmig_path path);

/**
 * vmig_device_open_untouched - vmig_device_open_at() without a call of the device
 * @dev:	filled in but for what the device reports
 * @sysfs:	its directory
 * @path:	how to open it
 *
 * So that a test can make the first call. Return: as vmig_device_open_at().
 */
int vmig_device_open_untouched(struct vmig_device *dev, const char *sysfs,
			       enum vmig_path path);

/** vmig_device_learn - VFIO_DEVICE_GET_INFO, and VFIO_DEVICE_GET_REGION_INFO of each region */
int vmig_device_learn(struct vmig_device *dev);

/** vmig_group_open - the file of a device's group, without a container; or -errno */
int vmig_group_open(const char *sysfs);

/** vmig_cdev_open - a device's own file, not bound to an iommufd; or -errno */
int vmig_cdev_open(const char *sysfs);

/** vmig_device_close - undo vmig_device_open(); idempotent */
void vmig_device_close(struct vmig_device *dev);

/**
 * vmig_device_reset - VFIO_DEVICE_RESET
 * @dev:	the device; RUNNING afterwards (vfio.h, VFIO_DEVICE_STATE_RUNNING)
 *
 * The list of calls begins again. Return: 0, -EAGAIN if another user of the host had the
 * lock of the device for more than a second, or another -errno.
 */
int vmig_device_reset(struct vmig_device *dev);

/** vmig_device_reset_listed - vmig_device_reset() without a new list of calls */
int vmig_device_reset_listed(struct vmig_device *dev);

/**
 * vmig_region_read - read from a region with one system call
 * @dev:	the device
 * @index:	VFIO_PCI_*_REGION_INDEX
 * @offset:	bytes from the start of the region
 * @buf:	destination
 * @len:	bytes
 *
 * Return: 0, -errno, or -EIO if fewer than @len bytes were transferred.
 */
int vmig_region_read(struct vmig_device *dev, unsigned int index,
		     uint64_t offset, void *buf, size_t len);

/** vmig_region_write - write to a region; see vmig_region_read() */
int vmig_region_write(struct vmig_device *dev, unsigned int index,
		      uint64_t offset, const void *buf, size_t len);

/* Registers of 32 bits in a region; the value is in host byte order, and set on success only */
int vmig_region_read32(struct vmig_device *dev, unsigned int index, uint64_t offset,
		       uint32_t *val);
int vmig_region_write32(struct vmig_device *dev, unsigned int index, uint64_t offset,
			uint32_t val);

/* Registers of config space; values are in host byte order, and set on success only */
int vmig_config_read8(struct vmig_device *dev, unsigned int reg, uint8_t *val);
int vmig_config_read16(struct vmig_device *dev, unsigned int reg, uint16_t *val);
int vmig_config_read32(struct vmig_device *dev, unsigned int reg, uint32_t *val);
int vmig_config_write8(struct vmig_device *dev, unsigned int reg, uint8_t val);
int vmig_config_write16(struct vmig_device *dev, unsigned int reg, uint16_t val);
int vmig_config_write32(struct vmig_device *dev, unsigned int reg, uint32_t val);

/**
 * vmig_config_change - change the content of config space, without another effect
 * @dev:	a device whose PCI_INTERRUPT_LINE can be written
 */
int vmig_config_change(struct vmig_device *dev);

/**
 * vmig_config_find_writable - find the writable bits of a byte of config space, by writing
 * @dev:	the device; the byte has its old value again, unless there is an error
 * @reg:	offset in config space
 * @mask:	set to the bits on success
 */
int vmig_config_find_writable(struct vmig_device *dev, unsigned int reg, uint8_t *mask);

/**
 * vmig_config_find_cap - find a PCI capability
 * @dev:	the device
 * @id:		PCI_CAP_ID_*
 * @cap:	set to its offset
 *
 * Return: 0, -ENOENT if the device does not have it, or another -errno.
 */
int vmig_config_find_cap(struct vmig_device *dev, uint8_t id, unsigned int *cap);

#endif /* VMIG_DEVICE_H */
