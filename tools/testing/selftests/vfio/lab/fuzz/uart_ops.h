/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input of uart_fuzz: a sequence of operations, each a byte and its arguments.  The low
 * three bits are a register or a number, the next three the operation; the others are unused.
 */
#ifndef MTTY_FUZZ_UART_OPS_H
#define MTTY_FUZZ_UART_OPS_H

enum uart_op {
	UART_OP_WRITE,		/* a value follows */
	UART_OP_READ,
	UART_OP_SEND,		/* a value follows, sent 1, 3, 5 ... times */
	UART_OP_RECEIVE,	/* 1, 3, 5 ... times */
	UART_OP_PASS,		/* time passes; a value follows, see UART_OP_NS() */
	UART_OP_MIGRATE,	/* continue with the saved and loaded port */
	UART_OP_LOAD,		/* a record follows */
	UART_OP_RESET,
	UART_OP_NR
};

#define UART_OP(_op, _reg)	((_op) << 3 | (_reg))
#define UART_OP_OF(_byte)	(((_byte) >> 3) % UART_OP_NR)
#define UART_OP_REG(_byte)	((_byte) & 7)
#define UART_OP_TIMES(_byte)	(1 + 2 * ((_byte) & 7))

/* From 1 ns to more than a minute */
#define UART_OP_NS(_byte, _val)	((1ULL + (_val)) << 5 * ((_byte) & 7))
/* The highest number: until the timeout, or a little less */
#define UART_OP_ALL		7

#endif /* MTTY_FUZZ_UART_OPS_H */
