// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each reason for an interrupt of a port, through to the eventfd: it raises the line and is
 * signalled, its acknowledgment lowers the line, and the next one is signalled again.
 * Which reason IIR reports is in uart_irq_test.c.
 */
#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"
#include "lib/vfio/case.h"

#define FIFO_SIZE	16
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_4)
#define WLEN8		UART_LCR_WLEN8
#define LOOP		UART_MCR_LOOP
#define NONE		-1
#define ROUNDS		3
/* Four characters take more than 20 seconds: no timeout comes by itself */
#define DIVISOR_SLOW	0xffff

/**
 * struct reason - why a port interrupts
 * @name:	for messages
 * @ier:	what enables it
 * @bytes:	received before
 * @prepare:	a write before each interrupt, to @reg; NONE: no write
 * @raise:	the write that raises it
 * @reg:	register of @prepare and @raise
 * @ack:	the register whose read acknowledges it
 * @iir:	its code
 */
struct reason {
	const char *name;
	uint8_t ier;
	unsigned int bytes;
	int prepare;
	uint8_t raise;
	uint8_t reg;
	uint8_t ack;
	uint8_t iir;
};

static const struct reason reasons[] = {
	{ "overrun", UART_IER_RLSI, FIFO_SIZE, NONE, 'x', UART_TX, UART_LSR,
	  UART_IIR_RLSI },
	{ "trigger level", UART_IER_RDI, 3, NONE, 'x', UART_TX, UART_RX, UART_IIR_RDI },
	{ "transmitter", UART_IER_THRI, 0, NONE, 'x', UART_TX, UART_IIR, UART_IIR_THRI },
	{ "CTS", UART_IER_MSI, 0, 0, UART_MCR_RTS, UART_MCR, UART_MSR, UART_IIR_MSI },
	{ "DSR, DCD", UART_IER_MSI, 0, 0, UART_MCR_DTR, UART_MCR, UART_MSR, UART_IIR_MSI },
	{ "DCD", UART_IER_MSI, 0, LOOP, LOOP | UART_MCR_OUT2, UART_MCR, UART_MSR,
	  UART_IIR_MSI },
	{ "RI", UART_IER_MSI, 0, LOOP | UART_MCR_OUT1, LOOP, UART_MCR, UART_MSR,
	  UART_IIR_MSI },
};

FIXTURE(uart_signal) {
	DEVICE_MEMBERS;
	int eventfd;
};

FIXTURE_VARIANT(uart_signal) {
	unsigned int port;
	unsigned int index;
};

FIXTURE_VARIANT_ADD(uart_signal, port_0_intx) { .port = 0, .index = INTX };
FIXTURE_VARIANT_ADD(uart_signal, port_0_msi) { .port = 0, .index = MSI };
FIXTURE_VARIANT_ADD(uart_signal, port_1_intx) { .port = 1, .index = INTX };
FIXTURE_VARIANT_ADD(uart_signal, port_1_msi) { .port = 1, .index = MSI };

FIXTURE_SETUP(uart_signal)
{
	self->eventfd = vmig_eventfd_create();
	ASSERT_LE(0, self->eventfd);
	OPEN_DEVICE("mtty-2");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, variant->index, TRIGGER, self->eventfd),
		   "connect");
}

FIXTURE_TEARDOWN(uart_signal)
{
	close(self->eventfd);
	CLOSE_DEVICE();
}

/* INTX is automasked */
#define UNMASK_INTX() do { \
	if (variant->index == INTX) \
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask"); \
} while (0)

/* After a reset, all is ready for the reason, and nothing is pending */
static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(uart_signal) *self,
		  const FIXTURE_VARIANT(uart_signal) *variant, const struct reason *reason)
{
	unsigned int i;

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port, DIVISOR_SLOW),
		   "divisor");
	OUT(UART_LCR, WLEN8);
	OUT(UART_FCR, FIFO);
	for (i = 0; i < reason->bytes; i++)
		OUT(UART_TX, i);
	OUT(UART_IER, reason->ier);
	IN(UART_IIR);
	vmig_eventfd_take(self->eventfd);
	UNMASK_INTX();
	EXPECT_EQ(0, vmig_eventfd_take(self->eventfd)) TH_LOG("%s", reason->name);
}

