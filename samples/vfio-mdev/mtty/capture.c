// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture memory: the log of all transmitted bytes, and its dirty tracking.
 *
 * A page is allocated when it is first written, so a large but idle device needs as
 * little memory and time to migrate as a small one.  The header of BAR2 is not
 * memory: it is made on each read, never sent, and writes to it are ignored.
 *
 * The user may map the rest, see mmap.c.  A write fault makes a PTE writable and the
 * page dirty; sending the page zaps its PTEs.  Both happen under mtty.lock, so a page
 * with a writable PTE is dirty.  PTEs hold no reference on their page, so they are
 * zapped before it is freed.
 *
 * A page is copied to the user without mtty.lock.  Until that is done, a write goes to
 * a copy of the page, which replaces it and is dirty.
 *
 * Locking: mtty.lock, for all functions but mtty_cap_range_put() and
 * mtty_cap_range_at().
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "capture.h"

static u64 mtty_cap_log_capacity(const struct mtty_cap *cap)
{
	return (cap->size - MTTY_CAP_LOG_OFFSET) / sizeof(struct mtty_cap_entry);
}

static void mtty_cap_mark_dirty(struct mtty_cap *cap, unsigned long index)
{
	/* A page in @initial will be sent with this write included */
	if (!cap->dirty || test_bit(index, cap->initial))
		return;

	if (!__test_and_set_bit(index, cap->dirty))
		cap->nr_dirty++;
}

/* Zap all PTEs of these pages, so that the next access faults */
static void mtty_cap_unmap(struct mtty_cap *cap, unsigned long index,
			   unsigned long nr)
{
	if (!cap->mapping)
		return;

	unmap_mapping_range(cap->mapping,
			    cap->map_offset + ((u64)index << PAGE_SHIFT),
			    (u64)nr << PAGE_SHIFT, true);
}

static bool mtty_cap_is_sending(const struct mtty_cap *cap, unsigned long index)
{
	const struct mtty_cap_range *range = cap->sending;

	/* A page that was replaced by a copy may be written */
	return range && index >= range->first && index - range->first < range->nr &&
	       range->pages[index - range->first] == cap->pages[index];
}

/* Allocate or copy the page, if needed to write to it */
static struct page *mtty_cap_writable_page(struct mtty_cap *cap,
					   unsigned long index)
{
	struct page *old = cap->pages[index];
	struct page *page;

	if (old && !mtty_cap_is_sending(cap, index))
		return old;

	page = alloc_page(GFP_KERNEL_ACCOUNT | (old ? 0 : __GFP_ZERO));
	if (!page)
		return NULL;

	if (old)
		copy_highpage(page, old);
	else
		cap->nr_present++;
	cap->pages[index] = page;
	mtty_cap_unmap(cap, index, 1);
	if (old)
		put_page(old);

	return page;
}

/**
 * mtty_cap_alloc - allocate empty capture memory
 * @cap:	with its size set, which may be 0
 *
 * Return: 0 or -ENOMEM.
 */
int mtty_cap_alloc(struct mtty_cap *cap)
{
	u64 size = cap->size;
	struct page **pages = NULL;
	unsigned long nr = DIV_ROUND_UP_ULL(size, PAGE_SIZE);

	if (nr) {
		pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
		if (!pages)
			return -ENOMEM;
	}

	*cap = (struct mtty_cap) {
		.size = size, .nr_pages = nr, .pages = pages,
	};

	return 0;
}

/**
 * mtty_cap_free - undo mtty_cap_alloc()
 * @cap:	keeps its size
 */
void mtty_cap_free(struct mtty_cap *cap)
{
	mtty_cap_track_stop(cap);
	mtty_cap_clear(cap);
	kvfree(cap->pages);
	cap->pages = NULL;
	cap->nr_pages = 0;
	/* The device is closed, so no mapping is left */
	if (cap->zero_page)
		__free_page(cap->zero_page);
	cap->zero_page = NULL;
	cap->mapping = NULL;
}

/**
 * mtty_cap_clear - set all memory to zero
 * @cap:	not tracked
 */
void mtty_cap_clear(struct mtty_cap *cap)
{
	unsigned long i;

	mtty_cap_unmap(cap, 0, cap->nr_pages);
	for (i = 0; i < cap->nr_pages && cap->nr_present; i++) {
		if (!cap->pages[i])
			continue;
		__free_page(cap->pages[i]);
		cap->pages[i] = NULL;
		cap->nr_present--;
	}

	cap->logged = 0;
	cap->dropped = 0;
}

/**
 * mtty_cap_append - log a byte before it is transmitted
 * @cap:	the memory
 * @port:	the port, counted from 0
 * @data:	the byte
 *
 * Return: 0 (even if the log is full), or -ENOMEM with nothing changed.
 */
