/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second 16550A, to compare with the driver's.
 *
 * It shares no code, constant or data layout with uart.c: registers and bits are those of the
 * data sheet, received bytes are a queue and not a ring, and the offsets of a saved port are
 * defined here again.  Write a change of uart.c here, too, from the data sheet.
 */
#ifndef MTTY_FUZZ_UART_MODEL_H
#define MTTY_FUZZ_UART_MODEL_H

#include <linux/types.h>

#define UART_MODEL_DEPTH	16
#define UART_MODEL_REC_SIZE	56

/**
 * struct uart_model_char - a received character
 * @data:	as RBR has it
 * @parity:	parity error
 * @framing:	framing error
 * @brk:	it is a break
 */
struct uart_model_char {
	u8 data;
	bool parity;
	bool framing;
	bool brk;
};

/**
 * struct uart_model - the chip, with its lines looped back
 * @enabled:	interrupt enable register
 * @line:	line control register
 * @modem:	modem control register
 * @scratch:	scratch register
 * @latch:	divisor latch, low byte first
 * @fifo_on:	FIFO mode
 * @dma:	DMA mode select
 * @level:	trigger level of the receiver, index into 1, 4, 8, 14
 * @queue:	received characters, oldest first
 * @waiting:	length of @queue
 * @lost:	overrun error
 * @sticky:	other errors of characters that are not in the FIFO; @data is unused
 * @idle_due:	the transmitter interrupt is due
 * @late:	the character timeout is due
 * @silence:	time of the FIFO timer, in ns with a divisor of 1
 * @begun:	part of the next such unit, in ns
 * @moved:	modem lines that changed: CTS, DSR, end of RI, DCD
 */
struct uart_model {
	u8 enabled;
	u8 line;
	u8 modem;
	u8 scratch;
	u8 latch[2];
	bool fifo_on;
	bool dma;
	u8 level;
	struct uart_model_char queue[UART_MODEL_DEPTH];
	unsigned int waiting;
	bool lost;
	struct uart_model_char sticky;
	bool idle_due;
	bool late;
	u64 silence;
	u64 begun;
	bool moved[4];
};

void uart_model_reset(struct uart_model *m);
u8 uart_model_read(struct uart_model *m, unsigned int reg);
void uart_model_write(struct uart_model *m, unsigned int reg, u8 val);
bool uart_model_sends(const struct uart_model *m, unsigned int reg);
u8 uart_model_interrupt(const struct uart_model *m);
u8 uart_model_wire(const struct uart_model *m, u8 val);
u64 uart_model_left_ns(const struct uart_model *m);
u64 uart_model_timeout_ns(const struct uart_model *m);
void uart_model_pass(struct uart_model *m, u64 ns);
void uart_model_save(const struct uart_model *m, u8 port, u8 *rec);
bool uart_model_load(struct uart_model *m, const u8 *rec);

#endif /* MTTY_FUZZ_UART_MODEL_H */
