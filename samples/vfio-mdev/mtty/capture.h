/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_CAPTURE_H
#define MTTY_CAPTURE_H

#include <linux/types.h>

struct address_space;
struct page;

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
 * @mapping:	where the user maps BAR2, NULL as long as he never did
 * @map_offset:	of BAR2 in @mapping, in bytes
 * @blank:	zeroes, mapped where nothing was written; NULL until it is needed
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
	struct address_space *mapping;
	u64 map_offset;
	struct page *blank;
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
bool mtty_cap_map_dirty(struct mtty_cap *cap, unsigned long index,
			const struct page *page);

int mtty_cap_track_start(struct mtty_cap *cap);
void mtty_cap_track_restart(struct mtty_cap *cap);
void mtty_cap_track_stop(struct mtty_cap *cap);
size_t mtty_cap_take(struct mtty_cap *cap, u64 *offset, u8 *buf, size_t max);

#endif /* MTTY_CAPTURE_H */
