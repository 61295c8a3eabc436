// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture memory in pre-copy, changed by write() and by the ports: every change is sent, as
 * often as needed, in turn; and a session has nothing of the one before.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"
#include "mtty_format.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x100000u
/* The most bytes that a page takes in a stream */
#define COST(_page)	((_page) + 64)
/* Pages of a record */
#define RECORD(_page)	(MTTY_REC_CAPTURE_MAX / (_page))

FIXTURE(dirty) {
	DEVICE_MEMBERS;
	size_t page;
	uint8_t *image;
	struct vmig_bytes memory;
};

FIXTURE_SETUP(dirty)
{
	self->page = sysconf(_SC_PAGESIZE);
	OPEN_DEVICE("mtty-2", .capture_size = "1M");
	self->image = calloc(1, SIZE);
	ASSERT_NE(NULL, self->image);
}

FIXTURE_TEARDOWN(dirty)
{
	free(self->image);
	vmig_bytes_free(&self->memory);
	CLOSE_DEVICE();
}

/* The first page behind the one with the header is page 0 */
static uint64_t page_at(FIXTURE_DATA(dirty) *self, unsigned int nth)
{
	return (MTTY_CAP_LOG_OFFSET / self->page + 1 + nth) * self->page;
}

static void change(struct __test_metadata *_metadata, FIXTURE_DATA(dirty) *self,
		   uint64_t at, uint8_t byte)
{
	EXPECT_RET(0, vmig_region_write(self->dev, BAR2, at, &byte, 1), "at %#llx",
		   (unsigned long long)at);
}

/* The first byte and the last one of pages */
static void change_pages(struct __test_metadata *_metadata, FIXTURE_DATA(dirty) *self,
			 unsigned int first, unsigned int nr, uint8_t byte)
{
	for (; nr; nr--, first++) {
		change(_metadata, self, page_at(self, first), byte);
		change(_metadata, self, page_at(self, first) + self->page - 1, byte);
	}
}

#define BEGIN() \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY")

#define CANCEL() do { \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, RUNNING, NULL), "RUNNING"); \
	ASSERT_EQ(0, close(self->fd)); \
	self->fd = -1; \
	self->stream.len = 0; \
} while (0)

#define DRAIN() \
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, \
					       VMIG_TRANSFER_CHUNK), "drain")

#define READ(_len) do { \
	size_t read_len = (_len); \
	ASSERT_RET(0, vmig_bytes_reserve(&self->stream, read_len), "room"); \
	ASSERT_EQ(read_len, read(self->fd, self->stream.data + self->stream.len, \
				 read_len)); \
	self->stream.len += read_len; \
} while (0)

/* The stream, up to its temporary end, has all of the memory as it is now */
static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(dirty) *self)
{
	size_t i;

	ASSERT_RET(0, vmig_dump_memory(&self->memory, self->dev), "memory");
	ASSERT_RET(0, vmig_capture_apply(&self->stream, self->image, SIZE), "stream");
	for (i = MTTY_CAP_LOG_OFFSET; i < SIZE; i++)
		ASSERT_EQ(self->memory.data[i], self->image[i]) {
			TH_LOG("the stream and the memory differ at %#zx", i);
		}
}

static struct vfio_precopy_info ask(struct __test_metadata *_metadata,
				    FIXTURE_DATA(dirty) *self)
{
	struct vfio_precopy_info info = { 0 };

	EXPECT_RET(0, vmig_precopy_info(self->fd, &info), "info");
	return info;
}

/* The page of BAR2 with the nth record of memory, counted from 0; ~0 if there is none */
static uint64_t sent_page(FIXTURE_DATA(dirty) *self, unsigned int nth)
{
	struct mtty_rec_capture capture;
	struct vmig_rec rec;

	if (vmig_stream_find(&self->stream, MTTY_REC_CAPTURE, nth, &rec))
		return ~0ULL;
	memcpy(&capture, rec.payload, sizeof(capture));
	return le64toh(capture.offset) / self->page * self->page;
}

/* Driver: pre-copy: a write() over the end of a page is sent with both pages */
TEST_F(dirty, write_over_the_end_of_a_page)
{
	static const unsigned int lens[] = { 2, 3, 8, 9, 200, 256, 300 };
	uint8_t bytes[300];
	unsigned int i;

	change_pages(_metadata, self, 0, 4, 1);
	BEGIN();
	DRAIN();
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		unsigned int len = lens[i / 2];

		/* Between two pages that were sent, and two that were never written */
		memset(bytes, i + 2, sizeof(bytes));
		ASSERT_RET(0, vmig_region_write(self->dev, BAR2,
						page_at(self, i % 2 ? 20 + i : 2) - len / 2,
						bytes, len), "%u bytes", len);
		EXPECT_LT(2 * self->page, ask(_metadata, self).dirty_bytes);
		EXPECT_GE(2 * COST(self->page), ask(_metadata, self).dirty_bytes);
		DRAIN();
		expect_all(_metadata, self);
	}
}

