/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that are supported: 6.12 and newer.  The code
 * is written for the newest; what older ones need is here.
 */
#ifndef MTTY_COMPAT_H
#define MTTY_COMPAT_H

#include <linux/version.h>

/* Before, VFIO_DEVICE_GET_REGION_INFO went to vfio_device_ops.ioctl as well */
#define MTTY_HAS_REGION_INFO_OP	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

#endif /* MTTY_COMPAT_H */
