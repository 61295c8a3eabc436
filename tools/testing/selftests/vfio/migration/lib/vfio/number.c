// SPDX-License-Identifier: GPL-2.0-only
/* A number on a command line; see number.h. */
#include <errno.h>

#include "number.h"

int vmig_number(const char *text, unsigned int max, unsigned int *number)
{
	unsigned long long value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (*text - '0');
		if (value > max)
			return -EINVAL;
	}
	*number = value;
	return 0;
}
