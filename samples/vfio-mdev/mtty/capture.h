/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_CAPTURE_H
#define MTTY_CAPTURE_H

#include <linux/types.h>

#include "mtty_format.h"

struct address_space;
struct page;

#define MTTY_CAP_RANGE_PAGES	(MTTY_REC_CAPTURE_MAX / PAGE_SIZE)

/**
 * struct mtty_cap_range - pages on their way out
 * @offset:	of the first byte in BAR2
 * @len:	bytes
 * @first:	index of the first page
 * @nr:		pages
 * @pages:	with a reference on each; who writes to BAR2 meanwhile is given a
 *		copy, so they stay as they are
 */
struct mtty_cap_range {
	u64 offset;
	size_t len;
	unsigned long first;
	unsigned int nr;
	struct page *pages[MTTY_CAP_RANGE_PAGES];
};

/**
 * struct mtty_cap - capture memory and what of it has to be sent
 * @size:	bytes of BAR2; changes only while the device is closed
 * @nr_pages:	pages that @size covers
 * @pages:	the memory; NULL where nothing was written, which reads as zero
 * @nr_present:	entries of @pages that are not NULL
 * @logged:	entries in the log
 * @dropped:	bytes that came after the log was full
 * @initial:	pages to send that were there when tracking began, or began anew
 * @dirty:	pages to send that were written after that; NULL, as @initial,
 *		while nothing is tracked
 * @nr_initial:	bits set in @initial
 * @nr_dirty:	bits set in @dirty
 * @cursor:	where the search for the next page to send goes on
 * @sending:	pages that must not be written, or NULL
 * @mapping:	where the user maps BAR2, NULL before the first mapping
 * @map_offset:	of BAR2 in @mapping, in bytes
 * @zero_page:	zeroes, mapped where nothing was written; NULL until it is needed
 *
 * Has no lock; everything is protected by the lock of the device.
 */
struct mtty_cap {
	u64 size;
	unsigned long nr_pages;
	struct page **pages;
	unsigned long nr_present;
	u64 logged;
	u64 dropped;
	unsigned long *initial;
	unsigned long *dirty;
	unsigned long nr_initial;
	unsigned long nr_dirty;
	unsigned long cursor;
	const struct mtty_cap_range *sending;
	struct address_space *mapping;
	u64 map_offset;
	struct page *zero_page;
};

int mtty_cap_alloc(struct mtty_cap *cap);
void mtty_cap_free(struct mtty_cap *cap);
void mtty_cap_clear(struct mtty_cap *cap);

int mtty_cap_append(struct mtty_cap *cap, u8 port, u8 data);
void mtty_cap_read(const struct mtty_cap *cap, u64 offset, u8 *buf, size_t len);
int mtty_cap_write(struct mtty_cap *cap, u64 offset, const u8 *buf, size_t len);

void mtty_cap_map(struct mtty_cap *cap, struct address_space *mapping,
		  u64 offset);
struct page *mtty_cap_map_read(struct mtty_cap *cap, unsigned long index);
struct page *mtty_cap_map_write(struct mtty_cap *cap, unsigned long index);

int mtty_cap_track_start(struct mtty_cap *cap);
void mtty_cap_track_restart(struct mtty_cap *cap);
void mtty_cap_track_stop(struct mtty_cap *cap);
bool mtty_cap_send_next(struct mtty_cap *cap, struct mtty_cap_range *range);
void mtty_cap_send_done(struct mtty_cap *cap);
void mtty_cap_range_put(struct mtty_cap_range *range);
u8 *mtty_cap_range_at(const struct mtty_cap_range *range, size_t pos,
		      size_t *len);

#endif /* MTTY_CAPTURE_H */
