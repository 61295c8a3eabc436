// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a 16550A, as its data sheet has them and as the 8250 driver of Linux
 * checks them. Interrupts are in uart_irq_test.c.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define BAR		(VFIO_PCI_BAR0_REGION_INDEX + variant->port)
#define FIFO_SIZE	16
#define FIFO_ON		(UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR)
#define IDLE		(UART_LSR_THRE | UART_LSR_TEMT)
#define READY		(IDLE | UART_LSR_DR)
#define IER_BITS	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | \
			 UART_IER_MSI)

FIXTURE(uart) {
	DEVICE_MEMBERS;
};

PORT_VARIANTS(uart);

FIXTURE_SETUP(uart)
{
	OPEN_DEVICE("mtty-2");
	/* Other word lengths are in uart_line_test.c */
	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8));
	ASSERT_EQ(0, vmig_uart_out(self->dev, 1, UART_LCR, UART_LCR_WLEN8));
}

FIXTURE_TEARDOWN(uart)
{
	CLOSE_DEVICE();
}

static int send(struct vmig_device *dev, unsigned int port, uint8_t first,
		unsigned int count)
{
	int ret = 0;

	while (count-- && !ret)
		ret = vmig_uart_out(dev, port, UART_TX, first++);

	return ret;
}

#define SEND(_first, _count) \
	ASSERT_RET(0, send(self->dev, variant->port, _first, _count), "send")

static void expect_reset_values(struct __test_metadata *_metadata,
				FIXTURE_DATA(uart) *self,
				const FIXTURE_VARIANT(uart) *variant)
{
	static const uint8_t want[8] = {
		[UART_IIR] = UART_IIR_NO_INT, [UART_LSR] = IDLE,
	};
	unsigned int reg;

	for (reg = 0; reg < sizeof(want); reg++)
		EXPECT_EQ(want[reg], IN(reg)) TH_LOG("register %u", reg);
}

/* 16550: 8.0, table 1: registers after reset: THRE, TEMT and no interrupt, else 0 */
TEST_F(uart, reset_values)
{
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	expect_reset_values(_metadata, self, variant);
}

/* 16550: what autoconfig() of the 8250 driver checks to find a 16550A */
TEST_F(uart, detected_as_16550a)
{
	/* IER holds four bits: there is a port, and it is not an XScale */
	OUT(UART_IER, 0);
	EXPECT_IN(0, UART_IER);
	OUT(UART_IER, 0xff);
	EXPECT_IN(IER_BITS, UART_IER);
	OUT(UART_IER, 0);

	/* The loopback test */
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	EXPECT_IN(UART_MSR_DCD | UART_MSR_CTS | UART_MSR_DDCD | UART_MSR_DCTS, UART_MSR);
	OUT(UART_MCR, 0);

	/* A scratch register: not an 8250; FIFO bits in IIR: a 16550A */
	OUT(UART_SCR, 0xa5);
	EXPECT_IN(0xa5, UART_SCR);
	OUT(UART_LCR, 0);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);

	/* No 64 byte FIFO of a 16750, with DLAB or without */
	OUT(UART_LCR, UART_LCR_DLAB);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);
	OUT(UART_LCR, 0);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);

	/* No enhanced features of a 16650: EFR must not read as 0 */
	OUT(UART_LCR, UART_LCR_CONF_MODE_B);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_EFR);
}

/* 16550: 8.5: the FIFO holds 16 bytes, and returns them in order */
TEST_F(uart, fifo_holds_sixteen)
{
	unsigned int i;

	OUT(UART_FCR, FIFO_ON);
	SEND(0x30, FIFO_SIZE);
	for (i = 0; i < FIFO_SIZE; i++) {
		EXPECT_IN(READY, UART_LSR);
		EXPECT_IN(0x30 + i, UART_RX);
	}
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(0, UART_RX);
}

