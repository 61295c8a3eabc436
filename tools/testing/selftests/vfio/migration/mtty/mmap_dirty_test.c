// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each way to change a page of BAR2, at each moment of a migration: the page is sent as it
 * is in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"
#include "mtty_format.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x40000u
#define START		vmig_capture_map_start()

/* Pages behind the header; by their state before tracking */
#define WRITTEN		0
/* By write(), then read through each mapping */
#define SEEN		1
/* Never written, but read through each mapping */
#define ZERO		4
#define UNTOUCHED	6

static const unsigned int pages[] = { WRITTEN, SEEN, ZERO, UNTOUCHED };

/*
 * @mem: all of BAR2 but its header; @other: again; @moved: again, and moved by mremap();
 * @late: again, read-only until the change
 */
FIXTURE(way) {
	DEVICE_MEMBERS;
	size_t page;
	uint8_t *mem;
	uint8_t *other;
	uint8_t *moved;
	uint8_t *late;
	uint8_t *image;
	struct vmig_bytes memory;
};

static size_t map_len(void)
{
	return SIZE - START;
}

static uint8_t *map(struct vmig_device *dev, uint64_t at, size_t len, int prot)
{
	return mmap(NULL, len, prot, MAP_SHARED, dev->fd, dev->region[BAR2].offset + at);
}

