/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input of stream_fuzz: STREAM_INPUT_* bytes with options, then the records of a stream.
 *
 * Options repair checksums and counts that a mutation has broken; otherwise the parser would
 * refuse almost all inputs there.  A large record of capture memory can be in the input as its
 * first bytes only, so that sizes near the end of the parser's buffer are cheap.
 */
#ifndef MTTY_FUZZ_STREAM_INPUT_H
#define MTTY_FUZZ_STREAM_INPUT_H

#include "fuzz.h"
#include "stream.h"

enum stream_input_byte {
	STREAM_INPUT_DEVICE,
	STREAM_INPUT_FIX,
	STREAM_INPUT_FEED,
	STREAM_INPUT_SEED,
	STREAM_INPUT_TAMPER,
	STREAM_INPUT_WHERE,	/* two bytes */
	STREAM_INPUT_RECORDS = STREAM_INPUT_WHERE + 2,
};

/* STREAM_INPUT_DEVICE: the number of choices for each, low bits first */
#define STREAM_DEVICE_PORTS	2
#define STREAM_DEVICE_NEEDS	4
#define STREAM_DEVICE_FEATURES	2
#define STREAM_DEVICE_SIZES	6

/* STREAM_INPUT_FIX: COUNTS are in heads, END is the count in the payload of END */
#define STREAM_FIX_SUMS		0x01
#define STREAM_FIX_COUNTS	0x02
#define STREAM_FIX_START	0x04
#define STREAM_FIX_STRETCH	0x08
#define STREAM_FIX_END		0x10
#define STREAM_FIX_ALL		0x1f

/* STREAM_INPUT_FEED: the size of the pieces, and whether to unfeed heads */
#define STREAM_FEED_SIZES	0x03
#define STREAM_FEED_WHOLE	0
#define STREAM_FEED_BYTES	1
#define STREAM_FEED_SMALL	2
#define STREAM_FEED_ANY		3
#define STREAM_FEED_UNFEED	0x04

/* STREAM_INPUT_TAMPER: how to change a stream that was accepted */
enum stream_tamper {
	STREAM_TAMPER_CHANGE,	/* a byte */
	STREAM_TAMPER_REMOVE,
	STREAM_TAMPER_REPEAT,
	STREAM_TAMPER_SWAP,	/* with the next byte */
	STREAM_TAMPER_CUT,
	STREAM_TAMPER_REMOVE_RECORD,
	STREAM_TAMPER_REPEAT_RECORD,
	STREAM_TAMPER_SWAP_RECORDS,
	STREAM_TAMPER_SPLICE,	/* the rest is from a stream of another session */
	STREAM_TAMPER_NR
};

#define STREAM_HEAD_SIZE	sizeof(struct mtty_rec_head)
#define STREAM_STRETCH_MAX	3
#define STREAM_STRETCH_KEPT	(sizeof(struct mtty_rec_capture) + 16)
#define STREAM_TEMPLATE_MAX	MTTY_STREAM_SMALL_BUF_SIZE

struct stream_input_device {
	unsigned int ports;
	unsigned int need;
	unsigned int features;
	unsigned int size;
};

u8 stream_input_device(const struct stream_input_device *of);
void stream_input_id(u8 device, struct mtty_stream_id *id);
size_t stream_input_record(const u8 *rec, size_t left, u8 fix);
u8 *stream_input_expand(const u8 *data, size_t size,
			const struct mtty_stream_id *id, size_t *len);
size_t stream_record(const u8 *rec, size_t left);
void stream_fix(u8 *wire, size_t len, const struct mtty_stream_id *id, u8 fix);
size_t stream_template(u8 *rec, enum mtty_rec_type type,
		       const struct mtty_stream_id *id,
		       struct fuzz_random *rnd);

#endif /* MTTY_FUZZ_STREAM_INPUT_H */