int mtty_cap_append(struct mtty_cap *cap, u8 port, u8 data)
{
	const struct mtty_cap_entry entry = { .data = data, .port = port };
	int ret;

	if (!cap->size)
		return 0;

	if (cap->logged == mtty_cap_log_capacity(cap)) {
		cap->dropped++;
		return 0;
	}

	ret = mtty_cap_write(cap, MTTY_CAP_LOG_OFFSET +
			     cap->logged * sizeof(entry),
			     (const u8 *)&entry, sizeof(entry));
	if (ret)
		return ret;

	cap->logged++;

	return 0;
}

static void mtty_cap_read_header(const struct mtty_cap *cap, u64 offset,
				 u8 *buf, size_t len)
{
	const struct mtty_cap_header header = {
		.magic = cpu_to_le32(MTTY_CAP_MAGIC),
		.version = cpu_to_le32(MTTY_CAP_VERSION),
		.size = cpu_to_le64(cap->size),
		.capacity = cpu_to_le64(mtty_cap_log_capacity(cap)),
		.logged = cpu_to_le64(cap->logged),
		.dropped = cpu_to_le64(cap->dropped),
	};

	memset(buf, 0, len);
	if (offset < sizeof(header))
		memcpy(buf, (const u8 *)&header + offset,
		       min_t(size_t, len, sizeof(header) - offset));
}

/**
 * mtty_cap_read - read from BAR2
 * @cap:	the memory
 * @offset:	in bytes; the caller has checked that the range is inside
 * @buf:	filled in completely
 * @len:	bytes
 */
void mtty_cap_read(const struct mtty_cap *cap, u64 offset, u8 *buf, size_t len)
{
	if (offset < MTTY_CAP_LOG_OFFSET) {
		size_t n = min_t(size_t, len, MTTY_CAP_LOG_OFFSET - offset);

		mtty_cap_read_header(cap, offset, buf, n);
		offset += n;
		buf += n;
		len -= n;
	}

	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		struct page *page = cap->pages[offset >> PAGE_SHIFT];

		if (page)
			memcpy_from_page(buf, page, offset_in_page(offset), n);
		else
			memset(buf, 0, n);
		offset += n;
		buf += n;
		len -= n;
	}
}

/**
 * mtty_cap_write - write to BAR2
 * @cap:	the memory
 * @offset:	in bytes; the caller has checked that the range is inside
 * @buf:	the bytes; those of the header are ignored
 * @len:	bytes
 *
 * Return: 0, or -ENOMEM with the pages before the failing one written.
 */
int mtty_cap_write(struct mtty_cap *cap, u64 offset, const u8 *buf, size_t len)
{
	if (offset < MTTY_CAP_LOG_OFFSET) {
		size_t n = min_t(size_t, len, MTTY_CAP_LOG_OFFSET - offset);

		offset += n;
		buf += n;
		len -= n;
	}

	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		unsigned long index = offset >> PAGE_SHIFT;
		struct page *page = mtty_cap_writable_page(cap, index);

		if (!page)
			return -ENOMEM;

		memcpy_to_page(page, offset_in_page(offset), buf, n);
		mtty_cap_mark_dirty(cap, index);
		offset += n;
		buf += n;
		len -= n;
	}

	return 0;
}

/**
 * mtty_cap_map - set the mapping whose PTEs have to be zapped
 * @cap:	the memory
 * @mapping:	of the device's file; the same in each call
 * @offset:	of BAR2 in @mapping, in bytes
 */
void mtty_cap_map(struct mtty_cap *cap, struct address_space *mapping,
		  u64 offset)
{
	cap->mapping = mapping;
	cap->map_offset = offset;
}

/**
 * mtty_cap_map_read - get the page for a read-only PTE
 * @cap:	mtty_cap_map() was called
 * @index:	of the page in BAR2
 *
 * Return: the page, or NULL without memory.
 */
struct page *mtty_cap_map_read(struct mtty_cap *cap, unsigned long index)
{
	if (cap->pages[index])
		return cap->pages[index];

	if (!cap->zero_page)
		cap->zero_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

	return cap->zero_page;
}

/**
 * mtty_cap_map_write - get the page for a writable PTE
 * @cap:	mtty_cap_map() was called
 * @index:	of the page in BAR2
 *
 * Marks the page dirty and zaps its PTEs.
 *
 * Return: the page, or NULL without memory.
 */
struct page *mtty_cap_map_write(struct mtty_cap *cap, unsigned long index)
{
	struct page *old = cap->pages[index];
	struct page *page = mtty_cap_writable_page(cap, index);

	if (!page)
		return NULL;

	mtty_cap_mark_dirty(cap, index);
	/* A new page has no PTEs, and those of the old one were zapped */
	if (page == old)
		mtty_cap_unmap(cap, index, 1);

	return page;
}