/*
 * Driver: pre-copy: a record is as it was when its first byte was read, whatever is written
 * then, to whichever of its pages; and that is sent later
 */
TEST_F(dirty, write_within_a_record)
{
	const size_t page = self->page, nr = RECORD(page);
	const size_t pos[] = {
		1, 100, page / 2, page, page + page / 2, (nr - 1) * page, nr * page - page / 2,
		nr * page,
	};
	unsigned int i;

	/* The record behind has one page */
	change_pages(_metadata, self, 0, nr + 1, 0x11);
	for (i = 0; i < ARRAY_SIZE(pos); i++) {
		BEGIN();
		READ(pos[i]);
		change_pages(_metadata, self, 0, nr + 1, 0x20 + i);
		/* A second write, to a page that was copied already */
		change_pages(_metadata, self, 0, nr + 1, 0x40 + i);
		DRAIN();
		expect_all(_metadata, self);
		CANCEL();
	}
}

/* Driver: pre-copy: a record has at most MTTY_REC_CAPTURE_MAX bytes of memory */
TEST_F(dirty, records_are_not_longer)
{
	struct vmig_rec rec;
	unsigned int i;
	size_t total = 0;

	change_pages(_metadata, self, 0, 3 * RECORD(self->page), 1);
	BEGIN();
	DRAIN();
	for (i = 0; !vmig_stream_find(&self->stream, MTTY_REC_CAPTURE, i, &rec); i++) {
		EXPECT_GE(MTTY_REC_CAPTURE_MAX, rec.len - sizeof(struct mtty_rec_capture));
		total += rec.len - sizeof(struct mtty_rec_capture);
	}
	EXPECT_EQ(3, i);
	EXPECT_EQ(3 * RECORD(self->page) * self->page, total);
}

/* Driver: pre-copy: initial pages are sent before pages that are dirty already */
TEST_F(dirty, initial_pages_come_first)
{
	struct vfio_precopy_info before, after;
	unsigned int i;

	change_pages(_metadata, self, 0, 3 * RECORD(self->page), 1);
	BEGIN();
	READ(RECORD(self->page) * self->page);
	for (i = 0; i < 2; i++) {
		change_pages(_metadata, self, 0, 2, 2 + i);
		before = ask(_metadata, self);
		EXPECT_LT(2 * self->page, before.dirty_bytes);
		READ(RECORD(self->page) * self->page);
		after = ask(_metadata, self);
		EXPECT_EQ(before.dirty_bytes, after.dirty_bytes);
		EXPECT_GT(before.initial_bytes, after.initial_bytes);
	}
	DRAIN();
	expect_all(_metadata, self);
}

/* Driver: pre-copy: a page that is always dirty does not delay the others */
TEST_F(dirty, each_page_has_its_turn)
{
	char buf[2 * MTTY_REC_CAPTURE_MAX];
	unsigned int i;

	BEGIN();
	DRAIN();
	change_pages(_metadata, self, 5, 1, 1);
	change_pages(_metadata, self, 9, 1, 1);
	self->stream.len = 0;
	for (i = 0; i < 4; i++) {
		/* As long as it is not read, it is one record of one page */
		size_t len = sizeof(struct mtty_rec_head) + sizeof(struct mtty_rec_capture) +
			     self->page;

		ASSERT_EQ(len, read(self->fd, buf, len));
		ASSERT_RET(0, vmig_bytes_add(&self->stream, buf, len), "room");
		change_pages(_metadata, self, 5, 1, 2 + i);
	}
	EXPECT_EQ(page_at(self, 5), sent_page(self, 0));
	EXPECT_EQ(page_at(self, 9), sent_page(self, 1));
	EXPECT_EQ(page_at(self, 5), sent_page(self, 2));
	EXPECT_EQ(page_at(self, 5), sent_page(self, 3));
}

/* Driver: stop_copy_length: a page that was copied while it was sent counts once */
TEST_F(dirty, copied_page_counts_once)
{
	uint64_t before, after;

	change_pages(_metadata, self, 0, 8, 1);
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &before), "size");
	BEGIN();
	READ(self->page);
	change_pages(_metadata, self, 0, 8, 2);
	CANCEL();
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &after), "size");
	EXPECT_EQ(before, after);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &after), "size");
	EXPECT_GT(before - 8 * self->page, after);
}

