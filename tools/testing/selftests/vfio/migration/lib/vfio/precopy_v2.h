/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, for headers of kernels that do not have it.
 */
#ifndef VMIG_PRECOPY_V2_H
#define VMIG_PRECOPY_V2_H

#include <linux/vfio.h>

#include "feature.h"

#ifndef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2	12
#endif
#ifndef VFIO_PRECOPY_INFO_REINIT
#define VFIO_PRECOPY_INFO_REINIT		0x1
#endif

/**
 * vmig_precopy_v2_opt_in - let VFIO_MIG_GET_PRECOPY_INFO report REINIT
 * @dev:	the device; the setting lasts until it is closed
 *
 * Return: 0, -ENOTTY if the kernel does not have the feature, or another -errno.
 */
static inline int vmig_precopy_v2_opt_in(struct vmig_device *dev)
{
	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);
}

#endif /* VMIG_PRECOPY_V2_H */
