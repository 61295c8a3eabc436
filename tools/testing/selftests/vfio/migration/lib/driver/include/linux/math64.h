/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_MATH64_H
#define DRIVER_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *rest)
{
	*rest = dividend % divisor;

	return dividend / divisor;
}

#endif /* DRIVER_LINUX_MATH64_H */
