/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's short names, on top of the uapi header.
 *
 * The headers in this directory have only what the files in DRIVER_OBJS use.
 * linux/xxhash.h is the kernel's, any other header is the uapi one.
 */
#ifndef DRIVER_LINUX_TYPES_H
#define DRIVER_LINUX_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define __user

#endif /* DRIVER_LINUX_TYPES_H */
