// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream replaces all that the destination had: each register of both ports, counters,
 * pending interrupts, config space and memory, whatever was there before. The device is
 * compared in full with the stream.
 */
#include <endian.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS		2
#define CAPTURE		8192
#define MEMORY		(CAPTURE - MTTY_CAP_LOG_OFFSET)
#define CAPACITY	(MEMORY / 2)

#define FIFO		UART_FCR_ENABLE_FIFO
#define BREAK		(UART_LSR_BI | UART_LSR_FE)

/**
 * struct content - what differs from a device after a reset
 * @port:	its records, but for @quiet and @rest
 * @quiet:	mtty_rec_uart.quiet
 * @rest:	mtty_rec_uart.quiet_rest
 * @irq:	mtty_rec_irq.flags
 * @logged:	mtty_rec_log.logged
 * @dropped:	mtty_rec_log.dropped
 * @config:	value of each byte of config space, where it can be written
 * @memory:	value of each byte of capture memory; 0: none was ever written
 */
struct content {
	struct mtty_rec_uart port[PORTS];
	uint32_t quiet[PORTS];
	uint16_t rest[PORTS];
	uint32_t irq;
	uint64_t logged;
	uint64_t dropped;
	uint8_t config;
	uint8_t memory;
};

/* Each field differs from that of the others, in both ports */
static const struct content contents[] = {
	{
		.port = { { .dll = 1 }, { .port = 1, .dll = 1 } },
	},
	/* All that can be set is set; only port 1 asserts an interrupt */
	{
		.port = {
			{
				.fcr = FIFO | UART_FCR_DMA_SELECT | UART_FCR_TRIGGER_14,
				.lcr = 0xff, .mcr = 0x1f, .msr_delta = 0x0f, .scr = 0xff,
				.dll = 0xff, .dlm = 0xff, .flags = MTTY_REC_UART_THRI,
				.fifo_len = 16, .lsr = UART_LSR_BRK_ERROR_BITS,
				.fifo = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
					  15, 0 },
				.fifo_errors = { [15] = BREAK | UART_LSR_PE },
			}, {
				.port = 1, .ier = 0x0f, .fcr = FIFO, .lcr = 0xbf,
				.mcr = 0x0f, .msr_delta = 0x0e, .scr = 0xfe,
				.dll = 0xfe, .dlm = 0x7f,
				.flags = MTTY_REC_UART_THRI | MTTY_REC_UART_TIMEOUT,
				.fifo_len = 15, .lsr = UART_LSR_OE,
				.fifo = { 0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8,
					  0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2 },
				.fifo_errors = { BREAK },
			},
		},
		.quiet = { 200000 }, .rest = { 0xfffe },
		.irq = MTTY_REC_IRQ_MSI_SENT,
		.logged = CAPACITY, .dropped = ~0ULL, .config = 0xff, .memory = 0xff,
	},
	/* Some of it, in the other port; only port 0 asserts an interrupt */
	{
		.port = {
			{
				.ier = UART_IER_RDI, .lcr = 0x15, .mcr = 0x10,
				.msr_delta = 0x05, .scr = 0xaa, .dll = 0x55, .dlm = 0xaa,
				.fifo_len = 1, .lsr = BREAK, .fifo = { 0xa5 },
			}, {
				.port = 1, .ier = UART_IER_THRI,
				.fcr = FIFO | UART_FCR_TRIGGER_4, .lcr = 0x2a, .mcr = 0x04,
				.msr_delta = 0x01, .scr = 0x55, .dlm = 0x01, .fifo_len = 2,
				.fifo = { 0x5a, 0xa5 },
			},
		},
		.quiet = { 0, 777 }, .rest = { 0, 0xff },
		.irq = MTTY_REC_IRQ_MSI_SENT,
		.logged = 77, .config = 0xa5, .memory = 0x5a,
	},
	/* Nothing but what the others leave out */
	{
		.port = {
			{ .dll = 2, .flags = MTTY_REC_UART_THRI, .ier = UART_IER_THRI },
			{ .port = 1, .dll = 3, .fcr = FIFO, .ier = UART_IER_RLSI },
		},
		.logged = CAPACITY, .config = 0x5a, .memory = 0xa5,
	},
};

/* @base: a stream after a reset; @want: of a content; @writable: bits of config space */
FIXTURE(contents) {
	DEVICE_MEMBERS;
	struct vmig_bytes want;
	struct vmig_bytes base;
	uint8_t writable[PCI_CFG_SPACE_SIZE];
};

FIXTURE_SETUP(contents)
{
	unsigned int at;

	OPEN_DEVICE("mtty-2", .config_policy = "embedded", .capture_size = "8K");
	for (at = 0; at < sizeof(self->writable); at++)
		ASSERT_RET(0, vmig_config_find_writable(self->dev, at, &self->writable[at]),
			   "byte 0x%x", at);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->base), "save");
}

FIXTURE_TEARDOWN(contents)
{
	vmig_bytes_free(&self->want);
	vmig_bytes_free(&self->base);
	CLOSE_DEVICE();
}

static void poke(struct __test_metadata *_metadata, struct vmig_bytes *stream,
		 uint32_t type, unsigned int nth, const void *payload, size_t len)
{
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_stream_find(stream, type, nth, &rec));
	ASSERT_EQ(len, rec.len);
	ASSERT_EQ(0, vmig_stream_poke(stream, &rec, 0, payload, len));
}

static void poke_config(struct __test_metadata *_metadata, FIXTURE_DATA(contents) *self,
			uint8_t value)
{
	struct vmig_rec rec;
	unsigned int at;
	uint8_t *space;

	ASSERT_EQ(0, vmig_stream_find(&self->want, MTTY_REC_CONFIG, 0, &rec));
	space = self->want.data + rec.offset + sizeof(struct mtty_rec_head);
	for (at = 0; at < sizeof(self->writable); at++)
		space[at] = (space[at] & ~self->writable[at]) |
			    (value & self->writable[at]);
}

