/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known contents, in every part of a device that migrates, and a check that they are
 * there.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CONTENTS_H
#define VMIG_CONTENTS_H

#include <stdint.h>

#include "lib/vfio/device.h"

/* Bytes in the receiver FIFO of each port, and in its log */
#define VMIG_CONTENTS_BYTES	5

/**
 * vmig_contents_set - set known contents that differ from those after a reset
 * @dev:	the device, RUNNING, after a reset
 * @ports:	1 or 2
 * @seed:	0 to 99; selects the contents
 *
 * The divisor is large, so that the character timeout takes many seconds.
 */
int vmig_contents_set(struct vmig_device *dev, unsigned int ports, uint8_t seed);

/**
 * vmig_contents_check - does a device have the contents of vmig_contents_set()?
 * @dev:	the device, in any state; the receivers are empty afterwards
 * @ports:	as for vmig_contents_set()
 * @seed:	as for vmig_contents_set()
 * @what:	set to the name of what is checked: on -EUCLEAN, of what differs
 *
 * Return: 0, -EUCLEAN if something differs, or another -errno.
 */
int vmig_contents_check(struct vmig_device *dev, unsigned int ports, uint8_t seed,
			const char **what);

/**
 * vmig_contents_check_reset - does a device have the contents of after a reset?
 * @dev:	the device, in any state
 * @ports:	1 or 2
 * @what:	as for vmig_contents_check()
 *
 * Return: as for vmig_contents_check().
 */
int vmig_contents_check_reset(struct vmig_device *dev, unsigned int ports,
			      const char **what);

#endif /* VMIG_CONTENTS_H */
