/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of mtty's migration stream: read them, change them, and correct the
 * checksums, so that a test reaches the checks behind the checksums.
 *
 * For tests and tools that print a stream. To a VMM the stream is opaque.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_STREAM_H
#define VMIG_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mtty_format.h"

#include "lib/vfio/bytes.h"

/**
 * struct vmig_rec - one record, head in host byte order
 * @type:	enum mtty_rec_type, or an invalid number
 * @len:	bytes of the payload
 * @source:	identity of the config space that it was made under, or 0
 * @version:	its second half
 * @seq:	sequence number
 * @data_sum:	checksum of the payload
 * @head_sum:	checksum of the head and the @head_sum before
 * @data_ok:	@data_sum is correct
 * @head_ok:	@head_sum is correct
 * @offset:	of the head in the stream
 * @size:	bytes of head and payload
 * @payload:	points into the stream
 */
struct vmig_rec {
	uint32_t type;
	uint32_t len;
	uint64_t source;
	uint64_t version;
	uint64_t seq;
	uint64_t data_sum;
	uint64_t head_sum;
	bool data_ok;
	bool head_ok;
	size_t offset;
	size_t size;
	const uint8_t *payload;
};

/**
 * struct vmig_stream_iter - iterator over the records
 * @data:	the stream
 * @len:	bytes of @data
 * @pos:	offset of the next record
 * @chain:	@head_sum of the record before; 0 for the first
 */
struct vmig_stream_iter {
	const uint8_t *data;
	size_t len;
	size_t pos;
	uint64_t chain;
};

/** vmig_stream_start - set an iterator to the first record */
void vmig_stream_start(struct vmig_stream_iter *iter, const void *data,
		       size_t len);

/**
 * vmig_stream_peek - read the head of the next record
 * @iter:	from vmig_stream_start(); does not change
 * @rec:	filled in; @data_ok is false, because the payload may be missing
 *
 * Return: 0, -ENOENT behind the last record, -ENODATA if the stream ends in the head.
 */
int vmig_stream_peek(const struct vmig_stream_iter *iter, struct vmig_rec *rec);

/**
 * vmig_stream_next - read the next record
 * @iter:	from vmig_stream_start(); moves to the record behind
 * @rec:	filled in
 *
 * Return: 0 also if a checksum is wrong, -ENOENT behind the last record, -ENODATA if
 * the stream ends in the record.
 */
int vmig_stream_next(struct vmig_stream_iter *iter, struct vmig_rec *rec);

/**
 * vmig_stream_find - find a record by type
 * @stream:	the stream
 * @type:	enum mtty_rec_type
 * @nth:	number among records of the type, counted from 0
 * @rec:	filled in; -ENOENT if there is no such record
 */
int vmig_stream_find(const struct vmig_bytes *stream, uint32_t type,
		     unsigned int nth, struct vmig_rec *rec);

/** vmig_stream_at - find a record by its number, counted from 0; else -ENOENT */
int vmig_stream_at(const struct vmig_bytes *stream, unsigned int nth,
		   struct vmig_rec *rec);

/** vmig_stream_count - number of complete records */
unsigned int vmig_stream_count(const struct vmig_bytes *stream);

/**
 * vmig_stream_insert - insert a record
 * @stream:	the stream; its checksums are wrong afterwards
 * @at:		offset of the record that follows
 * @type:	enum mtty_rec_type, or an invalid number
 * @id:		record whose @source and @version it gets; NULL: zeroes
 * @payload:	the payload
 * @len:	bytes of @payload
 */
int vmig_stream_insert(struct vmig_bytes *stream, size_t at, uint32_t type,
		       const struct vmig_rec *id, const void *payload, size_t len);

/**
 * vmig_stream_poke - overwrite part of a payload
 * @stream:	the stream; its checksums are wrong afterwards
 * @rec:	a record of @stream
 * @offset:	offset in the payload; -EINVAL outside
 * @data:	the bytes
 * @len:	bytes of @data
 */
int vmig_stream_poke(struct vmig_bytes *stream, const struct vmig_rec *rec,
		     size_t offset, const void *data, size_t len);

/** vmig_stream_poke_head - overwrite part of a head; see vmig_stream_poke() */
int vmig_stream_poke_head(struct vmig_bytes *stream, const struct vmig_rec *rec,
			  size_t offset, const void *data, size_t len);

/**
 * vmig_stream_renumber - correct sequence numbers, their count, and all checksums
 * @stream:	the stream; -ENODATA if it ends in a record
 */
int vmig_stream_renumber(struct vmig_bytes *stream);

/**
 * vmig_stream_fix_sums - correct all checksums, and nothing else
 * @stream:	the stream; -ENODATA if it ends in a record
 */
int vmig_stream_fix_sums(struct vmig_bytes *stream);

/**
 * vmig_stream_fix_head - correct @head_sum of one record
 * @stream:	the stream
 * @rec:	a record of @stream; the payload may be missing
 * @chain:	@head_sum of the record before, 0 for the first
 */
void vmig_stream_fix_head(struct vmig_bytes *stream,
			  const struct vmig_rec *rec, uint64_t chain);

/** vmig_stream_type_name - "START", "CAPTURE", ... or "?" */
const char *vmig_stream_type_name(uint32_t type);

#endif /* VMIG_STREAM_H */
