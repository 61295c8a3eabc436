/* SPDX-License-Identifier: GPL-2.0-only */
/* A number on a command line. */
#ifndef VMIG_NUMBER_H
#define VMIG_NUMBER_H

/**
 * vmig_number - read a number
 * @text:	decimal digits and nothing else: no sign, no blank
 * @max:	the largest that makes sense
 * @number:	filled in on success
 *
 * Return: 0 or -EINVAL.
 */
int vmig_number(const char *text, unsigned int max, unsigned int *number);

#endif /* VMIG_NUMBER_H */
