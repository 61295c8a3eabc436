/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by calls.c and calls_name.c */
#ifndef VMIG_CALLS_INT_H
#define VMIG_CALLS_INT_H

#include <stddef.h>

/**
 * vmig_calls_describe - an ioctl and its argument as text
 * @request:	the ioctl
 * @arg:	its argument; read only as far as the caller's argsz says
 * @text:	set
 * @size:	bytes of @text
 */
void vmig_calls_describe(unsigned long request, const void *arg, char *text, size_t size);

/**
 * vmig_calls_describe_result - what a successful ioctl returned in its argument
 * @request:	the ioctl
 * @arg:	its argument
 * @text:	set, to "" if there is nothing to say
 * @size:	bytes of @text
 */
void vmig_calls_describe_result(unsigned long request, const void *arg, char *text,
				size_t size);

#endif /* VMIG_CALLS_INT_H */
