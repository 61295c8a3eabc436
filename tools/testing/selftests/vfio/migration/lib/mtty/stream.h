/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of mtty's migration stream: walk them, change them, and make the
 * checksums right again, so that a test reaches what lies behind them.
 *
 * To a VMM the stream is opaque.  This is for those who look inside: tests, and
 * tools that print what a stream holds.
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
 * @type:	enum mtty_rec_type, or what else stands there
 * @len:	bytes of payload
 * @generation:	generation of config space it was made under
 * @seq:	its number
 * @data_sum:	as it stands there
 * @head_sum:	as it stands there
 * @data_ok:	@data_sum is right
 * @head_ok:	@head_sum is right, given the one of the record before
 * @offset:	of the head, from the start of the stream
 * @size:	of head and payload
 * @payload:	within the stream
 */
struct vmig_rec {
	uint32_t type;
	uint32_t len;
	uint64_t generation;
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
 * struct vmig_stream_iter - where a walk along the records is
 * @data:	the stream
 * @len:	its length
 * @pos:	offset of the next record
 * @chain:	@head_sum of the record before
 */
struct vmig_stream_iter {
	const uint8_t *data;
	size_t len;
	size_t pos;
	uint64_t chain;
};

/** vmig_stream_start - begin to walk along the records of a stream */
void vmig_stream_start(struct vmig_stream_iter *iter, const void *data,
		       size_t len);

/**
 * vmig_stream_peek - the head of the next record
 * @iter:	from vmig_stream_start(); does not move on
 * @rec:	filled in, but for what depends on the payload: @data_ok is false
 *
 * Return: 0, -ENOENT behind the last record, -ENODATA if the head is not all there.
 */
int vmig_stream_peek(const struct vmig_stream_iter *iter, struct vmig_rec *rec);

/**
 * vmig_stream_next - the next record
 * @iter:	from vmig_stream_start()
 * @rec:	filled in; whether its checksums hold is in there
 *
 * Return: 0, -ENOENT behind the last record, -ENODATA if the stream ends within
 * one.
 */
int vmig_stream_next(struct vmig_stream_iter *iter, struct vmig_rec *rec);

/**
 * vmig_stream_find - a record by type
 * @stream:	the stream
 * @type:	enum mtty_rec_type
 * @nth:	which of them, counted from 0
 * @rec:	filled in; -ENOENT if there is no such record
 */
int vmig_stream_find(const struct vmig_bytes *stream, uint32_t type,
		     unsigned int nth, struct vmig_rec *rec);

/** vmig_stream_at - a record by its number in the stream; else -ENOENT */
int vmig_stream_at(const struct vmig_bytes *stream, unsigned int nth,
		   struct vmig_rec *rec);

/** vmig_stream_count - number of whole records */
unsigned int vmig_stream_count(const struct vmig_bytes *stream);

/**
 * vmig_stream_insert - a new record
 * @stream:	the stream; its checksums are wrong afterwards
 * @at:		offset of the record that shall follow
 * @type:	enum mtty_rec_type, or any other number
 * @generation:	for its head
 * @payload:	its payload
 * @len:	length of that
 */
int vmig_stream_insert(struct vmig_bytes *stream, size_t at, uint32_t type,
		       uint64_t generation, const void *payload, size_t len);

/**
 * vmig_stream_poke - overwrite part of a payload
 * @stream:	the stream; its checksums are wrong afterwards
 * @rec:	which record of it
 * @offset:	from the start of the payload; -EINVAL outside
 * @data:	what to write there
 * @len:	how much
 */
int vmig_stream_poke(struct vmig_bytes *stream, const struct vmig_rec *rec,
		     size_t offset, const void *data, size_t len);

/** vmig_stream_poke_head - overwrite part of a head; see vmig_stream_poke() */
int vmig_stream_poke_head(struct vmig_bytes *stream, const struct vmig_rec *rec,
			  size_t offset, const void *data, size_t len);

/**
 * vmig_stream_reseal - number and count the records anew, make all checksums right
 * @stream:	whole records; -ENODATA if it ends within one
 */
int vmig_stream_reseal(struct vmig_bytes *stream);

/**
 * vmig_stream_resum - make all checksums right, and leave the rest as it is
 * @stream:	whole records; -ENODATA if it ends within one
 */
int vmig_stream_resum(struct vmig_bytes *stream);

/**
 * vmig_stream_seal_head - make the checksum of one head right, whatever it says
 * @stream:	the stream
 * @rec:	which record of it; its payload need not be there
 * @chain:	@head_sum of the record before, 0 for the first
 */
void vmig_stream_seal_head(struct vmig_bytes *stream,
			   const struct vmig_rec *rec, uint64_t chain);

/** vmig_stream_type_name - "START", "CAPTURE", ... or "?" */
const char *vmig_stream_type_name(uint32_t type);

#endif /* VMIG_STREAM_H */
