// SPDX-License-Identifier: GPL-2.0-only
/*
 * The serial line of a 16550A: words of 5 to 8 bits, and a break, received through the
 * loopback plug.
 */
#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define FIFO_SIZE	16
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14)
#define IDLE		(UART_LSR_THRE | UART_LSR_TEMT)
#define READY		(IDLE | UART_LSR_DR)
#define BREAK		(UART_LSR_BI | UART_LSR_FE)
#define WLEN8		UART_LCR_WLEN8

FIXTURE(uart_line) {
	DEVICE_MEMBERS;
};

PORT_VARIANTS(uart_line);

FIXTURE_SETUP(uart_line)
{
	OPEN_DEVICE("mtty-2");
	OUT(UART_LCR, WLEN8);
	OUT(UART_FCR, FIFO);
}

FIXTURE_TEARDOWN(uart_line)
{
	CLOSE_DEVICE();
}

/* EXPECT_LOGGED - these bytes were transmitted */
#define EXPECT_LOGGED(...) do { \
	const uint8_t want_log[] = { __VA_ARGS__ }; \
	uint8_t *seen_log = NULL; \
	size_t seen_len = 0; \
	ASSERT_RET(0, vmig_capture_port(self->dev, variant->port, &seen_log, &seen_len), \
		   "log"); \
	EXPECT_EQ(sizeof(want_log), seen_len); \
	if (seen_len == sizeof(want_log)) \
		EXPECT_EQ(0, memcmp(want_log, seen_log, seen_len)); \
	free(seen_log); \
} while (0)

/* 16550: 8.1, bits 0 and 1: the length of a word; the bits above are received as 0 */
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

/* 16550: 8.1: LCR affects the next word sent, not the words received */
TEST_F(uart_line, length_is_taken_when_sent)
{
	OUT(UART_LCR, UART_LCR_WLEN5);
	OUT(UART_TX, 0xff);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 0xff);
	OUT(UART_LCR, UART_LCR_WLEN6);
	EXPECT_IN(0x1f, UART_RX);
	EXPECT_IN(0xff, UART_RX);
}

/* Driver: the log has a byte as it was on the line: only the bits of the word */
TEST_F(uart_line, log_has_the_words)
{
	unsigned int bits;

	for (bits = 5; bits <= 8; bits++) {
		OUT(UART_LCR, bits - 5);
		OUT(UART_TX, 0xff);
	}
	EXPECT_LOGGED(0x1f, 0x3f, 0x7f, 0xff);
}

/* Driver: the log has what was on the line: no divisor, nothing in loopback mode */
TEST_F(uart_line, log_has_nothing_else)
{
	OUT(UART_TX, 'a');
	OUT(UART_LCR, WLEN8 | UART_LCR_DLAB);
	OUT(UART_DLL, 'd');
	OUT(UART_DLM, 'd');
	OUT(UART_LCR, WLEN8);
	OUT(UART_MCR, UART_MCR_LOOP);
	OUT(UART_TX, 'l');
	OUT(UART_MCR, 0);
	OUT(UART_SCR, 's');
	OUT(UART_TX, 'b');
	EXPECT_LOGGED('a', 'b');
}

/* 16550: 8.4, BI: a break is one zero, with BI and FE; the next needs an idle line */
TEST_F(uart_line, break_is_one_character)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
		EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
		EXPECT_IN(READY, UART_LSR);
		EXPECT_IN(0, UART_RX);
		EXPECT_IN(IDLE, UART_LSR);
		/* Other writes do not begin another break */
		OUT(UART_LCR, UART_LCR_WLEN5 | UART_LCR_SBC | UART_LCR_DLAB);
		OUT(UART_MCR, UART_MCR_DTR);
		OUT(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR);
		EXPECT_IN(IDLE, UART_LSR);
		OUT(UART_LCR, WLEN8);
		EXPECT_IN(IDLE, UART_LSR);
	}
}

/* 16550: 8.1, 8.4: the parity bit of a break is 0, with PE where that is wrong */
TEST_F(uart_line, break_has_a_parity)
{
	static const struct {
		uint8_t lcr;
		uint8_t errors;
	} formats[] = {
		{ 0, BREAK },
		{ UART_LCR_EPAR | UART_LCR_SPAR, BREAK },
		{ UART_LCR_PARITY, BREAK | UART_LSR_PE },
		{ UART_LCR_PARITY | UART_LCR_EPAR, BREAK },
		{ UART_LCR_PARITY | UART_LCR_SPAR, BREAK | UART_LSR_PE },
		{ UART_LCR_PARITY | UART_LCR_SPAR | UART_LCR_EPAR, BREAK },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		OUT(UART_LCR, formats[i].lcr | UART_LCR_SBC);
		EXPECT_IN(READY | UART_LSR_FIFOE | formats[i].errors, UART_LSR);
		EXPECT_IN(0, UART_RX);
		OUT(UART_LCR, WLEN8);
	}
}

