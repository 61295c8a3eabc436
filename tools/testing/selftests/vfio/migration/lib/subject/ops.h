/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on the device under test that VFIO does not define: a driver in the guest
 * does them through registers. Each device that is known has a table of them. Where one
 * is missing, cases that need it are not checked.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_OPS_H
#define VMIG_OPS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/device.h"

/**
 * struct vmig_ops - operations of one kind of device; NULL: there is none
 * @name:	of the device
 * @vendor:	PCI vendor ID
 * @device:	PCI device ID
 * @no_dma:	the device never does DMA
 * @fill:	put contents that @seed selects (0 to 99) into the device, which differ from
 *		those after a reset and migrate. The device is RUNNING.
 * @check:	has the device the contents of @fill? In any state; may consume them. @what
 *		is set to the name of the part that was checked last. -EUCLEAN: it differs
 * @dirty:	change data that were saved already, in RUNNING or PRE_COPY; @bytes is set
 *		to how many at least must be saved again
 * @irq_raise:	assert the interrupt of @index and @vector, as one message or a level. For a
 *		message it makes the function a bus master
 * @irq_lower:	take back the level, before the next message
 * @dma_write:	let the device write @len bytes, at most 4096, to the IOVA; returns when
 *		it has ended
 */
struct vmig_ops {
	const char *name;
	uint16_t vendor;
	uint16_t device;
	bool no_dma;
	int (*fill)(struct vmig_device *dev, uint8_t seed);
	int (*check)(struct vmig_device *dev, uint8_t seed, const char **what);
	int (*dirty)(struct vmig_device *dev, size_t *bytes);
	int (*irq_raise)(struct vmig_device *dev, unsigned int index, unsigned int vector);
	int (*irq_lower)(struct vmig_device *dev, unsigned int index, unsigned int vector);
	int (*dma_write)(struct vmig_device *dev, uint64_t iova, size_t len);
};

extern const struct vmig_ops vmig_ops_mtty;
extern const struct vmig_ops vmig_ops_edu;
extern const struct vmig_ops vmig_ops_e1000e;

/* A device without operations */
extern const struct vmig_ops vmig_ops_none;

/** vmig_ops_find - the operations of a device, by its PCI IDs; never NULL */
const struct vmig_ops *vmig_ops_find(struct vmig_device *dev);

#endif /* VMIG_OPS_H */
