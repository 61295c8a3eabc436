// SPDX-License-Identifier: GPL-2.0-only
/* Converts an input of stream_fuzz to a stream, see stream_input.h. */
#include <string.h>
#include <linux/kernel.h>
#include <linux/xxhash.h>

#include "stream_input.h"

/* The smallest, and sizes around that of the largest record */
static const u64 sizes[STREAM_DEVICE_SIZES] = {
	0, MTTY_CAP_MIN_SIZE, MTTY_CAP_LOG_OFFSET + MTTY_REC_CAPTURE_MAX,
	MTTY_CAP_LOG_OFFSET + MTTY_REC_CAPTURE_MAX + 2, 1 << 20,
	MTTY_CAP_MAX_SIZE
};

/* The parser only compares them, so any two are enough */
static const u64 features[STREAM_DEVICE_FEATURES] = { 1, 7 };

u8 stream_input_device(const struct stream_input_device *of)
{
	return of->ports + STREAM_DEVICE_PORTS *
	       (of->need + STREAM_DEVICE_NEEDS *
		(of->features + STREAM_DEVICE_FEATURES * of->size));
}

void stream_input_id(u8 device, struct mtty_stream_id *id)
{
	memset(id, 0, sizeof(*id));
	id->nr_ports = 1 + device % STREAM_DEVICE_PORTS;
	device /= STREAM_DEVICE_PORTS;
	id->need = device % STREAM_DEVICE_NEEDS;
	device /= STREAM_DEVICE_NEEDS;
	id->features = features[device % STREAM_DEVICE_FEATURES];
	device /= STREAM_DEVICE_FEATURES;
	id->capture_size = sizes[device % STREAM_DEVICE_SIZES];
}

static void get_head(const u8 *rec, struct mtty_rec_head *head)
{
	memcpy(head, rec, sizeof(*head));
}

static bool is_stretched(const struct mtty_rec_head *head, u8 fix)
{
	u32 len = le32_to_cpu(head->len);

	return (fix & STREAM_FIX_STRETCH) &&
	       le32_to_cpu(head->type) == MTTY_REC_CAPTURE &&
	       len > STREAM_STRETCH_KEPT && len <= MTTY_STREAM_PAYLOAD_MAX;
}

/* Length of the next record in the input, or 0 if it is incomplete */
size_t stream_input_record(const u8 *rec, size_t left, u8 fix)
{
	struct mtty_rec_head head;
	size_t len;

	if (left < STREAM_HEAD_SIZE)
		return 0;

	get_head(rec, &head);
	len = is_stretched(&head, fix) ? STREAM_STRETCH_KEPT :
					 le32_to_cpu(head.len);

	return len <= left - STREAM_HEAD_SIZE ? STREAM_HEAD_SIZE + len : 0;
}

/* The same for the stream */
size_t stream_record(const u8 *rec, size_t left)
{
	return stream_input_record(rec, left, 0);
}

static void fix_end(const struct mtty_rec_head *head, u8 *payload, u64 seq)
{
	struct mtty_rec_end end = { .records = cpu_to_le64(seq) };

	if (le32_to_cpu(head->type) == MTTY_REC_END &&
	    le32_to_cpu(head->len) == sizeof(end))
		memcpy(payload, &end, sizeof(end));
}

static void fix_start(const struct mtty_rec_head *head, u8 *payload,
		      const struct mtty_stream_id *id)
{
	struct mtty_rec_start start;

	if (le32_to_cpu(head->type) != MTTY_REC_START ||
	    le32_to_cpu(head->len) != sizeof(start))
		return;

	memcpy(&start, payload, sizeof(start));
	mtty_stream_put_start(&start, id, le64_to_cpu(start.session));
	memcpy(payload, &start, sizeof(start));
}

/**
 * stream_fix - repair checksums and counts of a stream
 * @wire:	the stream
 * @len:	its length
 * @id:		the device of the stream
 * @fix:	STREAM_FIX_*: what to repair
 *
 * Does not use mtty_stream_seal(): an error of it would not be found.
 */
void stream_fix(u8 *wire, size_t len, const struct mtty_stream_id *id, u8 fix)
{
	u64 seq = 0, sum = 0;

	while (len >= STREAM_HEAD_SIZE) {
		size_t size = stream_record(wire, len);
		u8 *payload = wire + STREAM_HEAD_SIZE;
		struct mtty_rec_head head;

		get_head(wire, &head);
		if (fix & STREAM_FIX_COUNTS)
			head.seq = cpu_to_le64(seq);
		if (size && (fix & STREAM_FIX_END))
			fix_end(&head, payload, seq);
		if (size && (fix & STREAM_FIX_START))
			fix_start(&head, payload, id);
		if (size && (fix & STREAM_FIX_SUMS))
			head.data_sum = cpu_to_le64(xxh64(payload,
							  size - STREAM_HEAD_SIZE,
							  0));
		/* The head is used even if the rest is missing */
		if (fix & STREAM_FIX_SUMS)
			head.head_sum = cpu_to_le64(xxh64(&head,
							  STREAM_HEAD_SIZE - 8,
							  sum));
		sum = le64_to_cpu(head.head_sum);
		memcpy(wire, &head, sizeof(head));
		if (!size)
			return;

		seq++;
		wire += size;
		len -= size;
	}
}

