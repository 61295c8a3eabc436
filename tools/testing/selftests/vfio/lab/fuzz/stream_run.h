/* SPDX-License-Identifier: GPL-2.0-only */
/* Feeds a stream to the driver's parser in pieces, with checks at each step. */
#ifndef MTTY_FUZZ_STREAM_RUN_H
#define MTTY_FUZZ_STREAM_RUN_H

#include "fuzz.h"
#include "stream.h"
#include "stream_model.h"

/**
 * struct stream_run - a parser and a stream
 * @parser:	the parser
 * @buf:	its buffer, of exactly the required size
 * @events:	the events that it returned
 * @nr_events:	number of events
 * @wire:	the stream
 * @len:	its length
 * @began:	start of the current record
 * @chain:	the chain of records at @began
 * @rnd:	for the sizes of pieces
 */
struct stream_run {
	struct mtty_stream_parser *parser;
	u8 *buf;
	struct stream_event *events;
	size_t nr_events;
	const u8 *wire;
	size_t len;
	size_t began;
	struct mtty_stream_chain chain;
	struct fuzz_random rnd;
};

void stream_run_init(struct stream_run *run, const struct mtty_stream_id *id,
		     const u8 *wire, size_t len, u8 feed, u8 seed);
void stream_run_exit(struct stream_run *run);

#endif /* MTTY_FUZZ_STREAM_RUN_H */
