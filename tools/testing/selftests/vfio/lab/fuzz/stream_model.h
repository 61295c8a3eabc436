/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration stream once more, to compare the driver's parser with.
 *
 * It has the whole stream before it and goes by what mtty_format.h promises; of
 * stream.c it knows the errors that are documented there, and in which order they
 * are looked for.
 */
#ifndef MTTY_FUZZ_STREAM_MODEL_H
#define MTTY_FUZZ_STREAM_MODEL_H

#include "stream.h"
#include "uart_model.h"

/**
 * struct stream_event - something that the parser has said
 * @at:		bytes of the stream that it had by then
 * @what:	enum mtty_stream_event, or a negative errno
 */
struct stream_event {
	size_t at;
	int what;
};

/**
 * struct stream_model - what a stream says
 * @events:	all that the parser has to say, in this order
 * @nr_events:	how many
 * @ended:	generation of the end, 0 if it is not there
 * @config:	generation of the last config space, 0 if there is none
 * @logged:	as in struct mtty_rec_log
 * @dropped:	as in struct mtty_rec_log
 * @irq_flags:	as in struct mtty_rec_irq
 * @uart:	the ports
 */
struct stream_model {
	struct stream_event *events;
	size_t nr_events;
	u64 ended;
	u64 config;
	u64 logged;
	u64 dropped;
	u32 irq_flags;
	struct uart_model uart[MTTY_MAX_PORTS];
};

size_t stream_model_max_events(size_t len);
void stream_model_init(struct stream_model *m, const struct mtty_stream_id *id,
		       const u8 *wire, size_t len);
void stream_model_exit(struct stream_model *m);
bool stream_model_loads(const struct stream_model *m);

#endif /* MTTY_FUZZ_STREAM_MODEL_H */
