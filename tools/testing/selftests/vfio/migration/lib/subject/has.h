/* SPDX-License-Identifier: GPL-2.0-only */
/* The features that a device offers, as VFIO reports them: VMIG_HAS_* of subject.h. */
#ifndef VMIG_HAS_H
#define VMIG_HAS_H

#include <stdint.h>

#include "lib/vfio/device.h"

/**
 * vmig_has - ask a device
 * @dev:	the open device, in RUNNING
 * @sysfs:	its directory
 *
 * A call that fails means that the device does not offer it.
 */
uint32_t vmig_has(struct vmig_device *dev, const char *sysfs);

/** vmig_has_name - name of the lowest bit, or NULL if there is none */
const char *vmig_has_name(uint32_t has);

#endif /* VMIG_HAS_H */
