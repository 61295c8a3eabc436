/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_COMPILER_H
#define DRIVER_LINUX_COMPILER_H

/* lib/xxhash.c includes this, and uses nothing of it */

#endif /* DRIVER_LINUX_COMPILER_H */
