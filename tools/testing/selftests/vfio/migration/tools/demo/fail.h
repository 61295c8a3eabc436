/* SPDX-License-Identifier: GPL-2.0-only */
/* The reason of the first failure, for the last line of the demo. */
#ifndef VMIG_DEMO_FAIL_H
#define VMIG_DEMO_FAIL_H

/**
 * demo_fail - keep the reason, unless there is one
 * @fmt:	as for printf()
 *
 * Return: -1
 */
int demo_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** demo_why - the reason, or an empty text */
const char *demo_why(void);

#endif /* VMIG_DEMO_FAIL_H */
