// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping BAR2: the parts that can be mapped; a mapping, read() and write() see the same
 * bytes, and pre-copy sends each byte that is written through a mapping. With many writers
 * at the same time: mmap_writers_test.c.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/mtty.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x100000u
#define START		vmig_capture_map_start()

FIXTURE(map) {
	DEVICE_MEMBERS;
	uint64_t page;
	uint8_t *mem;
};

static void *map_at(struct vmig_device *dev, uint64_t at, size_t len, int prot,
		    int flags)
{
	return mmap(NULL, len, prot, flags, dev->fd, dev->region[BAR2].offset + at);
}

FIXTURE_SETUP(map)
{
	self->page = sysconf(_SC_PAGESIZE);
	OPEN_DEVICE("mtty-2", .capture_size = "1M");
	self->mem = map_at(self->dev, START, SIZE - START,
			   PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
}

FIXTURE_TEARDOWN(map)
{
	munmap(self->mem, SIZE - START);
	CLOSE_DEVICE();
}

#define PRE_COPY() \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY, \
					 &self->fd), "PRE_COPY")

/* Read all that the device has to send now */
#define DRAIN() \
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, \
					       VMIG_TRANSFER_CHUNK), "drain")

/* Through the mapping; the compiler must not keep a copy */
static uint8_t load(const uint8_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static uint8_t get(FIXTURE_DATA(map) *self, uint64_t at)
{
	return load(self->mem + at);
}

static void put(FIXTURE_DATA(map) *self, uint64_t at, uint8_t byte)
{
	__atomic_store_n(self->mem + at, byte, __ATOMIC_RELAXED);
}

/* By read() and write() */
static uint8_t peek(struct __test_metadata *_metadata, FIXTURE_DATA(map) *self,
		    uint64_t at)
{
	uint8_t byte = 0;

	EXPECT_RET(0, vmig_region_read(self->dev, BAR2, START + at, &byte,
				       1), "read");
	return byte;
}

static void poke(struct __test_metadata *_metadata, FIXTURE_DATA(map) *self,
		 uint64_t at, uint8_t byte)
{
	EXPECT_RET(0, vmig_region_write(self->dev, BAR2, START + at,
					&byte, 1), "write");
}

/* Bytes that the device would send if it stopped now */
static uint64_t data_size(struct __test_metadata *_metadata,
			  FIXTURE_DATA(map) *self)
{
	uint64_t bytes = 0;

	EXPECT_RET(0, vmig_mig_data_size(self->dev, &bytes), "MIG_DATA_SIZE");
	return bytes;
}

/* Load the stream read so far into an image, as a destination would; empty it */
static void apply_stream(struct __test_metadata *_metadata,
			 FIXTURE_DATA(map) *self, uint8_t *image)
{
	EXPECT_RET(0, vmig_capture_apply(&self->stream, image, SIZE), "stream");
	self->stream.len = 0;
}

/* The first byte of the first page in the stream */
static int first_sent(FIXTURE_DATA(map) *self)
{
	struct vmig_rec rec;

	if (vmig_stream_find(&self->stream, MTTY_REC_CAPTURE, 0, &rec))
		return -1;
	return rec.payload[sizeof(struct mtty_rec_capture)];
}

static void read_bytes(struct __test_metadata *_metadata,
		       FIXTURE_DATA(map) *self, size_t len)
{
	ASSERT_RET(0, vmig_bytes_reserve(&self->stream, len), "room");
	ASSERT_EQ(len, read(self->fd, self->stream.data, len));
	self->stream.len = len;
}

#define FLAGS \
	(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE | \
	 VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS)

struct reply {
	struct vfio_region_info info;
	struct vfio_region_info_cap_sparse_mmap sparse;
	struct vfio_region_sparse_mmap_area area;
};

/* Driver: VFIO_REGION_INFO_CAP_SPARSE_MMAP: all of BAR2 but its header */
TEST_F(map, region_info_has_the_mappable_area)
{
	struct reply reply = { .info = { .argsz = sizeof(reply), .index = BAR2 } };

	ASSERT_EQ(0, ioctl(self->dev->fd, VFIO_DEVICE_GET_REGION_INFO, &reply));
	EXPECT_EQ(FLAGS, reply.info.flags);
	EXPECT_EQ(sizeof(reply.info), reply.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, reply.sparse.header.id);
	EXPECT_EQ(1, reply.sparse.header.version);
	EXPECT_EQ(0, reply.sparse.header.next);
	EXPECT_EQ(1, reply.sparse.nr_areas);
	EXPECT_EQ(START, reply.area.offset);
	EXPECT_EQ(SIZE - START, reply.area.size);
}

/* Clause: vfio_region_info: argsz without room for capabilities: returns the size needed */
TEST_F(map, region_info_has_the_size_of_capabilities)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = BAR2 };

	ASSERT_EQ(0, ioctl(self->dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info));
	EXPECT_EQ(FLAGS, info.flags);
	EXPECT_EQ(0, info.cap_offset);
	EXPECT_EQ(sizeof(struct reply), info.argsz);
}

