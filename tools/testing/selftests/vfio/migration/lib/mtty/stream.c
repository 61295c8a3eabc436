// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <linux/xxhash.h>

#include "stream.h"

/* Bytes of a head that @head_sum covers */
#define HEAD_SUMMED	offsetof(struct mtty_rec_head, head_sum)

void vmig_stream_start(struct vmig_stream_iter *iter, const void *data,
		       size_t len)
{
	iter->data = data;
	iter->len = len;
	iter->pos = 0;
	iter->chain = 0;
}

int vmig_stream_peek(const struct vmig_stream_iter *iter, struct vmig_rec *rec)
{
	const uint8_t *at = iter->data + iter->pos;
	size_t left = iter->len - iter->pos;
	struct mtty_rec_head head;

	if (!left)
		return -ENOENT;
	if (left < sizeof(head))
		return -ENODATA;
	memcpy(&head, at, sizeof(head));
	rec->type = le32toh(head.type);
	rec->len = le32toh(head.len);
	rec->source = le64toh(head.source);
	rec->version = le64toh(head.version);
	rec->seq = le64toh(head.seq);
	rec->data_sum = le64toh(head.data_sum);
	rec->head_sum = le64toh(head.head_sum);
	rec->offset = iter->pos;
	rec->size = sizeof(head) + rec->len;
	rec->payload = at + sizeof(head);
	rec->head_ok = rec->head_sum == xxh64(at, HEAD_SUMMED, iter->chain);
	rec->data_ok = false;
	return 0;
}

int vmig_stream_next(struct vmig_stream_iter *iter, struct vmig_rec *rec)
{
	int ret;

	ret = vmig_stream_peek(iter, rec);
	if (ret)
		return ret;
	if (rec->size > iter->len - iter->pos)
		return -ENODATA;

	rec->data_ok = rec->data_sum == xxh64(rec->payload, rec->len, 0);
	iter->pos += rec->size;
	iter->chain = rec->head_sum;
	return 0;
}

int vmig_stream_find(const struct vmig_bytes *stream, uint32_t type,
		     unsigned int nth, struct vmig_rec *rec)
{
	struct vmig_stream_iter iter;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!vmig_stream_next(&iter, rec)) {
		if (rec->type == type && !nth--)
			return 0;
	}
	return -ENOENT;
}

int vmig_stream_at(const struct vmig_bytes *stream, unsigned int nth,
		   struct vmig_rec *rec)
{
	struct vmig_stream_iter iter;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!vmig_stream_next(&iter, rec)) {
		if (!nth--)
			return 0;
	}
	return -ENOENT;
}

unsigned int vmig_stream_count(const struct vmig_bytes *stream)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	unsigned int count = 0;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!vmig_stream_next(&iter, &rec))
		count++;
	return count;
}

int vmig_stream_insert(struct vmig_bytes *stream, size_t at, uint32_t type,
		       const struct vmig_rec *id, const void *payload, size_t len)
{
	struct mtty_rec_head head = {
		.type = htole32(type),
		.len = htole32(len),
		.source = htole64(id ? id->source : 0),
		.version = htole64(id ? id->version : 0),
	};
	int ret;

	ret = vmig_bytes_insert(stream, at, payload, len);
	if (ret)
		return ret;
	return vmig_bytes_insert(stream, at, &head, sizeof(head));
}

int vmig_stream_poke(struct vmig_bytes *stream, const struct vmig_rec *rec,
		     size_t offset, const void *data, size_t len)
{
	if (offset > rec->len || len > rec->len - offset)
		return -EINVAL;
	memcpy(stream->data + rec->offset + sizeof(struct mtty_rec_head) +
	       offset, data, len);
	return 0;
}

int vmig_stream_poke_head(struct vmig_bytes *stream, const struct vmig_rec *rec,
			  size_t offset, const void *data, size_t len)
{
	size_t size = sizeof(struct mtty_rec_head);

	if (offset > size || len > size - offset)
		return -EINVAL;
	memcpy(stream->data + rec->offset + offset, data, len);
	return 0;
}

int vmig_stream_renumber(struct vmig_bytes *stream)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	uint64_t nr = 0;
	int ret;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!(ret = vmig_stream_next(&iter, &rec))) {
		uint64_t seq = htole64(nr++);

		vmig_stream_poke_head(stream, &rec,
				      offsetof(struct mtty_rec_head, seq),
				      &seq, sizeof(seq));
		if (rec.type == MTTY_REC_END && rec.len == sizeof(seq))
			vmig_stream_poke(stream, &rec,
					 offsetof(struct mtty_rec_end, records),
					 &seq, sizeof(seq));
	}
	return ret == -ENOENT ? vmig_stream_fix_sums(stream) : ret;
}

int vmig_stream_fix_sums(struct vmig_bytes *stream)
{
	struct vmig_stream_iter iter;
	struct mtty_rec_head head;
	struct vmig_rec rec;
	uint64_t chain = 0;
	int ret;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!(ret = vmig_stream_next(&iter, &rec))) {
		uint8_t *at = stream->data + rec.offset;

		memcpy(&head, at, sizeof(head));
		head.data_sum = htole64(xxh64(rec.payload, rec.len, 0));
		chain = xxh64(&head, HEAD_SUMMED, chain);
		head.head_sum = htole64(chain);
		memcpy(at, &head, sizeof(head));
	}
	return ret == -ENOENT ? 0 : ret;
}

void vmig_stream_fix_head(struct vmig_bytes *stream,
			  const struct vmig_rec *rec, uint64_t chain)
{
	uint8_t *at = stream->data + rec->offset;
	uint64_t sum = htole64(xxh64(at, HEAD_SUMMED, chain));

	memcpy(at + HEAD_SUMMED, &sum, sizeof(sum));
}

const char *vmig_stream_type_name(uint32_t type)
{
	static const char * const names[MTTY_REC_NR] = {
		[MTTY_REC_START] = "START",
		[MTTY_REC_CAPTURE] = "CAPTURE",
		[MTTY_REC_LOG] = "LOG",
		[MTTY_REC_UART] = "UART",
		[MTTY_REC_IRQ] = "IRQ",
		[MTTY_REC_END] = "END",
		[MTTY_REC_CONFIG] = "CONFIG",
		[MTTY_REC_REINIT] = "REINIT",
	};

	if (type >= MTTY_REC_NR || !names[type])
		return "?";
	return names[type];
}
