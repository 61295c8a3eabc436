// SPDX-License-Identifier: GPL-2.0-only
/* See print.h. */
#include <stdarg.h>
#include <stdio.h>

#include "print.h"

static bool has_colour;
static bool is_quiet;

void print_init(bool colour)
{
	/* One write for many lines: a write to the console of a VM is slow */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	has_colour = colour;
}

void print_quietly(bool quiet)
{
	is_quiet = quiet;
}

void print_flush(void)
{
	fflush(stdout);
}

static const char *code(enum style style)
{
	static const char *const codes[] = {
		[PLAIN] = "", [BOLD] = "\033[1m", [FAINT] = "\033[2m",
		[GOOD] = "\033[32m", [BAD] = "\033[31m",
	};

	return has_colour ? codes[style] : "";
}

void print_line(enum style style, const char *fmt, ...)
{
	va_list args;

	if (is_quiet)
		return;
	fputs(code(style), stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	puts(style != PLAIN && has_colour ? "\033[0m" : "");
}

void print_title(const char *title)
{
	print_line(PLAIN, "%s", "");
	print_line(BOLD, "%s", title);
}

void print_text(const char *text)
{
	print_line(PLAIN, "%s", text);
}
