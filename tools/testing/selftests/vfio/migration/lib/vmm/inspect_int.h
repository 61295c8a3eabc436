/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves of looking into a stream share; for nobody else.
 */
#ifndef VMIG_INSPECT_INT_H
#define VMIG_INSPECT_INT_H

#include "inspect.h"

/**
 * struct vmig_inspect_recs - how far the device's data have been looked at
 * @rest:	of the data so far: begins with a record that is not all there
 * @at:		where in the stream that record begins
 * @next_at:	where in the stream the bytes behind @rest come from
 * @chain:	@head_sum of the record before
 * @seq:	number of the next record
 * @seen:	bit mask of what has come, as in the driver: a type, and for the
 *		ports as many bits further up as there are types
 * @ports:	of the first record
 * @capture_size: of the first record
 * @policy:	of the first record
 * @config:	generation of the last CONFIG record, or 0
 * @began:	generation of config space when the first byte of @rest came
 * @ended:	generation of the last record, or 0 as long as it has not come
 */
struct vmig_inspect_recs {
	struct vmig_bytes rest;
	uint64_t at;
	uint64_t next_at;
	uint64_t chain;
	uint64_t seq;
	uint32_t seen;
	uint32_t ports;
	uint64_t capture_size;
	uint64_t policy;
	uint64_t config;
	uint64_t began;
	uint64_t ended;
};

/**
 * struct vmig_inspect - a look into a stream
 * @show:	who is shown what there is
 * @opaque:	for @show
 * @result:	what will be returned
 * @recs:	the device's data
 * @is_raw:	there is no VMM around them
 * @policy:	of the setup section
 * @has_setup:	it has come
 * @config:	generation of the last config space, or 0
 * @has_chip:	the interrupt controller has come
 * @is_enabled:	interrupts have been enabled
 */
struct vmig_inspect {
	vmig_inspect_show show;
	void *opaque;
	struct vmig_inspect_result *result;
	struct vmig_inspect_recs recs;
	bool is_raw;
	uint64_t policy;
	bool has_setup;
	uint64_t config;
	bool has_chip;
	bool is_enabled;
};

/* Keep where and why, unless it is known already; returns @error */
int vmig_inspect_broken(struct vmig_inspect *in, int error, uint64_t where,
			const char *fmt, ...);

/* More of the device's data, which begin at @at of the stream */
int vmig_inspect_data(struct vmig_inspect *in, uint64_t at,
		      const uint8_t *data, size_t len);

/* There are no more of them; the stream ends at @at */
int vmig_inspect_data_end(struct vmig_inspect *in, uint64_t at);

#endif /* VMIG_INSPECT_INT_H */
