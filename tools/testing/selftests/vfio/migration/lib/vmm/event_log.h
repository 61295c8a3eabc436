/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration told to somebody who wants to understand it: a line for each call
 * of the uAPI and for each section of the stream, with the states of both
 * devices beside it.  It prints to where it is told to, and judges nothing.
 */
#ifndef VMIG_EVENT_LOG_H
#define VMIG_EVENT_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "vmm.h"

/**
 * struct vmig_event_log - the teller
 * @out:	where to
 * @src:	source
 * @dst:	destination
 * @next:	is told each event as well, after it was printed; may be NULL
 * @opaque:	for @next
 * @step:	that was printed last, NULL to have it printed again
 * @data:	bytes of device data that have passed since
 * @sections:	in so many sections
 */
struct vmig_event_log {
	FILE *out;
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
	void (*next)(void *opaque, const struct vmig_event *event);
	void *opaque;
	const char *step;
	uint64_t data;
	unsigned int sections;
};

/** vmig_event_log_begin - become the observer of both sides, and print a heading */
void vmig_event_log_begin(struct vmig_event_log *story);

/** vmig_event_log_line - print a line of one's own; @fmt as for printf() */
void vmig_event_log_line(struct vmig_event_log *story, const char *step,
		     const char *fmt, ...);

/** vmig_event_log_flush - print what is left, before somebody else prints */
void vmig_event_log_flush(struct vmig_event_log *story, const struct vmig_vmm *vmm);

#endif /* VMIG_EVENT_LOG_H */
