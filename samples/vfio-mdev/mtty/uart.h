/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_UART_H
#define MTTY_UART_H

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
 * @overrun:	a byte was lost since LSR was read
 * @thri:	the transmitter ran empty, and nobody has been told yet
 * @timeout:	received bytes below the trigger level waited too long
 * @head:	index of the oldest received byte in @fifo
 * @len:	received bytes; at most one unless the FIFO is enabled
 * @fifo:	ring of received bytes
 *
 * Has no lock; whoever embeds it serialises all calls.
 */
struct mtty_uart {
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 msr_delta;
	u8 scr;
	u16 divisor;
	bool overrun;
	bool thri;
	bool timeout;
	u8 head;
	u8 len;
	u8 fifo[MTTY_UART_FIFO_SIZE];
};

void mtty_uart_reset(struct mtty_uart *uart);
u8 mtty_uart_read(struct mtty_uart *uart, unsigned int reg);
bool mtty_uart_transmits(const struct mtty_uart *uart, unsigned int reg);
void mtty_uart_write(struct mtty_uart *uart, unsigned int reg, u8 val);
u8 mtty_uart_pending(const struct mtty_uart *uart);
u64 mtty_uart_timeout_ns(const struct mtty_uart *uart);
void mtty_uart_expire(struct mtty_uart *uart);
void mtty_uart_save(const struct mtty_uart *uart, u8 port,
		    struct mtty_rec_uart *rec);
int mtty_uart_load(struct mtty_uart *uart, const struct mtty_rec_uart *rec);

#endif /* MTTY_UART_H */
