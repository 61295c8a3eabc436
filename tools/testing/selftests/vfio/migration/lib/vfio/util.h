/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock, the size of an array, and other small helpers. */
#ifndef VMIG_UTIL_H
#define VMIG_UTIL_H

#include <stdint.h>

/* Programs that include the harness have it from there */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/** vmig_now_ns - CLOCK_MONOTONIC in nanoseconds */
int64_t vmig_now_ns(void);

/** vmig_now_ms - CLOCK_MONOTONIC in milliseconds, rounded down */
int64_t vmig_now_ms(void);

/** vmig_count_fds - number of open file descriptors of this process, or -errno */
int vmig_count_fds(void);

/**
 * vmig_number - parse a number
 * @text:	decimal digits only: no sign, no blank
 * @max:	the largest number accepted
 * @number:	set on success
 *
 * Return: 0 or -EINVAL.
 */
int vmig_number(const char *text, unsigned int max, unsigned int *number);

#endif /* VMIG_UTIL_H */
