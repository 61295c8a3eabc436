// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each call that makes, moves, cuts or ends a mapping of BAR2, at each edge: which ranges
 * are mapped afterwards, and that each page is the page of BAR2 at its offset.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/mtty.h"
#include "mtty_format.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define SIZE	0x40000u
#define RW	(PROT_READ | PROT_WRITE)

FIXTURE(range) {
	DEVICE_MEMBERS;
	size_t page;
	uint64_t start;
	size_t len;
	uint8_t *mem;
};

/* @at: offset in BAR2 */
static uint8_t *map(struct vmig_device *dev, uint64_t at, size_t len, int prot, int flags)
{
	return mmap(NULL, len, prot, flags, dev->fd, dev->region[BAR2].offset + at);
}

/* Each page of BAR2 has its number, at two places */
static int number_pages(struct vmig_device *dev, size_t page, uint64_t start)
{
	uint64_t at;
	uint8_t nr;
	int ret = 0;

	for (at = start; at < SIZE && !ret; at += page) {
		nr = at / page;
		ret = vmig_region_write(dev, BAR2, at, &nr, 1) ?:
		      vmig_region_write(dev, BAR2, at + page - 1, &nr, 1);
	}
	return ret;
}

FIXTURE_SETUP(range)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->start = vmig_capture_map_start();
	self->len = SIZE - self->start;
	OPEN_DEVICE("mtty-2", .capture_size = "256K");
	ASSERT_RET(0, number_pages(self->dev, self->page, self->start), "numbers");
	self->mem = map(self->dev, self->start, self->len, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
}

FIXTURE_TEARDOWN(range)
{
	if (self->mem)
		munmap(self->mem, self->len);
	CLOSE_DEVICE();
}

/* An access that may fault: true if it has not */
static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, 1);
}

/* The compiler must not leave the access out */
static bool touch(uint8_t *at, bool write)
{
	uint8_t byte = __atomic_load_n(at, __ATOMIC_SEQ_CST);

	if (write)
		__atomic_store_n(at, byte, __ATOMIC_SEQ_CST);
	return true;
}

static bool access_at(uint8_t *at, bool write)
{
	struct sigaction action = { .sa_handler = on_fault }, old[2];
	bool done;

	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	done = !sigsetjmp(fault, 1) && touch(at, write);
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return done;
}

#define can_read(_at)	access_at(_at, false)
#define can_write(_at)	access_at(_at, true)

/* @mem has the pages of BAR2 from offset @at on; each is read, written, and read elsewhere */
static void expect_pages(struct __test_metadata *_metadata, FIXTURE_DATA(range) *self,
			 uint8_t *mem, uint64_t at, size_t len)
{
	uint8_t seen = 0;
	size_t i;

	for (i = 0; i < len; i += self->page) {
		ASSERT_TRUE(can_read(mem + i) && can_write(mem + i)) {
			TH_LOG("no access to page %zu", i / self->page);
		}
		EXPECT_EQ((uint8_t)((at + i) / self->page), mem[i]);
		EXPECT_EQ((uint8_t)((at + i) / self->page), mem[i + self->page - 1]);
		mem[i + 1] = ~mem[i];
		EXPECT_RET(0, vmig_region_read(self->dev, BAR2, at + i + 1, &seen, 1), "read");
		EXPECT_EQ((uint8_t)~mem[i], seen);
	}
}

/* Driver: mmap() of each range within the area: the pages at that offset */
TEST_F(range, mmap_within_the_area)
{
	const size_t page = self->page, last = SIZE - page;
	const struct {
		uint64_t at;
		size_t len;
	} row[] = {
		{ self->start, self->len },
		{ self->start, page },
		{ self->start, 2 * page },
		{ self->start + page, self->len - page },
		{ SIZE / 2, page },
		{ SIZE / 2, 3 * page },
		{ SIZE / 2, SIZE / 2 },
		{ last - page, 2 * page },
		{ last, page },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		uint8_t *mem = map(self->dev, row[i].at, row[i].len, RW, MAP_SHARED);

		ASSERT_NE(MAP_FAILED, (void *)mem) {
			TH_LOG("row %u", i);
		}
		expect_pages(_metadata, self, mem, row[i].at, row[i].len);
		munmap(mem, row[i].len);
	}
}

