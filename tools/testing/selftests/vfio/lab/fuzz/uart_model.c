// SPDX-License-Identifier: GPL-2.0-only
/* A 16550A, see uart_model.h.  Bits are in the numbers of the data sheet. */
#include <string.h>

#include "uart_model.h"

/* Registers; with DLAB, 0 and 1 are the divisor latch */
enum {
	R_DATA, R_ENABLE, R_IDENT_OR_FIFO, R_LINE, R_MODEM, R_LINE_STATUS,
	R_MODEM_STATUS, R_SCRATCH
};

/* Interrupt identification, bits 0 to 3, highest priority first */
enum {
	ID_LINE = 0x6, ID_DATA = 0x4, ID_LATE = 0xc, ID_IDLE = 0x2,
	ID_MODEM = 0x0, ID_NONE = 0x1
};

/* Offsets into the record of a saved port */
enum {
	O_PORT, O_ENABLE, O_FIFO, O_LINE, O_MODEM, O_MOVED, O_SCRATCH, O_LATCH,
	O_FLAGS = 9, O_WAITING, O_ERRORS, O_SILENCE, O_BEGUN = 16, O_ZERO = 18,
	O_QUEUE = 24, O_QUEUE_ERRORS = 40
};

/* Line status, bits 1 to 4 */
enum {
	E_LOST = 0x02, E_PARITY = 0x04, E_FRAMING = 0x08, E_BREAK = 0x10
};

static bool latch_open(const struct uart_model *m)
{
	return m->line >= 0x80;
}

static unsigned int level(const struct uart_model *m)
{
	unsigned int of_level[] = { 1, 4, 8, 14 };

	return m->fifo_on ? of_level[m->level] : 1;
}

void uart_model_reset(struct uart_model *m)
{
	memset(m, 0, sizeof(*m));
	/* The data sheet does not define it */
	m->latch[0] = 1;
}

/* CTS, DSR, RI, DCD: driven by the control bits, in loopback mode or by the wiring */
static void lines(u8 modem, bool *is)
{
	bool dtr = modem & 0x01, rts = modem & 0x02;
	bool out1 = modem & 0x04, out2 = modem & 0x08;
	bool loop = modem & 0x10;

	is[0] = rts;
	is[1] = dtr;
	is[2] = loop ? out1 : false;
	is[3] = loop ? out2 : dtr;
}

static void set_modem(struct uart_model *m, u8 val)
{
	bool before[4], after[4];
	unsigned int i;

	lines(m->modem, before);
	m->modem = val % 0x20;
	lines(m->modem, after);

	for (i = 0; i < 4; i++) {
		/* Only the trailing edge of the ring indicator counts */
		if (i == 2 && after[i])
			continue;
		if (before[i] != after[i])
			m->moved[i] = true;
	}
}

/* The timer of the FIFO is reset */
static void restart(struct uart_model *m)
{
	m->silence = 0;
	m->begun = 0;
}

static void drop_all(struct uart_model *m)
{
	m->waiting = 0;
	m->late = false;
	restart(m);
}

static void set_fifo(struct uart_model *m, u8 val)
{
	bool on = val & 0x01;

	/* Each change of mode empties the FIFO, and bit 1 in FIFO mode */
	if (on != m->fifo_on || (on && (val & 0x02)))
		drop_all(m);

	/* The other bits are written only if bit 0 is 1 */
	m->fifo_on = on;
	m->dma = on && (val & 0x08);
	m->level = on ? val >> 6 : 0;
}

/* The receiver has a character */
static void arrive(struct uart_model *m, struct uart_model_char c)
{
	restart(m);
	if (m->fifo_on) {
		if (m->waiting == UART_MODEL_DEPTH)
			m->lost = true;
		else
			m->queue[m->waiting++] = c;
		return;
	}

	/* The holding register is overwritten; its errors stay in LSR */
	m->lost = m->lost || m->waiting;
	m->sticky.parity |= c.parity;
	m->sticky.framing |= c.framing;
	m->sticky.brk |= c.brk;
	m->queue[0] = (struct uart_model_char){ .data = c.data };
	m->waiting = 1;
}

/* The low bits of a byte, as many as a word has */
u8 uart_model_wire(const struct uart_model *m, u8 val)
{
	u8 of_length[] = { 0x1f, 0x3f, 0x7f, 0xff };

	return val & of_length[m->line % 4];
}