/* The compiler must neither keep a copy nor leave an access out */
static uint8_t load(const uint8_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void store(uint8_t *at, uint8_t byte)
{
	__atomic_store_n(at, byte, __ATOMIC_RELAXED);
}

/* At a place where another mapping was */
static uint8_t *move(uint8_t *map)
{
	uint8_t *to = mmap(NULL, map_len(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(map, map_len(), map_len(), MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* Run in a child, which must store @byte at @at; 0 or -errno */
static int in_child(void (*run)(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte),
		    FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	int status = -1;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		run(self, at, byte);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -ECHILD : 0;
}

static void store_inherited(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	store(self->mem + at, byte);
}

static void store_own(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	uint8_t *own = map(self->dev, START, map_len(), PROT_READ | PROT_WRITE);

	load(own + at);
	store(own + at, byte);
}

/* The ways: store @byte at @at, behind START; 0 or -errno */

static int by_write(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	return vmig_region_write(self->dev, BAR2, START + at, &byte, 1);
}

/* With the same bytes as before around it */
static int by_long_write(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	uint64_t from = START + at - 8;
	uint8_t bytes[600];
	int ret;

	ret = vmig_region_read(self->dev, BAR2, from, bytes, sizeof(bytes));
	bytes[8] = byte;
	return ret ?: vmig_region_write(self->dev, BAR2, from, bytes, sizeof(bytes));
}

/* To the log, whose pages are the first ones */
static int by_port(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	return vmig_uart_out(self->dev, 1, UART_TX, byte);
}

static int by_mapping(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	store(self->mem + at, byte);
	return 0;
}

static int by_second_mapping(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	store(self->other + at, byte);
	return 0;
}

/* First the one, then the other */
static int by_both_mappings(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	store(self->mem + at, ~byte);
	store(self->other + at, byte);
	return 0;
}

static int by_moved_mapping(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	store(self->moved + at, byte);
	return 0;
}

static int by_mapping_moved_now(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	self->moved = move(self->moved);
	store(self->moved + at, byte);
	return 0;
}

static int by_mapping_of_one_page(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	uint64_t start = at / self->page * self->page;
	uint8_t *one = map(self->dev, START + start, self->page, PROT_READ | PROT_WRITE);

	if (one == MAP_FAILED)
		return -errno;
	store(one + at - start, byte);
	munmap(one, self->page);
	return 0;
}

static int by_mapping_made_writable(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	if (mprotect(self->late, map_len(), PROT_READ | PROT_WRITE))
		return -errno;
	store(self->late + at, byte);
	return mprotect(self->late, map_len(), PROT_READ) ? -errno : 0;
}

static int by_child(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	return in_child(store_inherited, self, at, byte);
}

static int by_mapping_of_a_child(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte)
{
	return in_child(store_own, self, at, byte);
}

FIXTURE_VARIANT(way) {
	int (*change)(FIXTURE_DATA(way) *self, uint64_t at, uint8_t byte);
};

#define WAY(_name) FIXTURE_VARIANT_ADD(way, _name) { .change = _name }

WAY(by_write);
WAY(by_long_write);
WAY(by_port);
WAY(by_mapping);
WAY(by_second_mapping);
WAY(by_both_mappings);
WAY(by_moved_mapping);
WAY(by_mapping_moved_now);
WAY(by_mapping_of_one_page);
WAY(by_mapping_made_writable);
WAY(by_child);
WAY(by_mapping_of_a_child);

FIXTURE_SETUP(way)
{
	const int rw = PROT_READ | PROT_WRITE;

	self->page = sysconf(_SC_PAGESIZE);
	OPEN_DEVICE("mtty-2", .capture_size = "256K");
	self->mem = map(self->dev, START, map_len(), rw);
	self->other = map(self->dev, START, map_len(), rw);
	self->moved = move(map(self->dev, START, map_len(), rw));
	self->late = map(self->dev, START, map_len(), PROT_READ);
	self->image = calloc(1, SIZE);
	ASSERT_NE(NULL, self->image);
	ASSERT_TRUE(self->mem != MAP_FAILED && self->other != MAP_FAILED &&
		    self->moved != MAP_FAILED && self->late != MAP_FAILED);
}

FIXTURE_TEARDOWN(way)
{
	munmap(self->mem, map_len());
	munmap(self->other, map_len());
	munmap(self->moved, map_len());
	munmap(self->late, map_len());
	free(self->image);
	vmig_bytes_free(&self->memory);
	CLOSE_DEVICE();
}

/* The bytes that change; not the first of the page, where by_long_write() begins before */
static uint64_t place(FIXTURE_DATA(way) *self, unsigned int i)
{
	return pages[i] * self->page + 100;
}

/* Read a written page and an unwritten one through each mapping */
static void look(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self)
{
	const uint8_t *maps[] = { self->mem, self->other, self->moved, self->late };
	unsigned int k;

	for (k = 0; k < ARRAY_SIZE(maps); k++) {
		EXPECT_EQ(1, load(maps[k] + SEEN * self->page + 100));
		EXPECT_EQ(0, load(maps[k] + ZERO * self->page + 100));
	}
}

/* Pages with each history, seen by all mappings */
static void prepare(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self)
{
	unsigned int i;

	ASSERT_RET(0, vmig_uart_out(self->dev, 1, UART_LCR, UART_LCR_WLEN8), "LCR");
	for (i = 0; pages[i] < ZERO; i++)
		ASSERT_RET(0, by_write(self, place(self, i), 1), "page %u", pages[i]);
	look(_metadata, self);
}

static void change_all(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self,
		       const FIXTURE_VARIANT(way) *variant, uint8_t byte)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		ASSERT_RET(0, variant->change(self, place(self, i), byte), "page %u",
			   pages[i]);
}

#define BEGIN() \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY")

#define DRAIN(_end) \
	ASSERT_RET(_end, vmig_transfer_read(self->fd, &self->stream, \
					    VMIG_TRANSFER_CHUNK), "drain")

/* In a changed page: what each mapping and read() have */
static void expect_seen(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self, uint64_t at)
{
	const uint8_t want = self->memory.data[START + at];

	EXPECT_EQ(want, load(self->mem + at));
	EXPECT_EQ(want, load(self->other + at));
	EXPECT_EQ(want, load(self->moved + at));
	EXPECT_EQ(want, load(self->late + at));
}

/* The stream has all of the memory, and so have the mappings */
static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self)
{
	unsigned int i;
	size_t at;

	ASSERT_RET(0, vmig_dump_memory(&self->memory, self->dev), "memory");
	ASSERT_RET(0, vmig_capture_apply(&self->stream, self->image, SIZE), "stream");
	for (at = START; at < SIZE; at++)
		ASSERT_EQ(self->memory.data[at], self->image[at]) {
			TH_LOG("the stream and the memory differ at %#zx", at);
		}
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		expect_seen(_metadata, self, place(self, i));
		expect_seen(_metadata, self, place(self, i) + 1);
	}
}

static void expect_changed(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self,
			   const FIXTURE_VARIANT(way) *variant, uint8_t byte)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages) && variant->change != by_port; i++)
		EXPECT_EQ(byte, load(self->mem + place(self, i)));
}

