/* SPDX-License-Identifier: GPL-2.0-only */
/* The exported header: that of the source has other guards, and would define all twice */
#include <linux/vfio_mig_config.h>