/* 16550: 8.4, OE, FIFO on: the 17th byte is lost, the FIFO is not changed */
TEST_F(uart, fifo_overrun_loses_the_new_byte)
{
	unsigned int i;

	OUT(UART_FCR, FIFO_ON);
	SEND(0x30, FIFO_SIZE + 1);
	EXPECT_IN(READY | UART_LSR_OE, UART_LSR);
	for (i = 0; i < FIFO_SIZE; i++)
		EXPECT_IN(0x30 + i, UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.5: the FIFO holds 16 bytes wherever its first one is stored */
TEST_F(uart, fifo_is_a_ring)
{
	unsigned int round, i;

	OUT(UART_FCR, FIFO_ON);
	for (round = 0; round < 5; round++) {
		SEND(round * 16, 7);
		for (i = 0; i < 7; i++)
			EXPECT_IN(round * 16 + i, UART_RX);
		SEND(0x80 + round, FIFO_SIZE);
		EXPECT_IN(READY, UART_LSR);
		for (i = 0; i < FIFO_SIZE; i++)
			EXPECT_IN(0x80 + round + i, UART_RX);
	}
}

/* 16550: 8.4, OE, FIFO off: the second byte replaces the first */
TEST_F(uart, without_fifo_a_new_byte_overwrites)
{
	SEND('a', 1);
	EXPECT_IN(READY, UART_LSR);
	SEND('b', 1);
	EXPECT_IN(READY | UART_LSR_OE, UART_LSR);
	EXPECT_IN('b', UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.4, OE: cleared by a read of LSR, and by nothing else */
TEST_F(uart, overrun_is_cleared_by_reading_lsr)
{
	SEND('a', 2);
	EXPECT_IN('b', UART_RX);
	EXPECT_IN(UART_IIR_NO_INT, UART_IIR);
	EXPECT_IN(IDLE | UART_LSR_OE, UART_LSR);
	EXPECT_IN(IDLE, UART_LSR);
}

/* 16550: 8.5, bit 1: empties the receive FIFO, and clears itself */
TEST_F(uart, clear_rcvr_empties_the_fifo)
{
	OUT(UART_FCR, FIFO_ON);
	SEND('a', 3);
	OUT(UART_FCR, FIFO_ON);
	EXPECT_IN(IDLE, UART_LSR);
	SEND('x', 2);
	EXPECT_IN('x', UART_RX);
	EXPECT_IN('y', UART_RX);
}

/* 16550: 8.5, bit 2: does not affect the receive FIFO */
TEST_F(uart, clear_xmit_keeps_the_receiver)
{
	OUT(UART_FCR, FIFO_ON);
	SEND('a', 2);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_XMIT);
	EXPECT_IN('a', UART_RX);
	EXPECT_IN('b', UART_RX);
}

/* 16550: 8.5, bit 0: each change empties the receiver */
TEST_F(uart, switching_the_fifo_empties_it)
{
	SEND('a', 1);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO);
	EXPECT_IN(IDLE, UART_LSR);
	SEND('b', 3);
	OUT(UART_FCR, 0);
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(UART_IIR_NO_INT, UART_IIR);
}

/* 16550: 8.5, bit 0: if it is 0, the other bits are ignored */
TEST_F(uart, fcr_without_enable_is_fifo_off)
{
	OUT(UART_FCR, UART_FCR_TRIGGER_MASK | UART_FCR_DMA_SELECT);
	EXPECT_IN(UART_IIR_NO_INT, UART_IIR);
	SEND('a', 1);
	OUT(UART_FCR, UART_FCR_CLEAR_RCVR);
	EXPECT_IN('a', UART_RX);
}

/* 16550: 8.3: the divisor latch reads as written, byte by byte */
TEST_F(uart, divisor_latch_reads_back)
{
	static const uint16_t divisors[] = {
		0, 1, 2, 12, 0x00ff, 0x0100, 0x0180, 0xff00, 0xfffe, 0xffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(divisors); i++) {
		OUT(UART_LCR, UART_LCR_DLAB);
		OUT(UART_DLL, divisors[i] & 0xff);
		OUT(UART_DLM, divisors[i] >> 8);
		OUT(UART_LCR, 0);
		OUT(UART_LCR, UART_LCR_DLAB);
		EXPECT_IN(divisors[i] & 0xff, UART_DLL);
		EXPECT_IN(divisors[i] >> 8, UART_DLM);
	}

	/* One half at a time */
	OUT(UART_DLL, 0x12);
	EXPECT_IN(0xff, UART_DLM);
	OUT(UART_DLM, 0x34);
	EXPECT_IN(0x12, UART_DLL);
	EXPECT_IN(0x34, UART_DLM);
	OUT(UART_DLL, 0x01);
	EXPECT_IN(0x01, UART_DLL);
	EXPECT_IN(0x34, UART_DLM);
}

/* 16550: 8.1, bit 7: registers 0 and 1 are only the divisor latch */
TEST_F(uart, divisor_latch_hides_receiver_and_ier)
{
	OUT(UART_IER, UART_IER_RDI);
	SEND('a', 1);
	OUT(UART_LCR, UART_LCR_DLAB);
	OUT(UART_DLL, 0x55);
	OUT(UART_DLM, 0xaa);
	EXPECT_IN(0x55, UART_DLL);
	/* Nothing was transmitted, and nothing taken from the receiver */
	EXPECT_IN(READY, UART_LSR);
	OUT(UART_LCR, 0);
	EXPECT_IN('a', UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(UART_IER_RDI, UART_IER);
}

/* 16550: 8.1, 8.3: DLAB affects registers 0 and 1 only */
TEST_F(uart, divisor_latch_hides_nothing_else)
{
	OUT(UART_LCR, UART_LCR_WLEN8 | UART_LCR_DLAB);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);
	OUT(UART_MCR, UART_MCR_RTS);
	EXPECT_IN(UART_MCR_RTS, UART_MCR);
	EXPECT_IN(UART_MSR_CTS | UART_MSR_DCTS, UART_MSR);
	OUT(UART_SCR, 0x3c);
	EXPECT_IN(0x3c, UART_SCR);
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(UART_LCR_WLEN8 | UART_LCR_DLAB, UART_LCR);
}

/* Driver: divisor 0: bytes are sent and received as before */
TEST_F(uart, divisor_0_still_transmits)
{
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port, 0), "divisor");
	SEND('a', 1);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN('a', UART_RX);
}

