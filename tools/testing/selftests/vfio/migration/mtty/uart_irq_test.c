// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which interrupt a 16550A reports, when, and what acknowledges it. Signalling it is in
 * uapi/irq_test.c.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define FIFO_ON		(UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR)
#define IIR_FIFO	0xc0

/* Four characters take more than 20 seconds: no timeout comes by itself */
#define DIVISOR_SLOW	0xffff

/* CONNECT - have an interrupt signalled to the eventfd */
#define CONNECT(_index) \
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, _index, VFIO_IRQ_SET_ACTION_TRIGGER, \
				      self->eventfd), #_index)
#define CONNECT_MSI() do { \
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "master"); \
	CONNECT(VFIO_PCI_MSI_IRQ_INDEX); \
} while (0)

FIXTURE(uart_irq) {
	DEVICE_MEMBERS;
	int eventfd;
};

PORT_VARIANTS(uart_irq);

FIXTURE_SETUP(uart_irq)
{
	self->eventfd = vmig_eventfd_create();
	ASSERT_LE(0, self->eventfd);
	OPEN_DEVICE("mtty-2");
	OUT(UART_LCR, UART_LCR_WLEN8);
	ASSERT_EQ(0, vmig_uart_set_divisor(self->dev, variant->port, DIVISOR_SLOW));
}

FIXTURE_TEARDOWN(uart_irq)
{
	close(self->eventfd);
	CLOSE_DEVICE();
}

#define SEND(_count) do { \
	unsigned int left_to_send = (_count); \
	while (left_to_send--) \
		OUT(UART_TX, 'a' + left_to_send); \
} while (0)

#define INIT(_port, _trigger) \
	ASSERT_RET(0, vmig_uart_init(self->dev, _port, _trigger, UART_IER_RDI), "port")

static int interrupt_status(struct vmig_device *dev)
{
	uint16_t status;

	if (vmig_config_read16(dev, PCI_STATUS, &status))
		return -1;

	return !!(status & PCI_STATUS_INTERRUPT);
}

/* 16550: 8.7: no interrupt is reported if none is enabled */
TEST_F(uart_irq, no_interrupt_if_none_is_enabled)
{
	SEND(2);
	OUT(UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, interrupt_status(self->dev));
}

