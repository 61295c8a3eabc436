/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events, in an instance of one's own: nobody else's settings are touched,
 * and nobody else's events come in between.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_TRACE_H
#define VMIG_TRACE_H

#include <stdbool.h>

#include "bytes.h"

/**
 * struct vmig_trace - who is watching
 * @dir:	the instance; empty when there is none
 * @mounted:	tracefs was not there before
 */
struct vmig_trace {
	char dir[80];
	bool mounted;
};

/**
 * vmig_trace_start - from now on, record the events of a system
 * @trace:	filled in; nothing is left behind on failure
 * @system:	a directory in events/
 *
 * Return: 0, -ENODEV if the kernel has no tracefs, -ENOENT if it has, but not
 * that system, or another -errno.
 */
int vmig_trace_start(struct vmig_trace *trace, const char *system);

/**
 * vmig_trace_read - what was recorded until now
 * @trace:	from vmig_trace_start()
 * @text:	appended: a line for each event, in the order in which they came,
 *		from the event's name on; with a 0 at the end
 */
int vmig_trace_read(struct vmig_trace *trace, struct vmig_bytes *text);

/** vmig_trace_stop - undo vmig_trace_start(); idempotent */
void vmig_trace_stop(struct vmig_trace *trace);

#endif /* VMIG_TRACE_H */
