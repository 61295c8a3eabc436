// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"
#include "device.h"
#include "util.h"

#define CONTAINER_PATH	"/dev/vfio/vfio"
#define IOMMUFD_PATH	"/dev/iommu"
#define CDEV_DIR	"/dev/vfio/devices"

/* So long may the host keep the device busy, and the time between two tries */
#define RESET_MS	1000
#define RESET_PAUSE_US	10000

bool vmig_path_available(enum vmig_path path)
{
	switch (path) {
	case VMIG_PATH_GROUP:
		return !access(CONTAINER_PATH, R_OK | W_OK);
	case VMIG_PATH_CDEV:
		/* CDEV_DIR exists only after the first device */
		return !access(IOMMUFD_PATH, R_OK | W_OK) &&
		       !access("/sys/class/vfio-dev", F_OK);
	default:
		errno = EINVAL;
		return false;
	}
}

const char *vmig_path_name(enum vmig_path path)
{
	return path == VMIG_PATH_CDEV ? "cdev" : "group";
}

enum vmig_path vmig_path_default(void)
{
	const char *name = getenv("VMIG_PATH");
	enum vmig_path path = VMIG_PATH_GROUP;

	if (!name)
		return vmig_path_available(VMIG_PATH_GROUP) ||
		       !vmig_path_available(VMIG_PATH_CDEV) ? VMIG_PATH_GROUP : VMIG_PATH_CDEV;
	while (path < VMIG_PATH_NR && strcmp(name, vmig_path_name(path)))
		path++;
	return path;
}

static int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int close_fd(int *fd)
{
	int ret = 0;

	if (*fd >= 0)
		ret = close(*fd);
	*fd = -1;

	return ret;
}

int vmig_group_open(const char *sysfs)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/iommu_group", sysfs);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';

	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);

	return open_node(path);
}

static int open_by_group(struct vmig_device *dev, const char *sysfs)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	dev->container = open_node(CONTAINER_PATH);
	if (dev->container < 0)
		return dev->container;

	dev->group = vmig_group_open(sysfs);
	if (dev->group < 0)
		return dev->group;

	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -EPERM;
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return -errno;
	if (ioctl(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;

	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD,
			strrchr(sysfs, '/') + 1);

	return dev->fd < 0 ? -errno : 0;
}

/* The vfio-dev directory of a device has one entry, the name of its cdev */
int vmig_cdev_open(const char *sysfs)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int fd = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vfio-dev", sysfs);
	dir = opendir(path);
	if (!dir)
		return -errno;

	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), CDEV_DIR "/%s", entry->d_name);
		fd = open_node(path);
		break;
	}
	closedir(dir);

	return fd;
}

static int open_by_cdev(struct vmig_device *dev, const char *sysfs)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
	};
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	dev->iommufd = open_node(IOMMUFD_PATH);
	if (dev->iommufd < 0)
		return dev->iommufd;

	dev->fd = vmig_cdev_open(sysfs);
	if (dev->fd < 0)
		return dev->fd;

	bind.iommufd = dev->iommufd;
	if (ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	if (ioctl(dev->iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;

	attach.pt_id = alloc.out_ioas_id;
	if (ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		return -errno;

	return 0;
}

/* vfio-pci refuses the VGA region of a device that has none: an absent region has size 0 */
int vmig_device_learn(struct vmig_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	unsigned int i;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info))
		return -errno;

	dev->flags = info.flags;
	dev->nr_irqs = info.num_irqs;
	dev->nr_regions = info.num_regions;
	for (i = 0; i < info.num_regions && i < VMIG_REGIONS_MAX; i++) {
		struct vfio_region_info *region = &dev->region[i];

		*region = (struct vfio_region_info) {
			.argsz = sizeof(*region), .index = i,
		};
		if (!ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, region))
			continue;
		if (errno != EINVAL)
			return -errno;
		region->size = 0;
	}

	return 0;
}

int vmig_device_open_untouched(struct vmig_device *dev, const char *sysfs, enum vmig_path path)
{
	int ret;

	if (path == VMIG_PATH_ANY)
		path = vmig_path_default();
	*dev = VMIG_DEVICE_CLOSED;
	dev->path = path;
	if (!vmig_path_available(path))
		return errno == ENOENT ? -ENODEV : -errno;

	ret = path == VMIG_PATH_CDEV ? open_by_cdev(dev, sysfs) :
				       open_by_group(dev, sysfs);
	if (ret)
		vmig_device_close(dev);

	return ret;
}

int vmig_device_open_at(struct vmig_device *dev, const char *sysfs, enum vmig_path path)
{
	int ret = vmig_device_open_untouched(dev, sysfs, path);

	if (!ret)
		ret = vmig_device_learn(dev);
	if (ret)
		vmig_device_close(dev);

	return ret;
}

int vmig_device_open(struct vmig_device *dev, const struct vmig_mdev *mdev,
		     enum vmig_path path)
{
	char sysfs[64];

	snprintf(sysfs, sizeof(sysfs), "/sys/bus/mdev/devices/%s", mdev->uuid);

	return vmig_device_open_at(dev, sysfs, path);
}

void vmig_device_close(struct vmig_device *dev)
{
	close_fd(&dev->fd);
	close_fd(&dev->group);
	close_fd(&dev->container);
	close_fd(&dev->iommufd);
}

