// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest cannot write, but a port knows: it arrives with the port.  The
 * destination is asked while it is still stopped, so nothing there can have made it.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/mtty.h"

#define FIFO_SIZE	16
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8)
#define IIR_FIFO	0xc0
#define READY		(UART_LSR_THRE | UART_LSR_TEMT | UART_LSR_DR)
#define ERRORS		(UART_LSR_BI | UART_LSR_FE | UART_LSR_PE)
#define WLEN8_ODD	(UART_LCR_WLEN8 | UART_LCR_PARITY)

/* Four characters take more than 20 seconds, of which so much passes */
#define DIVISOR_SLOW	0xffff
#define QUIET_NS	20000000
/* Long enough for four characters at 115200 baud, on any machine in the end */
#define TRIES		1000

FIXTURE(uart_travel) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_bytes stream;
};

FIXTURE_VARIANT(uart_travel) {
	unsigned int port;
};

FIXTURE_VARIANT_ADD(uart_travel, port_0) { .port = 0 };
FIXTURE_VARIANT_ADD(uart_travel, port_1) { .port = 1 };

FIXTURE_SETUP(uart_travel)
{
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2",
				       VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2",
				       VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_uart_init(&self->src.dev, variant->port,
				    UART_FCR_TRIGGER_8, 0));
}

FIXTURE_TEARDOWN(uart_travel)
{
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->dst);
	vmig_testdev_close(&self->src);
}

#define OUT(_reg, _val) \
	ASSERT_RET(0, vmig_uart_out(&self->src.dev, variant->port, _reg, _val), #_reg)

#define IN_FROM(_dev, _port, _reg) ({ \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(_dev, _port, _reg, &seen_reg), #_reg); \
	seen_reg; \
})

#define IN(_reg)	IN_FROM(&self->dst.dev, variant->port, _reg)
#define IN_OTHER(_reg)	IN_FROM(&self->dst.dev, !variant->port, _reg)

/* The destination stays in STOP: it has not run */
#define TRAVEL() do { \
	ASSERT_RET(0, vmig_transfer_save(&self->src.dev, &self->stream), "save"); \
	ASSERT_RET(0, vmig_transfer_load(&self->dst.dev, &self->stream), "load"); \
} while (0)

static void send(struct __test_metadata *_metadata,
		 FIXTURE_DATA(uart_travel) *self,
		 const FIXTURE_VARIANT(uart_travel) *variant, unsigned int n)
{
	while (n--)
		OUT(UART_TX, 0x40 + n);
}

