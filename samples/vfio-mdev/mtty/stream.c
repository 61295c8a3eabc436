// SPDX-License-Identifier: GPL-2.0-only
/*
 * The records of the migration stream: encode, decode, validate.
 *
 * Pure logic: no VFIO, no locks, no allocation, so it can be built and fuzzed outside
 * the kernel.
 *
 * Every length and value is checked before it is used or stored.  After an error the
 * rest of the stream is refused.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include "stream.h"

static u64 mtty_stream_head_sum(const struct mtty_stream_chain *chain,
				const struct mtty_rec_head *head)
{
	return xxh64(head, offsetof(struct mtty_rec_head, head_sum),
		     chain->sum);
}

static u64 mtty_stream_data_sum(const void *payload, size_t len,
				const struct kvec *tail, unsigned int nr_tail)
{
	struct xxh64_state state;

	if (!nr_tail)
		return xxh64(payload, len, 0);

	xxh64_reset(&state, 0);
	xxh64_update(&state, payload, len);
	for (; nr_tail; nr_tail--, tail++)
		xxh64_update(&state, tail->iov_base, tail->iov_len);

	return xxh64_digest(&state);
}

static void mtty_stream_chain_advance(struct mtty_stream_chain *chain,
				      const struct mtty_rec_head *head)
{
	chain->seq++;
	chain->sum = le64_to_cpu(head->head_sum);
}

/**
 * mtty_stream_seal - put the head before a payload
 * @chain:	position in the stream; advanced by one record
 * @buf:	space for the head, then the payload
 * @type:	of the record
 * @config:	identity of config space, or zero
 * @len:	bytes of payload in @buf
 * @tail:	rest of the payload; must not change until it is sent
 * @nr_tail:	entries in @tail
 *
 * Return: bytes of the record in @buf.
 */
size_t mtty_stream_seal(struct mtty_stream_chain *chain, void *buf,
			enum mtty_rec_type type, struct mig_config_id config,
			size_t len, const struct kvec *tail,
			unsigned int nr_tail)
{
	struct mtty_rec_head *head = buf;
	size_t all = len;
	unsigned int i;

	for (i = 0; i < nr_tail; i++)
		all += tail[i].iov_len;

	head->type = cpu_to_le32(type);
	head->len = cpu_to_le32(all);
	head->source = cpu_to_le64(config.source);
	head->version = cpu_to_le64(config.version);
	head->seq = cpu_to_le64(chain->seq);
	head->data_sum = cpu_to_le64(mtty_stream_data_sum(head + 1, len, tail,
							  nr_tail));
	head->head_sum = cpu_to_le64(mtty_stream_head_sum(chain, head));
	mtty_stream_chain_advance(chain, head);

	return sizeof(*head) + len;
}

/**
 * mtty_stream_put_start - encode the first record
 * @payload:	the destination
 * @id:		the device
 * @session:	random number
 *
 * Return: bytes of payload, as for all of mtty_stream_put_*().
 */
size_t mtty_stream_put_start(void *payload, const struct mtty_stream_id *id,
			     u64 session)
{
	struct mtty_rec_start *rec = payload;

	rec->magic = cpu_to_le64(MTTY_STREAM_MAGIC);
	rec->version = cpu_to_le32(MTTY_STREAM_VERSION);
	rec->nr_ports = cpu_to_le32(id->nr_ports);
	rec->need = cpu_to_le64(id->need);
	rec->features = cpu_to_le64(id->features);
	rec->capture_size = cpu_to_le64(id->capture_size);
	rec->session = cpu_to_le64(session);

	return sizeof(*rec);
}

/* The bytes of capture memory follow as the tail of the record */
size_t mtty_stream_put_capture(void *payload, u64 offset)
{
	struct mtty_rec_capture *rec = payload;

	rec->offset = cpu_to_le64(offset);

	return sizeof(*rec);
}

size_t mtty_stream_put_log(void *payload, const struct mtty_stream_state *st)
{
	struct mtty_rec_log *rec = payload;

	rec->logged = cpu_to_le64(st->logged);
	rec->dropped = cpu_to_le64(st->dropped);

	return sizeof(*rec);
}

size_t mtty_stream_put_uart(void *payload, const struct mtty_stream_state *st,
			    u8 port)
{
	mtty_uart_save(&st->uart[port], port, payload);

	return sizeof(struct mtty_rec_uart);
}

size_t mtty_stream_put_irq(void *payload, const struct mtty_stream_state *st)
{
	struct mtty_rec_irq *rec = payload;

	*rec = (struct mtty_rec_irq) {
		.flags = cpu_to_le32(st->irq_flags),
	};

	return sizeof(*rec);
}

size_t mtty_stream_put_end(void *payload, const struct mtty_stream_chain *chain)
{
	struct mtty_rec_end *rec = payload;

	rec->records = cpu_to_le64(chain->seq);

	return sizeof(*rec);
}