/* Set break acts on the output pin, which loopback mode disconnects */
static bool is_spacing(u8 line, u8 modem)
{
	return line & 0x40 && !(modem & 0x10);
}

/* All bits are 0, also the parity bit, if there is one, and the stop bit */
static void receive_break(struct uart_model *m)
{
	/* The right parity bit is the complement of bit 4, with stick parity as well */
	bool wants_one = m->line & 0x08 && !(m->line & 0x10);

	arrive(m, (struct uart_model_char){
		.parity = wants_one, .framing = true, .brk = true,
	});
}

/* The byte arrives in the receiver at once */
static void send(struct uart_model *m, u8 val)
{
	m->idle_due = true;

	if (!is_spacing(m->line, m->modem))
		arrive(m, (struct uart_model_char){
			.data = uart_model_wire(m, val),
		});
}

static u8 take(struct uart_model *m)
{
	u8 val = m->queue[0].data;

	m->late = false;
	restart(m);
	if (!m->waiting)
		return 0;

	m->waiting--;
	memmove(m->queue, m->queue + 1,
		(UART_MODEL_DEPTH - 1) * sizeof(*m->queue));

	return val;
}

static u8 char_errors(const struct uart_model_char *c)
{
	return c->parity * E_PARITY + c->framing * E_FRAMING +
	       c->brk * E_BREAK;
}

/* The errors in LSR: sticky ones, and those of the next byte of the FIFO */
static u8 errors(const struct uart_model *m)
{
	u8 val = char_errors(&m->sticky) | (m->lost ? E_LOST : 0);

	if (m->fifo_on && m->waiting)
		val |= char_errors(&m->queue[0]);

	return val;
}

static u8 line_status(struct uart_model *m)
{
	/* Holding register and shift register are empty */
	u8 val = 0x60 + errors(m);
	unsigned int i;

	val += m->waiting ? 0x01 : 0;
	for (i = 0; m->fifo_on && i < m->waiting; i++)
		if (char_errors(&m->queue[i]))
			val |= 0x80;

	m->lost = false;
	m->sticky = (struct uart_model_char){ 0 };
	m->queue[0] = (struct uart_model_char){ .data = m->queue[0].data };

	return val;
}

static u8 moved(const struct uart_model *m)
{
	return m->moved[0] * 1 + m->moved[1] * 2 + m->moved[2] * 4 +
	       m->moved[3] * 8;
}

static u8 modem_status(struct uart_model *m)
{
	bool is[4];
	u8 val = moved(m);

	lines(m->modem, is);
	memset(m->moved, 0, sizeof(m->moved));

	return val + is[0] * 0x10 + is[1] * 0x20 + is[2] * 0x40 + is[3] * 0x80;
}

static u8 identify(struct uart_model *m)
{
	u8 id = uart_model_interrupt(m);

	if (id == ID_IDLE)
		m->idle_due = false;

	return m->fifo_on ? id + 0xc0 : id;
}

static void set_enabled(struct uart_model *m, u8 val)
{
	bool was = m->enabled & 0x02, is = val & 0x02;

	/* Enabling the interrupt while the holding register is empty makes it pending */
	if (is && !was)
		m->idle_due = true;
	m->enabled = val % 0x10;
}

u8 uart_model_read(struct uart_model *m, unsigned int reg)
{
	if (latch_open(m) && reg <= R_ENABLE)
		return m->latch[reg];

	switch (reg) {
	case R_DATA:
		return take(m);
	case R_ENABLE:
		return m->enabled;
	case R_IDENT_OR_FIFO:
		return identify(m);
	case R_LINE:
		return m->line;
	case R_MODEM:
		return m->modem;
	case R_LINE_STATUS:
		return line_status(m);
	case R_MODEM_STATUS:
		return modem_status(m);
	}

	return m->scratch;
}

static void do_write(struct uart_model *m, unsigned int reg, u8 val)
{
	switch (reg) {
	case R_DATA:
		send(m, val);
		break;
	case R_ENABLE:
		set_enabled(m, val);
		break;
	case R_IDENT_OR_FIFO:
		set_fifo(m, val);
		break;
	case R_LINE:
		m->line = val;
		break;
	case R_MODEM:
		set_modem(m, val);
		break;
	case R_SCRATCH:
		m->scratch = val;
		break;
	}
}