/* Driver: only BAR2 has VFIO_REGION_INFO_FLAG_MMAP; mmap() of other regions: EINVAL */
TEST_F(map, no_other_region_can_be_mapped)
{
	unsigned int i;

	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		struct vfio_region_info *info = &self->dev->region[i];
		void *mem;

		if (i == BAR2)
			continue;
		EXPECT_EQ(0, info->flags & VFIO_REGION_INFO_FLAG_MMAP);
		mem = mmap(NULL, self->page, PROT_READ, MAP_SHARED,
			   self->dev->fd, (uint64_t)i << 40);
		EXPECT_EQ(MAP_FAILED, mem);
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Driver: mmap() of the header, beyond the end, or private: EINVAL */
TEST_F(map, mmap_outside_the_area_is_refused)
{
	const struct {
		uint64_t at;
		size_t len;
		int flags;
	} bad[] = {
		{ 0, self->page, MAP_SHARED },
		{ 0, SIZE, MAP_SHARED },
		{ START, self->page, MAP_PRIVATE },
		{ START, SIZE, MAP_SHARED },
		{ SIZE, self->page, MAP_SHARED },
		{ SIZE - self->page, 2 * self->page, MAP_SHARED },
		{ 1ULL << 39, self->page, MAP_SHARED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		void *mem = map_at(self->dev, bad[i].at, bad[i].len, PROT_READ,
				   bad[i].flags);

		EXPECT_EQ(MAP_FAILED, mem)
			TH_LOG("row %u", i);
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Driver: BAR2: a mapping, read() and write() see the same memory */
TEST_F(map, is_the_same_memory)
{
	uint64_t last = SIZE - START - 1;

	/* A read before the first write maps the zero page */
	EXPECT_EQ(0, get(self, 5));
	poke(_metadata, self, 5, 0x55);
	EXPECT_EQ(0x55, get(self, 5));
	put(self, 6, 0x66);
	EXPECT_EQ(0x66, peek(_metadata, self, 6));

	EXPECT_EQ(0, get(self, last));
	put(self, last, 0x77);
	EXPECT_EQ(0x77, peek(_metadata, self, last));

	put(self, 3 * self->page, 0x11);
	EXPECT_EQ(0x11, peek(_metadata, self, 3 * self->page));
	poke(_metadata, self, 3 * self->page, 0x22);
	EXPECT_EQ(0x22, get(self, 3 * self->page));
}

/* Driver: BAR2: a mapping shows the log */
TEST_F(map, shows_the_log)
{
	if (START != MTTY_CAP_LOG_OFFSET)
		SKIP(return, "the log begins inside a page");
	EXPECT_EQ(0, get(self, 0));
	ASSERT_RET(0, vmig_uart_out(self->dev, 1, UART_LCR, UART_LCR_WLEN8), "LCR");
	ASSERT_RET(0, vmig_uart_out(self->dev, 1, UART_TX, 'x'), "transmit");
	EXPECT_EQ('x', get(self, 0));
	EXPECT_EQ(1, get(self, 1));
}

/* Driver: VFIO_DEVICE_RESET: empties BAR2, also where it is mapped, each page */
TEST_F(map, is_emptied_by_reset)
{
	uint64_t at;

	/* With a page that was written, and one that was only read */
	for (at = 0; at < SIZE - START; at += 2 * self->page)
		put(self, at, 1);
	put(self, SIZE - START - self->page, 2);
	for (at = 0; at < SIZE - START; at += self->page)
		get(self, at);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (at = 0; at < SIZE - START; at += self->page) {
		EXPECT_EQ(0, get(self, at)) {
			TH_LOG("page %llu", (unsigned long long)(at / self->page));
		}
		put(self, at, 3);
		EXPECT_EQ(3, peek(_metadata, self, at));
	}
}

/* Clause: POSIX mmap(): a mapping stays when the file descriptor is closed */
TEST_F(map, outlives_the_fd)
{
	put(self, 0, 1);
	vmig_device_close(self->dev);
	EXPECT_EQ(1, get(self, 0));
	put(self, self->page, 2);
	EXPECT_EQ(2, get(self, self->page));
}

/* Driver: the memory of a call may be the mapping: mtty.lock is not held at its fault */
TEST_F(map, is_memory_of_calls)
{
	static const struct {
		unsigned int index;
		uint64_t at;
	} row[] = {
		{ VFIO_PCI_BAR0_REGION_INDEX, UART_SCR },
		{ VFIO_PCI_BAR2_REGION_INDEX, SIZE - 4 },
		{ VFIO_PCI_CONFIG_REGION_INDEX, PCI_INTERRUPT_LINE },
	};
	uint8_t *untouched = self->mem;
	unsigned int i;
	off_t at;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		at = self->dev->region[row[i].index].offset + row[i].at;
		ASSERT_EQ(1, pread(self->dev->fd, untouched, 1, at));
		untouched += self->page;
		ASSERT_EQ(1, pwrite(self->dev->fd, untouched, 1, at));
		untouched += self->page;
	}
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY, &self->fd),
		   "STOP_COPY");
	ASSERT_LT(0, read(self->fd, untouched, self->page));
}

/* Driver: VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: memory that is only read is not sent */
TEST_F(map, reading_costs_nothing)
{
	uint64_t before = data_size(_metadata, self);
	uint64_t at;

	for (at = 0; at < SIZE - START; at += self->page)
		EXPECT_EQ(0, get(self, at));
	EXPECT_EQ(before, data_size(_metadata, self));

	put(self, 0, 1);
	EXPECT_LT(before + self->page, data_size(_metadata, self));
	EXPECT_GT(before + 2 * self->page, data_size(_metadata, self));
}

/* Driver: vfio_precopy_info.dirty_bytes: one page that is written after it was sent */
TEST_F(map, writing_after_sending_is_noticed)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	unsigned int i;

	put(self, 0, 1);
	put(self, self->page, 1);
	PRE_COPY();
	for (i = 0; i < 3; i++) {
		DRAIN();
		/* A read does not make the page dirty, a write does */
		EXPECT_EQ(i ? 1 + i : 1, get(self, self->page));
		ASSERT_RET(0, vmig_precopy_info(self->fd, &info), "info");
		EXPECT_EQ(0, info.initial_bytes + info.dirty_bytes);
		put(self, self->page, 2 + i);
		ASSERT_RET(0, vmig_precopy_info(self->fd, &info), "info");
		EXPECT_EQ(0, info.initial_bytes);
		EXPECT_LT(self->page, info.dirty_bytes);
		EXPECT_GT(2 * self->page, info.dirty_bytes);
	}
}

