// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 16550A: registers, FIFO, and the pending interrupt.
 *
 * Pure logic: no VFIO, no locks, no allocation and no clock, so it can be built and
 * fuzzed outside the kernel.  The pending interrupt is computed from the registers,
 * so a migration has to restore only these.
 *
 * A port receives what it transmits, at once: the transmitter is empty at each
 * access.  The same holds for a break, which is the only cause of line errors,
 * because sender and receiver share LCR.
 *
 * Only the character timeout takes time.  The caller passes in the elapsed time.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/serial_reg.h>
#include <linux/string.h>

#include "uart.h"

#define UART_IER_BITS	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | \
			 UART_IER_MSI)
#define UART_MCR_BITS	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
/* The other bits of FCR are commands */
#define UART_FCR_BITS	(UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT | \
			 UART_FCR_TRIGGER_MASK)
#define UART_IIR_FIFO	0xc0
#define UART_REC_FLAGS	(MTTY_REC_UART_THRI | MTTY_REC_UART_TIMEOUT)

#define UART_CLOCK_HZ	1843200

static bool mtty_uart_has_fifo(const struct mtty_uart *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO;
}

static bool mtty_uart_is_dlab(const struct mtty_uart *uart)
{
	return uart->lcr & UART_LCR_DLAB;
}

static u8 mtty_uart_trigger_level(const struct mtty_uart *uart)
{
	static const u8 levels[] = { 1, 4, 8, 14 };

	if (!mtty_uart_has_fifo(uart))
		return 1;

	return levels[UART_FCR_R_TRIG_BITS(uart->fcr)];
}

/* All bits are 0: no stop bit, and wrong parity if it is odd */
static u8 mtty_uart_break_errors(u8 lcr)
{
	u8 errors = UART_LSR_BI | UART_LSR_FE;

	if ((lcr & (UART_LCR_PARITY | UART_LCR_EPAR)) == UART_LCR_PARITY)
		errors |= UART_LSR_PE;

	return errors;
}

static bool mtty_uart_is_break(const struct mtty_uart *uart)
{
	return (uart->lcr & UART_LCR_SBC) && !(uart->mcr & UART_MCR_LOOP);
}

/* The character timeout in ns for divisor 1, rounded up */
static u32 mtty_uart_four_chars(u8 lcr)
{
	/* A start bit, 5 to 8 data bits, and a stop bit */
	unsigned int half_bits = 2 * (1 + 5 + (lcr & UART_LCR_WLEN8) + 1);

	if (lcr & UART_LCR_PARITY)
		half_bits += 2;
	/* Two stop bits, or one and a half if there are 5 data bits */
	if (lcr & UART_LCR_STOP)
		half_bits += lcr & UART_LCR_WLEN8 ? 2 : 1;

	return div_u64(4 * half_bits * 8 * 1000000000ULL + UART_CLOCK_HZ - 1,
		       UART_CLOCK_HZ);
}

static void mtty_uart_clear_quiet(struct mtty_uart *uart)
{
	uart->quiet = 0;
	uart->quiet_rest = 0;
}

static void mtty_uart_set_timeout(struct mtty_uart *uart)
{
	mtty_uart_clear_quiet(uart);
	uart->timeout = true;
}

/*
 * Outside loopback mode, the port behaves as if a loopback plug without a ring
 * indicator were on the connector.
 */
