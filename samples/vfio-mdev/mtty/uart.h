/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_UART_H
#define MTTY_UART_H

#include <linux/serial_reg.h>
#include <linux/types.h>

#include "mtty_format.h"

#define MTTY_UART_NR_REGS	8

/**
 * struct mtty_uart - a 16550A
 * @ier:	interrupt enable, four bits
 * @fcr:	FIFO enable, DMA mode and trigger level
 * @lcr:	line control
 * @mcr:	modem control, five bits
 * @msr_delta:	modem inputs that changed since MSR was read
 * @scr:	scratch
 * @divisor:	divisor latch
 * @lsr:	errors since LSR was read that belong to no byte in the FIFO: overrun,
 *		and with the FIFO off all of UART_LSR_BRK_ERROR_BITS
 * @thri:	the THR empty interrupt is not acknowledged
 * @timeout:	the character timeout has occurred
 * @head:	index of the oldest received byte in @fifo
 * @len:	received bytes; at most one with the FIFO off
 * @fifo:	ring of received bytes
 * @errors:	UART_LSR_* of each byte in @fifo, with the FIFO on
 * @quiet:	time since a byte was received or the FIFO was read, in ns divided by
 *		@divisor; 0 unless mtty_uart_counts()
 * @quiet_rest:	remainder of that division, in ns
 *
 * The caller serialises all calls.
 */
struct mtty_uart {
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 msr_delta;
	u8 scr;
	u16 divisor;
	u8 lsr;
	bool thri;
	bool timeout;
	u8 head;
	u8 len;
	u8 fifo[MTTY_UART_FIFO_SIZE];
	u8 errors[MTTY_UART_FIFO_SIZE];
	u32 quiet;
	u16 quiet_rest;
};

void mtty_uart_reset(struct mtty_uart *uart);
u8 mtty_uart_read(struct mtty_uart *uart, unsigned int reg);
void mtty_uart_write(struct mtty_uart *uart, unsigned int reg, u8 val);
u8 mtty_uart_pending(const struct mtty_uart *uart);
void mtty_uart_pass(struct mtty_uart *uart, u64 ns);
u64 mtty_uart_timeout_ns(const struct mtty_uart *uart);
void mtty_uart_save(const struct mtty_uart *uart, u8 port,
		    struct mtty_rec_uart *rec);
int mtty_uart_load(struct mtty_uart *uart, const struct mtty_rec_uart *rec);

/**
 * mtty_uart_transmits - does a write to this register send a byte on the line?
 * @uart:	the port
 * @reg:	UART_TX to UART_SCR
 *
 * The line is idle in loopback mode, and a break replaces what is sent.
 */
static inline bool mtty_uart_transmits(const struct mtty_uart *uart,
				       unsigned int reg)
{
	return reg == UART_TX && !(uart->mcr & UART_MCR_LOOP) &&
	       !(uart->lcr & (UART_LCR_DLAB | UART_LCR_SBC));
}

/**
 * mtty_uart_word - cut a byte to the word length in LCR
 * @uart:	the port
 * @val:	as written to UART_TX
 *
 * Return: the low 5 to 8 bits; the others are zero.
 */
static inline u8 mtty_uart_word(const struct mtty_uart *uart, u8 val)
{
	return val & (0xff >> (3 - (uart->lcr & UART_LCR_WLEN8)));
}

/**
 * mtty_uart_asserts - is an interrupt pending?
 * @uart:	the port
 */
static inline bool mtty_uart_asserts(const struct mtty_uart *uart)
{
	return uart->ier && mtty_uart_pending(uart) != UART_IIR_NO_INT;
}

/**
 * mtty_uart_counts - does the port count towards the character timeout?
 * @uart:	the port
 *
 * It does so even if IER disables the interrupt, as the chip does.
 */
static inline bool mtty_uart_counts(const struct mtty_uart *uart)
{
	return uart->len && (uart->fcr & UART_FCR_ENABLE_FIFO) &&
	       !uart->timeout;
}

#endif /* MTTY_UART_H */
