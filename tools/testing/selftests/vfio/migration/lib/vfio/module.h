/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel module that tests need: load it if it is not there, and remove it in the end.
 *
 * Test programs may run side by side. A file in /run, which is locked, tells them how many use
 * the module, and whether a test has loaded it. The last one removes it. A module that was
 * there before the tests stays.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_MODULE_H
#define VMIG_MODULE_H

#include <stdbool.h>

/**
 * vmig_module_use - have a module loaded until this process exits
 * @name:	of the module
 * @sign:	a path that is there exactly while the module is loaded, or built in
 * @file:	the module's file; NULL: modprobe finds it
 *
 * A later call for the same module does nothing. The modules that this one depends on stay
 * loaded. So does this one if it cannot be removed, or if there is no /run.
 *
 * Return: 0, -ENOENT if modprobe has no such module, or cannot load it, or another -errno of
 * loading it.
 */
int vmig_module_use(const char *name, const char *sign, const char *file);

/**
 * vmig_module_use_alone - no other program may use the module until this process exits
 *
 * To be called after vmig_module_use().
 *
 * Return: 0, -EBUSY if another program uses it, or -ENOENT if there is no /run.
 */
int vmig_module_use_alone(void);

/** vmig_module_leave - do now what the exit of this process does */
void vmig_module_leave(void);

/** vmig_module_can_load - is there a file for vmig_module_load()? */
bool vmig_module_can_load(const char *name, const char *file);

/** vmig_module_load - load a module; @name and @file as for vmig_module_use() */
int vmig_module_load(const char *name, const char *file);

/**
 * vmig_module_unload - remove a module
 * @name:	of the module
 * @timeout_ms:	how long to wait while it is in use: a process that was killed may be about
 *		to close a device
 *
 * Return: 0, -EWOULDBLOCK if it is in use, or another -errno of delete_module().
 */
int vmig_module_unload(const char *name, int timeout_ms);

#endif /* VMIG_MODULE_H */
