// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser as load.c drives it, see stream_run.h.
 *
 * Each record that the parser accepts is encoded again from the parsed state.  It must have
 * the same bytes, because the encoding is unique.
 */
#include <string.h>
#include <linux/kernel.h>

#include "stream_input.h"
#include "stream_run.h"

/* Fill memory that the parser must not read any more */
#define STALE		0xa5

static size_t piece(struct stream_run *run, u8 feed)
{
	switch (feed & STREAM_FEED_SIZES) {
	case STREAM_FEED_WHOLE:
		return run->len;
	case STREAM_FEED_BYTES:
		/* Single bytes would be slow for a large record */
		return run->len < 8192 ? 1 : 1 + fuzz_below(&run->rnd, 97);
	case STREAM_FEED_SMALL:
		return 1 + fuzz_below(&run->rnd, 32);
	default:
		return 1 + fuzz_below(&run->rnd,
				      (size_t)1 << fuzz_below(&run->rnd, 17));
	}
}

static void say(struct stream_run *run, size_t at, int what)
{
	FUZZ_CHECK(run->nr_events < stream_model_max_events(run->len),
		   "%d at %zu", what, at);
	run->events[run->nr_events++] = (struct stream_event) {
		.at = at,
		.what = what,
	};
}

/* The bytes of capture memory, in pages as in the driver */
static unsigned int split(struct stream_run *run, const u8 *bytes, size_t len,
			  struct kvec *vec)
{
	size_t first = fuzz_below(&run->rnd, len + 1);
	size_t second = fuzz_below(&run->rnd, len - first + 1);

	vec[0].iov_base = (void *)bytes;
	vec[0].iov_len = first;
	vec[1].iov_base = (void *)(bytes + first);
	vec[1].iov_len = second;
	vec[2].iov_base = (void *)(bytes + first + second);
	vec[2].iov_len = len - first - second;

	return 3;
}

static unsigned int encode_capture(struct stream_run *run, void *payload,
				   size_t *put, struct kvec *vec)
{
	const struct mtty_stream_parser *p = run->parser;
	const u8 *bytes;
	size_t len;
	u64 offset;

	bytes = mtty_stream_capture(p, &offset, &len);
	FUZZ_CHECK(offset >= MTTY_CAP_LOG_OFFSET &&
		   offset <= p->id.capture_size &&
		   len <= p->id.capture_size - offset,
		   "%zu bytes at %llu", len, offset);
	FUZZ_CHECK(!memcmp(bytes, run->wire + run->began + STREAM_HEAD_SIZE + 8,
			   len), "bytes of capture memory");
	*put = mtty_stream_put_capture(payload, offset);

	return split(run, bytes, len, vec);
}

static size_t encode(const struct stream_run *run, u32 type, void *payload)
{
	const struct mtty_stream_parser *p = run->parser;
	const u8 *was = run->wire + run->began + STREAM_HEAD_SIZE;
	u64 word;

	switch (type) {
	case MTTY_REC_START:
		memcpy(&word, was + offsetof(struct mtty_rec_start, session),
		       sizeof(word));
		return mtty_stream_put_start(payload, &p->id,
					     le64_to_cpu(word));
	case MTTY_REC_LOG:
		return mtty_stream_put_log(payload, &p->state);
	case MTTY_REC_UART:
		return mtty_stream_put_uart(payload, &p->state, *was);
	case MTTY_REC_IRQ:
		return mtty_stream_put_irq(payload, &p->state);
	case MTTY_REC_CONFIG:
		return mtty_stream_put_config(payload, mtty_stream_config(p));
	case MTTY_REC_REINIT:
		/* The parser keeps no state of this record */
		memcpy(&word, was, sizeof(word));
		return mtty_stream_put_reinit(payload, le64_to_cpu(word));
	default:
		return mtty_stream_put_end(payload, &run->chain);
	}
}

static struct mig_config_id config_id(const struct mtty_rec_head *head)
{
	return (struct mig_config_id) {
		.source = le64_to_cpu(head->source),
		.version = le64_to_cpu(head->version),
	};
}

