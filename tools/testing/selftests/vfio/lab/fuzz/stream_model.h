/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second parser of the migration stream, to compare with the driver's.
 *
 * It parses a whole stream by the rules of mtty_format.h.  From stream.c it has the documented
 * errors and the order of the checks.
 */
#ifndef MTTY_FUZZ_STREAM_MODEL_H
#define MTTY_FUZZ_STREAM_MODEL_H

#include "stream.h"
#include "uart_model.h"

/**
 * struct stream_event - an event that the parser returned
 * @at:		bytes of the stream before the event
 * @what:	enum mtty_stream_event, or a negative errno
 */
struct stream_event {
	size_t at;
	int what;
};

/**
 * struct stream_model - the content of a stream
 * @events:	the events that the parser must return
 * @nr_events:	number of events
 * @ended:	the end is there
 * @logged:	as in struct mtty_rec_log
 * @dropped:	as in struct mtty_rec_log
 * @irq_flags:	as in struct mtty_rec_irq
 * @uart:	the ports
 */
struct stream_model {
	struct stream_event *events;
	size_t nr_events;
	bool ended;
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
