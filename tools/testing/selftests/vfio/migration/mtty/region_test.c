// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: offset and size, and that an access that is not completely inside one of them
 * has no effect. Their contents are in other tests.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/mtty.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define BAR1		VFIO_PCI_BAR1_REGION_INDEX
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define NR		VFIO_PCI_NUM_REGIONS

#define CONFIG_SIZE	256
#define PORT_SIZE	8

/* At least as long as each access here that must fail without transferring a byte */
#define BUF_SIZE	8192
#define PATTERN		0x5a
#define MUCH		0x100000

FIXTURE(region) {
	DEVICE_MEMBERS;
	size_t page;
	/* Two pages, the second without access */
	uint8_t *map;
	uint8_t buf[BUF_SIZE];
};

FIXTURE_VARIANT(region) {
	const char *type;
	const char *capture;
	uint64_t size[NR];
};

#define VARIANT(_name, _type, _capture, _bar1, _bar2) \
	FIXTURE_VARIANT_ADD(region, _name) { \
		.type = _type, .capture = _capture, \
		.size = { \
			[CONFIG] = CONFIG_SIZE, [BAR0] = PORT_SIZE, \
			[BAR1] = _bar1, [BAR2] = _bar2, \
		}, \
	}

VARIANT(mtty_1_largest_capture, "mtty-1", "256M", 0, 256 << 20);
VARIANT(mtty_2_smallest_capture, "mtty-2", "8K", PORT_SIZE, 8 << 10);
VARIANT(mtty_2_no_capture, "mtty-2", "0", PORT_SIZE, 0);

FIXTURE_SETUP(region)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->map = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, mprotect(self->map + self->page, self->page, PROT_NONE));
	memset(self->buf, PATTERN, sizeof(self->buf));
	OPEN_DEVICE(variant->type, .capture_size = variant->capture);
}

FIXTURE_TEARDOWN(region)
{
	munmap(self->map, 2 * self->page);
	CLOSE_DEVICE();
}

static int get_region_info(struct vmig_device *dev, uint32_t index,
			   struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info), .index = index,
	};
	return vmig_call_error(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info));
}

static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static bool is_untouched(const uint8_t *buf, size_t len)
{
	while (len && buf[len - 1] == PATTERN)
		len--;
	return !len;
}

/* Read and write are refused, and no data is returned */
static void expect_outside(struct __test_metadata *_metadata,
			   FIXTURE_DATA(region) *self, uint64_t pos, size_t len,
			   const char *what, unsigned int index)
{
	EXPECT_EQ(-EINVAL, result(pread(self->dev->fd, self->buf, len, pos)))
		TH_LOG("region %u: read %s", index, what);
	EXPECT_TRUE(is_untouched(self->buf, sizeof(self->buf))) {
		TH_LOG("region %u: read %s returned data", index, what);
		memset(self->buf, PATTERN, sizeof(self->buf));
	}
	EXPECT_EQ(-EINVAL, result(pwrite(self->dev->fd, self->buf, len, pos)))
		TH_LOG("region %u: write %s", index, what);
}

/* Driver: vfio_region_info: size, READ and WRITE as the type of the device has it */
TEST_F(region, info_of_each_region)
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ |
			    VFIO_REGION_INFO_FLAG_WRITE;
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		ASSERT_RET(0, get_region_info(self->dev, i, &info), "region %u", i);
		EXPECT_EQ(variant->size[i], info.size) TH_LOG("region %u", i);
		/* The flags of a mapping are in mmap_test.c */
		EXPECT_EQ(variant->size[i] ? rw : 0,
			  info.flags & ~(VFIO_REGION_INFO_FLAG_MMAP |
					 VFIO_REGION_INFO_FLAG_CAPS))
			TH_LOG("region %u", i);
	}
}

/* Driver: vfio_region_info: argsz without room for capabilities: none is returned */
TEST_F(region, info_without_room_for_capabilities)
{
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		ASSERT_RET(0, get_region_info(self->dev, i, &info), "region %u", i);
		EXPECT_EQ(i, info.index);
		EXPECT_EQ(0, info.cap_offset);
		if (!(info.flags & VFIO_REGION_INFO_FLAG_CAPS))
			EXPECT_EQ(sizeof(info), info.argsz);
	}
}

/* Driver: vfio_region_info.index, beyond the last region: EINVAL */
TEST_F(region, info_of_no_region)
{
	static const uint32_t index[] = {
		NR, NR + 1, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		struct vfio_region_info info;

		EXPECT_RET(-EINVAL, get_region_info(self->dev, index[i], &info),
			   "region %u", index[i]);
		EXPECT_EQ(0, info.size);
		EXPECT_EQ(0, info.offset);
	}
}

