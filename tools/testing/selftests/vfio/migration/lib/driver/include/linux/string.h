/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_STRING_H
#define DRIVER_LINUX_STRING_H

#include <string.h>
#include <linux/types.h>

/* The first byte that is not @c, or NULL */
static inline void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *p = start;

	for (; bytes; bytes--, p++)
		if (*p != (u8)c)
			return (void *)p;

	return NULL;
}

#endif /* DRIVER_LINUX_STRING_H */
