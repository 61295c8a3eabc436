// SPDX-License-Identifier: GPL-2.0-only
/*
 * State of a port that no register write can restore: it is in the stream. The
 * destination is checked while it is stopped, so it cannot have created that state.
 */
#include <endian.h>
#include <time.h>

#include "lib/mtty.h"

#define FIFO_SIZE	16
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8)
#define IIR_FIFO	0xc0
#define READY		(UART_LSR_THRE | UART_LSR_TEMT | UART_LSR_DR)
#define ERRORS		(UART_LSR_BI | UART_LSR_FE | UART_LSR_PE)
#define WLEN8_ODD	(UART_LCR_WLEN8 | UART_LCR_PARITY)

/* Four characters take more than 20 seconds; the tests wait for QUIET_NS of them */
#define DIVISOR_SLOW	0xffff
#define QUIET_NS	20000000
/* Enough for four characters at 115200 baud, also in a slow VM */
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
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY, NULL));
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
#define MIGRATE() do { \
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

/* Clause: RESUMING -> STOP: an overrun that was not read yet (LSR OE) is loaded */
TEST_F(uart_travel, overrun)
{
	send(_metadata, self, variant, FIFO_SIZE + 1);
	MIGRATE();
	EXPECT_EQ(UART_LSR_OE | UART_LSR_DR, IN(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
	EXPECT_EQ(0, IN(UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(0, IN_OTHER(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
}

/* Clause: RESUMING -> STOP: an overrun that was read is not reported again */
TEST_F(uart_travel, overrun_that_is_over)
{
	send(_metadata, self, variant, FIFO_SIZE + 1);
	EXPECT_EQ(UART_LSR_OE, IN_FROM(&self->src.dev, variant->port,
				       UART_LSR) & UART_LSR_OE);
	MIGRATE();
	EXPECT_EQ(UART_LSR_DR, IN(UART_LSR) & (UART_LSR_OE | UART_LSR_DR));
}

/* Clause: RESUMING -> STOP: the FIFO has the same bytes in the same order */
TEST_F(uart_travel, fifo_at_each_level)
{
	unsigned int n, i;

	for (n = 0; n <= FIFO_SIZE; n++) {
		send(_metadata, self, variant, n);
		self->stream.len = 0;
		MIGRATE();
		for (i = n; i--; )
			EXPECT_EQ(0x40 + i, IN(UART_RX));
		EXPECT_EQ(0, IN(UART_LSR) & UART_LSR_DR);
		ASSERT_RET(0, vmig_device_reset(&self->dst.dev), "reset");
		ASSERT_RET(0, vmig_device_reset(&self->src.dev), "reset");
		OUT(UART_LCR, UART_LCR_WLEN8);
		OUT(UART_FCR, FIFO);
	}
}

static bool wait_for_iir(struct vmig_device *dev, unsigned int port, uint8_t iir)
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

/* Clause: RESUMING -> STOP: a character timeout that has come is still there */
TEST_F(uart_travel, character_timeout)
{
	OUT(UART_IER, UART_IER_RDI);
	send(_metadata, self, variant, 1);
	ASSERT_TRUE(wait_for_iir(&self->src.dev, variant->port,
				 IIR_FIFO | UART_IIR_RX_TIMEOUT));
	MIGRATE();
	EXPECT_EQ(IIR_FIFO | UART_IIR_RX_TIMEOUT, IN(UART_IIR));
	EXPECT_EQ(0x40, IN(UART_RX));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
}

/* Clause: RESUMING -> STOP: a character timeout that IER disables is loaded, too */
TEST_F(uart_travel, character_timeout_not_enabled)
{
	const struct timespec more = { .tv_nsec = 1000000 };

	send(_metadata, self, variant, 1);
	nanosleep(&more, NULL);
	MIGRATE();
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

	ASSERT_RET(0, vmig_stream_find(stream, MTTY_REC_UART, port, &rec), "record");
	memcpy(uart, rec.payload, sizeof(*uart));
}

/* Driver: mtty_rec_uart.quiet: the time since the last byte; it does not run in STOP */
TEST_F(uart_travel, character_time_that_has_passed)
{
	const struct timespec more = { .tv_nsec = QUIET_NS };
	struct mtty_rec_uart before, after;

	ASSERT_RET(0, vmig_uart_set_divisor(&self->src.dev, variant->port,
					    DIVISOR_SLOW), "divisor");
	send(_metadata, self, variant, 1);
	nanosleep(&more, NULL);
	MIGRATE();
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

/* Clause: RESUMING -> STOP: errors in the FIFO stay with their byte */
TEST_F(uart_travel, errors_in_the_fifo)
{
	OUT(UART_TX, 'a');
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	OUT(UART_LCR, WLEN8_ODD);
	OUT(UART_TX, 'b');
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	MIGRATE();
	EXPECT_EQ(READY | UART_LSR_FIFOE, IN(UART_LSR));
	EXPECT_EQ('a', IN(UART_RX));
	EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR));
	EXPECT_EQ(READY | UART_LSR_FIFOE, IN(UART_LSR));
	EXPECT_EQ(0, IN(UART_RX));
	EXPECT_EQ('b', IN(UART_RX));
	/* The break that still lasts was received before */
	EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR));
	EXPECT_EQ(0, IN(UART_RX));
	EXPECT_EQ(READY & ~UART_LSR_DR, IN(UART_LSR));
	EXPECT_EQ(WLEN8_ODD | UART_LCR_SBC, IN(UART_LCR));
	EXPECT_EQ(0, IN_OTHER(UART_LSR) & UART_LSR_FIFOE);
}

/* Clause: RESUMING -> STOP: bytes and errors, wherever the source has the oldest one */
TEST_F(uart_travel, fifo_from_each_place)
{
	unsigned int first, i;

	for (first = 0; first < FIFO_SIZE; first++) {
		ASSERT_RET(0, vmig_device_reset(&self->src.dev), "reset");
		OUT(UART_LCR, WLEN8_ODD);
		OUT(UART_FCR, FIFO);
		for (i = 0; i < first; i++) {
			OUT(UART_TX, i);
			IN_FROM(&self->src.dev, variant->port, UART_RX);
		}
		OUT(UART_TX, 'a');
		OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
		OUT(UART_LCR, WLEN8_ODD);
		OUT(UART_TX, 'b');
		self->stream.len = 0;
		MIGRATE();
		EXPECT_EQ(READY | UART_LSR_FIFOE, IN(UART_LSR)) TH_LOG("first %u", first);
		EXPECT_EQ('a', IN(UART_RX)) TH_LOG("first %u", first);
		EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR))
			TH_LOG("first %u", first);
		EXPECT_EQ(0, IN(UART_RX)) TH_LOG("first %u", first);
		EXPECT_EQ(READY, IN(UART_LSR)) TH_LOG("first %u", first);
		EXPECT_EQ('b', IN(UART_RX)) TH_LOG("first %u", first);
	}
}

/* Clause: RESUMING -> STOP: the error of the last byte, with each number of bytes */
TEST_F(uart_travel, error_at_each_level)
{
	unsigned int n, i;

	for (n = 1; n <= FIFO_SIZE; n++) {
		ASSERT_RET(0, vmig_device_reset(&self->src.dev), "reset");
		OUT(UART_LCR, WLEN8_ODD);
		OUT(UART_FCR, FIFO);
		for (i = 1; i < n; i++)
			OUT(UART_TX, i);
		OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
		self->stream.len = 0;
		MIGRATE();
		for (i = 1; i < n; i++)
			EXPECT_EQ(i, IN(UART_RX)) TH_LOG("%u bytes", n);
		EXPECT_EQ(READY | UART_LSR_FIFOE | ERRORS, IN(UART_LSR))
			TH_LOG("%u bytes", n);
		EXPECT_EQ(0, IN(UART_RX));
		EXPECT_EQ(READY & ~UART_LSR_DR, IN(UART_LSR)) TH_LOG("%u bytes", n);
	}
}

/* 16550: 8.5, bit 0: bits of FCR that are ignored are not in the stream */
TEST_F(uart_travel, fcr_without_enable)
{
	OUT(UART_FCR, UART_FCR_TRIGGER_14 | UART_FCR_DMA_SELECT);
	send(_metadata, self, variant, 1);
	MIGRATE();
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0x40, IN(UART_RX));
}

