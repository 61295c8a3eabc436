/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace of a migration: one line for each call of the uAPI and each section of the
 * stream, below the step of the VMM that they belong to.
 */
#ifndef VMIG_DEMO_TRACE_H
#define VMIG_DEMO_TRACE_H

#include <stdint.h>

#include "lib/vmm/vmm.h"

/**
 * struct trace - a trace
 * @src:	source
 * @dst:	destination
 * @next:	called for each event after it was printed; may be NULL
 * @opaque:	for @next
 * @step:	of the last line
 * @data:	bytes of device data since the last line
 * @sections:	sections of device data since the last line
 */
struct trace {
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
	void (*next)(void *opaque, const struct vmig_event *event);
	void *opaque;
	const char *step;
	uint64_t data;
	unsigned int sections;
};

/** trace_begin - observe both sides */
void trace_begin(struct trace *trace);

/**
 * trace_line - print a line
 * @trace:	from trace_begin()
 * @step:	of the VMM
 * @where:	side, or another word of at most 10 characters
 * @fmt:	as for printf()
 */
void trace_line(struct trace *trace, const char *step, const char *where, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));

/** trace_flush - print a pending line about device data */
void trace_flush(struct trace *trace, const struct vmig_vmm *vmm);

#endif /* VMIG_DEMO_TRACE_H */