/* 16550: 8.5, bit 3: without RXRDY and TXRDY pins the DMA mode has no effect */
TEST_F(uart, dma_mode_changes_nothing)
{
	OUT(UART_FCR, FIFO_ON);
	SEND('a', 2);
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT);
	EXPECT_IN(0xc0 | UART_IIR_NO_INT, UART_IIR);
	SEND('c', 1);
	EXPECT_IN('a', UART_RX);
	EXPECT_IN('b', UART_RX);
	EXPECT_IN('c', UART_RX);
	EXPECT_IN(IDLE, UART_LSR);
}

/* Driver: loopback plug: both ends have the same LCR, so no parity or framing error */
TEST_F(uart, no_parity_or_framing_errors)
{
	unsigned int lcr;

	OUT(UART_FCR, FIFO_ON);
	for (lcr = UART_LCR_WLEN8; lcr < UART_LCR_SBC; lcr += 4) {
		OUT(UART_LCR, lcr);
		SEND(0x55 + lcr, 1);
		EXPECT_IN(READY, UART_LSR);
		EXPECT_IN(0x55 + lcr, UART_RX);
	}
}

/* 16550: 8.1, 8.10: LCR and SCR store all eight bits */
TEST_F(uart, lcr_and_scr_hold_eight_bits)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		OUT(UART_SCR, i);
		OUT(UART_LCR, 255 - i);
		EXPECT_IN(i, UART_SCR);
		EXPECT_IN(255 - i, UART_LCR);
	}
}

/* 16550: 8.8: MCR stores five bits, the others read as 0 */
TEST_F(uart, mcr_holds_five_bits)
{
	OUT(UART_MCR, 0xff);
	EXPECT_IN(0x1f, UART_MCR);
	OUT(UART_MCR, 0xe0);
	EXPECT_IN(0, UART_MCR);
}

/* Driver: LSR, MSR: writes have no effect */
TEST_F(uart, status_registers_are_read_only)
{
	OUT(UART_LSR, 0xff);
	OUT(UART_MSR, 0xff);
	EXPECT_IN(IDLE, UART_LSR);
	EXPECT_IN(0, UART_MSR);
}

/* Driver: loopback plug: RTS is wired to CTS, DTR to DSR and DCD */
TEST_F(uart, msr_follows_the_plug)
{
	OUT(UART_MCR, UART_MCR_RTS);
	EXPECT_IN(UART_MSR_CTS | UART_MSR_DCTS, UART_MSR);
	EXPECT_IN(UART_MSR_CTS, UART_MSR);
	OUT(UART_MCR, UART_MCR_DTR);
	EXPECT_IN(UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DCTS | UART_MSR_DDSR |
		  UART_MSR_DDCD, UART_MSR);
	OUT(UART_MCR, UART_MCR_DTR | UART_MCR_OUT1 | UART_MCR_OUT2);
	EXPECT_IN(UART_MSR_DSR | UART_MSR_DCD, UART_MSR);
}

