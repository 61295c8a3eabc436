// SPDX-License-Identifier: GPL-2.0-only
/* The model of the parser, see stream_model.h. */
#include <errno.h>
#include <string.h>
#include <linux/xxhash.h>
#include <uapi/linux/vfio_mig_config.h>

#include "fuzz.h"
#include "stream_model.h"

/* Offsets in a head and in payloads */
enum {
	H_TYPE = 0, H_LEN = 4, H_SOURCE = 8, H_VERSION = 16, H_SEQ = 24,
	H_DATA_SUM = 32, H_HEAD_SUM = 40, H_SIZE = 48
};

enum {
	START_MAGIC = 0, START_VERSION = 8, START_PORTS = 12, START_NEED = 16,
	START_FEATURES = 24, START_CAPTURE = 32, START_SIZE = 48
};

enum { LOG_LOGGED = 0, LOG_DROPPED = 8, LOG_SIZE = 16 };
enum { IRQ_FLAGS = 0, IRQ_RESERVED = 4, IRQ_SIZE = 8 };

/* The position of the model, and the record there */
struct reader {
	struct stream_model *m;
	const struct mtty_stream_id *id;
	const u8 *head;
	const u8 *payload;
	u32 type;
	u32 len;
	u64 source;
	u64 version;
	u64 nr;
	u64 last_sum;
	unsigned int times[MTTY_REC_NR];
	bool has_port[MTTY_MAX_PORTS];
};

static u64 get(const u8 *from, unsigned int bytes)
{
	u64 val = 0;

	while (bytes--)
		val = val << 8 | from[bytes];

	return val;
}

static bool embeds(const struct reader *r)
{
	return r->id->need == VFIO_MIG_CONFIG_IN_DATA;
}

static bool is_len_good(u32 type, u32 len)
{
	switch (type) {
	case MTTY_REC_START:
		return len == START_SIZE;
	case MTTY_REC_CAPTURE:
		/* The offset, and at least one byte */
		return len > 8 && len <= 8 + MTTY_REC_CAPTURE_MAX;
	case MTTY_REC_LOG:
		return len == LOG_SIZE;
	case MTTY_REC_UART:
		return len == UART_MODEL_REC_SIZE;
	case MTTY_REC_IRQ:
		return len == IRQ_SIZE;
	case MTTY_REC_CONFIG:
		return len == 256;
	case MTTY_REC_END:
	case MTTY_REC_REINIT:
		return len == 8;
	default:
		return false;
	}
}

static int judge_head(const struct reader *r)
{
	bool is_first = !r->nr, is_start = r->type == MTTY_REC_START;

	if (get(r->head + H_HEAD_SUM, 8) !=
	    xxh64(r->head, H_HEAD_SUM, r->last_sum))
		return -EBADMSG;
	if (get(r->head + H_SEQ, 8) != r->nr || !is_len_good(r->type, r->len))
		return -EBADMSG;
	if (r->type == MTTY_REC_CAPTURE && !r->id->capture_size)
		return -EINVAL;
	if (is_first != is_start)
		return -EBADMSG;

	/* Both halves of an identity, or none */
	return !r->source == !r->version ? 0 : -EINVAL;
}

static int judge_start(struct reader *r)
{
	const u8 *p = r->payload;

	if (memcmp(p + START_MAGIC, "MTTYMIGR", 8))
		return -EBADMSG;
	if (get(p + START_VERSION, 4) != MTTY_STREAM_VERSION)
		return -EOPNOTSUPP;

	return get(p + START_PORTS, 4) == r->id->nr_ports &&
	       get(p + START_NEED, 8) == r->id->need &&
	       get(p + START_FEATURES, 8) == r->id->features &&
	       get(p + START_CAPTURE, 8) == r->id->capture_size ? 0 : -EXDEV;
}

/* In the log, not in the read-only part, not beyond the end */
static int judge_capture(struct reader *r)
{
	u64 first = get(r->payload, 8);
	u64 last = first + r->len - 8 - 1;

	return last >= first && first >= MTTY_CAP_LOG_OFFSET &&
	       last < r->id->capture_size ? 0 : -EINVAL;
}

static int judge_log(struct reader *r)
{
	u64 logged = get(r->payload + LOG_LOGGED, 8);
	u64 dropped = get(r->payload + LOG_DROPPED, 8);
	u64 room = 0;

	if (r->id->capture_size)
		room = (r->id->capture_size - MTTY_CAP_LOG_OFFSET) / 2;
	/* Only a full log drops bytes */
	if (logged > room || (dropped && (logged < room || !room)))
		return -EINVAL;

	r->m->logged = logged;
	r->m->dropped = dropped;

	return 0;
}

static int judge_uart(struct reader *r)
{
	u8 port = r->payload[0];

	if (port >= r->id->nr_ports ||
	    !uart_model_load(&r->m->uart[port], r->payload) ||
	    r->has_port[port])
		return -EINVAL;
	r->has_port[port] = true;

	return 0;
}

