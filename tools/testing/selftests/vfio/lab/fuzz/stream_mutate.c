// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutations of whole records.
 *
 * libFuzzer's mutations insert and remove bytes, after which no record is valid.  These add,
 * remove and move records, or let libFuzzer mutate the payload of one.
 */
#include <string.h>
#include <linux/kernel.h>

#include "stream_input.h"

/* An input, and the start of its records */
struct mutation {
	u8 *data;
	size_t size;
	size_t max;
	struct fuzz_random rnd;
};

/* Pick a record; returns its length, or 0 if there is none */
static size_t pick(struct mutation *m, size_t *at)
{
	u8 fix = m->data[STREAM_INPUT_FIX];
	size_t pos = STREAM_INPUT_RECORDS;
	size_t len, found = 0;
	unsigned int n = 0;

	for (; (len = stream_input_record(m->data + pos, m->size - pos, fix));
	     pos += len) {
		/* Each with the same probability */
		if (fuzz_below(&m->rnd, ++n))
			continue;
		*at = pos;
		found = len;
	}

	return found;
}

static void insert(struct mutation *m, size_t at, const u8 *bytes, size_t len)
{
	if (len > m->max - m->size)
		return;

	memmove(m->data + at + len, m->data + at, m->size - at);
	memcpy(m->data + at, bytes, len);
	m->size += len;
}

static void remove_bytes(struct mutation *m, size_t at, size_t len)
{
	m->size -= len;
	memmove(m->data + at, m->data + at + len, m->size - at);
}

static void move_record(struct mutation *m, bool keep)
{
	u8 rec[STREAM_TEMPLATE_MAX];
	size_t from, to, len;

	len = pick(m, &from);
	if (!len || len > sizeof(rec))
		return;

	memcpy(rec, m->data + from, len);
	if (!keep)
		remove_bytes(m, from, len);
	if (!pick(m, &to))
		to = STREAM_INPUT_RECORDS;
	insert(m, to, rec, len);
}

static void remove_record(struct mutation *m)
{
	size_t at, len;

	len = pick(m, &at);
	if (len)
		remove_bytes(m, at, len);
}

static void insert_template(struct mutation *m)
{
	u8 rec[STREAM_TEMPLATE_MAX];
	struct mtty_stream_id id;
	size_t at, len;

	stream_input_id(m->data[STREAM_INPUT_DEVICE], &id);
	len = stream_template(rec, 1 + fuzz_below(&m->rnd, MTTY_REC_NR - 1),
			      &id, &m->rnd);
	if (!pick(m, &at))
		at = STREAM_INPUT_RECORDS;
	insert(m, at, rec, len);
}

static void mutate_payload(struct mutation *m)
{
	size_t at, len;

	len = pick(m, &at);
	if (len > STREAM_HEAD_SIZE)
		LLVMFuzzerMutate(m->data + at + STREAM_HEAD_SIZE,
				 len - STREAM_HEAD_SIZE,
				 len - STREAM_HEAD_SIZE);
}

static void mutate_head(struct mutation *m)
{
	size_t at, len;

	len = pick(m, &at);
	if (len)
		LLVMFuzzerMutate(m->data + at, STREAM_HEAD_SIZE,
				 STREAM_HEAD_SIZE);
}

/* An identity that records may have, or an invalid one: half of it is zero */
static void set_config_id(struct mutation *m)
{
	u64 id[2] = {
		cpu_to_le64(fuzz_below(&m->rnd, 2)),
		cpu_to_le64(fuzz_below(&m->rnd, 3)),
	};
	size_t at;

	if (pick(m, &at))
		memcpy(m->data + at + offsetof(struct mtty_rec_head, source),
		       id, sizeof(id));
}

/* A size near a limit */
static void insert_capture(struct mutation *m)
{
	static const u32 lens[] = { 8, STREAM_STRETCH_KEPT, 4096, 65536,
				    MTTY_STREAM_PAYLOAD_MAX };
	struct mtty_rec_head head = {
		.type = cpu_to_le32(MTTY_REC_CAPTURE),
		.source = cpu_to_le64(1),
		.version = cpu_to_le64(1),
	};
	u8 rec[STREAM_HEAD_SIZE + STREAM_STRETCH_KEPT] = { 0 };
	u32 len = lens[fuzz_below(&m->rnd, 5)] + fuzz_below(&m->rnd, 3) - 1;
	u64 offset = MTTY_CAP_LOG_OFFSET;
	struct mtty_stream_id id;
	size_t at;

	/* To the end of BAR2, or one byte beyond */
	stream_input_id(m->data[STREAM_INPUT_DEVICE], &id);
	if (fuzz_below(&m->rnd, 2))
		offset = id.capture_size + 8 - len + fuzz_below(&m->rnd, 2);
	head.len = cpu_to_le32(len);
	memcpy(rec, &head, sizeof(head));
	offset = cpu_to_le64(offset);
	memcpy(rec + STREAM_HEAD_SIZE, &offset, sizeof(offset));
	if (!pick(m, &at))
		return;
	m->data[STREAM_INPUT_FIX] |= STREAM_FIX_STRETCH;
	insert(m, at, rec, STREAM_HEAD_SIZE +
	       (len < STREAM_STRETCH_KEPT ? len : STREAM_STRETCH_KEPT));
}

static void mutate_controls(struct mutation *m)
{
	unsigned int i = fuzz_below(&m->rnd, STREAM_INPUT_RECORDS);

	m->data[i] = fuzz_random(&m->rnd);
	/* Mostly repair checksums: wrong ones hide other errors */
	if (i == STREAM_INPUT_FIX && fuzz_below(&m->rnd, 4))
		m->data[i] |= STREAM_FIX_SUMS | STREAM_FIX_COUNTS;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	struct mutation m = {
		.data = data,
		.size = size,
		.max = max_size,
		.rnd.state = seed,
	};

	fuzz_random(&m.rnd);
	if (size < STREAM_INPUT_RECORDS)
		return LLVMFuzzerMutate(data, size, max_size);

	switch (fuzz_below(&m.rnd, 12)) {
	case 0:
		return LLVMFuzzerMutate(data, size, max_size);
	case 1:
		move_record(&m, false);
		break;
	case 2:
		move_record(&m, true);
		break;
	case 3:
		remove_record(&m);
		break;
	case 4:
		insert_template(&m);
		break;
	case 5:
		mutate_head(&m);
		break;
	case 6:
		insert_capture(&m);
		break;
	case 7:
		mutate_controls(&m);
		break;
	case 8:
		set_config_id(&m);
		break;
	default:
		mutate_payload(&m);
		break;
	}

	return m.size;
}
