/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a device has, as bytes, to be compared with what another one has:
 * config space, its generation, capture memory, ports and interrupts.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_DUMP_H
#define VMIG_DUMP_H

#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

/**
 * struct vmig_dump - a device at a moment
 * @config:	config space
 * @generation:	of config space, as VFIO_DEVICE_FEATURE_MIG_CONFIG says
 * @memory:	BAR2
 * @state:	the rest: the records that describe it, without their heads
 */
struct vmig_dump {
	uint8_t config[256];
	uint64_t generation;
	struct vmig_bytes memory;
	struct vmig_bytes state;
};

/**
 * vmig_dump_take - look at all of a device
 * @picture:	zeroed, or from before
 * @dev:	in RUNNING or STOP; left in STOP
 */
int vmig_dump_take(struct vmig_dump *picture, struct vmig_device *dev);

/** vmig_dump_free - free what it holds */
void vmig_dump_free(struct vmig_dump *picture);

/**
 * vmig_dump_compare - are two devices the same?
 * @a:		one
 * @b:		the other
 *
 * Return: NULL if they are, or in words what differs.
 */
const char *vmig_dump_compare(const struct vmig_dump *a,
				 const struct vmig_dump *b);

#endif /* VMIG_DUMP_H */