/* Driver: vfio_region_info.size: the last byte can be read and written */
TEST_F(region, last_byte_is_inside)
{
	unsigned int i;
	uint8_t val;

	for (i = 0; i < NR; i++) {
		uint64_t size = variant->size[i];

		if (!size)
			continue;
		EXPECT_RET(0, vmig_region_read(self->dev, i, size - 1, &val, 1),
			   "region %u", i);
		EXPECT_RET(0, vmig_region_write(self->dev, i, size - 1, &val,
						1), "region %u", i);
		EXPECT_RET(0, vmig_region_read(self->dev, i, size - PORT_SIZE,
					       self->buf, PORT_SIZE),
			   "region %u", i);
	}
}

/* Driver: all of a region, or 1 MiB, can be read and written with one call */
TEST_F(region, one_mib_at_once)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		uint64_t size = variant->size[i];
		size_t len = size < MUCH ? size : MUCH;
		uint8_t *buf = malloc(len + 1);

		ASSERT_NE(NULL, buf);
		EXPECT_RET(0, vmig_region_read(self->dev, i, size - len, buf,
					       len), "region %u", i);
		EXPECT_RET(0, vmig_region_write(self->dev, i, size - len, buf,
						len), "region %u", i);
		free(buf);
	}
}

/* Driver: BAR2: each byte is written to its own place */
TEST_F(region, many_bytes_arrive_in_place)
{
	uint64_t at = variant->size[BAR2] - 4096 + 3;
	uint8_t seen[3 * CONFIG_SIZE] = { 0 };
	unsigned int i;

	if (!variant->size[BAR2])
		return;
	for (i = 0; i < sizeof(seen); i++)
		self->buf[i] = i / 3;
	ASSERT_RET(0, vmig_region_write(self->dev, BAR2, at, self->buf,
					sizeof(seen)), "write");
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, at, seen, sizeof(seen)), "read");
	EXPECT_EQ(0, memcmp(self->buf, seen, sizeof(seen)));
	for (i = 0; i < sizeof(seen); i++) {
		uint8_t val;

		ASSERT_RET(0, vmig_region_read(self->dev, BAR2, at + i, &val,
					       1), "byte %u", i);
		ASSERT_EQ(self->buf[i], val);
	}
}

/* Driver: an access at or across the end of a region: EINVAL */
TEST_F(region, access_across_the_end)
{
	static const size_t len[] = { 1, 2, 4, 8, 9, 256, 257, BUF_SIZE };
	unsigned int i, l;

	for (i = 0; i < NR; i++) {
		uint64_t start = self->dev->region[i].offset;
		uint64_t size = variant->size[i];

		for (l = 0; l < ARRAY_SIZE(len); l++) {
			expect_outside(_metadata, self, start + size, len[l],
				       "at the end", i);
			expect_outside(_metadata, self, start + size + 1,
				       len[l], "behind the end", i);
			if (len[l] > size)
				expect_outside(_metadata, self, start, len[l],
					       "of more than there is", i);
			if (len[l] > 1 && size)
				expect_outside(_metadata, self,
					       start + size - 1, len[l],
					       "across the end", i);
			if (len[l] > 1 && size >= len[l])
				expect_outside(_metadata, self,
					       start + size - len[l] + 1,
					       len[l], "one byte too far", i);
		}
	}
}

/* Driver: an access between two regions: EINVAL */
TEST_F(region, next_region_is_not_reached)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		uint64_t start = self->dev->region[i].offset;
		uint64_t next = i + 1 < NR ? self->dev->region[i + 1].offset :
				2 * start - self->dev->region[i - 1].offset;

		expect_outside(_metadata, self, start + (next - start) / 2, 1,
			       "half way", i);
		expect_outside(_metadata, self, next - 1, 1, "the last", i);
		expect_outside(_metadata, self, next - 1, 2, "the last two", i);
		expect_outside(_metadata, self, next - 4, 8, "across", i);
	}
}

