/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_MODULE_H
#define DRIVER_LINUX_MODULE_H

/* As declarations, because a semicolon follows each */
#define EXPORT_SYMBOL(name)		struct module
#define MODULE_LICENSE(text)		struct module
#define MODULE_DESCRIPTION(text)	struct module

#endif /* DRIVER_LINUX_MODULE_H */
