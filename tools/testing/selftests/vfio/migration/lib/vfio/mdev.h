/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices in sysfs: create, configure, remove.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_MDEV_H
#define VMIG_MDEV_H

#include <stdbool.h>
#include <stddef.h>

#define VMIG_UUID_LEN	36

/**
 * struct vmig_mdev - one mediated device
 * @uuid:	name in /sys/bus/mdev/devices; empty: no device
 */
struct vmig_mdev {
	char uuid[VMIG_UUID_LEN + 1];
};

/**
 * vmig_mdev_create - create a device with a random UUID
 * @mdev:	filled in
 * @parent:	a directory in /sys/class/mdev_bus
 * @type:	a directory in mdev_supported_types of the parent
 *
 * Return: 0, -ENODEV if there is no such parent or type, or the -errno of the
 * write to its "create" attribute.
 */
int vmig_mdev_create(struct vmig_mdev *mdev, const char *parent, const char *type);

/**
 * vmig_mdev_remove - remove a device
 * @mdev:	from vmig_mdev_create(); does nothing if it is empty
 *
 * The kernel waits until all fds of the device are closed.
 */
int vmig_mdev_remove(struct vmig_mdev *mdev);

/**
 * vmig_mdev_set_attr - write an attribute
 * @mdev:	the device
 * @attr:	path below the device, such as "migration/config_policy"
 * @value:	text to write
 */
int vmig_mdev_set_attr(const struct vmig_mdev *mdev, const char *attr,
		       const char *value);

/**
 * vmig_mdev_get_attr - read the first line of an attribute
 * @mdev:	the device
 * @attr:	path below the device
 * @value:	set to the line, without the newline
 * @size:	bytes of @value; -EOVERFLOW if it is too small
 */
int vmig_mdev_get_attr(const struct vmig_mdev *mdev, const char *attr,
		       char *value, size_t size);

#endif /* VMIG_MDEV_H */
