/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_CAPTURE_H
#define MTTY_CAPTURE_H

#include <linux/types.h>

#include "mtty_format.h"

struct address_space;
struct page;

#define MTTY_CAP_RANGE_PAGES	(MTTY_REC_CAPTURE_MAX / PAGE_SIZE)

/**
 * struct mtty_cap_range - pages that are being sent
 * @offset:	of the first byte in BAR2
 * @len:	bytes
 * @first:	index of the first page
 * @nr:		pages
 * @pages:	the pages, with a reference on each
 */
struct mtty_cap_range {
	u64 offset;
	size_t len;
	unsigned long first;
	unsigned int nr;
	struct page *pages[MTTY_CAP_RANGE_PAGES];
};

/**
 * struct mtty_cap - capture memory and its dirty pages
 * @size:	bytes of BAR2; changes only while the device is closed
 * @nr_pages:	pages that @size covers
 * @pages:	the memory; NULL for a page that was never written and reads as zero
 * @nr_present:	entries of @pages that are not NULL
 * @logged:	entries in the log
 * @dropped:	bytes transmitted after the log was full
 * @initial:	bitmap of pages to send that existed at the start or restart of
 *		tracking; NULL while not tracked
 * @dirty:	bitmap of pages to send that were written later; NULL while not
 *		tracked
 * @nr_initial:	bits set in @initial
 * @nr_dirty:	bits set in @dirty
 * @cursor:	index after the last page that was sent
 * @sending:	pages that must not be written, or NULL
 * @mapping:	of the user's mappings of BAR2, NULL before the first one
 * @map_offset:	of BAR2 in @mapping, in bytes
 * @zero_page:	mapped where @pages is NULL; allocated on first use
 *
 * Protected by mtty.lock.
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