/* Clause: LSR OE: an overrun that nobody has read about */
TEST_F(uart_travel, overrun)
{
	send(_metadata, self, variant, FIFO_SIZE + 1);
	TRAVEL();
	EXPECT_EQ(UART_LSR_OE | UART_LSR_DR,
		  IN(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
	EXPECT_EQ(0, IN(UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(0, IN_OTHER(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
}

/* Clause: LSR OE: one that was read about is over */
TEST_F(uart_travel, overrun_that_is_over)
{
	send(_metadata, self, variant, FIFO_SIZE + 1);
	EXPECT_EQ(UART_LSR_OE, IN_FROM(&self->src.dev, variant->port,
				       UART_LSR) & UART_LSR_OE);
	TRAVEL();
	EXPECT_EQ(UART_LSR_DR, IN(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
}

/* Clause: the FIFO: as full as it was, in the order that it had */
TEST_F(uart_travel, fifo_at_each_level)
{
	unsigned int n, i;

	for (n = 0; n <= FIFO_SIZE; n++) {
		send(_metadata, self, variant, n);
		self->stream.len = 0;
		TRAVEL();
		for (i = n; i--; )
			EXPECT_EQ(0x40 + i, IN(UART_RX));
		EXPECT_EQ(0, IN(UART_LSR) & UART_LSR_DR);
		ASSERT_RET(0, vmig_device_reset(&self->dst.dev), "reset");
		ASSERT_RET(0, vmig_device_reset(&self->src.dev), "reset");
		OUT(UART_LCR, UART_LCR_WLEN8);
		OUT(UART_FCR, FIFO);
	}
}

static bool comes(struct vmig_device *dev, unsigned int port, uint8_t iir)
{
	const struct timespec tick = { .tv_nsec = 5000000 };
	unsigned int tries = TRIES;
	uint8_t is = 0;

	while (tries--) {
		if (vmig_uart_in(dev, port, UART_IIR, &is))
			return false;
		if (is == iir)
			return true;
		nanosleep(&tick, NULL);
	}
	return false;
}

/* Clause: IIR RX_TIMEOUT: one that has come is not waited for again */
TEST_F(uart_travel, character_timeout)
{
	OUT(UART_IER, UART_IER_RDI);
	send(_metadata, self, variant, 1);
	ASSERT_TRUE(comes(&self->src.dev, variant->port,
			  IIR_FIFO | UART_IIR_RX_TIMEOUT));
	TRAVEL();
	EXPECT_EQ(IIR_FIFO | UART_IIR_RX_TIMEOUT, IN(UART_IIR));
	EXPECT_EQ(0x40, IN(UART_RX));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
}

/* Driver: IIR RX_TIMEOUT: one that IER did not want to be told about is due as well */
TEST_F(uart_travel, character_timeout_nobody_wanted)
{
	const struct timespec more = { .tv_nsec = 1000000 };

	send(_metadata, self, variant, 1);
	nanosleep(&more, NULL);
	TRAVEL();
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	ASSERT_RET(0, vmig_uart_out(&self->dst.dev, variant->port, UART_IER,
				    UART_IER_RDI), "IER");
	EXPECT_EQ(IIR_FIFO | UART_IIR_RX_TIMEOUT, IN(UART_IIR));
}

static void find_uart(struct __test_metadata *_metadata,
		      const struct vmig_bytes *stream, unsigned int port,
		      struct mtty_rec_uart *uart)
{
	struct vmig_rec rec;

	ASSERT_RET(0, vmig_stream_find(stream, MTTY_REC_UART, port, &rec),
		   "record");
	memcpy(uart, rec.payload, sizeof(*uart));
}

/* Driver: mtty_rec_uart.quiet: time that has passed travels, and stands still in STOP */
TEST_F(uart_travel, character_time_that_has_passed)
{
	const struct timespec more = { .tv_nsec = QUIET_NS };
	struct mtty_rec_uart before, after;

	ASSERT_RET(0, vmig_uart_set_divisor(&self->src.dev, variant->port,
					    DIVISOR_SLOW), "divisor");
	send(_metadata, self, variant, 1);
	nanosleep(&more, NULL);
	TRAVEL();
	find_uart(_metadata, &self->stream, variant->port, &before);
	EXPECT_EQ(0, before.flags & MTTY_REC_UART_TIMEOUT);
	EXPECT_LE(QUIET_NS / DIVISOR_SLOW, le32toh(before.quiet));
	EXPECT_GT(DIVISOR_SLOW, le16toh(before.quiet_rest));

	nanosleep(&more, NULL);
	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save(&self->dst.dev, &self->stream), "save");
	find_uart(_metadata, &self->stream, variant->port, &after);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	find_uart(_metadata, &self->stream, !variant->port, &after);
	EXPECT_EQ(0, after.quiet);
}

/* Clause: LSR BI, FE, PE: those of a byte in the FIFO stay with their byte */
TEST_F(uart_travel, errors_in_the_fifo)
{
	OUT(UART_TX, 'a');
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	OUT(UART_LCR, WLEN8_ODD);
	OUT(UART_TX, 'b');
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	TRAVEL();
	EXPECT_EQ(READY | UART_LSR_FIFOE, IN(UART_LSR));
	EXPECT_EQ('a', IN(UART_RX));
	EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR));
	EXPECT_EQ(READY | UART_LSR_FIFOE, IN(UART_LSR));
	EXPECT_EQ(0, IN(UART_RX));
	EXPECT_EQ('b', IN(UART_RX));
	/* The break that is still there has been heard already */
	EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR));
	EXPECT_EQ(0, IN(UART_RX));
	EXPECT_EQ(READY & ~UART_LSR_DR, IN(UART_LSR));
	EXPECT_EQ(WLEN8_ODD | UART_LCR_SBC, IN(UART_LCR));
	EXPECT_EQ(0, IN_OTHER(UART_LSR) & UART_LSR_FIFOE);
}

/* Clause: LSR BI, FE, PE: without the FIFO they are there until LSR is read */
TEST_F(uart_travel, errors_without_fifo)
{
	OUT(UART_FCR, 0);
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	IN_FROM(&self->src.dev, variant->port, UART_RX);
	TRAVEL();
	EXPECT_EQ((READY & ~UART_LSR_DR) | ERRORS, IN(UART_LSR));
	EXPECT_EQ(READY & ~UART_LSR_DR, IN(UART_LSR));
}

/* Clause: IIR RX_TIMEOUT: one that has not come goes on when the device runs */
TEST_F(uart_travel, character_timeout_to_come)
{
	OUT(UART_IER, UART_IER_RDI);
	ASSERT_RET(0, vmig_uart_set_divisor(&self->src.dev, variant->port,
					    DIVISOR_SLOW), "divisor");
	send(_metadata, self, variant, 1);
	TRAVEL();
	ASSERT_RET(0, vmig_uart_set_divisor(&self->dst.dev, variant->port, 1),
		   "divisor");
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	ASSERT_RET(0, vmig_mig_set_state(&self->dst.dev,
					 VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_TRUE(comes(&self->dst.dev, variant->port,
			  IIR_FIFO | UART_IIR_RX_TIMEOUT));
}

/* Clause: IIR THRI: one that was reported is not reported again, another one is */
TEST_F(uart_travel, transmitter_empty)
{
	OUT(UART_IER, UART_IER_THRI);
	TRAVEL();
	EXPECT_EQ(IIR_FIFO | UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
}

/* Clause: MSR: deltas that nobody has read about */
TEST_F(uart_travel, modem_deltas)
{
	OUT(UART_MCR, 0);
	IN_FROM(&self->src.dev, variant->port, UART_MSR);
	OUT(UART_MCR, UART_MCR_RTS);
	TRAVEL();
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_CTS, IN(UART_MSR));
	EXPECT_EQ(UART_MSR_CTS, IN(UART_MSR));
}

TEST_HARNESS_MAIN
