// SPDX-License-Identifier: GPL-2.0-only
/* See trace.h. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "print.h"
#include "trace.h"
#include "words.h"

/* So many of the 32 digits of an identity tell it from another */
#define ID_DIGITS	18

static const struct {
	const char *name;
	const char *meaning;
} steps[] = {
	{ "save_setup", "the source begins" },
	{ "load_setup", "the destination begins" },
	{ "save_live_iterate", "the guest runs, data are copied" },
	{ "load_state", "the destination takes them in" },
	{ "save_live_complete_precopy", "the guest stops, downtime begins" },
	{ "save_state", "last, what must wait for the interrupt controller" },
	{ "save_end", "the source has sent all" },
	{ "load_start", "the guest runs on the destination, downtime ends" },
};

static const char *meaning_of(const char *step)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		if (!strcmp(step, steps[i].name))
			return steps[i].meaning;
	return "";
}

/* Print the name of a step once, before its first line */
static void print_step(struct trace *trace, const char *step)
{
	const char *meaning = meaning_of(step);

	if (trace->step && !strcmp(step, trace->step))
		return;
	trace->step = step;
	print_line(BOLD, "%s%s%s", step, *meaning ? ": " : "", meaning);
}

void trace_line(struct trace *trace, const char *step, const char *where, const char *fmt,
		...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	print_step(trace, step);
	print_line(PLAIN, "  %-10s %s", where, what);
	words_explain(what);
}

static const char *side_name(enum vmig_vmm_side side)
{
	return side == VMIG_VMM_SOURCE ? "source" : "dest";
}

static void print_section(struct trace *trace, const char *step,
			  const struct vmig_section *section)
{
	const char *name = vmig_section_name(section->marker);
	char subflags[96];

	if (section->marker == VFIO_MIG_FLAG_DEV_SETUP_STATE)
		trace_line(trace, step, "stream >>", "%s: %s, %llu bytes", name,
			   vmig_need_name(section->need),
			   (unsigned long long)section->size);
	else if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE)
		trace_line(trace, step, "stream >>", "%s [%s]: %zu bytes", name,
			   vmig_subflags_name(section->subflags, subflags, sizeof(subflags)),
			   section->len);
	else
		trace_line(trace, step, "stream >>", "%s: %zu bytes", name, section->len);
}

void trace_flush(struct trace *trace, const struct vmig_vmm *vmm)
{
	unsigned long long data = trace->data;

	if (!trace->sections)
		return;
	trace->sections = 0;
	trace->data = 0;
	if (vmm->side == VMIG_VMM_SOURCE)
		trace_line(trace, vmm->step, "stream >>",
			   "DEV_DATA_STATE: %llu bytes, by read() from the data_fd", data);
	else
		trace_line(trace, vmm->step, "dest", "write() to the data_fd: %llu bytes",
			   data);
}

static void print_call(struct trace *trace, const struct vmig_event *event)
{
	static const char prefix[] = "VFIO_DEVICE_FEATURE ";
	const char *call = event->call;
	size_t len = strlen(event->text);
	bool is_id = len > ID_DIGITS && strspn(event->text, "0123456789abcdef") == len;

	if (!strncmp(call, prefix, strlen(prefix)))
		call += strlen(prefix);
	trace_line(trace, event->step, side_name(event->side), "%s: %.*s%s", call,
		   is_id ? ID_DIGITS : (int)len, event->text, is_id ? ".." : "");
}

static bool is_end(const struct vmig_section *section)
{
	return section->marker == VFIO_MIG_FLAG_END_OF_STATE ||
	       section->marker == VMIG_FLAG_END_OF_STREAM;
}

static void observe(void *opaque, const struct vmig_event *event)
{
	struct trace *trace = opaque;
	const struct vmig_section *section = event->section;

	if (section && section->marker == VFIO_MIG_FLAG_DEV_DATA_STATE) {
		trace->sections++;
		trace->data += section->len;
	} else if (event->kind != VMIG_EVENT_STEP) {
		trace_flush(trace, event->side == VMIG_VMM_SOURCE ? trace->src : trace->dst);
	}

	if (event->kind == VMIG_EVENT_CALL)
		print_call(trace, event);
	else if (event->kind == VMIG_EVENT_VIOLATION)
		trace_line(trace, event->step, side_name(event->side), "%s", event->text);
	else if (section && event->side == VMIG_VMM_SOURCE && !is_end(section) &&
		 section->marker != VFIO_MIG_FLAG_DEV_DATA_STATE)
		print_section(trace, event->step, section);

	if (trace->next)
		trace->next(trace->opaque, event);
}

void trace_begin(struct trace *trace)
{
	trace->src->observe = observe;
	trace->src->opaque = trace;
	trace->dst->observe = observe;
	trace->dst->opaque = trace;
}