/**
 * mtty_cap_track_start - start to track the pages to send
 * @cap:	not tracked; all pages ever written are to be sent
 *
 * Return: 0 or -ENOMEM.
 */
int mtty_cap_track_start(struct mtty_cap *cap)
{
	unsigned long i;

	if (!cap->nr_pages)
		return 0;

	cap->initial = kvcalloc(BITS_TO_LONGS(cap->nr_pages),
				sizeof(*cap->initial), GFP_KERNEL_ACCOUNT);
	cap->dirty = kvcalloc(BITS_TO_LONGS(cap->nr_pages),
			      sizeof(*cap->dirty), GFP_KERNEL_ACCOUNT);
	if (!cap->initial || !cap->dirty) {
		mtty_cap_track_stop(cap);
		return -ENOMEM;
	}

	for (i = 0; i < cap->nr_pages && cap->nr_initial < cap->nr_present; i++) {
		if (!cap->pages[i])
			continue;
		__set_bit(i, cap->initial);
		cap->nr_initial++;
	}

	return 0;
}

/**
 * mtty_cap_track_restart - count all pages to send as initial
 * @cap:	tracked
 */
void mtty_cap_track_restart(struct mtty_cap *cap)
{
	if (!cap->nr_dirty)
		return;

	bitmap_or(cap->initial, cap->initial, cap->dirty, cap->nr_pages);
	bitmap_zero(cap->dirty, cap->nr_pages);
	cap->nr_initial += cap->nr_dirty;
	cap->nr_dirty = 0;
}

/**
 * mtty_cap_track_stop - undo mtty_cap_track_start()
 * @cap:	tracked or not
 */
void mtty_cap_track_stop(struct mtty_cap *cap)
{
	kvfree(cap->initial);
	kvfree(cap->dirty);
	cap->initial = NULL;
	cap->dirty = NULL;
	cap->nr_initial = 0;
	cap->nr_dirty = 0;
	cap->cursor = 0;
	cap->sending = NULL;
}

/**
 * mtty_cap_send_next - get the next pages to send
 * @cap:	tracked, with no pages being sent
 * @range:	filled in; its pages do not change until mtty_cap_send_done(), or the
 *		end of tracking, and are referenced until mtty_cap_range_put()
 *
 * Initial pages come before dirty ones, because their number only decreases.
 *
 * Return: false if there is nothing to send.
 */
bool mtty_cap_send_next(struct mtty_cap *cap, struct mtty_cap_range *range)
{
	unsigned long *map = cap->nr_initial ? cap->initial : cap->dirty;
	unsigned long *nr = cap->nr_initial ? &cap->nr_initial : &cap->nr_dirty;
	unsigned long i;
	u64 end;

	if (!*nr)
		return false;

	i = find_next_bit(map, cap->nr_pages, cap->cursor);
	if (i == cap->nr_pages)
		i = find_first_bit(map, cap->nr_pages);

	range->first = i;
	for (range->nr = 0; range->nr < MTTY_CAP_RANGE_PAGES; range->nr++, i++) {
		if (i == cap->nr_pages || !__test_and_clear_bit(i, map))
			break;
		(*nr)--;
		get_page(cap->pages[i]);
		range->pages[range->nr] = cap->pages[i];
	}
	cap->cursor = i;
	/* A write through a mapping must fault and go to a copy */
	mtty_cap_unmap(cap, range->first, range->nr);
	cap->sending = range;

	range->offset = max_t(u64, (u64)range->first * PAGE_SIZE,
			      MTTY_CAP_LOG_OFFSET);
	end = min_t(u64, (u64)i * PAGE_SIZE, cap->size);
	range->len = end - range->offset;

	return true;
}

/**
 * mtty_cap_send_done - allow writes to the pages again
 * @cap:	the memory; nothing happens if no pages are being sent
 */
void mtty_cap_send_done(struct mtty_cap *cap)
{
	cap->sending = NULL;
}

/**
 * mtty_cap_range_put - drop the references on the pages
 * @range:	not being sent; empty afterwards
 */
void mtty_cap_range_put(struct mtty_cap_range *range)
{
	while (range->nr)
		put_page(range->pages[--range->nr]);
	range->len = 0;
}

/**
 * mtty_cap_range_at - get the address of a byte
 * @range:	from mtty_cap_send_next()
 * @pos:	of the byte, less than @range->len
 * @len:	set to the number of contiguous bytes
 */
u8 *mtty_cap_range_at(const struct mtty_cap_range *range, size_t pos,
		      size_t *len)
{
	u64 from = range->offset - (u64)range->first * PAGE_SIZE + pos;

	*len = min_t(size_t, PAGE_SIZE - offset_in_page(from), range->len - pos);

	/* The pages were not allocated from highmem */
	return page_address(range->pages[from >> PAGE_SHIFT]) +
	       offset_in_page(from);
}
