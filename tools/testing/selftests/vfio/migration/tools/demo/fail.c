// SPDX-License-Identifier: GPL-2.0-only
/* See fail.h. */
#include <stdarg.h>
#include <stdio.h>

#include "fail.h"

static char why[256];

int demo_fail(const char *fmt, ...)
{
	va_list args;

	if (!why[0]) {
		va_start(args, fmt);
		vsnprintf(why, sizeof(why), fmt, args);
		va_end(args);
	}
	return -1;
}

const char *demo_why(void)
{
	return why;
}
