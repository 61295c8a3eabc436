/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An mtty device for a test: create, configure and open it in one call, close and
 * remove it in another.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_TESTDEV_H
#define VMIG_TESTDEV_H

#include "lib/vfio/device.h"
#include "lib/vfio/mdev.h"
#include "lib/vfio/trace.h"

/**
 * struct vmig_testdev - a device that is open
 * @mdev:	the mediated device
 * @dev:	the open device
 */
struct vmig_testdev {
	struct vmig_mdev mdev;
	struct vmig_device dev;
};

/**
 * struct vmig_attrs - values of the attributes in migration/; NULL: the default
 * @config_policy: see Documentation/ABI/testing/sysfs-driver-mtty, as for the others
 * @features:	words, separated by blanks
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
 * vmig_testdev_missing - the reason why no mtty device can be created and opened, or NULL
 *
 * Loads the module until this process exits (vmig_module_use()): the file that the environment
 * variable MTTY_KO names, or else what modprobe finds.
 */
const char *vmig_testdev_missing(void);

/**
 * vmig_testdev_create - create a device, without opening it
 * @mdev:	filled in
 * @type:	"mtty-1" or "mtty-2"
 *
 * Return: as vmig_mdev_create(); -EUSERS if all instances exist already.
 */
int vmig_testdev_create(struct vmig_mdev *mdev, const char *type);

/**
 * vmig_testdev_number - N of a device's vfioN in sysfs
 * @mdev:	the device
 *
 * VFIO gives each device the lowest free number. It is free again when the device is freed,
 * which may be after its removal.
 *
 * Return: the number, -ENOENT if the kernel does not show it, or another -errno.
 */
int vmig_testdev_number(const struct vmig_mdev *mdev);

/**
 * vmig_testdev_next_number - the number of a device that is created, and removed, now
 *
 * Return: as vmig_testdev_number().
 */
int vmig_testdev_next_number(void);

/**
 * vmig_testdev_open - create, configure and open a device
 * @td:		filled in; the device is removed on failure
 * @type:	"mtty-1" or "mtty-2"
 * @path:	how to open it
 * @attrs:	attributes; NULL: all have their default
 *
 * Return: 0, -ENOTTY or -EPROTO if the answer of MIG_CONFIG is not that of
 * @attrs->config_policy, or another -errno.
 */
int vmig_testdev_open(struct vmig_testdev *td, const char *type,
		      enum vmig_path path, const struct vmig_attrs *attrs);

/**
 * vmig_testdev_reopen - close the device and open it, by any path, without removing it
 * @td:		the device; closed if there is an error
 *
 * Return: 0 or -errno.
 */
int vmig_testdev_reopen(struct vmig_testdev *td);

/**
 * vmig_testdev_signals - how often the driver has signalled an interrupt of the device
 * @td:		the device
 * @trace:	of the system "mtty", from vmig_trace_start()
 *
 * Return: the number, or -errno.
 */
int vmig_testdev_signals(const struct vmig_testdev *td, struct vmig_trace *trace);

/**
 * vmig_testdev_module_stays - the reason why a test may not remove and load the module, or NULL
 *
 * To be called after vmig_testdev_missing(). With NULL, no other program may use the module until
 * this process exits, see vmig_module_use_alone().
 */
const char *vmig_testdev_module_stays(void);

/** vmig_testdev_close - close and remove a device; idempotent */
void vmig_testdev_close(struct vmig_testdev *td);

#endif /* VMIG_TESTDEV_H */