size_t mtty_stream_put_config(void *payload, const u8 *space)
{
	struct mtty_rec_config *rec = payload;

	memcpy(rec->space, space, sizeof(rec->space));

	return sizeof(*rec);
}

size_t mtty_stream_put_reinit(void *payload, u64 before)
{
	struct mtty_rec_reinit *rec = payload;

	rec->before = cpu_to_le64(before);

	return sizeof(*rec);
}

static const struct mtty_rec_head *
mtty_stream_head(const struct mtty_stream_parser *p)
{
	return (const struct mtty_rec_head *)p->buf;
}

static const void *mtty_stream_payload(const struct mtty_stream_parser *p)
{
	return p->buf + sizeof(struct mtty_rec_head);
}

static size_t mtty_stream_payload_len(const struct mtty_stream_parser *p)
{
	return le32_to_cpu(mtty_stream_head(p)->len);
}

/**
 * mtty_stream_has_head - is the parser inside a record, after its head?
 * @p:		the parser
 */
bool mtty_stream_has_head(const struct mtty_stream_parser *p)
{
	return p->fill >= sizeof(struct mtty_rec_head);
}

static int mtty_stream_take_start(struct mtty_stream_parser *p,
				  unsigned int *bit)
{
	const struct mtty_rec_start *rec = mtty_stream_payload(p);

	if (le64_to_cpu(rec->magic) != MTTY_STREAM_MAGIC)
		return -EBADMSG;
	if (le32_to_cpu(rec->version) != MTTY_STREAM_VERSION)
		return -EOPNOTSUPP;
	if (le32_to_cpu(rec->nr_ports) != p->id.nr_ports ||
	    le64_to_cpu(rec->need) != p->id.need ||
	    le64_to_cpu(rec->features) != p->id.features ||
	    le64_to_cpu(rec->capture_size) != p->id.capture_size)
		return -EXDEV;

	return 0;
}

static int mtty_stream_take_capture(struct mtty_stream_parser *p,
				    unsigned int *bit)
{
	size_t len;
	u64 offset;

	mtty_stream_capture(p, &offset, &len);

	if (offset < MTTY_CAP_LOG_OFFSET || offset > p->id.capture_size ||
	    len > p->id.capture_size - offset)
		return -EINVAL;

	return 0;
}

static int mtty_stream_take_log(struct mtty_stream_parser *p, unsigned int *bit)
{
	const struct mtty_rec_log *rec = mtty_stream_payload(p);
	u64 logged = le64_to_cpu(rec->logged);
	u64 dropped = le64_to_cpu(rec->dropped);
	u64 capacity = 0;

	if (p->id.capture_size)
		capacity = (p->id.capture_size - MTTY_CAP_LOG_OFFSET) /
			   sizeof(struct mtty_cap_entry);

	/* Bytes are dropped only if there is a log, and it is full */
	if (logged > capacity || (dropped && (!capacity || logged < capacity)))
		return -EINVAL;

	p->state.logged = logged;
	p->state.dropped = dropped;

	return 0;
}

static int mtty_stream_take_uart(struct mtty_stream_parser *p,
				 unsigned int *bit)
{
	const struct mtty_rec_uart *rec = mtty_stream_payload(p);

	if (rec->port >= p->id.nr_ports)
		return -EINVAL;

	*bit += MTTY_REC_NR * rec->port;

	return mtty_uart_load(&p->state.uart[rec->port], rec);
}

static int mtty_stream_take_irq(struct mtty_stream_parser *p, unsigned int *bit)
{
	const struct mtty_rec_irq *rec = mtty_stream_payload(p);
	u32 flags = le32_to_cpu(rec->flags);

	if ((flags & ~MTTY_REC_IRQ_MSI_SENT) || rec->reserved)
		return -EINVAL;

	p->state.irq_flags = flags;

	return 0;
}

static bool mtty_stream_embeds_config(const struct mtty_stream_parser *p)
{
	return p->id.need == VFIO_MIG_CONFIG_IN_DATA;
}

/* The caller checks the content */
static int mtty_stream_take_config(struct mtty_stream_parser *p,
				   unsigned int *bit)
{
	return mtty_stream_embeds_config(p) ? 0 : -EINVAL;
}

static int mtty_stream_take_reinit(struct mtty_stream_parser *p,
				   unsigned int *bit)
{
	const struct mtty_rec_reinit *rec = mtty_stream_payload(p);

	if (!rec->before ||
	    le64_to_cpu(rec->before) >= mtty_stream_config_id(p).version)
		return -EINVAL;

	return 0;
}

