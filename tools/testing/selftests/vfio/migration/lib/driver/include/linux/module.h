/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_MODULE_H
#define DRIVER_LINUX_MODULE_H

/* A semicolon follows each, so it has to be a declaration */
#define EXPORT_SYMBOL(name)		extern typeof(name) name
#define MODULE_LICENSE(text)		_Static_assert(sizeof(text), "")
#define MODULE_DESCRIPTION(text)	_Static_assert(sizeof(text), "")

#endif /* DRIVER_LINUX_MODULE_H */