/* Driver: mmap() of a length that is no multiple of a page: up to the end of the last one */
TEST_F(range, mmap_of_a_part_of_a_page)
{
	const size_t page = self->page;
	const struct {
		uint64_t at;
		size_t len;
		size_t pages;
	} row[] = {
		{ SIZE - page, 1, 1 },
		{ SIZE - page, page - 1, 1 },
		{ SIZE - 2 * page, page + 1, 2 },
		{ self->start, self->len - page + 1, self->len / page },
		/* Beyond the end */
		{ SIZE - page, page + 1, 0 },
		{ self->start, self->len + 1, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		uint8_t *mem = map(self->dev, row[i].at, row[i].len, RW, MAP_SHARED);

		EXPECT_EQ(!row[i].pages, mem == MAP_FAILED) {
			TH_LOG("row %u", i);
		}
		if (mem == MAP_FAILED) {
			EXPECT_EQ(EINVAL, errno);
			continue;
		}
		expect_pages(_metadata, self, mem, row[i].at, row[i].pages * page);
		munmap(mem, row[i].len);
	}
}

/* Driver: mmap() at each side of each edge, private, unaligned: EINVAL, nothing is mapped */
TEST_F(range, mmap_is_refused)
{
	const size_t page = self->page;
	const struct {
		uint64_t at;
		size_t len;
		int flags;
	} row[] = {
		{ self->start - page, page, MAP_SHARED },
		{ self->start - page, 2 * page, MAP_SHARED },
		{ self->start - page, self->len + page, MAP_SHARED },
		{ self->start, self->len + page, MAP_SHARED },
		{ self->start + page, self->len, MAP_SHARED },
		{ SIZE - page, 2 * page, MAP_SHARED },
		{ SIZE - page, SIZE, MAP_SHARED },
		{ SIZE, page, MAP_SHARED },
		{ SIZE + page, page, MAP_SHARED },
		{ SIZE + page, SIZE, MAP_SHARED },
		{ 2 * SIZE, page, MAP_SHARED },
		{ 1ULL << 32, page, MAP_SHARED },
		{ (1ULL << 40) - page, page, MAP_SHARED },
		{ (1ULL << 40) - page, 2 * page, MAP_SHARED },
		{ self->start, page, MAP_PRIVATE },
		{ self->start, self->len, MAP_PRIVATE },
		{ SIZE - page, page, MAP_PRIVATE },
		{ self->start + 1, page, MAP_SHARED },
		{ self->start + page / 2, page, MAP_SHARED },
		{ self->start, 0, MAP_SHARED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		errno = 0;
		EXPECT_EQ(MAP_FAILED, (void *)map(self->dev, row[i].at, row[i].len, PROT_READ,
						  row[i].flags)) {
			TH_LOG("row %u", i);
		}
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("row %u", i);
		}
		EXPECT_EQ(MAP_FAILED, (void *)map(self->dev, row[i].at, row[i].len, RW,
						  row[i].flags));
	}
}

/* Driver: mremap(): a mapping does not grow: EFAULT, also where BAR2 goes on */
TEST_F(range, mremap_cannot_grow)
{
	const size_t page = self->page;
	const struct {
		uint64_t at;
		size_t len;
		size_t new_len;
	} row[] = {
		{ self->start, self->len, self->len + page },
		{ self->start, self->len, 2 * self->len },
		{ self->start, page, 2 * page },
		{ SIZE / 2, page, 2 * page },
		{ SIZE - page, page, 2 * page },
		{ SIZE - page, page, SIZE },
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		uint8_t *mem = map(self->dev, row[i].at, row[i].len, RW, MAP_SHARED);

		ASSERT_NE(MAP_FAILED, (void *)mem);
		for (k = 0; k < 2; k++) {
			errno = 0;
			EXPECT_EQ(MAP_FAILED, mremap(mem, row[i].len, row[i].new_len,
						     k ? MREMAP_MAYMOVE : 0)) {
				TH_LOG("row %u", i);
			}
			EXPECT_EQ(EFAULT, errno);
		}
		/* Not a second mapping of the pages either */
		EXPECT_EQ(MAP_FAILED, mremap(mem, 0, row[i].len, MREMAP_MAYMOVE));
		expect_pages(_metadata, self, mem, row[i].at, row[i].len);
		munmap(mem, row[i].len);
	}
}

/* Driver: mremap(): a mapping that is moved has the same pages, at any offset */
TEST_F(range, mremap_moves_the_pages)
{
	const size_t page = self->page;
	const struct {
		uint64_t at;
		size_t len;
	} row[] = {
		{ self->start, self->len }, { SIZE / 2, 3 * page }, { SIZE - page, page },
	};
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(row); i++) {
		uint64_t at = row[i / 2].at;
		size_t len = row[i / 2].len;
		uint8_t *mem = map(self->dev, at, len, RW, MAP_SHARED), *to;

		/* With PTEs, and without */
		if (i % 2)
			expect_pages(_metadata, self, mem, at, len);
		to = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_EQ(to, mremap(mem, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to));
		EXPECT_FALSE(can_read(mem));
		expect_pages(_metadata, self, to, at, len);
		munmap(to, len);
	}
}