/* MSI was sent for the current assertion, so a port must assert */
static bool mtty_stream_is_possible(const struct mtty_stream_parser *p)
{
	unsigned int port;

	if (!(p->state.irq_flags & MTTY_REC_IRQ_MSI_SENT))
		return true;

	for (port = 0; port < p->id.nr_ports; port++)
		if (mtty_uart_asserts(&p->state.uart[port]))
			return true;

	return false;
}

/* Valid only after all records that describe the device */
static int mtty_stream_take_end(struct mtty_stream_parser *p, unsigned int *bit)
{
	const struct mtty_rec_end *rec = mtty_stream_payload(p);
	unsigned long need = BIT(MTTY_REC_START) | BIT(MTTY_REC_LOG) |
			     BIT(MTTY_REC_IRQ);
	unsigned int port;

	if (le64_to_cpu(rec->records) != p->chain.seq)
		return -EINVAL;

	for (port = 0; port < p->id.nr_ports; port++)
		need |= BIT(MTTY_REC_UART + MTTY_REC_NR * port);

	if (mtty_stream_embeds_config(p))
		need |= BIT(MTTY_REC_CONFIG);

	if ((p->seen & need) != need || !mtty_stream_is_possible(p))
		return -EINVAL;

	p->ended = true;

	return 0;
}

