/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own short names, on top of the uapi header of the host.
 *
 * The headers in this directory have just what the driver's pure files use, so
 * that anything more that these come to need shows when they are built here.
 * What is not here, such as linux/serial_reg.h, is the host's uapi header.
 */
#ifndef FUZZ_LINUX_TYPES_H
#define FUZZ_LINUX_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#endif /* FUZZ_LINUX_TYPES_H */
