/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by inspect.c (sections) and inspect_rec.c (records). */
#ifndef VMIG_INSPECT_INT_H
#define VMIG_INSPECT_INT_H

/* The driver's parser and rules: these headers need lib/driver/include */
#include "mig_config.h"
#include "stream.h"

#include "inspect.h"

/**
 * struct vmig_inspect_recs - the device's data
 * @parser:	the driver's parser, for a device of the kind that START names
 * @buf:	one record
 * @at:		offset in the stream of the record in @buf
 */
struct vmig_inspect_recs {
	struct mtty_stream_parser parser;
	uint8_t *buf;
	uint64_t at;
};

/**
 * struct vmig_inspect - an inspection
 * @show:	see vmig_inspect()
 * @opaque:	for @show
 * @result:	see vmig_inspect()
 * @recs:	the device's data
 * @is_raw:	the stream has records only, no sections
 * @has_setup:	the setup section was read
 * @config:	the answer in it
 * @load:	identities of config space and data so far
 * @has_chip:	the state of the interrupt controller was read
 * @is_enabled:	interrupts were enabled
 */
struct vmig_inspect {
	vmig_inspect_show show;
	void *opaque;
	struct vmig_inspect_result *result;
	struct vmig_inspect_recs recs;
	bool is_raw;
	bool has_setup;
	struct mig_config config;
	struct mig_config_load load;
	bool has_chip;
	bool is_enabled;
};

/* Keep place and reason, unless there is one already; returns @error */
int vmig_inspect_broken(struct vmig_inspect *in, int error, uint64_t where,
			const char *fmt, ...);

int vmig_inspect_data_begin(struct vmig_inspect *in);
void vmig_inspect_data_free(struct vmig_inspect *in);

/* Check more of the device's data, which begin at @at of the stream */
int vmig_inspect_data(struct vmig_inspect *in, uint64_t at,
		      const uint8_t *data, size_t len);

/* Check that the data are complete; the stream ends at @at */
int vmig_inspect_data_end(struct vmig_inspect *in, uint64_t at);

#endif /* VMIG_INSPECT_INT_H */