static void add_memory(struct __test_metadata *_metadata, struct vmig_bytes *stream,
		       uint8_t value)
{
	struct {
		__le64 offset;
		uint8_t bytes[MEMORY];
	} payload = { .offset = htole64(MTTY_CAP_LOG_OFFSET) };
	struct vmig_rec rec;

	if (!value)
		return;
	memset(payload.bytes, value, sizeof(payload.bytes));
	ASSERT_EQ(0, vmig_stream_find(stream, MTTY_REC_LOG, 0, &rec));
	ASSERT_EQ(0, vmig_stream_insert(stream, rec.offset, MTTY_REC_CAPTURE, NULL,
					&payload, sizeof(payload)));
}

/* Set self->want to a stream of this content */
static void make(struct __test_metadata *_metadata, FIXTURE_DATA(contents) *self,
		 const struct content *content)
{
	const struct mtty_rec_irq irq = { .flags = htole32(content->irq) };
	const struct mtty_rec_log log = {
		.logged = htole64(content->logged), .dropped = htole64(content->dropped),
	};
	struct mtty_rec_uart uart;
	unsigned int i;

	ASSERT_EQ(0, vmig_bytes_copy(&self->want, &self->base));
	for (i = 0; i < PORTS; i++) {
		uart = content->port[i];
		uart.quiet = htole32(content->quiet[i]);
		uart.quiet_rest = htole16(content->rest[i]);
		poke(_metadata, &self->want, MTTY_REC_UART, i, &uart, sizeof(uart));
	}
	poke(_metadata, &self->want, MTTY_REC_IRQ, 0, &irq, sizeof(irq));
	poke(_metadata, &self->want, MTTY_REC_LOG, 0, &log, sizeof(log));
	poke_config(_metadata, self, content->config);
	add_memory(_metadata, &self->want, content->memory);
	ASSERT_EQ(0, vmig_stream_renumber(&self->want));
}

static void expect_wanted(struct __test_metadata *_metadata, FIXTURE_DATA(contents) *self,
			  unsigned int from, unsigned int to)
{
	const char *differs;

	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	differs = vmig_dump_compare_streams(&self->want, &self->stream,
					    1u << MTTY_REC_START);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("content %u on %u: %s differs", to, from, differs);
	}
}

/* Driver: a stream, loaded over any content: exactly what it says, and nothing of before */
TEST_F(contents, replace_any_others)
{
	unsigned int from, to;

	for (from = 0; from < ARRAY_SIZE(contents); from++) {
		for (to = 0; to < ARRAY_SIZE(contents); to++) {
			make(_metadata, self, &contents[from]);
			ASSERT_RET(0, vmig_transfer_load(self->dev, &self->want),
				   "content %u", from);
			make(_metadata, self, &contents[to]);
			ASSERT_RET(0, vmig_transfer_load(self->dev, &self->want),
				   "content %u on %u", to, from);
			expect_wanted(_metadata, self, from, to);
		}
	}
}

/* Driver: counters and memory are those that BAR2 shows */
TEST_F(contents, are_seen_in_bar2)
{
	struct vmig_capture_head info;
	struct vmig_bytes *seen = &self->stream;
	unsigned int i;
	size_t at;

	for (i = 0; i < ARRAY_SIZE(contents); i++) {
		make(_metadata, self, &contents[i]);
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->want), "content %u", i);
		ASSERT_RET(0, vmig_capture_info(self->dev, &info), "header");
		EXPECT_EQ(contents[i].logged, info.logged);
		EXPECT_EQ(contents[i].dropped, info.dropped);
		ASSERT_RET(0, vmig_dump_memory(seen, self->dev), "memory");
		for (at = MTTY_CAP_LOG_OFFSET; at < CAPTURE; at++)
			ASSERT_EQ(contents[i].memory, seen->data[at]);
	}
}

/* @irq: eventfd of MSI */
FIXTURE(message) {
	DEVICE_MEMBERS;
	int irq;
};

FIXTURE_VARIANT(message) {
	unsigned int port;
};

FIXTURE_VARIANT_ADD(message, of_port_0) { .port = 0 };
FIXTURE_VARIANT_ADD(message, of_port_1) { .port = 1 };

FIXTURE_SETUP(message)
{
	self->irq = vmig_eventfd_create();
	ASSERT_LE(0, self->irq);
	OPEN_DEVICE("mtty-2", .config_policy = "embedded");
	CONNECT(MSI, self->irq);
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	ASSERT_RET(0, vmig_uart_init(self->dev, variant->port, UART_FCR_TRIGGER_1,
				     UART_IER_RDI), "UART");
}

FIXTURE_TEARDOWN(message)
{
	close(self->irq);
	CLOSE_DEVICE();
}

/* Driver: MTTY_REC_IRQ_MSI_SENT: the message of either port is not sent again, the next is */
TEST_F(message, is_sent_once)
{
	uint8_t byte;

	ASSERT_RET(0, vmig_uart_out(self->dev, variant->port, UART_TX, 'a'), "TX");
	EXPECT_SIGNALS(1, self->irq, "source");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	GO(RUNNING);
	EXPECT_SIGNALS(0, self->irq, "destination");
	ASSERT_RET(0, vmig_uart_in(self->dev, variant->port, UART_RX, &byte), "RX");
	EXPECT_EQ('a', byte);
	ASSERT_RET(0, vmig_uart_out(self->dev, variant->port, UART_TX, 'b'), "TX");
	EXPECT_SIGNALS(1, self->irq, "next byte");
}

TEST_HARNESS_MAIN
