// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pci_regs.h>

#include "lib/vfio/util.h"
#include "ops.h"

const struct vmig_ops vmig_ops_none = { .name = "a device without operations" };

static const struct vmig_ops *const known[] = {
	&vmig_ops_mtty, &vmig_ops_edu, &vmig_ops_e1000e,
};

const struct vmig_ops *vmig_ops_find(struct vmig_device *dev)
{
	uint16_t vendor, device;
	unsigned int i;

	if (!(dev->flags & VFIO_DEVICE_FLAGS_PCI) ||
	    vmig_config_read16(dev, PCI_VENDOR_ID, &vendor) ||
	    vmig_config_read16(dev, PCI_DEVICE_ID, &device))
		return &vmig_ops_none;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i]->vendor == vendor && known[i]->device == device)
			return known[i];
	}
	return &vmig_ops_none;
}