/* Driver: mremap() of a part: it moves, the rest stays; a mapping that shrinks ends early */
TEST_F(range, mremap_of_a_part)
{
	const size_t page = self->page, third = self->len / 3 / page * page;
	uint8_t *to = mmap(NULL, third, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(to, mremap(self->mem + third, third, third, MREMAP_MAYMOVE | MREMAP_FIXED,
			     to));
	expect_pages(_metadata, self, self->mem, self->start, third);
	expect_pages(_metadata, self, to, self->start + third, third);
	expect_pages(_metadata, self, self->mem + 2 * third, self->start + 2 * third,
		     self->len - 2 * third);
	EXPECT_FALSE(can_read(self->mem + third));
	EXPECT_FALSE(can_read(self->mem + 2 * third - 1));

	ASSERT_EQ(self->mem, mremap(self->mem, third, page, 0));
	expect_pages(_metadata, self, self->mem, self->start, page);
	EXPECT_FALSE(can_read(self->mem + page));
	munmap(to, third);
	/* Later mappings of the process may be in the gap, so the teardown must not unmap it */
	munmap(self->mem, page);
	munmap(self->mem + 2 * third, self->len - 2 * third);
	self->mem = NULL;
}

/* Clause: POSIX munmap() of a part: the pages on both sides stay, and work */
TEST_F(range, munmap_of_a_part)
{
	const size_t page = self->page, middle = self->len / 2 / page * page;

	expect_pages(_metadata, self, self->mem, self->start, self->len);
	/* The middle, the first page, the last page */
	ASSERT_EQ(0, munmap(self->mem + middle, page));
	ASSERT_EQ(0, munmap(self->mem, page));
	ASSERT_EQ(0, munmap(self->mem + self->len - page, page));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, number_pages(self->dev, page, self->start), "numbers");
	expect_pages(_metadata, self, self->mem + page, self->start + page, middle - page);
	expect_pages(_metadata, self, self->mem + middle + page, self->start + middle + page,
		     self->len - middle - 2 * page);
	EXPECT_FALSE(can_read(self->mem));
	EXPECT_FALSE(can_read(self->mem + middle));
	EXPECT_FALSE(can_read(self->mem + self->len - page));
	/* Later mappings of the process may be in the gaps */
	munmap(self->mem + page, middle - page);
	munmap(self->mem + middle + page, self->len - middle - 2 * page);
	self->mem = NULL;
}

/* Clause: POSIX mprotect(): what it permits, page by page, and no more */
TEST_F(range, mprotect_of_a_part)
{
	const size_t page = self->page;
	uint8_t *at = self->mem + page;

	/* With PTEs of a write, of a read, and none */
	EXPECT_TRUE(can_write(at));
	EXPECT_TRUE(can_read(at + page));
	ASSERT_EQ(0, mprotect(at, 3 * page, PROT_READ));
	EXPECT_TRUE(can_read(at) && can_read(at + page) && can_read(at + 2 * page));
	EXPECT_FALSE(can_write(at));
	EXPECT_FALSE(can_write(at + page));
	EXPECT_FALSE(can_write(at + 2 * page));
	ASSERT_EQ(0, mprotect(at, 3 * page, PROT_NONE));
	EXPECT_FALSE(can_read(at));
	EXPECT_FALSE(can_read(at + page));
	EXPECT_TRUE(can_write(self->mem) && can_write(at + 3 * page));
	ASSERT_EQ(0, mprotect(at, 3 * page, RW));
	expect_pages(_metadata, self, self->mem, self->start, self->len);
}

