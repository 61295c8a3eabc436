// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks that stream.c accepts valid streams and refuses all others.
 *
 * A stream is parsed as a whole and in pieces, both with the events and the state of the
 * model.  If it is accepted, the stream that a device in that state sends must give the same
 * state; changed in one place, it must be refused.
 */
#include <string.h>
#include <linux/kernel.h>
#include <linux/serial_reg.h>

#include "stream_input.h"
#include "stream_model.h"
#include "stream_run.h"

struct stream_case {
	struct mtty_stream_id id;
	u8 *wire;
	size_t len;
	struct fuzz_random rnd;
};

static void check_port(const struct mtty_uart *uart,
		       const struct uart_model *model, u8 port)
{
	u8 want[UART_MODEL_REC_SIZE];
	struct mtty_rec_uart rec;

	mtty_uart_save(uart, port, &rec);
	uart_model_save(model, port, want);
	FUZZ_CHECK(!memcmp(&rec, want, sizeof(want)), "port %u", port);
	FUZZ_CHECK(mtty_uart_pending(uart) == uart_model_interrupt(model),
		   "port %u", port);
}

static void check_state(const struct mtty_stream_parser *p,
			const struct stream_model *m)
{
	const struct mtty_stream_state *st = &p->state;
	unsigned int port;

	FUZZ_CHECK(st->logged == m->logged && st->dropped == m->dropped,
		   "%llu and %llu, not %llu and %llu", st->logged, st->dropped,
		   m->logged, m->dropped);
	FUZZ_CHECK(st->irq_flags == m->irq_flags, "%u, not %u", st->irq_flags,
		   m->irq_flags);
	for (port = 0; port < p->id.nr_ports; port++)
		check_port(&st->uart[port], &m->uart[port], port);
}

static void check_run(const struct stream_run *run,
		      const struct stream_model *m)
{
	size_t i;

	for (i = 0; i < run->nr_events && i < m->nr_events; i++)
		FUZZ_CHECK(run->events[i].at == m->events[i].at &&
			   run->events[i].what == m->events[i].what,
			   "event %zu: %d at %zu, not %d at %zu", i,
			   run->events[i].what, run->events[i].at,
			   m->events[i].what, m->events[i].at);
	FUZZ_CHECK(run->nr_events == m->nr_events, "%zu events, not %zu",
		   run->nr_events, m->nr_events);
	FUZZ_CHECK(run->parser->ended == m->ended, "ended %u",
		   run->parser->ended);
	if (stream_model_loads(m))
		check_state(run->parser, m);
}

/* Parse as the input says, and compare with the model */
static void check_feed(const struct stream_case *c, const struct stream_model *m,
		       u8 feed, u8 seed)
{
	struct stream_run run;

	stream_run_init(&run, &c->id, c->wire, c->len, feed, seed);
	check_run(&run, m);
	stream_run_exit(&run);
}

/* A stream that is written, with room for the state of a device */
struct out {
	struct mtty_stream_chain chain;
	size_t len;
	u64 bytes[8 * STREAM_TEMPLATE_MAX / sizeof(u64)];
};

static void send(struct out *out, const struct mtty_stream_parser *p,
		 const u8 *config, u32 type, u8 port)
{
	struct mtty_rec_head *head = (void *)((u8 *)out->bytes + out->len);
	void *to = head + 1;
	size_t len;

	switch (type) {
	case MTTY_REC_START:
		len = mtty_stream_put_start(to, &p->id, 1);
		break;
	case MTTY_REC_LOG:
		len = mtty_stream_put_log(to, &p->state);
		break;
	case MTTY_REC_UART:
		len = mtty_stream_put_uart(to, &p->state, port);
		break;
	case MTTY_REC_IRQ:
		len = mtty_stream_put_irq(to, &p->state);
		break;
	case MTTY_REC_CONFIG:
		len = mtty_stream_put_config(to, config);
		break;
	default:
		len = mtty_stream_put_end(to, &out->chain);
		break;
	}
	out->len += mtty_stream_seal(&out->chain, head, type,
				     (struct mig_config_id) {}, len, NULL, 0);
}

/* Between the first record and the last, any order is valid */
static void send_all(struct stream_case *c, struct out *out,
		     const struct mtty_stream_parser *p)
{
	static const u8 config[256] = { 0xaa };
	u32 types[5] = { MTTY_REC_LOG, MTTY_REC_IRQ };
	u8 ports[5] = { 0 };
	unsigned int nr = 2, i;

	for (i = 0; i < p->id.nr_ports; i++) {
		types[nr] = MTTY_REC_UART;
		ports[nr++] = i;
	}
	if (p->id.need == VFIO_MIG_CONFIG_IN_DATA)
		types[nr++] = MTTY_REC_CONFIG;

	send(out, p, config, MTTY_REC_START, 0);
	while (nr) {
		i = fuzz_below(&c->rnd, nr--);
		send(out, p, config, types[i], ports[i]);
		types[i] = types[nr];
		ports[i] = ports[nr];
	}
	send(out, p, config, MTTY_REC_END, 0);
}