void uart_model_write(struct uart_model *m, unsigned int reg, u8 val)
{
	bool was_spacing = is_spacing(m->line, m->modem);

	if (latch_open(m) && reg <= R_ENABLE) {
		m->latch[reg] = val;
		/* The baud counter is reloaded */
		m->begun = 0;
		return;
	}

	do_write(m, reg, val);
	/* The length of four characters may have changed */
	uart_model_pass(m, 0);
	if (!was_spacing && is_spacing(m->line, m->modem))
		receive_break(m);
}

/* Whether a write transmits a byte */
bool uart_model_sends(const struct uart_model *m, unsigned int reg)
{
	return reg == R_DATA && !latch_open(m) && !(m->modem & 0x10) &&
	       !is_spacing(m->line, m->modem);
}

u8 uart_model_interrupt(const struct uart_model *m)
{
	bool data = m->enabled & 0x01, idle = m->enabled & 0x02;
	bool line = m->enabled & 0x04, modem = m->enabled & 0x08;

	if (line && errors(m))
		return ID_LINE;
	/*
	 * In the data sheet these two have the same priority.  The driver reports the
	 * trigger level if both are due.
	 */
	if (data && m->waiting >= level(m))
		return ID_DATA;
	if (data && m->late)
		return ID_LATE;
	if (idle && m->idle_due)
		return ID_IDLE;
	if (modem && moved(m))
		return ID_MODEM;

	return ID_NONE;
}

/*
 * Four characters at divisor 1, in ns, not less.  A bit takes 16 cycles of 1.8432
 * MHz, which is 78125 / 9 ns.
 */
static u64 limit(const struct uart_model *m)
{
	/* Start bit, data bits, stop bits; in tenths, because of 1.5 stop bits */
	u64 tenths = 10 + 50 + m->line % 4 * 10 + 10;

	if (m->line & 0x08)
		tenths += 10;
	if (m->line & 0x04)
		tenths += m->line % 4 ? 10 : 5;

	return (4 * tenths * 78125 + 89) / 90;
}

static u64 divisor(const struct uart_model *m)
{
	return m->latch[0] + m->latch[1] * 256;
}

/* The FIFO has bytes, and the timeout is not reached */
static bool is_timed(const struct uart_model *m)
{
	return m->fifo_on && m->waiting && !m->late;
}

/* Time until the timeout, or 0 if the timer does not run */
u64 uart_model_left_ns(const struct uart_model *m)
{
	if (!is_timed(m))
		return 0;

	return (limit(m) - m->silence) * divisor(m) - m->begun;
}

/* The same, if the interrupt is enabled and the trigger level is not reached */
u64 uart_model_timeout_ns(const struct uart_model *m)
{
	bool listens = m->enabled & 0x01;

	return listens && m->waiting < level(m) ? uart_model_left_ns(m) : 0;
}

void uart_model_pass(struct uart_model *m, u64 ns)
{
	if (!is_timed(m))
		return;

	/* Without a divisor the timer does not run; long times are limited */
	if (divisor(m)) {
		ns = m->begun + (ns < 1ULL << 60 ? ns : 1ULL << 60);
		m->silence += ns / divisor(m);
		m->begun = ns % divisor(m);
	}
	if (m->silence >= limit(m)) {
		m->late = true;
		restart(m);
	}
}

void uart_model_save(const struct uart_model *m, u8 port, u8 *rec)
{
	unsigned int i;

	memset(rec, 0, UART_MODEL_REC_SIZE);
	rec[O_PORT] = port;
	rec[O_ENABLE] = m->enabled;
	if (m->fifo_on)
		rec[O_FIFO] = 0x01 + m->dma * 0x08 + m->level * 0x40;
	rec[O_LINE] = m->line;
	rec[O_MODEM] = m->modem;
	rec[O_MOVED] = moved(m);
	rec[O_SCRATCH] = m->scratch;
	rec[O_LATCH] = m->latch[0];
	rec[O_LATCH + 1] = m->latch[1];
	rec[O_FLAGS] = m->idle_due * 1 + m->late * 2;
	rec[O_WAITING] = m->waiting;
	rec[O_ERRORS] = m->lost * E_LOST + char_errors(&m->sticky);
	for (i = 0; i < 4; i++)
		rec[O_SILENCE + i] = m->silence >> 8 * i;
	for (i = 0; i < 2; i++)
		rec[O_BEGUN + i] = m->begun >> 8 * i;
	for (i = 0; i < m->waiting; i++) {
		rec[O_QUEUE + i] = m->queue[i].data;
		rec[O_QUEUE_ERRORS + i] = char_errors(&m->queue[i]);
	}
}