/* 16550: 8.8, bit 4: CTS=RTS, DSR=DTR, RI=OUT1, DCD=OUT2 */
TEST_F(uart, msr_follows_mcr_in_loopback)
{
	static const struct {
		uint8_t mcr;
		uint8_t msr;
	} wires[] = {
		{ UART_MCR_RTS, UART_MSR_CTS },
		{ UART_MCR_DTR, UART_MSR_DSR },
		{ UART_MCR_OUT1, UART_MSR_RI },
		{ UART_MCR_OUT2, UART_MSR_DCD },
	};
	unsigned int i;
	uint8_t msr;

	for (i = 0; i < ARRAY_SIZE(wires); i++) {
		OUT(UART_MCR, UART_MCR_LOOP | wires[i].mcr);
		ASSERT_RET(0, vmig_uart_in(self->dev, variant->port, UART_MSR, &msr), "MSR");
		EXPECT_EQ(wires[i].msr, msr & 0xf0) TH_LOG("wire %u", i);
	}
}

/* 16550: 8.9: delta bits: set by any change, TERI by the end of RI; cleared by a read */
TEST_F(uart, msr_delta_bits)
{
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	EXPECT_IN(UART_MSR_RI, UART_MSR);
	OUT(UART_MCR, UART_MCR_LOOP);
	EXPECT_IN(UART_MSR_TERI, UART_MSR);
	EXPECT_IN(0, UART_MSR);

	/* Changed twice: the level is the old one, the delta is set */
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_DTR | UART_MCR_OUT2);
	OUT(UART_MCR, UART_MCR_LOOP);
	EXPECT_IN(UART_MSR_DDSR | UART_MSR_DDCD, UART_MSR);
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	EXPECT_IN(UART_MSR_CTS | UART_MSR_DCTS, UART_MSR);
}

/* 16550: 8.8: entering and leaving loopback mode sets the delta bits of changed inputs */
TEST_F(uart, loopback_switches_the_inputs)
{
	OUT(UART_MCR, UART_MCR_DTR | UART_MCR_OUT1 | UART_MCR_OUT2);
	EXPECT_IN(UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDSR | UART_MSR_DDCD, UART_MSR);
	OUT(UART_MCR, UART_MCR_LOOP | UART_MCR_DTR | UART_MCR_OUT1);
	EXPECT_IN(UART_MSR_DSR | UART_MSR_RI | UART_MSR_DDCD, UART_MSR);
	OUT(UART_MCR, UART_MCR_DTR | UART_MCR_OUT1);
	EXPECT_IN(UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDCD | UART_MSR_TERI, UART_MSR);
}

/* Driver: a write of n bytes is n writes, at successive registers */
TEST_F(uart, wide_write_is_a_sequence)
{
	/* TX, IER, FCR, LCR, MCR, LSR, MSR, SCR */
	const uint8_t all[8] = {
		'a', UART_IER_MSI, UART_FCR_ENABLE_FIFO, UART_LCR_WLEN8,
		UART_MCR_RTS, 0xff, 0xff, 0x5a,
	};

	ASSERT_RET(0, vmig_region_write(self->dev, BAR, 0, all, sizeof(all)), "8 bytes");
	EXPECT_IN(UART_IER_MSI, UART_IER);
	EXPECT_IN(0xc0 | UART_IIR_MSI, UART_IIR);
	EXPECT_IN(UART_LCR_WLEN8, UART_LCR);
	EXPECT_IN(UART_MCR_RTS, UART_MCR);
	EXPECT_IN(0x5a, UART_SCR);
	/* The byte was received first, then FCR switched the FIFO on and emptied it */
	EXPECT_IN(IDLE, UART_LSR);
}