static void check_record(struct stream_run *run, size_t end)
{
	const u8 *was = run->wire + run->began;
	struct mtty_rec_head *head = fuzz_alloc(STREAM_TEMPLATE_MAX);
	struct mtty_rec_head wire;
	struct kvec vec[3];
	unsigned int nr_vec = 0;
	size_t len, i;
	u32 type;

	memcpy(&wire, was, sizeof(wire));
	type = le32_to_cpu(wire.type);
	memset(head, STALE, STREAM_TEMPLATE_MAX);
	if (type == MTTY_REC_CAPTURE)
		nr_vec = encode_capture(run, head + 1, &len, vec);
	else
		len = encode(run, type, head + 1);
	len = mtty_stream_seal(&run->chain, head, type, config_id(&wire), len,
			       vec, nr_vec);

	for (i = 0; i < len; i++)
		FUZZ_CHECK(((u8 *)head)[i] == was[i],
			   "type %u: byte %zu is %#x, and was %#x", type, i,
			   ((u8 *)head)[i], was[i]);
	for (i = 0; i < nr_vec; i++)
		len += vec[i].iov_len;
	FUZZ_CHECK(len == end - run->began, "type %u: %zu bytes, not %zu", type,
		   len, end - run->began);
	FUZZ_CHECK(run->chain.seq == run->parser->chain.seq &&
		   run->chain.sum == run->parser->chain.sum, "type %u", type);
	free(head);
}

static void check_head(const struct stream_run *run)
{
	struct mig_config_id was, is = mtty_stream_config_id(run->parser);
	struct mtty_rec_head head;

	memcpy(&head, run->wire + run->began, sizeof(head));
	was = config_id(&head);
	FUZZ_CHECK(is.source == was.source && is.version == was.version,
		   "identity");
}

/* After an error, each call returns the same error */
static void check_refused(struct stream_run *run, int error)
{
	struct mtty_stream_parser *p = run->parser;

	FUZZ_CHECK(mtty_stream_feed(p, 1) == error && p->error == error,
		   "%d", p->error);
	FUZZ_CHECK(mtty_stream_refuse(p, -1) == error, "not %d", error);
}

static bool takes_back(struct stream_run *run, u8 feed)
{
	return (feed & STREAM_FEED_UNFEED) && fuzz_below(&run->rnd, 2);
}

/* Feed the next piece; returns the position in the stream, or 0 after an error */
static size_t feed_piece(struct stream_run *run, size_t pos, u8 feed)
{
	struct mtty_stream_parser *p = run->parser;
	size_t room = mtty_stream_buf_size(&p->id);
	bool was_ended = p->ended;
	size_t want, n;
	u8 *where;
	int ret;

	want = mtty_stream_want(p, &where);
	FUZZ_CHECK(want && where >= run->buf && where <= run->buf + room &&
		   want <= (size_t)(run->buf + room - where),
		   "%zu bytes at %td of %zu", want, where - run->buf, room);

	n = piece(run, feed);
	if (n > want)
		n = want;
	if (n > run->len - pos)
		n = run->len - pos;
	memcpy(where, run->wire + pos, n);

	ret = mtty_stream_feed(p, n);
	if (ret < 0) {
		/* After the end, any size gives the same error */
		say(run, was_ended ? pos : pos + n, ret);
		check_refused(run, ret);
		return 0;
	}
	if (ret == MTTY_STREAM_HEAD && takes_back(run, feed)) {
		mtty_stream_unfeed(p, n);
		memset(where, STALE, n);
		return pos;
	}

	pos += n;
	if (ret == MTTY_STREAM_MORE)
		return pos;
	say(run, pos, ret);
	if (ret == MTTY_STREAM_HEAD) {
		check_head(run);
	} else {
		check_record(run, pos);
		run->began = pos;
	}

	return pos;
}

/**
 * stream_run_init - feed a stream to a new parser
 * @run:	filled in
 * @id:		the device of the stream
 * @wire:	the stream
 * @len:	its length
 * @feed:	STREAM_FEED_*
 * @seed:	for random sizes
 */
void stream_run_init(struct stream_run *run, const struct mtty_stream_id *id,
		     const u8 *wire, size_t len, u8 feed, u8 seed)
{
	size_t room = mtty_stream_buf_size(id);
	size_t pos = 0;

	*run = (struct stream_run) {
		.parser = fuzz_alloc(sizeof(*run->parser)),
		.buf = fuzz_alloc(room),
		.events = fuzz_alloc(stream_model_max_events(len) *
				     sizeof(*run->events)),
		.wire = wire,
		.len = len,
		.rnd.state = seed,
	};
	memset(run->parser, STALE, sizeof(*run->parser));
	memset(run->buf, STALE, room);
	mtty_stream_parser_init(run->parser, id, run->buf);

	while (pos < len) {
		pos = feed_piece(run, pos, feed);
		if (run->parser->error)
			break;
	}
}

void stream_run_exit(struct stream_run *run)
{
	free(run->events);
	free(run->buf);
	free(run->parser);
}