static int judge_irq(struct reader *r)
{
	u32 flags = get(r->payload + IRQ_FLAGS, 4);

	if (flags > 1 || get(r->payload + IRQ_RESERVED, 4))
		return -EINVAL;

	r->m->irq_flags = flags;

	return 0;
}

static int judge_config(struct reader *r)
{
	return embeds(r) ? 0 : -EINVAL;
}

static int judge_reinit(struct reader *r)
{
	u64 before = get(r->payload, 8);

	/* A change moves the version */
	return !before || before >= r->version ? -EINVAL : 0;
}

/* Bit 1: an assertion was signalled; invalid if no port asserts */
static bool is_impossible(const struct reader *r)
{
	unsigned int port;

	for (port = 0; port < r->id->nr_ports; port++)
		if (uart_model_interrupt(&r->m->uart[port]) != 1)
			return false;

	return r->m->irq_flags & 1;
}

static int judge_end(struct reader *r)
{
	unsigned int port;

	if (get(r->payload, 8) != r->nr || !r->times[MTTY_REC_LOG] ||
	    !r->times[MTTY_REC_IRQ])
		return -EINVAL;
	for (port = 0; port < r->id->nr_ports; port++)
		if (!r->has_port[port])
			return -EINVAL;
	if (embeds(r) && !r->times[MTTY_REC_CONFIG])
		return -EINVAL;
	if (is_impossible(r))
		return -EINVAL;

	r->m->ended = true;

	return 0;
}

static int judge_payload(struct reader *r)
{
	bool once = r->type == MTTY_REC_LOG || r->type == MTTY_REC_IRQ;

	if (get(r->head + H_DATA_SUM, 8) != xxh64(r->payload, r->len, 0))
		return -EBADMSG;
	/* A second one is this error, even if it has others */
	if (once && r->times[r->type])
		return -EINVAL;
	r->times[r->type]++;

	switch (r->type) {
	case MTTY_REC_START:
		return judge_start(r);
	case MTTY_REC_CAPTURE:
		return judge_capture(r);
	case MTTY_REC_LOG:
		return judge_log(r);
	case MTTY_REC_UART:
		return judge_uart(r);
	case MTTY_REC_IRQ:
		return judge_irq(r);
	case MTTY_REC_CONFIG:
		return judge_config(r);
	case MTTY_REC_REINIT:
		return judge_reinit(r);
	default:
		return judge_end(r);
	}
}

static int accepted(u32 type)
{
	if (type == MTTY_REC_START)
		return MTTY_STREAM_START;
	if (type == MTTY_REC_CAPTURE)
		return MTTY_STREAM_CAPTURE;
	if (type == MTTY_REC_CONFIG)
		return MTTY_STREAM_CONFIG;

	return MTTY_STREAM_RECORD;
}

static void say(struct stream_model *m, size_t at, int what)
{
	m->events[m->nr_events++] = (struct stream_event) {
		.at = at,
		.what = what,
	};
}

/* Two for each record, and one after the last */
size_t stream_model_max_events(size_t len)
{
	return 2 * (len / H_SIZE) + 1;
}

/* Read the record at @pos; returns the next position, or 0 at the end */
static size_t read_record(struct reader *r, const u8 *wire, size_t pos,
			  size_t len)
{
	int ret;

	if (len - pos < H_SIZE)
		return 0;

	r->head = wire + pos;
	r->payload = r->head + H_SIZE;
	r->type = get(r->head + H_TYPE, 4);
	r->len = get(r->head + H_LEN, 4);
	r->source = get(r->head + H_SOURCE, 8);
	r->version = get(r->head + H_VERSION, 8);
	pos += H_SIZE;

	ret = judge_head(r);
	say(r->m, pos, ret ?: MTTY_STREAM_HEAD);
	if (ret || len - pos < r->len)
		return 0;
	pos += r->len;

	ret = judge_payload(r);
	say(r->m, pos, ret ?: accepted(r->type));
	r->last_sum = get(r->head + H_HEAD_SUM, 8);
	r->nr++;

	return ret ? 0 : pos;
}

/**
 * stream_model_init - read a stream
 * @m:		filled in
 * @id:		the device of the stream
 * @wire:	the stream
 * @len:	its length
 */
void stream_model_init(struct stream_model *m, const struct mtty_stream_id *id,
		       const u8 *wire, size_t len)
{
	struct reader r = { .m = m, .id = id };
	size_t pos = 0, next;

	memset(m, 0, sizeof(*m));
	m->events = fuzz_alloc(stream_model_max_events(len) *
			       sizeof(*m->events));

	do {
		next = read_record(&r, wire, pos, len);
		if (next)
			pos = next;
	} while (next && !m->ended);

	if (m->ended && pos < len)
		say(m, pos, -EBADMSG);
}

void stream_model_exit(struct stream_model *m)
{
	free(m->events);
}

/* Complete and valid */
bool stream_model_loads(const struct stream_model *m)
{
	return m->ended && m->events[m->nr_events - 1].what > 0;
}
