/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A readable log of a migration: one line for each call of the uAPI and each section of
 * the stream, with the states of both devices.
 */
#ifndef VMIG_EVENT_LOG_H
#define VMIG_EVENT_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "vmm.h"

/**
 * struct vmig_event_log - a log
 * @out:	where to print
 * @src:	source
 * @dst:	destination
 * @next:	called for each event after it was printed; may be NULL
 * @opaque:	for @next
 * @step:	name printed last; NULL prints it again
 * @data:	bytes of device data since the last line
 * @sections:	sections of device data since the last line
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

/** vmig_event_log_begin - observe both sides, and print a heading */
void vmig_event_log_begin(struct vmig_event_log *log);

/** vmig_event_log_line - print a line; @fmt as for printf() */
void vmig_event_log_line(struct vmig_event_log *log, const char *step,
			 const char *fmt, ...);

/** vmig_event_log_flush - print a pending line about device data */
void vmig_event_log_flush(struct vmig_event_log *log, const struct vmig_vmm *vmm);

#endif /* VMIG_EVENT_LOG_H */