/* Clause: RESUMING -> STOP: without the FIFO, errors stay until LSR is read */
TEST_F(uart_travel, errors_without_fifo)
{
	OUT(UART_FCR, 0);
	OUT(UART_LCR, WLEN8_ODD | UART_LCR_SBC);
	IN_FROM(&self->src.dev, variant->port, UART_RX);
	MIGRATE();
	EXPECT_EQ((READY & ~UART_LSR_DR) | ERRORS, IN(UART_LSR));
	EXPECT_EQ(READY & ~UART_LSR_DR, IN(UART_LSR));
}

/* Clause: RESUMING -> STOP: the time of a timeout continues when the device runs */
TEST_F(uart_travel, character_timeout_to_come)
{
	OUT(UART_IER, UART_IER_RDI);
	ASSERT_RET(0, vmig_uart_set_divisor(&self->src.dev, variant->port,
					    DIVISOR_SLOW), "divisor");
	send(_metadata, self, variant, 1);
	MIGRATE();
	ASSERT_RET(0, vmig_uart_set_divisor(&self->dst.dev, variant->port, 1), "divisor");
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	ASSERT_RET(0, vmig_mig_set_state(&self->dst.dev,
					 VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_TRUE(wait_for_iir(&self->dst.dev, variant->port,
				 IIR_FIFO | UART_IIR_RX_TIMEOUT));
}

/* Clause: RESUMING -> STOP: a THRI that is pending is loaded, and acknowledged once */
TEST_F(uart_travel, transmitter_empty)
{
	OUT(UART_IER, UART_IER_THRI);
	MIGRATE();
	EXPECT_EQ(IIR_FIFO | UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
}

/* Clause: RESUMING -> STOP: delta bits of MSR that were not read yet are loaded */
TEST_F(uart_travel, modem_deltas)
{
	OUT(UART_MCR, 0);
	IN_FROM(&self->src.dev, variant->port, UART_MSR);
	OUT(UART_MCR, UART_MCR_RTS);
	MIGRATE();
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_CTS, IN(UART_MSR));
	EXPECT_EQ(UART_MSR_CTS, IN(UART_MSR));
}

TEST_HARNESS_MAIN
