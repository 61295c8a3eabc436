// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "lacking.h"
#include "module.h"

#define MDEV_BUS	"/sys/bus/mdev"
#define MDEV_PARENTS	"/sys/class/mdev_bus"

const char *vmig_lacking_root(void)
{
	return geteuid() ? "not root: only root can load modules and open devices" : NULL;
}

const char *vmig_lacking_parent(const char *parent, const char *file)
{
	static char text[PATH_MAX];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MDEV_PARENTS "/%s", parent);
	if (!vmig_module_use(parent, path, file))
		return NULL;
	if (access(MDEV_BUS, F_OK))
		return "no mediated devices: load mdev (CONFIG_VFIO_MDEV)";
	snprintf(text, sizeof(text),
		 "no module %s: build it, and load it or install it where modprobe finds it",
		 parent);
	return text;
}

static bool has_type1(void)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	bool has = fd >= 0 && ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) > 0;

	close(fd);
	return has;
}

const char *vmig_lacking_path(void)
{
	if (vmig_path_default() == VMIG_PATH_CDEV) {
		if (!vmig_path_available(VMIG_PATH_CDEV))
			vmig_module_load("iommufd", NULL);
		return vmig_path_available(VMIG_PATH_CDEV) ? NULL :
		       "no /dev/iommu, or no cdevs: load iommufd (CONFIG_VFIO_DEVICE_CDEV)";
	}
	if (!vmig_path_available(VMIG_PATH_GROUP))
		return "no /dev/vfio/vfio: load vfio (CONFIG_VFIO_GROUP, CONFIG_VFIO_CONTAINER)";
	if (!has_type1())
		vmig_module_load("vfio_iommu_type1", NULL);
	return has_type1() ? NULL :
	       "no IOMMU of type 1: load vfio_iommu_type1 (CONFIG_VFIO_IOMMU_TYPE1)";
}
