/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_BITOPS_H
#define DRIVER_LINUX_BITOPS_H

#include <linux/types.h>

#define BIT(nr)		(1UL << (nr))

/* For one word: a bit beyond it is a shift that the sanitizer reports */
static inline bool __test_and_set_bit(unsigned int nr, unsigned long *word)
{
	bool was_set = *word & BIT(nr);

	*word |= BIT(nr);

	return was_set;
}

#endif /* DRIVER_LINUX_BITOPS_H */
