/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device with something to lose: contents that a reset device does not have,
 * in every part that migrates, and a way to tell whether they are (still) there.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CONTENTS_H
#define VMIG_CONTENTS_H

#include <stdint.h>

#include "lib/vfio/device.h"

/* Bytes that wait in the receiver of each port, and stand in the log */
#define VMIG_CONTENTS_BYTES	5

/**
 * vmig_contents_set - give a device recognisable contents
 * @dev:	the device, RUNNING and fresh from a reset
 * @ports:	1 or 2
 * @seed:	0 to 99; other seeds give other contents
 *
 * No character timeout comes while the contents are there: the divisor is so
 * large that it would take many seconds.
 */
int vmig_contents_set(struct vmig_device *dev, unsigned int ports, uint8_t seed);

/**
 * vmig_contents_check - is all of it there?
 * @dev:	the device, in any state; the receivers are empty afterwards
 * @ports:	as for vmig_contents_set()
 * @seed:	as for vmig_contents_set()
 * @what:	set to what differs first, in words
 *
 * Return: 0, -EUCLEAN if something differs, or another -errno.
 */
int vmig_contents_check(struct vmig_device *dev, unsigned int ports, uint8_t seed,
		     const char **what);

/**
 * vmig_contents_check_reset - is a device as VFIO_DEVICE_RESET must leave it?
 * @dev:	the device, in any state
 * @ports:	1 or 2
 * @what:	set to what differs first, in words
 *
 * Return: as for vmig_contents_check().
 */
int vmig_contents_check_reset(struct vmig_device *dev, unsigned int ports,
			   const char **what);

#endif /* VMIG_CONTENTS_H */
