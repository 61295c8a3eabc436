/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a device has, as bytes, to be compared with what another one has:
 * config space, its generation, capture memory, ports and interrupts.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_PICTURE_H
#define VMIG_PICTURE_H

#include <stdint.h>

#include "bytes.h"
#include "device.h"

/**
 * struct vmig_picture - a device at a moment
 * @config:	config space
 * @generation:	of config space, as VFIO_DEVICE_FEATURE_MIG_CONFIG says
 * @memory:	BAR2
 * @state:	the rest: the records that describe it, without their heads
 */
struct vmig_picture {
	uint8_t config[256];
	uint64_t generation;
	struct vmig_bytes memory;
	struct vmig_bytes state;
};

/**
 * vmig_picture_take - look at all of a device
 * @picture:	zeroed, or from before
 * @dev:	in RUNNING or STOP; left in STOP
 */
int vmig_picture_take(struct vmig_picture *picture, struct vmig_device *dev);

/** vmig_picture_free - free what it holds */
void vmig_picture_free(struct vmig_picture *picture);

/**
 * vmig_picture_compare - are two devices the same?
 * @a:		one
 * @b:		the other
 *
 * Return: NULL if they are, or in words what differs.
 */
const char *vmig_picture_compare(const struct vmig_picture *a,
				 const struct vmig_picture *b);

#endif /* VMIG_PICTURE_H */
