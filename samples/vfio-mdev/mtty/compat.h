/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the supported kernels, 6.12 and newer.  All other files are
 * written for the newest.
 */
#ifndef MTTY_COMPAT_H
#define MTTY_COMPAT_H

#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>

#ifndef kzalloc_obj
/* Newer kernels take the object, not its size */
#define kzalloc_obj(obj, gfp)	kzalloc(sizeof(obj), gfp)
#endif

/* Older kernels pass VFIO_DEVICE_GET_REGION_INFO to vfio_device_ops.ioctl */
#define MTTY_HAS_REGION_INFO_OP	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

#if !MTTY_HAS_REGION_INFO_OP
typedef int (*mtty_region_info_fn)(struct vfio_device *vdev,
				   struct vfio_region_info *info,
				   struct vfio_info_cap *caps);

static inline long mtty_region_info_ioctl(struct vfio_device *vdev,
					  struct vfio_region_info __user *arg,
					  mtty_region_info_fn get)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = {};
	struct vfio_region_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = get(vdev, &info, &caps);
	if (ret)
		return ret;

	/* If the user's buffer is too small, return the size that is needed */
	if (caps.size && info.argsz >= sizeof(info) + caps.size) {
		info.cap_offset = sizeof(info);
		vfio_info_cap_shift(&caps, sizeof(info));
		if (copy_to_user(arg + 1, caps.buf, caps.size))
			ret = -EFAULT;
	} else if (caps.size) {
		info.argsz = sizeof(info) + caps.size;
	}
	if (caps.size)
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
	kfree(caps.buf);
	if (!ret && copy_to_user(arg, &info, minsz))
		ret = -EFAULT;

	return ret;
}
#endif

/* VFIO_PRECOPY_INFO_REINIT is for users that have opted in */
#ifdef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
static inline bool mtty_has_precopy_info_v2(const struct vfio_device *vdev)
{
	return vdev->precopy_info_v2;
}
#else
#define VFIO_PRECOPY_INFO_REINIT	0

static inline bool mtty_has_precopy_info_v2(const struct vfio_device *vdev)
{
	return false;
}

static inline int vfio_check_precopy_ioctl(struct vfio_device *vdev,
					   unsigned int cmd, unsigned long arg,
					   struct vfio_precopy_info *info)
{
	size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(info, (const void __user *)arg, minsz))
		return -EFAULT;

	return info->argsz < minsz ? -EINVAL : 0;
}
#endif

#endif /* MTTY_COMPAT_H */
