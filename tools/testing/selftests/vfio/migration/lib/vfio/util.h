/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock, short files, and other small helpers. Functions return 0 or -errno. */
#ifndef VMIG_UTIL_H
#define VMIG_UTIL_H

#include <stddef.h>
#include <stdint.h>

/* Programs that include the harness have it from there */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/** vmig_now_ns - CLOCK_MONOTONIC in nanoseconds */
int64_t vmig_now_ns(void);

/** vmig_now_ms - CLOCK_MONOTONIC in milliseconds, rounded down */
int64_t vmig_now_ms(void);

/** vmig_write_file - write text to an existing file with one write() */
int vmig_write_file(const char *path, const char *text);

/**
 * vmig_read_file - read a short file with one read()
 * @path:	the file
 * @text:	set to its content and a final 0
 * @size:	bytes of @text; -EOVERFLOW if it is too small
 */
int vmig_read_file(const char *path, char *text, size_t size);

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