FIXTURE(cancelled) {
	DEVICE_MEMBERS;
	size_t page;
	struct vmig_bytes whole;
};

enum phase {
	UNREAD,			/* nothing was read */
	WITHIN_A_RECORD,	/* of memory */
	WITHIN_A_LATE_RECORD,	/* and the pages before were sent */
	DRAINED,		/* to its temporary end */
	DIRTY,			/* then pages were written */
	WITHIN_A_DIRTY_RECORD,	/* and sent in part */
	STOPPED,		/* in STOP_COPY, with nothing read since */
};

/* @phase: how far the session goes before it is cancelled */
FIXTURE_VARIANT(cancelled) {
	enum phase phase;
	enum vfio_device_mig_state to;
};

#define CANCELLED(_name, _phase) \
FIXTURE_VARIANT_ADD(cancelled, _name##_to_running) { .phase = _phase, .to = RUNNING }; \
FIXTURE_VARIANT_ADD(cancelled, _name##_to_stop) { .phase = _phase, .to = STOP }

CANCELLED(unread, UNREAD);
CANCELLED(within_a_record, WITHIN_A_RECORD);
CANCELLED(within_a_late_record, WITHIN_A_LATE_RECORD);
CANCELLED(drained, DRAINED);
CANCELLED(dirty, DIRTY);
CANCELLED(within_a_dirty_record, WITHIN_A_DIRTY_RECORD);
CANCELLED(stopped, STOPPED);

FIXTURE_SETUP(cancelled)
{
	self->page = sysconf(_SC_PAGESIZE);
	OPEN_DEVICE("mtty-2", .capture_size = "1M");
}

FIXTURE_TEARDOWN(cancelled)
{
	vmig_bytes_free(&self->whole);
	CLOSE_DEVICE();
}

/* The same bytes each time, at the end of the memory and in its middle; 0 or -errno */
static int fill(struct vmig_device *dev, size_t page)
{
	uint8_t *bytes = calloc(1, 40 * page);
	int ret = -ENOMEM;

	if (bytes) {
		memset(bytes, 0x5a, 40 * page);
		ret = vmig_region_write(dev, BAR2, SIZE / 4, bytes, 40 * page) ?:
		      vmig_region_write(dev, BAR2, SIZE - page, bytes, page);
	}
	free(bytes);
	return ret;
}

static void reach(struct __test_metadata *_metadata, FIXTURE_DATA(cancelled) *self,
		  enum phase phase)
{
	const size_t record = RECORD(self->page) * self->page;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	if (phase == WITHIN_A_RECORD)
		READ(3 * self->page);
	if (phase == WITHIN_A_LATE_RECORD)
		READ(2 * record);
	if (phase >= DRAINED)
		DRAIN();
	if (phase >= DIRTY)
		ASSERT_RET(0, fill(self->dev, self->page), "fill");
	if (phase == WITHIN_A_DIRTY_RECORD)
		READ(3 * self->page);
	if (phase == STOPPED)
		GO(STOP_COPY);
}

/* Driver: a session after one that was cancelled: as the first one, nothing else */
TEST_F(cancelled, next_session_is_as_the_first)
{
	struct vfio_precopy_info first, next;
	const char *differs;

	ASSERT_RET(0, fill(self->dev, self->page), "fill");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	ASSERT_RET(0, vmig_precopy_info(self->fd, &first), "info");
	GO(STOP_COPY);
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->whole, 10007), "read");
	GO(RUNNING);
	close(self->fd);

	reach(_metadata, self, variant->phase);
	GO(variant->to);
	close(self->fd);
	/* The memory of the session is not used any more, and the same bytes change nothing */
	ASSERT_RET(0, fill(self->dev, self->page), "fill");
	GO(RUNNING);

	self->stream.len = 0;
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	ASSERT_RET(0, vmig_precopy_info(self->fd, &next), "info");
	EXPECT_EQ(first.initial_bytes, next.initial_bytes);
	EXPECT_EQ(0, next.dirty_bytes);
	GO(STOP_COPY);
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 10007), "read");
	EXPECT_EQ(self->whole.len, self->stream.len);
	differs = vmig_dump_compare_streams(&self->whole, &self->stream, 1u << MTTY_REC_START);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("differs: %s", differs);
	}
}

TEST_HARNESS_MAIN