/* Driver: madvise() that needs struct pages or memory of the process: EINVAL, nothing is lost */
TEST_F(range, madvise_is_refused)
{
	static const int row[] = { MADV_DONTNEED, MADV_FREE, MADV_DODUMP, MADV_DOFORK };
	unsigned int i;

	expect_pages(_metadata, self, self->mem, self->start, self->len);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_EQ(-1, madvise(self->mem, self->len, row[i])) {
			TH_LOG("advice %d", row[i]);
		}
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_NE(self->mem[0], self->mem[1]);
	expect_pages(_metadata, self, self->mem, self->start, self->len);
}

/* The line "VmFlags:" of a mapping in smaps; false if there is none */
static bool vm_flags(const void *mem, char *flags, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool found = false, done = false;
	char line[512];

	while (smaps && !done && fgets(line, sizeof(line), smaps)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			found = from == (unsigned long)mem;
		else if (found && !strncmp(line, "VmFlags:", 8))
			done = snprintf(flags, size, "%s", line + 8) > 0;
	}
	if (smaps)
		fclose(smaps);
	return done;
}

/*
 * Driver: BAR2: the mapping is one of a device's memory: it is shared and without struct
 * pages, does not grow, is in no core dump, and a child inherits it
 */
TEST_F(range, flags_are_those_of_a_device)
{
	static const struct {
		char flag[8];
		bool set;
	} row[] = {
		{ " sh ", true }, { " io ", true }, { " pf ", true }, { " de ", true },
		{ " dd ", true }, { " dc ", false }, { " mm ", false }, { " rd ", true },
		{ " wr ", true }, { " mr ", true }, { " mw ", true },
	};
	char flags[256];
	unsigned int i;

	if (!vm_flags(self->mem, flags, sizeof(flags)))
		SKIP(return, "no /proc/self/smaps with VmFlags: needs CONFIG_PROC_PAGE_MONITOR");
	for (i = 0; i < ARRAY_SIZE(row); i++)
		EXPECT_EQ(row[i].set, !!strstr(flags, row[i].flag)) {
			TH_LOG("%s in %s", row[i].flag, flags);
		}
}

/* Clause: POSIX fork(): a mapping ends in a child only, and stays in the parent */
TEST_F(range, child_ends_its_own_mapping)
{
	int status = -1;
	pid_t pid;

	expect_pages(_metadata, self, self->mem, self->start, self->len);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(!can_write(self->mem) || munmap(self->mem, self->len));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_pages(_metadata, self, self->mem, self->start, self->len);
}

/* Driver: BAR2 of two devices: each has its own memory, reset by itself */
TEST_F(range, each_device_has_its_own)
{
	const struct vmig_attrs attrs = { .capture_size = "256K" };
	struct vmig_testdev td;
	uint8_t *mem;

	ASSERT_RET(0, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY, &attrs), "second device");
	mem = map(&td.dev, self->start, self->len, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	EXPECT_EQ(0, mem[0]);
	mem[0] = 0xaa;
	expect_pages(_metadata, self, self->mem, self->start, self->len);
	EXPECT_RET(0, vmig_device_reset(&td.dev), "reset");
	EXPECT_EQ(0, mem[0]);
	expect_pages(_metadata, self, self->mem, self->start, self->len);
	mem[0] = 0xbb;
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(0, self->mem[0]);
	EXPECT_EQ(0xbb, mem[0]);
	munmap(mem, self->len);
	vmig_testdev_close(&td);
}

/* Driver: close, with no mapping left: at the next open BAR2 is empty, and can be mapped */
TEST_F(range, next_open_has_new_memory)
{
	uint8_t *mem;

	expect_pages(_metadata, self, self->mem, self->start, self->len);
	munmap(self->mem, self->len);
	self->mem = NULL;
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	mem = map(self->dev, self->start, self->len, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	EXPECT_EQ(0, mem[0]);
	EXPECT_EQ(0, mem[self->len - 1]);
	ASSERT_RET(0, number_pages(self->dev, self->page, self->start), "numbers");
	expect_pages(_metadata, self, mem, self->start, self->len);
	munmap(mem, self->len);
}

TEST_HARNESS_MAIN
