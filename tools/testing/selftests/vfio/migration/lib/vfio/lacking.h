/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reason why a test cannot run on this machine: one line for the user, which says what to
 * do, or NULL if there is none. The text is valid until the next call.
 */
#ifndef VMIG_LACKING_H
#define VMIG_LACKING_H

/** vmig_lacking_root - the right to load modules, and to create and open devices */
const char *vmig_lacking_root(void);

/**
 * vmig_lacking_parent - a directory in /sys/class/mdev_bus, in which devices are created
 * @parent:	its name, which is that of its module; vmig_module_use() gets it
 * @file:	of the module, or NULL
 */
const char *vmig_lacking_parent(const char *parent, const char *file);

/** vmig_lacking_path - the files of VFIO to open a device by VMIG_PATH_ANY */
const char *vmig_lacking_path(void);

#endif /* VMIG_LACKING_H */