/* Driver: a read of n bytes is n reads, each with its side effect, once */
TEST_F(uart, wide_read_is_a_sequence)
{
	const uint8_t want[8] = {
		'a', 0, 0xc0 | UART_IIR_NO_INT, UART_LCR_WLEN8, UART_MCR_RTS,
		READY | UART_LSR_OE, UART_MSR_CTS | UART_MSR_DCTS, 0x77,
	};
	uint8_t seen[8] = { 0 };

	OUT(UART_FCR, FIFO_ON);
	SEND('a', FIFO_SIZE + 1);
	OUT(UART_MCR, UART_MCR_RTS);
	OUT(UART_SCR, 0x77);
	ASSERT_RET(0, vmig_region_read(self->dev, BAR,
				       0, seen, sizeof(seen)), "8 bytes");
	EXPECT_EQ(0, memcmp(want, seen, sizeof(want)));
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN(UART_MSR_CTS, UART_MSR);
	EXPECT_IN('b', UART_RX);
}

/* Driver: a read of any width at any offset returns the registers one by one */
TEST_F(uart, any_width_any_offset)
{
	const uint8_t want[8] = {
		0, UART_IER_RDI, UART_IIR_NO_INT, 0x1b, 0, IDLE, 0, 0x99,
	};
	uint8_t seen[8];
	size_t at, len;

	OUT(UART_IER, UART_IER_RDI);
	OUT(UART_LCR, 0x1b);
	OUT(UART_SCR, 0x99);
	for (at = 0; at < sizeof(want); at++) {
		for (len = 1; at + len <= sizeof(want); len++) {
			memset(seen, 0xee, sizeof(seen));
			ASSERT_RET(0, vmig_region_read(self->dev, BAR, at,
						       seen, len),
				   "%zu bytes at %zu", len, at);
			EXPECT_EQ(0, memcmp(want + at, seen, len))
				TH_LOG("%zu bytes at %zu", len, at);
		}
	}
}

/* Driver: the ports of an mtty-2 share nothing */
TEST_F(uart, ports_are_independent)
{
	uint8_t val;

	OUT(UART_FCR, FIFO_ON);
	OUT(UART_SCR, 0x11);
	SEND('a', 3);
	ASSERT_RET(0, vmig_uart_in(self->dev, !variant->port, UART_LSR, &val), "LSR");
	EXPECT_EQ(IDLE, val);
	ASSERT_RET(0, vmig_uart_in(self->dev, !variant->port, UART_IIR, &val), "IIR");
	EXPECT_EQ(UART_IIR_NO_INT, val);
	ASSERT_RET(0, vmig_uart_out(self->dev, !variant->port, UART_SCR, 0x22), "SCR");
	ASSERT_RET(0, send(self->dev, !variant->port, 'z', 1), "send");
	EXPECT_IN(0x11, UART_SCR);
	EXPECT_IN('a', UART_RX);
	ASSERT_RET(0, vmig_uart_in(self->dev, !variant->port, UART_RX, &val), "RX");
	EXPECT_EQ('z', val);
	EXPECT_IN('b', UART_RX);
}

/* PCI: 3.0, 6.2.2, bit 0: without I/O decode, reads return ones, writes are lost */
TEST_F(uart, without_io_decode_reads_are_ones)
{
	uint16_t command;
	unsigned int reg;

	OUT(UART_SCR, 0x42);
	SEND('a', 1);
	ASSERT_RET(0, vmig_config_read16(self->dev, PCI_COMMAND, &command), "command");
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  command & ~PCI_COMMAND_IO), "off");
	for (reg = 0; reg < 8; reg++)
		EXPECT_IN(0xff, reg);
	OUT(UART_SCR, 0);
	SEND('b', 1);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, command), "on");
	EXPECT_IN(0x42, UART_SCR);
	EXPECT_IN(READY, UART_LSR);
	EXPECT_IN('a', UART_RX);
}

/* Clause: VFIO_DEVICE_RESET: all registers are as after power-on */
TEST_F(uart, reset_restores_all_registers)
{
	OUT(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14);
	OUT(UART_SCR, 0xff);
	OUT(UART_MCR, 0x1f);
	SEND('a', FIFO_SIZE + 1);
	OUT(UART_IER, 0x0f);
	OUT(UART_LCR, 0xff);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_reset_values(_metadata, self, variant);
	OUT(UART_LCR, UART_LCR_DLAB);
	EXPECT_IN(1, UART_DLL);
	EXPECT_IN(0, UART_DLM);
}

TEST_HARNESS_MAIN
