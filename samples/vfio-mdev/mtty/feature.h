/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_FEATURE_H
#define MTTY_FEATURE_H

#include <linux/types.h>

struct vfio_device;

int mtty_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		 size_t argsz);

#endif /* MTTY_FEATURE_H */