/*
 * Driver: pre-copy: a write to a page that was read in part is seen through every
 * mapping, does not change the rest of that page, and is sent later
 */
TEST_F(map, writing_while_sending_changes_nothing_sent)
{
	size_t len = SIZE - START;
	uint8_t *image = calloc(1, SIZE);
	uint8_t *other = map_at(self->dev, START, len, PROT_READ, MAP_SHARED);
	uint64_t at;

	ASSERT_NE(NULL, image);
	ASSERT_NE(MAP_FAILED, (void *)other);
	for (at = 0; at < 4 * self->page; at += self->page) {
		put(self, at, 1);
		put(self, at + self->page - 1, 4);
	}
	PRE_COPY();
	/* All of the first page, half of the second, none of the others */
	read_bytes(_metadata, self, self->page + self->page / 2);
	for (at = 0; at < 4 * self->page; at += self->page) {
		EXPECT_EQ(1, get(self, at));
		EXPECT_EQ(1, load(other + at));
		put(self, at, 2);
		EXPECT_EQ(2, load(other + at));
		EXPECT_EQ(2, peek(_metadata, self, at));
		poke(_metadata, self, at + 1, 3);
		EXPECT_EQ(3, get(self, at + 1));
		EXPECT_EQ(4, get(self, at + self->page - 1));
	}
	DRAIN();
	EXPECT_EQ(1, first_sent(self));
	apply_stream(_metadata, self, image);
	EXPECT_EQ(0, memcmp(image + START, self->mem, len));
	munmap(other, len);
	free(image);
}

