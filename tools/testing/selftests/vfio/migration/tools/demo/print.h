/* SPDX-License-Identifier: GPL-2.0-only */
/* Text of the demo on standard output: 80 columns, with colour if the user wants it. */
#ifndef VMIG_DEMO_PRINT_H
#define VMIG_DEMO_PRINT_H

#include <stdbool.h>

enum style {
	PLAIN,
	BOLD,
	FAINT,
	GOOD,
	BAD,
};

/**
 * print_init - before all other functions
 * @colour:	print escape sequences of ANSI terminals
 */
void print_init(bool colour);

/** print_quietly - print nothing, until it is called with false */
void print_quietly(bool quiet);

/** print_flush - write what was printed, so that a slow terminal delays nothing later */
void print_flush(void);

/** print_title - an empty line, and a heading */
void print_title(const char *title);

/** print_text - a paragraph; its lines end with "\n", but the last one */
void print_text(const char *text);

/** print_line - a line in @style; @fmt as for printf() */
void print_line(enum style style, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* VMIG_DEMO_PRINT_H */
