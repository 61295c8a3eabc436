// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of several bytes to a port: of each width, at each register, with I/O decode and
 * without. The order of the bytes is in uart_test.c.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define NR_REGS		8
#define WLEN8		UART_LCR_WLEN8
#define DLAB		(UART_LCR_WLEN8 | UART_LCR_DLAB)
#define BAR		(VFIO_PCI_BAR0_REGION_INDEX + variant->port)

FIXTURE(uart_wide) {
	DEVICE_MEMBERS;
};

PORT_VARIANTS(uart_wide);

FIXTURE_SETUP(uart_wide)
{
	OPEN_DEVICE("mtty-2");
	OUT(UART_LCR, WLEN8);
}

FIXTURE_TEARDOWN(uart_wide)
{
	CLOSE_DEVICE();
}

#define READ(_at, _buf, _len) \
	ASSERT_RET(0, vmig_region_read(self->dev, BAR, _at, _buf, _len), \
		   "read %zu bytes at %zu", (size_t)(_len), (size_t)(_at))
#define WRITE(_at, _buf, _len) \
	ASSERT_RET(0, vmig_region_write(self->dev, BAR, _at, _buf, _len), \
		   "write %zu bytes at %zu", (size_t)(_len), (size_t)(_at))
#define COMMAND(_val) \
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, _val), "command")

/* PCI: 3.0, 6.2.2, bit 0: without I/O decode all bytes of a read are ones */
TEST_F(uart_wide, reads_without_decode)
{
	uint8_t ones[NR_REGS], seen[NR_REGS];
	size_t at, len;

	memset(ones, 0xff, sizeof(ones));
	COMMAND(0);
	for (at = 0; at < NR_REGS; at++) {
		for (len = 1; at + len <= NR_REGS; len++) {
			memset(seen, 0x11, sizeof(seen));
			READ(at, seen, len);
			EXPECT_EQ(0, memcmp(ones, seen, len)) {
				TH_LOG("%zu bytes at %zu", len, at);
			}
		}
	}
}

/* PCI: 3.0, 6.2.2, bit 0: without I/O decode no byte of a write has an effect */
TEST_F(uart_wide, writes_without_decode)
{
	/* TX, IER, FCR, LCR, MCR, LSR, MSR, SCR */
	static const uint8_t bytes[NR_REGS] = {
		'x', 0x0f, UART_FCR_ENABLE_FIFO, 0x1b, 0x1f, 0xff, 0xff, 0x77,
	};
	size_t at, len;

	COMMAND(0);
	for (at = 0; at < NR_REGS; at++) {
		for (len = 1; at + len <= NR_REGS; len++)
			WRITE(at, bytes + at, len);
	}
	COMMAND(PCI_COMMAND_IO);
	EXPECT_IN(UART_LSR_THRE | UART_LSR_TEMT, UART_LSR);
	EXPECT_IN(0, UART_IER);
	EXPECT_IN(UART_IIR_NO_INT, UART_IIR);
	EXPECT_IN(WLEN8, UART_LCR);
	EXPECT_IN(0, UART_MCR);
	EXPECT_IN(0, UART_MSR);
	EXPECT_IN(0, UART_SCR);
}

/* Driver: a read of n bytes takes one byte from the FIFO, a write sends one */
TEST_F(uart_wide, one_byte_each)
{
	uint8_t buf[NR_REGS];
	size_t len;

	OUT(UART_FCR, UART_FCR_ENABLE_FIFO);
	for (len = 1; len <= NR_REGS; len++) {
		/* TX, IER, FCR, LCR, MCR, and three that do nothing */
		const uint8_t bytes[NR_REGS] = {
			0x40 + len, 0, UART_FCR_ENABLE_FIFO, WLEN8,
		};

		WRITE(UART_TX, bytes, len);
	}
	for (len = 1; len <= NR_REGS; len++) {
		READ(UART_RX, buf, len);
		EXPECT_EQ(0x40 + len, buf[0]);
	}
	EXPECT_IN(UART_LSR_THRE | UART_LSR_TEMT, UART_LSR);
}

/* 16550: 8.3: both halves of the divisor latch, as one word */
TEST_F(uart_wide, divisor_latch)
{
	static const uint8_t words[][2] = { { 0x12, 0x34 }, { 0xff, 0 }, { 0, 0xff } };
	uint8_t seen[2];
	unsigned int i;

	OUT(UART_LCR, DLAB);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		WRITE(UART_DLL, words[i], 2);
		READ(UART_DLL, seen, 2);
		EXPECT_EQ(words[i][0], seen[0]);
		EXPECT_EQ(words[i][1], seen[1]);
	}
	OUT(UART_LCR, WLEN8);
	EXPECT_IN(0, UART_IER);
	EXPECT_IN(UART_LSR_THRE | UART_LSR_TEMT, UART_LSR);
}

/* Driver: a write of n bytes is n writes: a byte is sent by the LCR before it */
TEST_F(uart_wide, byte_is_sent_before_lcr_is_written)
{
	static const uint8_t bytes[] = { 0xff, 0, UART_FCR_ENABLE_FIFO, UART_LCR_WLEN5 };
	uint8_t *log = NULL;
	size_t len = 0;

	OUT(UART_FCR, UART_FCR_ENABLE_FIFO);
	WRITE(UART_TX, bytes, sizeof(bytes));
	EXPECT_IN(0xff, UART_RX);
	WRITE(UART_TX, bytes, sizeof(bytes));
	EXPECT_IN(0x1f, UART_RX);
	ASSERT_RET(0, vmig_capture_port(self->dev, variant->port, &log, &len), "log");
	ASSERT_EQ(2, len);
	EXPECT_EQ(0xff, log[0]);
	EXPECT_EQ(0x1f, log[1]);
	free(log);
}

TEST_HARNESS_MAIN
