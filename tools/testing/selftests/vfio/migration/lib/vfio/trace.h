/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events, in a tracefs instance, which other users of tracefs do not see.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_TRACE_H
#define VMIG_TRACE_H

#include <stdbool.h>

#include "bytes.h"

/**
 * struct vmig_trace - a tracefs instance
 * @dir:	its directory; empty: no instance
 * @mounted:	tracefs was mounted for it
 */
struct vmig_trace {
	char dir[80];
	bool mounted;
};

/**
 * vmig_trace_start - start to record the events of a trace system
 * @trace:	filled in
 * @system:	a directory in events/
 *
 * Return: 0, -ENODEV if the kernel has no tracefs, -ENOENT if tracefs does not have
 * @system, or another -errno.
 */
int vmig_trace_start(struct vmig_trace *trace, const char *system);

/**
 * vmig_trace_read - read the events
 * @trace:	from vmig_trace_start()
 * @text:	appended: a line for each event in order, beginning with its name;
 *		ends with a 0 byte
 */
int vmig_trace_read(struct vmig_trace *trace, struct vmig_bytes *text);

/**
 * vmig_trace_count - count the lines that have a text
 * @trace:	from vmig_trace_start()
 * @text:	of an event
 *
 * Return: the number, or -errno.
 */
int vmig_trace_count(struct vmig_trace *trace, const char *text);

/** vmig_trace_stop - undo vmig_trace_start(); idempotent */
void vmig_trace_stop(struct vmig_trace *trace);

#endif /* VMIG_TRACE_H */