/**
 * stream_input_expand - convert an input to a stream
 * @data:	the input, at least STREAM_INPUT_RECORDS
 * @size:	its length
 * @id:		the device of the stream
 * @len:	set to the length of the stream
 *
 * Return: the stream; the caller frees it.
 */
u8 *stream_input_expand(const u8 *data, size_t size,
			const struct mtty_stream_id *id, size_t *len)
{
	u8 fix = data[STREAM_INPUT_FIX];
	unsigned int stretched = 0;
	u8 *wire, *to;

	data += STREAM_INPUT_RECORDS;
	size -= STREAM_INPUT_RECORDS;
	wire = fuzz_alloc(size + STREAM_STRETCH_MAX * MTTY_STREAM_PAYLOAD_MAX + 1);
	to = wire;

	while (size) {
		u8 here = stretched < STREAM_STRETCH_MAX ? fix : 0;
		size_t rec = stream_input_record(data, size, here);
		struct mtty_rec_head head;

		memcpy(to, data, rec ?: size);
		to += rec ?: size;
		if (!rec)
			break;

		get_head(data, &head);
		if (is_stretched(&head, here)) {
			size_t more = le32_to_cpu(head.len) - STREAM_STRETCH_KEPT;

			memset(to, data[rec - 1], more);
			to += more;
			stretched++;
		}
		data += rec;
		size -= rec;
	}

	*len = to - wire;
	stream_fix(wire, *len, id, fix);

	return wire;
}

/* A port that is not in its reset state */
static void any_uart(struct mtty_uart *uart, struct fuzz_random *rnd)
{
	unsigned int i;

	mtty_uart_reset(uart);
	mtty_uart_write(uart, UART_FCR, fuzz_random(rnd));
	for (i = 0; i < 12; i++)
		mtty_uart_write(uart, fuzz_below(rnd, MTTY_UART_NR_REGS),
				fuzz_random(rnd));
	mtty_uart_write(uart, UART_LCR, uart->lcr & ~UART_LCR_DLAB);
	for (i = fuzz_below(rnd, 20); i; i--)
		mtty_uart_write(uart, UART_TX, fuzz_random(rnd));
	mtty_uart_pass(uart, 1ULL << fuzz_below(rnd, 40));
}

static void any_state(struct mtty_stream_state *st,
		      const struct mtty_stream_id *id, struct fuzz_random *rnd)
{
	u64 capacity = 0;

	if (id->capture_size)
		capacity = (id->capture_size - MTTY_CAP_LOG_OFFSET) /
			   sizeof(struct mtty_cap_entry);

	memset(st, 0, sizeof(*st));
	any_uart(&st->uart[0], rnd);
	any_uart(&st->uart[1], rnd);
	st->irq_flags = fuzz_below(rnd, 2);
	/* Often near the end of the log */
	st->logged = capacity - fuzz_below(rnd, 2);
	if (st->logged > capacity)
		st->logged = 0;
	st->dropped = capacity && st->logged == capacity ? fuzz_below(rnd, 3) : 0;
}

/**
 * stream_template - a valid record, without checksums and counts
 * @rec:	STREAM_TEMPLATE_MAX bytes
 * @type:	its type
 * @id:		the device
 * @rnd:	for its content
 *
 * Return: its length in an input.
 */
size_t stream_template(u8 *rec, enum mtty_rec_type type,
		       const struct mtty_stream_id *id,
		       struct fuzz_random *rnd)
{
	/* An input may be unaligned */
	u64 to[STREAM_TEMPLATE_MAX / sizeof(u64) + 1] = { 0 };
	struct mtty_stream_chain chain = { 0 };
	struct mtty_rec_head *head = (struct mtty_rec_head *)to;
	struct mtty_stream_state st;
	u8 space[256] = { 0x55 };
	size_t len = 0;

	any_state(&st, id, rnd);
	switch (type) {
	case MTTY_REC_START:
		len = mtty_stream_put_start(head + 1, id, fuzz_random(rnd));
		break;
	case MTTY_REC_CAPTURE:
		len = mtty_stream_put_capture(head + 1, MTTY_CAP_LOG_OFFSET) + 4;
		break;
	case MTTY_REC_LOG:
		len = mtty_stream_put_log(head + 1, &st);
		break;
	case MTTY_REC_UART:
		len = mtty_stream_put_uart(head + 1, &st,
					   fuzz_below(rnd, id->nr_ports));
		break;
	case MTTY_REC_IRQ:
		len = mtty_stream_put_irq(head + 1, &st);
		break;
	case MTTY_REC_CONFIG:
		len = mtty_stream_put_config(head + 1, space);
		break;
	case MTTY_REC_REINIT:
		len = mtty_stream_put_reinit(head + 1, 1);
		break;
	default:
		len = mtty_stream_put_end(head + 1, &chain);
		break;
	}
	len = mtty_stream_seal(&chain, head, type,
			       (struct mig_config_id) { 1, 2 }, len, NULL, 0);
	memcpy(rec, to, len);

	return len;
}
