// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a 16550A makes of the line: words of 5 to 8 bits, through the plug that leads
 * from its output to its input.
 */
#include <stdlib.h>

#include "../../kselftest_harness.h"

#include "lib/capture.h"
#include "lib/expect.h"
#include "lib/testdev.h"
#include "lib/uart.h"

#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14)
#define IDLE		(UART_LSR_THRE | UART_LSR_TEMT)
#define WLEN8		UART_LCR_WLEN8

FIXTURE(uart_line) {
	struct vmig_testdev td;
	struct vmig_device *dev;
};

FIXTURE_SETUP(uart_line)
{
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1",
				       VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_LCR, WLEN8));
	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_FCR, FIFO));
}

FIXTURE_TEARDOWN(uart_line)
{
	vmig_testdev_close(&self->td);
}

#define OUT(_reg, _val) \
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, _reg, _val), #_reg)

#define EXPECT_IN(_want, _reg) do { \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(self->dev, 0, _reg, &seen_reg), #_reg); \
	EXPECT_EQ(_want, seen_reg) TH_LOG("register %s", #_reg); \
} while (0)

/* Everything that was transmitted */
#define EXPECT_LOGGED(...) do { \
	const uint8_t want_log[] = { __VA_ARGS__ }; \
	uint8_t *seen_log = NULL; \
	size_t seen_len = 0; \
	ASSERT_RET(0, vmig_capture_port(self->dev, 0, &seen_log, &seen_len), \
		   "log"); \
	EXPECT_EQ(sizeof(want_log), seen_len); \
	if (seen_len == sizeof(want_log)) \
		EXPECT_EQ(0, memcmp(want_log, seen_log, seen_len)); \
	free(seen_log); \
} while (0)

/* 16550: 8.1, bits 0 and 1: a word has so many bits, and RBR has zeroes above */
TEST_F(uart_line, words_of_each_length)
{
	static const uint8_t fcrs[] = { FIFO, 0 };
	static const uint8_t mcrs[] = { 0, UART_MCR_LOOP };
	unsigned int bits, i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			OUT(UART_FCR, fcrs[i]);
			OUT(UART_MCR, mcrs[j]);
			for (bits = 5; bits <= 8; bits++) {
				OUT(UART_LCR, bits - 5);
				OUT(UART_TX, 0xff);
				EXPECT_IN((1 << bits) - 1, UART_RX);
				OUT(UART_TX, 0xb5);
				EXPECT_IN(0xb5 & ((1 << bits) - 1), UART_RX);
				EXPECT_IN(IDLE, UART_LSR);
			}
		}
	}
}

/* 16550: 8.1: LCR says what is transmitted, not what has been received */
TEST_F(uart_line, length_counts_when_it_is_sent)
{
	OUT(UART_LCR, UART_LCR_WLEN5);
	OUT(UART_TX, 0xff);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 0xff);
	OUT(UART_LCR, UART_LCR_WLEN6);
	EXPECT_IN(0x1f, UART_RX);
	EXPECT_IN(0xff, UART_RX);
}

/* Driver: the log has what was on the line, so of a short word just its bits */
TEST_F(uart_line, log_has_the_words)
{
	unsigned int bits;

	for (bits = 5; bits <= 8; bits++) {
		OUT(UART_LCR, bits - 5);
		OUT(UART_TX, 0xff);
	}
	EXPECT_LOGGED(0x1f, 0x3f, 0x7f, 0xff);
}

TEST_HARNESS_MAIN
