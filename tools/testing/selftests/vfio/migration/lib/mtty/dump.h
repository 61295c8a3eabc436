/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compare two devices, or two streams, byte for byte.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_DUMP_H
#define VMIG_DUMP_H

#include <stdint.h>
#include <linux/pci_regs.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

/**
 * struct vmig_dump - the whole content of a device; zero it before first use
 * @config:	config space
 * @memory:	BAR2
 * @stream:	its migration stream: ports and interrupts
 */
struct vmig_dump {
	uint8_t config[PCI_CFG_SPACE_SIZE];
	struct vmig_bytes memory;
	struct vmig_bytes stream;
};

/**
 * vmig_dump_take - read the whole content of a device
 * @dump:	filled in
 * @dev:	in RUNNING or STOP; STOP afterwards
 */
int vmig_dump_take(struct vmig_dump *dump, struct vmig_device *dev);

/** vmig_dump_free - free the members */
void vmig_dump_free(struct vmig_dump *dump);

/** vmig_dump_compare - NULL if two devices are equal, else the name of what differs */
const char *vmig_dump_compare(const struct vmig_dump *a,
			      const struct vmig_dump *b);

/** vmig_dump_memory - replace the content of @memory by BAR2, which may be empty */
int vmig_dump_memory(struct vmig_bytes *memory, struct vmig_device *dev);

/**
 * vmig_dump_compare_config - compare the config space of two devices
 * @a:		a device, in any state
 * @b:		a device, in any state
 * @reg:	set to the offset of the first byte that differs
 *
 * Return: 0, -EUCLEAN if a byte differs, or another -errno.
 */
int vmig_dump_compare_config(struct vmig_device *a, struct vmig_device *b,
			     unsigned int *reg);

/**
 * vmig_dump_compare_streams - compare types and payloads of the records
 * @a:		a stream
 * @b:		a stream
 * @ignored:	bit mask of record types that are not compared
 *
 * Return: NULL if the streams are valid and equal, and have a record that is compared; else
 * the name of what differs.
 */
const char *vmig_dump_compare_streams(const struct vmig_bytes *a,
				      const struct vmig_bytes *b,
				      uint32_t ignored);

#endif /* VMIG_DUMP_H */
