/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_UNALIGNED_H
#define DRIVER_LINUX_UNALIGNED_H

#include <string.h>
#include <linux/kernel.h>

static inline u32 get_unaligned_le32(const void *from)
{
	u32 val;

	memcpy(&val, from, sizeof(val));

	return le32_to_cpu(val);
}

static inline u64 get_unaligned_le64(const void *from)
{
	u64 val;

	memcpy(&val, from, sizeof(val));

	return le64_to_cpu(val);
}

#endif /* DRIVER_LINUX_UNALIGNED_H */