#define FIXED(name, repeats, event) \
	{ sizeof(struct mtty_rec_##name), sizeof(struct mtty_rec_##name), \
	  repeats, event, mtty_stream_take_##name }

/*
 * @take checks a payload of @min to @max bytes and stores it in the parser.  The record
 * sets a bit in the parser's seen mask: that of its type, or one that @take chooses.  No
 * payload is empty, so that every record can be refused at its head.
 */
static const struct {
	u32 min;
	u32 max;
	bool repeats;
	enum mtty_stream_event event;
	int (*take)(struct mtty_stream_parser *p, unsigned int *bit);
} records[MTTY_REC_NR] = {
	[MTTY_REC_START] = FIXED(start, false, MTTY_STREAM_START),
	[MTTY_REC_CAPTURE] = {
		sizeof(struct mtty_rec_capture) + 1, MTTY_STREAM_PAYLOAD_MAX,
		true, MTTY_STREAM_CAPTURE, mtty_stream_take_capture
	},
	[MTTY_REC_LOG] = FIXED(log, false, MTTY_STREAM_RECORD),
	[MTTY_REC_UART] = FIXED(uart, false, MTTY_STREAM_RECORD),
	[MTTY_REC_IRQ] = FIXED(irq, false, MTTY_STREAM_RECORD),
	[MTTY_REC_END] = FIXED(end, false, MTTY_STREAM_RECORD),
	[MTTY_REC_CONFIG] = FIXED(config, true, MTTY_STREAM_CONFIG),
	[MTTY_REC_REINIT] = FIXED(reinit, true, MTTY_STREAM_RECORD),
};

/**
 * mtty_stream_buf_size - size of a buffer for any record of a device
 * @id:		the device
 *
 * Return: bytes.
 */
size_t mtty_stream_buf_size(const struct mtty_stream_id *id)
{
	return id->capture_size ? MTTY_STREAM_BUF_SIZE :
				  MTTY_STREAM_SMALL_BUF_SIZE;
}

/**
 * mtty_stream_parser_init - prepare for a new stream
 * @p:		the parser
 * @id:		the destination
 * @buf:	mtty_stream_buf_size() bytes; must stay valid as long as @p
 */
void mtty_stream_parser_init(struct mtty_stream_parser *p,
			     const struct mtty_stream_id *id, void *buf)
{
	/* One bit for each type and port, see mtty_stream_take_uart() */
	BUILD_BUG_ON(MTTY_REC_NR * MTTY_MAX_PORTS > 32);
	BUILD_BUG_ON(sizeof(struct mtty_rec_start) > sizeof(struct mtty_rec_config) ||
		     sizeof(struct mtty_rec_uart) > sizeof(struct mtty_rec_config));

	memset(p, 0, sizeof(*p));
	p->id = *id;
	p->buf = buf;
}

/**
 * mtty_stream_want - get the place for the next bytes
 * @p:		the parser
 * @where:	set to an address in the buffer
 *
 * Return: maximum bytes to store there before mtty_stream_feed(), never 0.
 */
size_t mtty_stream_want(const struct mtty_stream_parser *p, u8 **where)
{
	size_t end = sizeof(struct mtty_rec_head);

	if (mtty_stream_has_head(p))
		end += mtty_stream_payload_len(p);

	*where = p->buf + p->fill;

	return end - p->fill;
}

/* The checksum comes first: a damaged head must not be interpreted */
static int mtty_stream_check_head(const struct mtty_stream_parser *p)
{
	const struct mtty_rec_head *head = mtty_stream_head(p);
	u32 type = le32_to_cpu(head->type);
	u32 len = le32_to_cpu(head->len);
	bool is_start = type == MTTY_REC_START;
	bool is_first = !p->chain.seq;

	if (mtty_stream_head_sum(&p->chain, head) !=
	    le64_to_cpu(head->head_sum) ||
	    le64_to_cpu(head->seq) != p->chain.seq)
		return -EBADMSG;

	if (type >= MTTY_REC_NR || !records[type].take ||
	    len < records[type].min || len > records[type].max)
		return -EBADMSG;

	/* The buffer is too small for it, see mtty_stream_buf_size() */
	if (type == MTTY_REC_CAPTURE && !p->id.capture_size)
		return -EINVAL;

	/* The first record, and only the first, describes the source */
	if (is_start != is_first)
		return -EBADMSG;
	if (!head->source != !head->version)
		return -EINVAL;

	return 0;
}

static int mtty_stream_take_record(struct mtty_stream_parser *p)
{
	const struct mtty_rec_head *head = mtty_stream_head(p);
	u32 type = le32_to_cpu(head->type);
	unsigned int bit = type;
	u64 sum;
	int ret;

	sum = mtty_stream_data_sum(head + 1, mtty_stream_payload_len(p), NULL, 0);
	if (le64_to_cpu(head->data_sum) != sum)
		return -EBADMSG;

	ret = records[type].take(p, &bit);
	if (ret)
		return ret;

	if (__test_and_set_bit(bit, &p->seen) && !records[type].repeats)
		return -EINVAL;

	mtty_stream_chain_advance(&p->chain, head);
	p->fill = 0;

	return records[type].event;
}

/**
 * mtty_stream_feed - parse bytes that were stored as mtty_stream_want() says
 * @p:		the parser
 * @len:	bytes, at most as many as it returned
 *
 * Return: enum mtty_stream_event, or an error and the stream is refused: -EBADMSG
 * (damaged or not a stream of mtty), -EOPNOTSUPP (version), -EXDEV (the source has
 * other properties), -EINVAL (no device can be in that state).
 */
int mtty_stream_feed(struct mtty_stream_parser *p, size_t len)
{
	int ret;

	if (p->error)
		return p->error;
	if (p->ended)
		return mtty_stream_refuse(p, -EBADMSG);

	p->fill += len;
	if (!mtty_stream_has_head(p))
		return MTTY_STREAM_MORE;

	if (p->fill == sizeof(struct mtty_rec_head)) {
		ret = mtty_stream_check_head(p);
		if (ret)
			return mtty_stream_refuse(p, ret);
		return MTTY_STREAM_HEAD;
	}

	if (p->fill < sizeof(struct mtty_rec_head) + mtty_stream_payload_len(p))
		return MTTY_STREAM_MORE;

	ret = mtty_stream_take_record(p);
	if (ret < 0)
		return mtty_stream_refuse(p, ret);

	return ret;
}

/**
 * mtty_stream_unfeed - undo mtty_stream_feed() of the last part of a head
 * @p:		the parser, after MTTY_STREAM_HEAD
 * @len:	bytes, as passed to mtty_stream_feed()
 */
void mtty_stream_unfeed(struct mtty_stream_parser *p, size_t len)
{
	p->fill -= len;
}

/**
 * mtty_stream_refuse - refuse the rest of the stream
 * @p:		the parser
 * @error:	a negative errno
 *
 * Return: the error of the first refusal.
 */
int mtty_stream_refuse(struct mtty_stream_parser *p, int error)
{
	if (!p->error)
		p->error = error;

	return p->error;
}

/**
 * mtty_stream_config_id - identity of config space in the current record
 * @p:		the parser, after MTTY_STREAM_HEAD
 */
struct mig_config_id mtty_stream_config_id(const struct mtty_stream_parser *p)
{
	const struct mtty_rec_head *head = mtty_stream_head(p);

	return (struct mig_config_id) {
		.source = le64_to_cpu(head->source),
		.version = le64_to_cpu(head->version),
	};
}

/**
 * mtty_stream_config - the bytes of a MTTY_REC_CONFIG
 * @p:		the parser, after MTTY_STREAM_CONFIG and before it is fed again
 */
const u8 *mtty_stream_config(const struct mtty_stream_parser *p)
{
	const struct mtty_rec_config *rec = mtty_stream_payload(p);

	return rec->space;
}

/**
 * mtty_stream_capture - the bytes of a MTTY_REC_CAPTURE
 * @p:		the parser, after MTTY_STREAM_CAPTURE and before it is fed again
 * @offset:	set to their offset in BAR2
 * @len:	set to their number
 */
const u8 *mtty_stream_capture(const struct mtty_stream_parser *p, u64 *offset,
			      size_t *len)
{
	const struct mtty_rec_capture *rec = mtty_stream_payload(p);

	*offset = le64_to_cpu(rec->offset);
	*len = mtty_stream_payload_len(p) - sizeof(*rec);

	return (const u8 *)(rec + 1);
}
