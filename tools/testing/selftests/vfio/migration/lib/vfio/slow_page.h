/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page whose first access waits until the test fills it, also if the kernel accesses it.
 * So a system call can be held in the middle of a copy, without any sleep.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_SLOW_PAGE_H
#define VMIG_SLOW_PAGE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct vmig_slow_page - a page that is not there yet
 * @fd:		userfaultfd
 * @page:	the page; only another thread, or a system call of it, may access it
 * @size:	bytes of the page
 */
struct vmig_slow_page {
	int fd;
	uint8_t *page;
	size_t size;
};

/**
 * vmig_slow_page_map - make a page that is not there yet
 * @slow:	filled in
 *
 * Return: 0, or -errno if the kernel has no userfaultfd, or does not allow it.
 */
int vmig_slow_page_map(struct vmig_slow_page *slow);

/**
 * vmig_slow_page_wait - wait until an access waits for the page
 * @slow:	from vmig_slow_page_map()
 *
 * Return: 0, -ETIMEDOUT if none came in VMIG_SLOW_PAGE_MS, or another -errno.
 */
int vmig_slow_page_wait(struct vmig_slow_page *slow);

/* No access takes so long to come, unless there will be none */
#define VMIG_SLOW_PAGE_MS	20000

/**
 * vmig_slow_page_fill - fill the page, and let accesses go on
 * @slow:	from vmig_slow_page_map()
 * @data:	its first bytes; the others are zero
 * @len:	bytes of @data, at most a page
 */
int vmig_slow_page_fill(struct vmig_slow_page *slow, const void *data, size_t len);

/** vmig_slow_page_unmap - undo vmig_slow_page_map(); no access may wait */
void vmig_slow_page_unmap(struct vmig_slow_page *slow);

#endif /* VMIG_SLOW_PAGE_H */
