// SPDX-License-Identifier: GPL-2.0-only
/*
 * The position of read() and write() of a region: each call, and each buffer of preadv()
 * and pwritev(), goes on where the one before has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>

#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR1	VFIO_PCI_BAR1_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

/* Bytes of BAR2 behind its header */
#define LOG	4096u
#define LEN	2048u
#define PARTS	4

DEVICE_FIXTURE(position, "mtty-2", .capture_size = "64K");

static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

/* Write two bytes with two buffers, and read them with two others */
static void expect_two_bytes(struct __test_metadata *_metadata, FIXTURE_DATA(position) *self,
			     unsigned int index, uint64_t at)
{
	uint64_t offset = self->dev->region[index].offset + at;
	uint8_t sent[] = { 0x31, 0x0c }, seen[2] = { 0 }, val;
	struct iovec out[] = { { sent, 1 }, { sent + 1, 1 } };
	struct iovec in[] = { { seen, 1 }, { seen + 1, 1 } };
	unsigned int i;

	EXPECT_EQ(2, result(pwritev(self->dev->fd, out, 2, offset)));
	for (i = 0; i < 2; i++) {
		EXPECT_RET(0, vmig_region_read(self->dev, index, at + i, &val, 1), "byte");
		EXPECT_EQ(sent[i], val) {
			TH_LOG("region %u, byte %u, written with two buffers", index, i);
		}
	}
	EXPECT_EQ(2, result(preadv(self->dev->fd, in, 2, offset)));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(sent[i], seen[i]) {
			TH_LOG("region %u, byte %u, read with two buffers", index, i);
		}
}

/* Clause: readv(2), writev(2): the buffers are moved in order, as if they were one */
TEST_F(position, two_buffers_of_each_region)
{
	/* LCR and MCR, whose bits can all be read */
	expect_two_bytes(_metadata, self, BAR0, UART_LCR);
	expect_two_bytes(_metadata, self, BAR1, UART_LCR);
	expect_two_bytes(_metadata, self, BAR2, LOG);
	expect_two_bytes(_metadata, self, CONFIG, PCI_CACHE_LINE_SIZE);
}

/* Clause: readv(2), writev(2): the same, with buffers that the driver moves in parts */
TEST_F(position, long_buffers)
{
	static const size_t lens[PARTS] = { 300, 8, 700, LEN - 1008 };
	uint64_t offset = self->dev->region[BAR2].offset + LOG;
	uint8_t sent[LEN], seen[LEN] = { 0 };
	struct iovec out[PARTS], in[PARTS];
	size_t i, at = 0;

	for (i = 0; i < LEN; i++)
		sent[i] = i / 7;
	for (i = 0; i < PARTS; at += lens[i], i++) {
		out[i] = (struct iovec) { sent + at, lens[i] };
		in[i] = (struct iovec) { seen + at, lens[i] };
	}
	ASSERT_EQ(LEN, result(pwritev(self->dev->fd, out, PARTS, offset)));
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, LOG, seen, LEN), "one buffer");
	EXPECT_EQ(0, memcmp(sent, seen, LEN));
	memset(seen, 0, LEN);
	ASSERT_EQ(LEN, result(preadv(self->dev->fd, in, PARTS, offset)));
	EXPECT_EQ(0, memcmp(sent, seen, LEN));
}

/* Clause: readv(2), writev(2): a buffer that fails ends the call; those before are moved */
TEST_F(position, second_buffer_is_outside)
{
	unsigned int index;

	for (index = 0; index < VFIO_PCI_NUM_REGIONS; index++) {
		const struct vfio_region_info *region = &self->dev->region[index];
		uint64_t last = region->offset + region->size - 1;
		uint8_t val = 0, behind = 0xee;
		struct iovec bufs[] = { { &val, 1 }, { &behind, 1 } };

		if (!region->size)
			continue;
		EXPECT_EQ(1, result(preadv(self->dev->fd, bufs, 2, last))) {
			TH_LOG("read, region %u", index);
		}
		EXPECT_EQ(0xee, behind);
		EXPECT_EQ(1, result(pwritev(self->dev->fd, bufs, 2, last))) {
			TH_LOG("write, region %u", index);
		}
	}
}

#define NEXT_READ(_want) do { \
	uint8_t next_byte = 0xee; \
	EXPECT_EQ(1, result(read(self->dev->fd, &next_byte, 1))); \
	EXPECT_EQ(_want, next_byte); \
} while (0)

#define NEXT_WRITE(_val) do { \
	uint8_t next_byte = (_val); \
	EXPECT_EQ(1, result(write(self->dev->fd, &next_byte, 1))); \
} while (0)

/* Clause: read(2), write(2): both share a position, which begins at 0: BAR0 */
TEST_F(position, calls_go_on_where_the_last_one_ended)
{
	uint8_t val[2] = { 0 };

	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_DLAB), "LCR");
	NEXT_WRITE(0x34);
	NEXT_WRITE(0x12);
	NEXT_READ(UART_IIR_NO_INT);
	NEXT_READ(UART_LCR_DLAB);
	NEXT_WRITE(UART_MCR_OUT2);
	EXPECT_EQ(2, result(read(self->dev->fd, val, 2)));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, val[0]);
	EXPECT_EQ(0, val[1]);
	NEXT_WRITE(0x77);
	/* At the end of BAR0: nothing is moved, and the position stays */
	EXPECT_EQ(-EINVAL, result(read(self->dev->fd, val, 1)));
	EXPECT_EQ(-EINVAL, result(write(self->dev->fd, val, 1)));
	EXPECT_EQ(0, result(read(self->dev->fd, val, 0)));
	EXPECT_EQ(-EINVAL, result(read(self->dev->fd, val, 1)));

	EXPECT_RET(0, vmig_region_read(self->dev, BAR0, UART_DLL, val, 2), "divisor");
	EXPECT_EQ(0x34, val[0]);
	EXPECT_EQ(0x12, val[1]);
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_MCR, val), "MCR");
	EXPECT_EQ(UART_MCR_OUT2, val[0]);
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_SCR, val), "SCR");
	EXPECT_EQ(0x77, val[0]);
}

/* Clause: pread(2), pwrite(2): do not change the position */
TEST_F(position, calls_with_an_offset_do_not_move_it)
{
	uint64_t offset = self->dev->region[BAR2].offset + LOG;
	uint8_t val = 'x';

	NEXT_WRITE(0);
	EXPECT_EQ(1, pwrite(self->dev->fd, &val, 1, offset));
	EXPECT_EQ(1, pread(self->dev->fd, &val, 1, offset));
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_SCR, 0x55), "SCR");
	NEXT_WRITE(UART_IER_MSI);
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_IER, &val), "IER");
	EXPECT_EQ(UART_IER_MSI, val);
}

TEST_HARNESS_MAIN
