// SPDX-License-Identifier: GPL-2.0-only
/* See event_log.h. */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "lib/vfio/feature.h"
#include "event_log.h"

#define STEP_WIDTH	26
#define WHAT_WIDTH	54

/* Print the name of a step once, before its first line */
static const char *name_once(struct vmig_event_log *log, const char *step)
{
	bool again = log->step && !strcmp(step, log->step);

	log->step = step;
	return again ? "" : step;
}

static const char *state_of(struct vmig_vmm *vmm)
{
	enum vfio_device_mig_state state;

	if (vmig_mig_get_state(vmm->dev, &state))
		return "?";
	return vmig_state_name(state);
}

static void print_line(struct vmig_event_log *log, const char *step,
		       const char *what)
{
	fprintf(log->out, "%-*s %-*s %-12s %s\n", STEP_WIDTH,
		name_once(log, step), WHAT_WIDTH, what, state_of(log->src),
		state_of(log->dst));
}

void vmig_event_log_line(struct vmig_event_log *log, const char *step,
			 const char *fmt, ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	print_line(log, step, what);
}

/* Without the states of the devices, because the subflags need the room */
static void print_section(struct vmig_event_log *log, const char *step,
			  const struct vmig_section *section)
{
	const char *name = vmig_section_name(section->marker);
	const char *shown = name_once(log, step);
	char names[96];

	fprintf(log->out, "%-*s >> %s", STEP_WIDTH, shown, name);
	if (section->marker == VFIO_MIG_FLAG_DEV_SETUP_STATE)
		fprintf(log->out, ": %s, %llu bytes\n",
			vmig_need_name(section->need),
			(unsigned long long)section->size);
	else if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE)
		fprintf(log->out, " [%s]: %s\n",
			vmig_subflags_name(section->subflags, names,
					   sizeof(names)),
			section->len ? "256 bytes" : "no payload");
	else
		fprintf(log->out, ": %zu bytes\n", section->len);
}

void vmig_event_log_flush(struct vmig_event_log *log, const struct vmig_vmm *vmm)
{
	unsigned long long data = log->data;

	if (!log->sections)
		return;
	log->sections = 0;
	log->data = 0;
	if (vmm->side == VMIG_VMM_SOURCE)
		fprintf(log->out, "%-*s >> DEV_DATA_STATE: %llu bytes, %s\n",
			STEP_WIDTH, name_once(log, vmm->step), data,
			"by read() from the data_fd");
	else
		vmig_event_log_line(log, vmm->step,
				    "write() to the data_fd: %llu bytes", data);
}

static void print_call(struct vmig_event_log *log, const struct vmig_event *event)
{
	static const char prefix[] = "VFIO_DEVICE_FEATURE ";
	const char *call = event->call;

	if (!strncmp(call, prefix, strlen(prefix)))
		call += strlen(prefix);
	vmig_event_log_line(log, event->step, "%s: %s", call, event->text);
}

static bool is_end(const struct vmig_section *section)
{
	return section->marker == VFIO_MIG_FLAG_END_OF_STATE ||
	       section->marker == VMIG_FLAG_END_OF_STREAM;
}

static void observe(void *opaque, const struct vmig_event *event)
{
	struct vmig_event_log *log = opaque;
	const struct vmig_section *section = event->section;
	const struct vmig_vmm *vmm = event->side == VMIG_VMM_SOURCE ?
				     log->src : log->dst;

	if (section && section->marker == VFIO_MIG_FLAG_DEV_DATA_STATE) {
		log->sections++;
		log->data += section->len;
	} else if (event->kind != VMIG_EVENT_STEP) {
		vmig_event_log_flush(log, vmm);
	}

	if (event->kind == VMIG_EVENT_CALL)
		print_call(log, event);
	else if (event->kind == VMIG_EVENT_VIOLATION)
		vmig_event_log_line(log, event->step, "%s", event->text);
	else if (section && event->side == VMIG_VMM_SOURCE && !is_end(section) &&
		 section->marker != VFIO_MIG_FLAG_DEV_DATA_STATE)
		print_section(log, event->step, section);

	if (log->next)
		log->next(log->opaque, event);
}

void vmig_event_log_begin(struct vmig_event_log *log)
{
	log->src->observe = observe;
	log->src->opaque = log;
	log->dst->observe = observe;
	log->dst->opaque = log;
	fprintf(log->out, "%-*s %-*s %-12s %s\n", STEP_WIDTH, "STEP",
		WHAT_WIDTH, "UAPI CALL, or >> section of the stream", "SOURCE",
		"DEST");
}