/* Driver: an access at any larger offset: EINVAL */
TEST_F(region, huge_offsets)
{
	static const uint64_t pos[] = {
		/* Region 0 if an offset or an index were truncated */
		1ULL << 44, 1ULL << 45, 1ULL << 46, 1ULL << 47, 1ULL << 48,
		1ULL << 55, 1ULL << 56, 1ULL << 57, 1ULL << 60, 1ULL << 61,
		1ULL << 62, (1ULL << 62) + 1,
		(1ULL << 63) - 1, (1ULL << 63) - 2, (1ULL << 63) - 256,
		1ULL << 63, UINT64_MAX - 255, UINT64_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pos); i++) {
		expect_outside(_metadata, self, pos[i], 1, "huge", i);
		expect_outside(_metadata, self, pos[i], 8, "huge", i);
	}
}

/* Driver: an access of no bytes: 0, and no effect */
TEST_F(region, no_bytes)
{
	uint8_t val = 0;
	unsigned int i;

	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8), "LCR");
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 'n'), "byte");
	for (i = 0; i < NR; i++) {
		uint64_t start = self->dev->region[i].offset;
		uint64_t end = start + variant->size[i];

		EXPECT_EQ(0, result(pread(self->dev->fd, &val, 0, start)));
		EXPECT_EQ(0, result(pwrite(self->dev->fd, &val, 0, start)));
		EXPECT_EQ(0, result(pread(self->dev->fd, &val, 0, end)));
		EXPECT_EQ(0, result(pwrite(self->dev->fd, &val, 0, end)));
	}
	EXPECT_EQ(0, val);
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_RX, &val), "byte");
	EXPECT_EQ('n', val);
}

/* Driver: an access of no bytes that is not inside a region: EINVAL */
TEST_F(region, no_bytes_outside)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		expect_outside(_metadata, self, self->dev->region[i].offset +
			       variant->size[i] + 1, 0, "of no bytes", i);
}

/* Give each register a value that a read or a write would change */
static int load_port(struct vmig_device *dev, unsigned int port)
{
	static const struct {
		uint8_t reg;
		uint8_t val;
	} row[] = {
		{ UART_LCR, UART_LCR_WLEN8 },
		{ UART_TX, 'a' }, { UART_TX, 'b' }, { UART_MCR, UART_MCR_DTR },
		{ UART_IER, UART_IER_MSI }, { UART_SCR, 0x77 },
		{ UART_LCR, UART_LCR_WLEN7 },
	};
	unsigned int i;
	int ret = 0;

	/* Without a FIFO the second byte is an overrun */
	for (i = 0; i < ARRAY_SIZE(row) && !ret; i++)
		ret = vmig_uart_out(dev, port, row[i].reg, row[i].val);
	return ret;
}

static void expect_loaded_port(struct __test_metadata *_metadata,
			       struct vmig_device *dev, unsigned int port)
{
	static const uint8_t want[PORT_SIZE] = {
		[UART_IER] = UART_IER_MSI,
		[UART_RX] = 'b',
		[UART_IIR] = UART_IIR_MSI,
		[UART_LCR] = UART_LCR_WLEN7,
		[UART_MCR] = UART_MCR_DTR,
		/* DR is not set: RX has been read by the time */
		[UART_LSR] = UART_LSR_OE | UART_LSR_THRE | UART_LSR_TEMT,
		[UART_MSR] = UART_MSR_DDCD | UART_MSR_DDSR | UART_MSR_DCD |
			     UART_MSR_DSR,
		[UART_SCR] = 0x77,
	};
	unsigned int reg;
	uint8_t val;

	for (reg = 0; reg < PORT_SIZE; reg++) {
		ASSERT_RET(0, vmig_uart_in(dev, port, reg, &val), "in");
		EXPECT_EQ(want[reg], val)
			TH_LOG("port %u register %u", port, reg);
	}
}

/* Driver: an access not completely inside BAR0 or BAR1: no register is touched */
TEST_F(region, refused_access_touches_no_port)
{
	static const struct {
		uint64_t at;
		size_t len;
	} row[] = {
		{ 0, 9 }, { 0, 16 }, { 0, 256 }, { 0, 257 }, { 0, BUF_SIZE },
		{ 1, 8 }, { 4, 8 }, { 5, 4 }, { 6, 3 }, { 7, 2 }, { 8, 1 },
	};
	struct vmig_capture_head info = { 0 };
	unsigned int port, i;

	for (port = 0; variant->size[BAR0 + port] == PORT_SIZE; port++) {
		uint64_t start = self->dev->region[BAR0 + port].offset;

		ASSERT_RET(0, load_port(self->dev, port), "port %u", port);
		for (i = 0; i < ARRAY_SIZE(row); i++)
			expect_outside(_metadata, self, start + row[i].at,
				       row[i].len, "of a port", port);
		expect_loaded_port(_metadata, self->dev, port);
	}
	if (variant->size[BAR2])
		EXPECT_RET(0, vmig_capture_info(self->dev, &info), "log");
	EXPECT_EQ(variant->size[BAR2] ? 2 * port : 0, info.logged);
}

