/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, which the headers of the oldest kernel
 * that is supported do not have.
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
 * vmig_precopy_v2_opt_in - be told of config space that changes
 * @dev:	the device, as long as it stays open
 *
 * Return: 0, -ENOTTY where the kernel does not have it, or another -errno.
 */
static inline int vmig_precopy_v2_opt_in(struct vmig_device *dev)
{
	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);
}

#endif /* VMIG_PRECOPY_V2_H */