static u8 mtty_uart_modem_inputs(u8 mcr)
{
	u8 msr = 0;

	if (mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;

	if (!(mcr & UART_MCR_LOOP)) {
		if (mcr & UART_MCR_DTR)
			msr |= UART_MSR_DCD;
		return msr;
	}

	if (mcr & UART_MCR_OUT1)
		msr |= UART_MSR_RI;
	if (mcr & UART_MCR_OUT2)
		msr |= UART_MSR_DCD;

	return msr;
}

static void mtty_uart_clear_fifo(struct mtty_uart *uart)
{
	mtty_uart_clear_quiet(uart);
	uart->head = 0;
	uart->len = 0;
	uart->timeout = false;
	memset(uart->fifo, 0, sizeof(uart->fifo));
	memset(uart->errors, 0, sizeof(uart->errors));
}

static void mtty_uart_receive(struct mtty_uart *uart, u8 val, u8 errors)
{
	unsigned int at;

	mtty_uart_clear_quiet(uart);
	if (!mtty_uart_has_fifo(uart)) {
		/* A second byte replaces the first */
		uart->lsr |= errors | (uart->len ? UART_LSR_OE : 0);
		uart->fifo[0] = val;
		uart->head = 0;
		uart->len = 1;
		return;
	}

	/* The FIFO is full: drop the new byte */
	if (uart->len == MTTY_UART_FIFO_SIZE) {
		uart->lsr |= UART_LSR_OE;
		return;
	}

	at = (uart->head + uart->len++) % MTTY_UART_FIFO_SIZE;
	uart->fifo[at] = val;
	uart->errors[at] = errors;
}

/* A break replaces the byte on the line */
static void mtty_uart_transmit(struct mtty_uart *uart, u8 val)
{
	if (!mtty_uart_is_break(uart))
		mtty_uart_receive(uart, mtty_uart_word(uart, val), 0);
	uart->thri = true;
}

static u8 mtty_uart_read_rbr(struct mtty_uart *uart)
{
	u8 val;

	mtty_uart_clear_quiet(uart);
	uart->timeout = false;
	if (!uart->len)
		return 0;

	val = uart->fifo[uart->head];
	uart->errors[uart->head] = 0;
	uart->len--;
	if (mtty_uart_has_fifo(uart))
		uart->head = (uart->head + 1) % MTTY_UART_FIFO_SIZE;

	return val;
}

/*
 * LSR shows the errors of a byte in the FIFO when that is the next one to read.
 * Entries of @errors without a byte are 0.
 */
static u8 mtty_uart_line_errors(const struct mtty_uart *uart)
{
	return uart->lsr | uart->errors[uart->head];
}

static u8 mtty_uart_read_lsr(struct mtty_uart *uart)
{
	u8 lsr = UART_LSR_THRE | UART_LSR_TEMT | mtty_uart_line_errors(uart);

	if (uart->len)
		lsr |= UART_LSR_DR;
	if (memchr_inv(uart->errors, 0, sizeof(uart->errors)))
		lsr |= UART_LSR_FIFOE;

	uart->lsr = 0;
	uart->errors[uart->head] = 0;

	return lsr;
}

static u8 mtty_uart_read_iir(struct mtty_uart *uart)
{
	u8 iir = mtty_uart_pending(uart);

	/* Reading IIR acknowledges this interrupt */
	if (iir == UART_IIR_THRI)
		uart->thri = false;

	return mtty_uart_has_fifo(uart) ? iir | UART_IIR_FIFO : iir;
}

static u8 mtty_uart_read_msr(struct mtty_uart *uart)
{
	u8 msr = mtty_uart_modem_inputs(uart->mcr) | uart->msr_delta;

	uart->msr_delta = 0;

	return msr;
}

static void mtty_uart_write_ier(struct mtty_uart *uart, u8 val)
{
	/* The transmitter is empty, so enabling the interrupt raises it */
	if (val & ~uart->ier & UART_IER_THRI)
		uart->thri = true;

	uart->ier = val & UART_IER_BITS;
}

/* LCR and MCR control the break; its start is received as one byte */
static void mtty_uart_write_line(struct mtty_uart *uart, u8 lcr, u8 mcr)
{
	bool was_break = mtty_uart_is_break(uart);

	uart->lcr = lcr;
	uart->mcr = mcr;

	/* Characters may have become shorter */
	if (uart->quiet >= mtty_uart_four_chars(lcr))
		mtty_uart_set_timeout(uart);
	if (!was_break && mtty_uart_is_break(uart))
		mtty_uart_receive(uart, 0, mtty_uart_break_errors(lcr));
}

static void mtty_uart_write_divisor(struct mtty_uart *uart, u16 divisor)
{
	uart->divisor = divisor;
	/* The chip restarts the current bit clock */
	uart->quiet_rest = 0;
}

static void mtty_uart_write_mcr(struct mtty_uart *uart, u8 val)
{
	u8 old = mtty_uart_modem_inputs(uart->mcr);
	u8 new, changed;

	mtty_uart_write_line(uart, uart->lcr, val & UART_MCR_BITS);
	new = mtty_uart_modem_inputs(uart->mcr);
	changed = old ^ new;

	if (changed & UART_MSR_CTS)
		uart->msr_delta |= UART_MSR_DCTS;
	if (changed & UART_MSR_DSR)
		uart->msr_delta |= UART_MSR_DDSR;
	if (changed & UART_MSR_DCD)
		uart->msr_delta |= UART_MSR_DDCD;
	/* Only the trailing edge of the ring indicator counts */
	if (changed & old & UART_MSR_RI)
		uart->msr_delta |= UART_MSR_TERI;
}

static void mtty_uart_write_fcr(struct mtty_uart *uart, u8 val)
{
	/* Without the enable bit, the chip ignores the others */
	if (!(val & UART_FCR_ENABLE_FIFO))
		val = 0;

	if (((val ^ uart->fcr) & UART_FCR_ENABLE_FIFO) ||
	    (val & UART_FCR_CLEAR_RCVR))
		mtty_uart_clear_fifo(uart);

	uart->fcr = val & UART_FCR_BITS;
}

/**
 * mtty_uart_reset - put a port into the state after a hardware reset
 * @uart:	the port
 */
void mtty_uart_reset(struct mtty_uart *uart)
{
	memset(uart, 0, sizeof(*uart));
	/* Undefined on a real chip; with 0 there would be no timeout */
	uart->divisor = 1;
}

/**
 * mtty_uart_read - read a register, with its side effects
 * @uart:	the port
 * @reg:	UART_RX to UART_SCR
 *
 * Return: the value.
 */
u8 mtty_uart_read(struct mtty_uart *uart, unsigned int reg)
{
	switch (reg) {
	case UART_RX:
		return mtty_uart_is_dlab(uart) ? uart->divisor & 0xff :
		       mtty_uart_read_rbr(uart);
	case UART_IER:
		return mtty_uart_is_dlab(uart) ? uart->divisor >> 8 : uart->ier;
	case UART_IIR:
		return mtty_uart_read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return mtty_uart_read_lsr(uart);
	case UART_MSR:
		return mtty_uart_read_msr(uart);
	default:
		return uart->scr;
	}
}

/**
 * mtty_uart_write - write a register, with its side effects
 * @uart:	the port
 * @reg:	UART_TX to UART_SCR
 * @val:	the value
 */
void mtty_uart_write(struct mtty_uart *uart, unsigned int reg, u8 val)
{
	switch (reg) {
	case UART_TX:
		if (mtty_uart_is_dlab(uart))
			mtty_uart_write_divisor(uart, (uart->divisor & 0xff00) |
						val);
		else
			mtty_uart_transmit(uart, val);
		break;
	case UART_IER:
		if (mtty_uart_is_dlab(uart))
			mtty_uart_write_divisor(uart, (uart->divisor & 0xff) |
						val << 8);
		else
			mtty_uart_write_ier(uart, val);
		break;
	case UART_FCR:
		mtty_uart_write_fcr(uart, val);
		break;
	case UART_LCR:
		mtty_uart_write_line(uart, val, uart->mcr);
		break;
	case UART_MCR:
		mtty_uart_write_mcr(uart, val);
		break;
	case UART_SCR:
		uart->scr = val;
		break;
	default:
		/* LSR and MSR are read-only */
		break;
	}
}

/**
 * mtty_uart_pending - the interrupt that the port asserts
 * @uart:	the port
 *
 * Return: the UART_IIR_* code of the highest priority, or UART_IIR_NO_INT.
 */
u8 mtty_uart_pending(const struct mtty_uart *uart)
{
	if ((uart->ier & UART_IER_RLSI) && mtty_uart_line_errors(uart))
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) &&
	    uart->len >= mtty_uart_trigger_level(uart))
		return UART_IIR_RDI;
	if ((uart->ier & UART_IER_RDI) && uart->timeout)
		return UART_IIR_RX_TIMEOUT;
	if ((uart->ier & UART_IER_THRI) && uart->thri)
		return UART_IIR_THRI;
	if ((uart->ier & UART_IER_MSI) && uart->msr_delta)
		return UART_IIR_MSI;

	return UART_IIR_NO_INT;
}