/* Driver: BAR2: a page that was changed before pre-copy is sent, and seen by all */
TEST_F(way, before_pre_copy)
{
	prepare(_metadata, self);
	change_all(_metadata, self, variant, 2);
	expect_changed(_metadata, self, variant, 2);
	BEGIN();
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

/* Driver: pre-copy: a page that was changed before the first read() is sent */
TEST_F(way, before_the_first_read)
{
	prepare(_metadata, self);
	BEGIN();
	change_all(_metadata, self, variant, 2);
	expect_changed(_metadata, self, variant, 2);
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

/* Driver: pre-copy: a page that was changed while it was sent is sent again */
TEST_F(way, within_a_record)
{
	uint8_t part[120];

	prepare(_metadata, self);
	BEGIN();
	/* The records before that of the memory; then its head, and part of its first page */
	do {
		ASSERT_EQ(1, read(self->fd, part, 1));
		ASSERT_RET(0, vmig_bytes_add(&self->stream, part, 1), "room");
	} while (vmig_stream_count(&self->stream) < 2);
	ASSERT_EQ(sizeof(part), read(self->fd, part, sizeof(part)));
	ASSERT_RET(0, vmig_bytes_add(&self->stream, part, sizeof(part)), "room");
	/* All mappings have the page that is being sent again */
	look(_metadata, self);
	change_all(_metadata, self, variant, 2);
	expect_changed(_metadata, self, variant, 2);
	change_all(_metadata, self, variant, 3);
	expect_changed(_metadata, self, variant, 3);
	ASSERT_RET(0, vmig_dump_memory(&self->memory, self->dev), "memory");
	expect_seen(_metadata, self, place(self, 1));
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

/* Driver: pre-copy: a page that was changed after it was sent makes poll() readable */
TEST_F(way, after_it_was_sent)
{
	struct pollfd pfd = { .events = POLLIN };
	unsigned int i;

	prepare(_metadata, self);
	BEGIN();
	for (i = 0; i < 3; i++) {
		DRAIN(-ENOMSG);
		expect_all(_metadata, self);
		self->stream.len = 0;
		pfd.fd = self->fd;
		EXPECT_EQ(0, poll(&pfd, 1, 0));
		change_all(_metadata, self, variant, 2 + i);
		expect_changed(_metadata, self, variant, 2 + i);
		EXPECT_EQ(1, poll(&pfd, 1, 0));
	}
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

/* Driver: PRE_COPY_P2P: a page that was changed after it was sent is sent again */
TEST_F(way, in_pre_copy_p2p)
{
	prepare(_metadata, self);
	BEGIN();
	DRAIN(-ENOMSG);
	GO(PRE_COPY_P2P);
	change_all(_metadata, self, variant, 2);
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

/* Driver: STOP_COPY: a page that was changed before the last read() of pages is sent again */
TEST_F(way, in_stop_copy)
{
	prepare(_metadata, self);
	BEGIN();
	DRAIN(-ENOMSG);
	change_all(_metadata, self, variant, 2);
	GO(STOP_COPY);
	change_all(_metadata, self, variant, 3);
	expect_changed(_metadata, self, variant, 3);
	DRAIN(0);
	expect_all(_metadata, self);
}

/* Driver: STOP, then STOP_COPY: a page that was changed in STOP is sent */
TEST_F(way, in_stop)
{
	prepare(_metadata, self);
	GO(STOP);
	change_all(_metadata, self, variant, 2);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP_COPY, &self->fd), "STOP_COPY");
	change_all(_metadata, self, variant, 3);
	DRAIN(0);
	expect_all(_metadata, self);
}

/* Driver: VFIO_DEVICE_RESET: no mapping shows what was there, and each can be written */
TEST_F(way, after_a_reset)
{
	unsigned int i;

	prepare(_metadata, self);
	change_all(_metadata, self, variant, 2);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_dump_memory(&self->memory, self->dev), "memory");
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		EXPECT_EQ(0, load(self->mem + place(self, i)));
		expect_seen(_metadata, self, place(self, i));
	}
	prepare(_metadata, self);
	change_all(_metadata, self, variant, 3);
	expect_changed(_metadata, self, variant, 3);
}

/* Driver: pre-copy again, after it was cancelled: all pages, as they are now */
TEST_F(way, between_two_sessions)
{
	prepare(_metadata, self);
	BEGIN();
	DRAIN(-ENOMSG);
	change_all(_metadata, self, variant, 2);
	GO(RUNNING);
	close(self->fd);
	self->stream.len = 0;
	change_all(_metadata, self, variant, 3);
	BEGIN();
	DRAIN(-ENOMSG);
	expect_all(_metadata, self);
}

TEST_HARNESS_MAIN