#define BEGIN(_reason)	begin(_metadata, self, variant, _reason)

/* Some reasons need a write before, whose own interrupt is acknowledged */
#define PREPARE(_reason) do { \
	if ((_reason)->prepare != NONE) { \
		OUT((_reason)->reg, (_reason)->prepare); \
		IN(UART_MSR); \
	} \
	UNMASK_INTX(); \
	vmig_eventfd_take(self->eventfd); \
} while (0)

#define EXPECT_SIGNAL(_want, _reason, _what) \
	EXPECT_EQ(_want, vmig_eventfd_take(self->eventfd)) { \
		TH_LOG("%s: %s", (_reason)->name, _what); \
	}

/* 16550: 8.6: each reason raises the line, and reading its register lowers the line */
TEST_F(uart_signal, each_time)
{
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		for (n = 0; n < ROUNDS; n++) {
			PREPARE(reason);
			OUT(reason->reg, reason->raise);
			EXPECT_SIGNAL(1, reason, "raised");
			if (reason->ack != UART_IIR)
				EXPECT_EQ(reason->iir, IN(UART_IIR) & 0x0f);
			IN(reason->ack);
			EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR) & 0x0f)
				TH_LOG("%s", reason->name);
			/* The line is low: unmasking signals nothing */
			UNMASK_INTX();
			EXPECT_SIGNAL(0, reason, "acknowledged");
		}
	}
}

/* 16550: 8.7: IER lowers the line, and raises it again, as the reason is still there */
TEST_F(uart_signal, enabled_again)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		PREPARE(reason);
		OUT(reason->reg, reason->raise);
		EXPECT_SIGNAL(1, reason, "raised");
		OUT(UART_IER, 0);
		UNMASK_INTX();
		EXPECT_SIGNAL(0, reason, "disabled");
		OUT(UART_IER, reason->ier);
		EXPECT_SIGNAL(1, reason, "enabled");
	}
}

/* Driver: a reason that comes in STOP is signalled in RUNNING, once */
TEST_F(uart_signal, raised_while_stopped)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		PREPARE(reason);
		GO(STOP);
		OUT(reason->reg, reason->raise);
		EXPECT_SIGNAL(0, reason, "in STOP");
		GO(RUNNING);
		EXPECT_SIGNAL(1, reason, "in RUNNING");
	}
}

/* Driver: a reason that is acknowledged in STOP is not signalled in RUNNING */
TEST_F(uart_signal, acknowledged_while_stopped)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		PREPARE(reason);
		GO(STOP);
		OUT(reason->reg, reason->raise);
		IN(reason->ack);
		GO(RUNNING);
		EXPECT_SIGNAL(0, reason, "in RUNNING");
	}
}

/* Clause: RESUMING to STOP: a reason in the stream is signalled in RUNNING, once */
TEST_F(uart_signal, loaded)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		PREPARE(reason);
		GO(STOP);
		OUT(reason->reg, reason->raise);
		self->stream.len = 0;
		ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");

		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
		EXPECT_SIGNAL(0, reason, "in STOP");
		GO(RUNNING);
		EXPECT_SIGNAL(1, reason, "in RUNNING");
		IN(reason->ack);
		EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR) & 0x0f) TH_LOG("%s", reason->name);
	}
}

/* Driver: both ports share the line: a reason of one is there until its own read */
TEST_F(uart_signal, other_port_acknowledges_nothing)
{
	unsigned int i, reg;
	uint8_t val;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct reason *reason = &reasons[i];

		BEGIN(reason);
		PREPARE(reason);
		OUT(reason->reg, reason->raise);
		EXPECT_SIGNAL(1, reason, "raised");
		for (reg = UART_RX; reg <= UART_SCR; reg++)
			ASSERT_RET(0, vmig_uart_in(self->dev, !variant->port, reg, &val),
				   "other port");
		if (variant->index == MSI) {
			EXPECT_SIGNAL(0, reason, "no edge");
			continue;
		}
		UNMASK_INTX();
		EXPECT_SIGNAL(1, reason, "the line is still high");
	}
}

TEST_HARNESS_MAIN