/**
 * mtty_uart_pass - count elapsed time
 * @uart:	the port
 * @ns:		elapsed time in ns
 *
 * Has no effect unless mtty_uart_counts().
 */
void mtty_uart_pass(struct mtty_uart *uart, u64 ns)
{
	u64 left;
	u32 rest;

	if (!mtty_uart_counts(uart) || !uart->divisor)
		return;

	left = (u64)(mtty_uart_four_chars(uart->lcr) -
		     uart->quiet) * uart->divisor - uart->quiet_rest;
	if (ns >= left) {
		mtty_uart_set_timeout(uart);
		return;
	}

	uart->quiet += div_u64_rem(ns + uart->quiet_rest, uart->divisor, &rest);
	uart->quiet_rest = rest;
}

/**
 * mtty_uart_timeout_ns - time until the character timeout raises an interrupt
 * @uart:	the port
 *
 * Return: time in ns, or 0 if there will be none: the port does not count, the
 * interrupt is disabled, or the trigger level raises it already.
 */
u64 mtty_uart_timeout_ns(const struct mtty_uart *uart)
{
	if (!mtty_uart_counts(uart) || !(uart->ier & UART_IER_RDI) ||
	    uart->len >= mtty_uart_trigger_level(uart))
		return 0;

	return (u64)(mtty_uart_four_chars(uart->lcr) -
		     uart->quiet) * uart->divisor - uart->quiet_rest;
}

/**
 * mtty_uart_save - fill in the record of a port
 * @uart:	the port
 * @port:	its number
 * @rec:	filled in completely
 */
void mtty_uart_save(const struct mtty_uart *uart, u8 port,
		    struct mtty_rec_uart *rec)
{
	unsigned int i;