static bool is_zero(const u8 *from, const u8 *to)
{
	while (from < to)
		if (*from++)
			return false;

	return true;
}

/* The only error here is a break: it also sets framing and maybe parity */
static bool are_errors(u8 val)
{
	return !val || (val | E_PARITY) == (E_BREAK | E_FRAMING | E_PARITY);
}

static bool is_possible_queue(const u8 *rec)
{
	const u8 *data = rec + O_QUEUE, *bad = rec + O_QUEUE_ERRORS;
	bool on = rec[O_FIFO] & 0x01;
	unsigned int i, n = rec[O_WAITING];

	if (n > (on ? UART_MODEL_DEPTH : 1))
		return false;
	for (i = 0; i < n; i++)
		if (bad[i] && (!on || data[i] || !are_errors(bad[i])))
			return false;

	return is_zero(data + n, data + UART_MODEL_DEPTH) &&
	       is_zero(bad + n, bad + UART_MODEL_DEPTH);
}

static u64 number(const u8 *from, unsigned int bytes)
{
	return bytes ? *from + 256 * number(from + 1, bytes - 1) : 0;
}

static bool is_possible_time(const u8 *rec)
{
	const struct uart_model line = { .line = rec[O_LINE] };
	u64 silence = number(rec + O_SILENCE, 4);
	u64 begun = number(rec + O_BEGUN, 2);
	bool late = rec[O_FLAGS] & 0x02;
	/* A timeout needs bytes in the FIFO */
	bool waits = rec[O_FIFO] & 0x01 && rec[O_WAITING];

	if (late || !waits)
		return waits >= late && !silence && !begun;

	return silence < limit(&line) &&
	       (!begun || begun < number(rec + O_LATCH, 2));
}

/* Whether the state is valid */
static bool is_possible(const u8 *rec)
{
	u8 fifo = rec[O_FIFO];

	if (rec[O_ENABLE] > 0x0f || rec[O_MODEM] > 0x1f ||
	    rec[O_MOVED] > 0x0f || rec[O_FLAGS] > 0x03)
		return false;
	/* Bits 1 and 2 are commands, 4 and 5 are unused */
	if (fifo & 0x36)
		return false;
	if (!(fifo & 0x01) && fifo)
		return false;
	if (!are_errors(rec[O_ERRORS] & ~E_LOST))
		return false;

	return is_possible_queue(rec) && is_possible_time(rec) &&
	       is_zero(rec + O_ZERO, rec + O_QUEUE);
}

static void load_char(struct uart_model_char *c, u8 data, u8 bad)
{
	c->data = data;
	c->parity = bad & E_PARITY;
	c->framing = bad & E_FRAMING;
	c->brk = bad & E_BREAK;
}

/* Returns false, without changes, if the record is invalid */
bool uart_model_load(struct uart_model *m, const u8 *rec)
{
	unsigned int i;

	if (!is_possible(rec))
		return false;

	memset(m, 0, sizeof(*m));
	m->enabled = rec[O_ENABLE];
	m->fifo_on = rec[O_FIFO] & 0x01;
	m->dma = rec[O_FIFO] & 0x08;
	m->level = rec[O_FIFO] >> 6;
	m->line = rec[O_LINE];
	m->modem = rec[O_MODEM];
	for (i = 0; i < 4; i++)
		m->moved[i] = rec[O_MOVED] >> i & 1;
	m->scratch = rec[O_SCRATCH];
	m->latch[0] = rec[O_LATCH];
	m->latch[1] = rec[O_LATCH + 1];
	m->lost = rec[O_ERRORS] & E_LOST;
	load_char(&m->sticky, 0, rec[O_ERRORS]);
	m->idle_due = rec[O_FLAGS] & 0x01;
	m->late = rec[O_FLAGS] & 0x02;
	m->silence = number(rec + O_SILENCE, 4);
	m->begun = number(rec + O_BEGUN, 2);
	m->waiting = rec[O_WAITING];
	for (i = 0; i < m->waiting; i++)
		load_char(&m->queue[i], rec[O_QUEUE + i],
			  rec[O_QUEUE_ERRORS + i]);

	return true;
}