/* Driver: BAR2: no get_user_pages(): a pinned page could be written after it was sent */
TEST_F(map, process_vm_writev_is_refused)
{
	char byte = 1;
	struct iovec from = { .iov_base = &byte, .iov_len = 1 };
	struct iovec to = { .iov_base = self->mem, .iov_len = 1 };

	put(self, 0, 2);
	EXPECT_EQ(-1, process_vm_writev(getpid(), &from, 1, &to, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(2, get(self, 0));
}

/* Driver: BAR2: no GUP-fast, which sees only PTEs: direct I/O fails, nothing changes */
TEST_F(map, direct_io_is_refused)
{
	int disk = open("/dev/ram0", O_RDONLY | O_DIRECT);

	if (disk < 0)
		SKIP(return, "no /dev/ram0: needs CONFIG_BLK_DEV_RAM");
	put(self, 0, 2);
	put(self, self->page, 3);
	EXPECT_EQ(-1, pread(disk, self->mem, 2 * self->page, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(2, get(self, 0));
	EXPECT_EQ(3, get(self, self->page));
	close(disk);
}

/* Driver: BAR2: no GUP-fast for reading: vmsplice() would keep the page in a pipe */
TEST_F(map, vmsplice_is_refused)
{
	struct iovec from[] = {
		{ .iov_base = self->mem, .iov_len = self->page },
		/* Never written: the zero page */
		{ .iov_base = self->mem + self->page, .iov_len = self->page },
	};
	unsigned int i;
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	put(self, 0, 2);
	EXPECT_EQ(0, get(self, self->page));
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		EXPECT_EQ(-1, vmsplice(pipefd[1], &from[i], 1, SPLICE_F_NONBLOCK));
		EXPECT_EQ(EFAULT, errno);
	}
	close(pipefd[0]);
	close(pipefd[1]);
}

/* KiB of the mapping that count as memory of this process; -1 if unknown */
static long resident_kib(const void *start)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool found = false;
	char line[512];
	long kib = -1;

	if (!smaps)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), smaps)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			found = from == (unsigned long)start;
		else if (found)
			sscanf(line, "Rss: %ld kB", &kib);
	}
	fclose(smaps);
	return kib;
}

/*
 * Driver: BAR2: PTEs are special, so they do not count as memory of the process; also on
 * kernels whose GUP-fast refuses the page for another reason
 */
TEST_F(map, ptes_are_special)
{
	put(self, 0, 2);
	EXPECT_EQ(0, get(self, self->page));
	put(self, 2 * self->page, 3);
	EXPECT_EQ(0, resident_kib(self->mem));
}

/* Layout of the ioctl in mm/gup_test.h of the kernel */
struct pin_longterm {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
};

#define PIN_LONGTERM_START	_IOW('g', 7, struct pin_longterm)
#define PIN_LONGTERM_STOP	_IO('g', 8)
#define PIN_FOR_WRITING		1
#define PIN_FAST		2

/* Driver: BAR2: a long-term pin, as for DMA, is refused for reading and for writing */
TEST_F(map, long_term_pins_are_refused)
{
	struct pin_longterm pin = { .size = self->page };
	int gup = open("/sys/kernel/debug/gup_test", O_RDWR);
	unsigned int i;

	if (gup < 0)
		SKIP(return, "no debugfs/gup_test: needs CONFIG_GUP_TEST");
	put(self, 0, 2);
	EXPECT_EQ(0, get(self, self->page));
	for (i = 0; i < 2 * (PIN_FOR_WRITING + PIN_FAST + 1); i++) {
		/* A written page, then an unwritten one */
		pin.addr = (uintptr_t)self->mem + i % 2 * self->page;
		pin.flags = i / 2;
		EXPECT_EQ(-1, ioctl(gup, PIN_LONGTERM_START, &pin)) {
			TH_LOG("page %u, flags %u", i % 2, pin.flags);
			ioctl(gup, PIN_LONGTERM_STOP);
		}
		EXPECT_EQ(EFAULT, errno);
		errno = 0;
	}
	close(gup);
}

/* Clause: PRE_COPY: poll() of a data_fd is woken by a write through a mapping */
TEST_F(map, writing_wakes_poll)
{
	struct vmig_poll_thread poller;
	short revents;

	put(self, 0, 1);
	PRE_COPY();
	DRAIN();
	ASSERT_RET(0, vmig_poll_thread_start(&poller, self->fd, POLLIN), "start");
	put(self, 0, 2);
	ASSERT_RET(0, vmig_poll_thread_join(&poller, &revents), "join");
	EXPECT_EQ(POLLIN, revents);
}

/* Driver: BAR2, after fork(): writes of parent and child are shared, and make it dirty */
TEST_F(map, two_processes_share_it)
{
	int status;
	pid_t pid;

	put(self, 0, 1);
	PRE_COPY();
	DRAIN();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		put(self, 0, 2);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, get(self, 0));
	EXPECT_LT(self->page, data_size(_metadata, self));
}

TEST_HARNESS_MAIN