	*rec = (struct mtty_rec_uart) {
		.port = port,
		.ier = uart->ier,
		.fcr = uart->fcr,
		.lcr = uart->lcr,
		.mcr = uart->mcr,
		.msr_delta = uart->msr_delta,
		.scr = uart->scr,
		.dll = uart->divisor & 0xff,
		.dlm = uart->divisor >> 8,
		.fifo_len = uart->len,
		.lsr = uart->lsr,
		.quiet = cpu_to_le32(uart->quiet),
		.quiet_rest = cpu_to_le16(uart->quiet_rest),
	};

	if (uart->thri)
		rec->flags |= MTTY_REC_UART_THRI;
	if (uart->timeout)
		rec->flags |= MTTY_REC_UART_TIMEOUT;

	for (i = 0; i < uart->len; i++) {
		unsigned int at = (uart->head + i) % MTTY_UART_FIFO_SIZE;

		rec->fifo[i] = uart->fifo[at];
		rec->fifo_errors[i] = uart->errors[at];
	}
}

static bool mtty_uart_valid_bits(const struct mtty_rec_uart *rec)
{
	return !(rec->ier & ~UART_IER_BITS) && !(rec->fcr & ~UART_FCR_BITS) &&
	       !(rec->mcr & ~UART_MCR_BITS) &&
	       !(rec->msr_delta & ~UART_MSR_ANY_DELTA) &&
	       !(rec->lsr & ~UART_LSR_BRK_ERROR_BITS) &&
	       !(rec->flags & ~UART_REC_FLAGS) &&
	       !memchr_inv(rec->reserved, 0, sizeof(rec->reserved));
}

/* A break sets all its errors at once, and nothing else sets any */
static bool mtty_uart_valid_errors(u8 lsr)
{
	u8 errors = lsr & ~UART_LSR_OE;

	return !errors || errors == mtty_uart_break_errors(0) || errors
	       == mtty_uart_break_errors(UART_LCR_PARITY);
}

static bool mtty_uart_valid_fifo(const struct mtty_rec_uart *rec, bool enabled)
{
	unsigned int i;

	if (rec->fifo_len > (enabled ? MTTY_UART_FIFO_SIZE : 1))
		return false;

	for (i = 0; i < rec->fifo_len; i++) {
		u8 errors = rec->fifo_errors[i];

		if (errors && (!enabled || rec->fifo[i] ||
			       (errors & UART_LSR_OE) ||
			       !mtty_uart_valid_errors(errors)))
			return false;
	}

	return !memchr_inv(rec->fifo + i, 0, sizeof(rec->fifo) - i) &&
	       !memchr_inv(rec->fifo_errors + i, 0,
			   sizeof(rec->fifo_errors) - i);
}

static bool mtty_uart_valid_time(const struct mtty_rec_uart *rec, bool enabled)
{
	u32 quiet = le32_to_cpu(rec->quiet);
	u16 rest = le16_to_cpu(rec->quiet_rest);
	u16 divisor = rec->dll | rec->dlm << 8;
	bool timeout = rec->flags & MTTY_REC_UART_TIMEOUT;

	if (!enabled || !rec->fifo_len)
		return !timeout && !quiet && !rest;
	if (timeout)
		return !quiet && !rest;

	return quiet < mtty_uart_four_chars(rec->lcr) && (!rest ||
							  rest < divisor);
}

/**
 * mtty_uart_load - load a port from a record
 * @uart:	the port; unchanged on failure
 * @rec:	the record; its port number is not checked
 *
 * Return: 0, or -EINVAL if no 16550A can be in that state.
 */
int mtty_uart_load(struct mtty_uart *uart, const struct mtty_rec_uart *rec)
{
	bool fifo = rec->fcr & UART_FCR_ENABLE_FIFO;

	if (!mtty_uart_valid_bits(rec) || !mtty_uart_valid_errors(rec->lsr) ||
	    !mtty_uart_valid_fifo(rec, fifo) || !mtty_uart_valid_time(rec,
								      fifo))
		return -EINVAL;

	if (rec->fcr && !fifo)
		return -EINVAL;

	*uart = (struct mtty_uart) {
		.ier = rec->ier,
		.fcr = rec->fcr,
		.lcr = rec->lcr,
		.mcr = rec->mcr,
		.msr_delta = rec->msr_delta,
		.scr = rec->scr,
		.divisor = rec->dll | rec->dlm << 8,
		.lsr = rec->lsr,
		.thri = rec->flags & MTTY_REC_UART_THRI,
		.timeout = rec->flags & MTTY_REC_UART_TIMEOUT,
		.len = rec->fifo_len,
		.quiet = le32_to_cpu(rec->quiet),
		.quiet_rest = le16_to_cpu(rec->quiet_rest),
	};
	memcpy(uart->fifo, rec->fifo, rec->fifo_len);
	memcpy(uart->errors, rec->fifo_errors, rec->fifo_len);

	return 0;
}