static void check_round_trip(struct stream_case *c, const struct stream_model *m)
{
	struct stream_run run, again;
	struct out out = { 0 };

	stream_run_init(&run, &c->id, c->wire, c->len, STREAM_FEED_WHOLE, 0);
	send_all(c, &out, run.parser);
	stream_run_init(&again, &c->id, (u8 *)out.bytes, out.len,
			STREAM_FEED_ANY, fuzz_random(&c->rnd));
	FUZZ_CHECK(!again.parser->error &&
		   again.parser->ended == run.parser->ended,
		   "%d: refused its own stream", again.parser->error);
	/* The state does not include config space */
	check_state(again.parser, m);
	stream_run_exit(&again);
	stream_run_exit(&run);
}

/* Where the n-th record begins, with the end of the stream for the last */
static size_t record_at(const struct stream_case *c, size_t n)
{
	size_t pos = 0;

	while (n--)
		pos += stream_record(c->wire + pos, c->len - pos);

	return pos;
}

static size_t nr_records(const struct stream_case *c)
{
	size_t pos, n = 0;

	for (pos = 0; pos < c->len; n++)
		pos += stream_record(c->wire + pos, c->len - pos);

	return n;
}

static void append(struct stream_case *to, const u8 *from, size_t len)
{
	memcpy(to->wire + to->len, from, len);
	to->len += len;
}

static void tamper_byte(const struct stream_case *c, struct stream_case *to,
			enum stream_tamper how, size_t pos, u8 val)
{
	const u8 *at = c->wire + pos;

	append(to, c->wire, pos);
	switch (how) {
	case STREAM_TAMPER_CHANGE:
		val = val ? *at ^ val : *at + 1;
		append(to, &val, 1);
		break;
	case STREAM_TAMPER_REMOVE:
		break;
	case STREAM_TAMPER_REPEAT:
		append(to, at, 1);
		append(to, at, 1);
		break;
	case STREAM_TAMPER_SWAP:
		if (pos + 1 < c->len) {
			append(to, at + 1, 1);
			append(to, at, 1);
			pos++;
		}
		break;
	default:
		/* STREAM_TAMPER_CUT */
		return;
	}
	append(to, c->wire + pos + 1, c->len - pos - 1);
}

static void tamper_record(const struct stream_case *c, struct stream_case *to,
			  enum stream_tamper how, size_t n)
{
	size_t begin = record_at(c, n), end = record_at(c, n + 1);
	size_t next = end;

	append(to, c->wire, begin);
	switch (how) {
	case STREAM_TAMPER_REPEAT_RECORD:
		append(to, c->wire + begin, end - begin);
		append(to, c->wire + begin, end - begin);
		break;
	case STREAM_TAMPER_SWAP_RECORDS:
		if (end < c->len)
			next = record_at(c, n + 2);
		append(to, c->wire + end, next - end);
		append(to, c->wire + begin, end - begin);
		break;
	default:
		break;
	}
	append(to, c->wire + next, c->len - next);
}

/* The same stream of another session, from the n-th record on */
static void splice(const struct stream_case *c, struct stream_case *to, size_t n)
{
	size_t at = STREAM_HEAD_SIZE + offsetof(struct mtty_rec_start, session);
	size_t begin = record_at(c, n);

	append(to, c->wire, c->len);
	to->wire[at] ^= 1;
	stream_fix(to->wire, to->len, &to->id, STREAM_FIX_SUMS);
	memcpy(to->wire, c->wire, begin);
}

static void check_tampered(struct stream_case *c, enum stream_tamper how,
			   size_t where)
{
	struct stream_case to = { .id = c->id, .rnd = c->rnd };
	size_t nr = nr_records(c);
	struct stream_model m;

	to.wire = fuzz_alloc(2 * c->len);
	if (how < STREAM_TAMPER_REMOVE_RECORD)
		tamper_byte(c, &to, how, where % c->len, fuzz_random(&to.rnd));
	else if (how < STREAM_TAMPER_SPLICE)
		tamper_record(c, &to, how, where % nr);
	else
		splice(c, &to, 1 + where % (nr - 1));

	/* Swapping equal parts changes nothing */
	if (to.len != c->len || memcmp(to.wire, c->wire, to.len)) {
		stream_model_init(&m, &to.id, to.wire, to.len);
		FUZZ_CHECK(!stream_model_loads(&m), "the model accepts %d at %zu",
			   how, where);
		check_feed(&to, &m, STREAM_FEED_ANY, where);
		stream_model_exit(&m);
	}
	free(to.wire);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct stream_case c = { 0 };
	struct stream_model m;
	size_t where;

	if (size < STREAM_INPUT_RECORDS)
		return 0;

	stream_input_id(data[STREAM_INPUT_DEVICE], &c.id);
	c.wire = stream_input_expand(data, size, &c.id, &c.len);
	c.rnd.state = data[STREAM_INPUT_SEED];
	stream_model_init(&m, &c.id, c.wire, c.len);

	check_feed(&c, &m, STREAM_FEED_WHOLE, 0);
	check_feed(&c, &m, data[STREAM_INPUT_FEED], data[STREAM_INPUT_SEED]);
	if (stream_model_loads(&m)) {
		check_round_trip(&c, &m);
		where = data[STREAM_INPUT_WHERE] |
			data[STREAM_INPUT_WHERE + 1] << 8;
		check_tampered(&c, data[STREAM_INPUT_TAMPER] % STREAM_TAMPER_NR,
			       where);
	}
	stream_model_exit(&m);
	free(c.wire);

	return 0;
}
