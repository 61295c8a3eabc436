/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device of one's own: created, configured and opened in one step, and gone
 * without a trace in another.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_TESTDEV_H
#define VMIG_TESTDEV_H

#include "lib/vfio/device.h"
#include "lib/vfio/mdev.h"

/**
 * struct vmig_testdev - a device and its user
 * @mdev:	the device
 * @dev:	what it is open as
 */
struct vmig_testdev {
	struct vmig_mdev mdev;
	struct vmig_device dev;
};

/**
 * struct vmig_attrs - what is written to the attributes in migration/
 * @config_policy: a word, or NULL for the default, as for the rest
 * @features:	words
 * @capture_size: a number
 * @defect_early_irq: "0" or "1"
 */
struct vmig_attrs {
	const char *config_policy;
	const char *features;
	const char *capture_size;
	const char *defect_early_irq;
};

/**
 * vmig_testdev_create - create a device, without opening it
 * @mdev:	filled in
 * @type:	"mtty-1" or "mtty-2"
 *
 * Return: as vmig_mdev_create(); -EUSERS if all instances exist already.
 */
int vmig_testdev_create(struct vmig_mdev *mdev, const char *type);

/**
 * vmig_testdev_open - create, configure and open a device
 * @td:		filled in; nothing is left behind on failure
 * @type:	"mtty-1" or "mtty-2"
 * @path:	how to open it
 * @attrs:	NULL for all the defaults
 */
int vmig_testdev_open(struct vmig_testdev *td, const char *type,
		      enum vmig_path path, const struct vmig_attrs *attrs);

/** vmig_testdev_close - close and remove a device; idempotent */
void vmig_testdev_close(struct vmig_testdev *td);

#endif /* VMIG_TESTDEV_H */