/* pci_try_reset_function() returns EAGAIN while another user has the lock of the device */
static int retry_reset(int fd, int (*reset)(int fd))
{
	const int64_t end = vmig_now_ms() + RESET_MS;
	int ret = reset(fd);

	while (ret == -EAGAIN && vmig_now_ms() < end) {
		usleep(RESET_PAUSE_US);
		ret = reset(fd);
	}

	return ret;
}

static int reset_in_new_list(int fd)
{
	return vmig_call_error(vmig_call_ioctl(fd, VFIO_DEVICE_RESET, NULL));
}

/* Not vmig_call_ioctl(), which begins a new list */
static int reset_in_list(int fd)
{
	int ret;

	vmig_call_text("ioctl(device, VFIO_DEVICE_RESET)");
	ret = ioctl(fd, VFIO_DEVICE_RESET);
	vmig_call_result(ret);

	return vmig_call_error(ret);
}

int vmig_device_reset(struct vmig_device *dev)
{
	return retry_reset(dev->fd, reset_in_new_list);
}

int vmig_device_reset_listed(struct vmig_device *dev)
{
	return retry_reset(dev->fd, reset_in_list);
}

static int full(ssize_t n, size_t len)
{
	if (n < 0)
		return -errno;

	return (size_t)n == len ? 0 : -EIO;
}

int vmig_region_read(struct vmig_device *dev, unsigned int index,
		     uint64_t offset, void *buf, size_t len)
{
	return full(vmig_call_pread(dev->fd, buf, len,
				    dev->region[index].offset + offset), len);
}

int vmig_region_write(struct vmig_device *dev, unsigned int index,
		      uint64_t offset, const void *buf, size_t len)
{
	return full(vmig_call_pwrite(dev->fd, buf, len,
				     dev->region[index].offset + offset), len);
}

int vmig_region_read32(struct vmig_device *dev, unsigned int index, uint64_t offset,
		       uint32_t *val)
{
	uint32_t raw;
	int ret = vmig_region_read(dev, index, offset, &raw, sizeof(raw));

	if (!ret)
		*val = le32toh(raw);

	return ret;
}

int vmig_region_write32(struct vmig_device *dev, unsigned int index, uint64_t offset,
			uint32_t val)
{
	val = htole32(val);

	return vmig_region_write(dev, index, offset, &val, sizeof(val));
}

static int config_read(struct vmig_device *dev, unsigned int reg, void *val,
		       size_t len)
{
	return vmig_region_read(dev, VFIO_PCI_CONFIG_REGION_INDEX, reg, val,
				len);
}

static int config_write(struct vmig_device *dev, unsigned int reg,
			const void *val, size_t len)
{
	return vmig_region_write(dev, VFIO_PCI_CONFIG_REGION_INDEX, reg, val,
				 len);
}

int vmig_config_read8(struct vmig_device *dev, unsigned int reg, uint8_t *val)
{
	return config_read(dev, reg, val, sizeof(*val));
}

int vmig_config_read16(struct vmig_device *dev, unsigned int reg, uint16_t *val)
{
	uint16_t raw;
	int ret = config_read(dev, reg, &raw, sizeof(raw));

	if (!ret)
		*val = le16toh(raw);

	return ret;
}

int vmig_config_read32(struct vmig_device *dev, unsigned int reg, uint32_t *val)
{
	return vmig_region_read32(dev, VFIO_PCI_CONFIG_REGION_INDEX, reg, val);
}

int vmig_config_write8(struct vmig_device *dev, unsigned int reg, uint8_t val)
{
	return config_write(dev, reg, &val, sizeof(val));
}

int vmig_config_write16(struct vmig_device *dev, unsigned int reg, uint16_t val)
{
	val = htole16(val);

	return config_write(dev, reg, &val, sizeof(val));
}

int vmig_config_write32(struct vmig_device *dev, unsigned int reg, uint32_t val)
{
	return vmig_region_write32(dev, VFIO_PCI_CONFIG_REGION_INDEX, reg, val);
}

int vmig_config_change(struct vmig_device *dev)
{
	uint8_t line;
	int ret;

	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line + 1);
}

int vmig_config_find_writable(struct vmig_device *dev, unsigned int reg, uint8_t *mask)
{
	uint8_t old = 0, now = 0;
	int ret;

	ret = vmig_config_read8(dev, reg, &old);
	if (!ret)
		ret = vmig_config_write8(dev, reg, ~old);
	if (!ret)
		ret = vmig_config_read8(dev, reg, &now);
	if (!ret)
		ret = vmig_config_write8(dev, reg, old);
	if (!ret)
		*mask = old ^ now;
	return ret;
}

int vmig_config_find_cap(struct vmig_device *dev, uint8_t id, unsigned int *cap)
{
	/* Limited to the number that fits, so that a circular list ends */
	unsigned int left = (PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) /
			    PCI_CAP_SIZEOF;
	uint8_t at = 0, seen;
	uint16_t status;
	int ret;

	ret = vmig_config_read16(dev, PCI_STATUS, &status);
	if (!ret && status & PCI_STATUS_CAP_LIST)
		ret = vmig_config_read8(dev, PCI_CAPABILITY_LIST, &at);
	while (!ret && at >= PCI_STD_HEADER_SIZEOF && left--) {
		ret = vmig_config_read8(dev, at + PCI_CAP_LIST_ID, &seen);
		if (!ret && seen == id) {
			*cap = at;
			return 0;
		}
		if (!ret)
			ret = vmig_config_read8(dev, at + PCI_CAP_LIST_NEXT, &at);
	}

	return ret ? ret : -ENOENT;
}