/* 16550: 8.4, FIFO on: errors are shown when their byte is next, LSR bit 7 before */
TEST_F(uart_line, errors_are_shown_with_their_byte)
{
	OUT(UART_TX, 'a');
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 'b');
	EXPECT_IN(READY | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN('a', UART_RX);
	EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN(0, UART_RX);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN('b', UART_RX);
}

/* 16550: 8.4, FIFO on: errors stay with their byte wherever that is stored */
TEST_F(uart_line, errors_go_around_the_ring)
{
	unsigned int i;

	for (i = 0; i < 2 * FIFO_SIZE; i++) {
		OUT(UART_TX, 'a');
		OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
		OUT(UART_LCR, WLEN8);
		OUT(UART_TX, 'b');
		EXPECT_IN(READY | UART_LSR_FIFOE, UART_LSR);
		EXPECT_IN('a', UART_RX);
		EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
		EXPECT_IN(0, UART_RX);
		EXPECT_IN(READY, UART_LSR);
		EXPECT_IN('b', UART_RX);
		/* The next one begins one byte later */
		OUT(UART_TX, 'c');
		EXPECT_IN('c', UART_RX);
		EXPECT_IN(IDLE, UART_LSR);
	}
}

/* Driver: a byte that is read before LSR takes its errors with it */
TEST_F(uart_line, errors_are_lost_with_their_byte)
{
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 'b');
	EXPECT_IN(0, UART_RX);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN('b', UART_RX);
}

/* 16550: 8.4, bit 7: set until no error is left in the FIFO; a read clears one error */
TEST_F(uart_line, lsr_7_counts_all_errors)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
		OUT(UART_LCR, WLEN8);
	}
	EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN(READY | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN(0, UART_RX);
	EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN(0, UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.4, FIFO off: errors stay until LSR is read; bit 7 is 0 */
TEST_F(uart_line, break_without_fifo)
{
	OUT(UART_FCR, 0);
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	EXPECT_IN(0, UART_RX);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 'a');
	EXPECT_IN(READY | BREAK, UART_LSR);
	EXPECT_IN(READY, UART_LSR);
	/* A break before the last byte was read is an overrun, as of any other byte */
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	EXPECT_IN(READY | BREAK | UART_LSR_OE, UART_LSR);
	EXPECT_IN(0, UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.4, OE: a full FIFO does not take a break */
TEST_F(uart_line, break_with_a_full_fifo_is_an_overrun)
{
	unsigned int i;

	for (i = 0; i < FIFO_SIZE; i++)
		OUT(UART_TX, 'a' + i);
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	EXPECT_IN(READY | UART_LSR_OE, UART_LSR);
	for (i = 0; i < FIFO_SIZE; i++)
		EXPECT_IN('a' + i, UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.5: emptying the FIFO clears its errors */
TEST_F(uart_line, errors_are_cleared_with_the_fifo)
{
	static const uint8_t fcrs[] = { FIFO | UART_FCR_CLEAR_RCVR, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fcrs); i++) {
		OUT(UART_FCR, FIFO);
		OUT(UART_TX, 'a');
		OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
		OUT(UART_LCR, WLEN8);
		OUT(UART_FCR, fcrs[i]);
		EXPECT_IN(IDLE, UART_LSR);
	}
}

/* 16550: 8.1, bit 6: the transmitter works during a break, but no byte arrives */
TEST_F(uart_line, nothing_is_sent_during_a_break)
{
	OUT(UART_TX, 'a');
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_IN(0xc0 | UART_IIR_THRI, UART_IIR);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);
	OUT(UART_TX, 'b');
	EXPECT_IN(0xc0 | UART_IIR_THRI, UART_IIR);
	OUT(UART_LCR, WLEN8);
	OUT(UART_TX, 'c');
	EXPECT_IN('a', UART_RX);
	EXPECT_IN(0, UART_RX);
	EXPECT_IN('c', UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_LOGGED('a', 'c');
}

/* 16550: 8.1, 8.8: a break is a state of the output pin, so loopback mode has none */
TEST_F(uart_line, no_break_in_loopback)
{
	OUT(UART_MCR, UART_MCR_LOOP);
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	EXPECT_IN(IDLE, UART_LSR);
	OUT(UART_TX, 'a');
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN('a', UART_RX);
	/* Out of loopback mode the break is received */
	OUT(UART_MCR, 0);
	EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
	EXPECT_IN(0, UART_RX);
	/* It is received again after the input was switched */
	OUT(UART_MCR, UART_MCR_LOOP);
	OUT(UART_MCR, 0);
	EXPECT_IN(READY | BREAK | UART_LSR_FIFOE, UART_LSR);
}

/* Clause: VFIO_DEVICE_RESET: ends a break and clears its errors */
TEST_F(uart_line, reset_ends_a_break)
{
	OUT(UART_FCR, 0);
	OUT(UART_LCR, WLEN8 | UART_LCR_SBC);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(0, UART_LCR);
	OUT(UART_TX, 0x0a);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN(0x0a, UART_RX);
}

TEST_HARNESS_MAIN