/* 16550: 8.6: priorities: line status, data, transmitter, modem */
TEST_F(uart_irq, priorities)
{
	OUT(UART_MCR, UART_MCR_RTS);
	OUT(UART_IER, UART_IER_RLSI | UART_IER_RDI | UART_IER_THRI | UART_IER_MSI);
	SEND(2);
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	EXPECT_EQ(UART_LSR_OE, IN(UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	EXPECT_EQ('a', IN(UART_RX));
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, IN(UART_IIR));
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, IN(UART_MSR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.7: each bit enables its own cause only */
TEST_F(uart_irq, each_enable_bit_has_its_cause)
{
	static const struct {
		uint8_t ier;
		uint8_t iir;
	} causes[] = {
		{ UART_IER_RLSI, UART_IIR_RLSI }, { UART_IER_RDI, UART_IIR_RDI },
		{ UART_IER_THRI, UART_IIR_THRI }, { UART_IER_MSI, UART_IIR_MSI },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		OUT(UART_MCR, UART_MCR_DTR);
		SEND(2);
		OUT(UART_IER, causes[i].ier);
		EXPECT_EQ(1, interrupt_status(self->dev)) TH_LOG("cause %u", i);
		EXPECT_EQ(causes[i].iir, IN(UART_IIR)) TH_LOG("cause %u", i);
		OUT(UART_IER, 0);
		EXPECT_EQ(0, interrupt_status(self->dev)) TH_LOG("cause %u", i);
	}
}

/* 16550: 8.6, bits 6 and 7: set while the FIFO is on */
TEST_F(uart_irq, fifo_bits)
{
	OUT(UART_FCR, FIFO_ON);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(IIR_FIFO | UART_IIR_THRI, IN(UART_IIR));
	OUT(UART_FCR, 0);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6, THRI: pending when IER enables it, each time */
TEST_F(uart_irq, thri_when_enabled)
{
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	/* Not pending if IER is written without a change */
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	OUT(UART_IER, 0);
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
}

/* 16550: 8.6, THRI: acknowledged by a read of IIR or a byte, not by a write of IER */
TEST_F(uart_irq, thri_survives_a_write_of_ier)
{
	OUT(UART_IER, UART_IER_THRI);
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(1, interrupt_status(self->dev));
	OUT(UART_IER, UART_IER_THRI | UART_IER_MSI | UART_IER_RDI);
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6, THRI: pending again after each byte */
TEST_F(uart_irq, thri_after_each_byte)
{
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	SEND(1);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6, THRI: acknowledged by a read of IIR only if that read reports it */
TEST_F(uart_irq, thri_is_acknowledged_by_its_own_report)
{
	OUT(UART_IER, UART_IER_THRI | UART_IER_RDI);
	SEND(1);
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
}

/* 16550: 8.6, RLSI: acknowledged by a read of LSR */
TEST_F(uart_irq, rlsi_until_lsr_is_read)
{
	OUT(UART_IER, UART_IER_RLSI);
	SEND(2);
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	IN(UART_LSR);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.4, 8.6, FIFO on: an error is reported when its byte is next */
TEST_F(uart_irq, rlsi_when_a_break_is_next)
{
	OUT(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14);
	OUT(UART_IER, UART_IER_RLSI | UART_IER_RDI);
	SEND(1);
	OUT(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, interrupt_status(self->dev));
	IN(UART_RX);
	EXPECT_EQ(1, interrupt_status(self->dev));
	EXPECT_EQ(IIR_FIFO | UART_IIR_RLSI, IN(UART_IIR));
	IN(UART_LSR);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, interrupt_status(self->dev));
}

/* 16550: 8.4, 8.6, FIFO off: an error is reported at once, before its byte */
TEST_F(uart_irq, rlsi_of_a_break_without_fifo)
{
	OUT(UART_IER, UART_IER_RLSI | UART_IER_RDI);
	OUT(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	EXPECT_EQ(0, IN(UART_RX));
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	IN(UART_LSR);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6: a read of LSR, which shows THRE, does not acknowledge THRI */
TEST_F(uart_irq, thri_survives_a_read_of_lsr)
{
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_LSR_THRE, IN(UART_LSR) & UART_LSR_THRE);
	EXPECT_EQ(1, interrupt_status(self->dev));
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
}

/* 16550: 8.5: clearing an empty transmitter is no interrupt */
TEST_F(uart_irq, clear_xmit_raises_nothing)
{
	OUT(UART_FCR, FIFO_ON);
	OUT(UART_IER, UART_IER_THRI);
	EXPECT_EQ(IIR_FIFO | UART_IIR_THRI, IN(UART_IIR));
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_XMIT);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, IN(UART_LSR));
}

/* 16550: 8.9, TERI: the end of the ring indicator interrupts, not its beginning */
TEST_F(uart_irq, msi_when_ringing_ends)
{
	OUT(UART_MCR, UART_MCR_LOOP);
	OUT(UART_IER, UART_IER_MSI);
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	OUT(UART_MCR, UART_MCR_LOOP);
	EXPECT_EQ(UART_IIR_MSI, IN(UART_IIR));
	EXPECT_EQ(UART_MSR_TERI, IN(UART_MSR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.8: interrupts work in loopback mode */
TEST_F(uart_irq, loopback_interrupts)
{
	OUT(UART_MCR, UART_MCR_LOOP);
	OUT(UART_IER, UART_IER_RLSI | UART_IER_RDI | UART_IER_THRI);
	SEND(2);
	EXPECT_EQ(UART_IIR_RLSI, IN(UART_IIR));
	IN(UART_LSR);
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	/* Again after each byte */
	SEND(1);
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6, MSI: acknowledged by a read of MSR */
TEST_F(uart_irq, msi_until_msr_is_read)
{
	OUT(UART_IER, UART_IER_MSI);
	OUT(UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(UART_IIR_MSI, IN(UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, IN(UART_IIR));
	IN(UART_MSR);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6, RDI, FIFO off: pending while there is a byte, whatever the trigger level */
TEST_F(uart_irq, without_fifo_one_byte_is_enough)
{
	OUT(UART_FCR, UART_FCR_TRIGGER_14);
	OUT(UART_IER, UART_IER_RDI);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
	SEND(1);
	EXPECT_EQ(UART_IIR_RDI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.11: the character timeout comes for bytes below the trigger level */
TEST_F(uart_irq, timeout_comes)
{
	INIT(variant->port, UART_FCR_TRIGGER_8);
	CONNECT(VFIO_PCI_INTX_IRQ_INDEX);
	SEND(3);
	EXPECT_EQ(1, vmig_eventfd_wait(self->eventfd, VMIG_IRQ_DEADLINE_MS));
	EXPECT_EQ(1, interrupt_status(self->dev));
	EXPECT_EQ(IIR_FIFO | UART_IIR_RX_TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: reading a byte ends the timeout, and it comes again */
TEST_F(uart_irq, timeout_ends_with_a_read)
{
	unsigned int i;

	INIT(variant->port, UART_FCR_TRIGGER_8);
	CONNECT_MSI();
	SEND(3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, vmig_eventfd_wait(self->eventfd, VMIG_IRQ_DEADLINE_MS));
		IN(UART_RX);
	}
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, interrupt_status(self->dev));
}

/* Driver: divisor 0: there is no character timeout */
TEST_F(uart_irq, no_timeout_without_a_clock)
{
	INIT(!variant->port, UART_FCR_TRIGGER_8);
	INIT(variant->port, UART_FCR_TRIGGER_8);
	ASSERT_EQ(0, vmig_uart_set_divisor(self->dev, variant->port, 0));
	CONNECT_MSI();
	/* The other port has a clock, and shows when the time is over */
	SEND(3);
	ASSERT_RET(0, vmig_uart_out(self->dev, !variant->port, UART_TX, 'x'), "TX");
	EXPECT_EQ(1, vmig_eventfd_wait(self->eventfd, VMIG_IRQ_DEADLINE_MS));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
}

/* 16550: 8.6: the character timeout has a higher priority than THRI */
TEST_F(uart_irq, timeout_priority)
{
	INIT(variant->port, UART_FCR_TRIGGER_4);
	CONNECT_MSI();
	SEND(3);
	ASSERT_EQ(1, vmig_eventfd_wait(self->eventfd, VMIG_IRQ_DEADLINE_MS));
	OUT(UART_IER, UART_IER_RDI | UART_IER_THRI);
	EXPECT_EQ(IIR_FIFO | UART_IIR_RX_TIMEOUT, IN(UART_IIR));
	SEND(1);
	EXPECT_EQ(IIR_FIFO | UART_IIR_RDI, IN(UART_IIR));
}

FIXTURE(trigger) {
	DEVICE_MEMBERS;
	int eventfd;
};

FIXTURE_VARIANT(trigger) {
	unsigned int port;
	uint8_t fcr;
	unsigned int level;
};

#define LEVEL(_port, _level) \
	FIXTURE_VARIANT_ADD(trigger, port_##_port##_at_##_level) { \
		.port = _port, .level = _level, \
		.fcr = FIFO_ON | UART_FCR_TRIGGER_##_level, \
	}

LEVEL(0, 1);
LEVEL(0, 4);
LEVEL(0, 8);
LEVEL(0, 14);
LEVEL(1, 1);
LEVEL(1, 4);
LEVEL(1, 8);
LEVEL(1, 14);

FIXTURE_SETUP(trigger)
{
	self->eventfd = vmig_eventfd_create();
	ASSERT_LE(0, self->eventfd);
	OPEN_DEVICE("mtty-2");
	ASSERT_EQ(0, vmig_uart_set_divisor(self->dev, variant->port, DIVISOR_SLOW));
	OUT(UART_FCR, variant->fcr);
	OUT(UART_IER, UART_IER_RDI);
	CONNECT_MSI();
}

FIXTURE_TEARDOWN(trigger)
{
	close(self->eventfd);
	CLOSE_DEVICE();
}

/* 16550: 8.5, trigger level: RDI when the FIFO has that many bytes, not before */
TEST_F(trigger, reached_exactly)
{
	SEND(variant->level - 1);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, vmig_eventfd_take(self->eventfd));
	SEND(1);
	EXPECT_EQ(IIR_FIFO | UART_IIR_RDI, IN(UART_IIR));
	EXPECT_EQ(1, vmig_eventfd_take(self->eventfd));
}

/* 16550: 8.5, trigger level: RDI ends with one byte less */
TEST_F(trigger, left_exactly)
{
	SEND(variant->level);
	EXPECT_EQ(1, interrupt_status(self->dev));
	IN(UART_RX);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, IN(UART_IIR));
	EXPECT_EQ(0, interrupt_status(self->dev));
}

/* 16550: 8.5, trigger level: RDI also for bytes that were received before it was set */
TEST_F(trigger, level_set_afterwards)
{
	OUT(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14);
	SEND(variant->level);
	OUT(UART_FCR, variant->fcr & ~UART_FCR_CLEAR_RCVR);
	EXPECT_EQ(IIR_FIFO | UART_IIR_RDI, IN(UART_IIR));
}

TEST_HARNESS_MAIN