/* Driver: a write not completely inside config space or BAR2: no byte is written */
TEST_F(region, refused_write_writes_nothing)
{
	static const unsigned int index[] = { CONFIG, BAR2 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		uint64_t start = self->dev->region[index[i]].offset;
		uint64_t size = variant->size[index[i]];
		uint8_t before[CONFIG_SIZE], after[CONFIG_SIZE];

		if (!size)
			continue;
		/* The command register, too, is among the last 256 bytes */
		ASSERT_RET(0, vmig_region_read(self->dev, index[i],
					       size - sizeof(before), before,
					       sizeof(before)), "before");
		expect_outside(_metadata, self, start + size - 1, 2,
			       "last byte and one more", index[i]);
		expect_outside(_metadata, self, start + size - CONFIG_SIZE,
			       CONFIG_SIZE + 1, "257 bytes", index[i]);
		expect_outside(_metadata, self, start + size - CONFIG_SIZE,
			       BUF_SIZE, "8 KiB", index[i]);
		ASSERT_RET(0, vmig_region_read(self->dev, index[i],
					       size - sizeof(after), after,
					       sizeof(after)), "after");
		EXPECT_EQ(0, memcmp(before, after, sizeof(after)))
			TH_LOG("region %u", index[i]);
	}
}

/* With buffers of each length that a region takes */
static void expect_faults(struct __test_metadata *_metadata, FIXTURE_DATA(region) *self,
			  unsigned int index, uint64_t size, void *buf)
{
	static const size_t len[] = { 1, 2, 4, 8, 9, CONFIG_SIZE };
	uint64_t start = self->dev->region[index].offset;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len) && len[i] <= size; i++) {
		EXPECT_EQ(-EFAULT, result(pread(self->dev->fd, buf, len[i], start)))
			TH_LOG("region %u, read of %zu to %p", index, len[i], buf);
		EXPECT_EQ(-EFAULT, result(pwrite(self->dev->fd, buf, len[i], start)))
			TH_LOG("region %u, write of %zu from %p", index, len[i], buf);
	}
}

/* Driver: EFAULT if the buffer is not accessible, and no effect */
TEST_F(region, bad_buffer)
{
	void *bad[] = { NULL, self->map + self->page, (void *)(-1UL << 12) };
	uint8_t before[CONFIG_SIZE], after[CONFIG_SIZE];
	int fd = self->dev->fd;
	unsigned int i, b;

	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, before,
				       sizeof(before)), "before");
	for (i = 0; i < NR; i++) {
		uint64_t start = self->dev->region[i].offset;

		for (b = 0; b < ARRAY_SIZE(bad); b++)
			expect_faults(_metadata, self, i, variant->size[i], bad[b]);
		/* Two of four bytes are accessible: all or nothing, too */
		if (variant->size[i])
			EXPECT_EQ(-EFAULT,
				  result(pwrite(fd, self->map + self->page - 2,
						4, start + 4)));
	}
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, after,
				       sizeof(after)), "after");
	EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
}

/* Driver: a partly accessible buffer: the number of bytes moved */
TEST_F(region, buffer_that_ends_half_way)
{
	uint64_t start = self->dev->region[BAR2].offset;
	ssize_t done;

	/* Only BAR2 is moved in several parts */
	if (!variant->size[BAR2])
		return;
	memset(self->map, 0xee, self->page);
	done = result(pwrite(self->dev->fd, self->map, 2 * self->page, start));
	EXPECT_EQ(self->page, done);
	memset(self->map, PATTERN, self->page);
	done = result(pread(self->dev->fd, self->map + self->page / 2,
			    self->page, start));
	EXPECT_EQ(self->page / 2, done);
	EXPECT_TRUE(is_untouched(self->map, self->page / 2));
	EXPECT_FALSE(is_untouched(self->map + self->page / 2, self->page / 2));
}

/* Driver: sparse areas: mmap() outside of them is refused */
TEST_F(region, first_page_of_a_region_is_not_mapped)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, self->page,
					   PROT_READ | PROT_WRITE, MAP_SHARED,
					   self->dev->fd,
					   self->dev->region[i].offset));
		EXPECT_RET(-EINVAL, -errno, "region %u", i);
	}
}

TEST_HARNESS_MAIN
