// SPDX-License-Identifier: GPL-2.0-only
/* A migration, told line by line; see story.h. */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "lib/vfio/feature.h"
#include "event_log.h"

#define STEP_WIDTH	26
#define WHAT_WIDTH	50

/* A step is named once, in front of its first line */
static const char *name_once(struct vmig_event_log *story, const char *step)
{
	bool again = story->step && !strcmp(step, story->step);

	story->step = step;
	return again ? "" : step;
}

static const char *state_of(struct vmig_vmm *vmm)
{
	enum vfio_device_mig_state state;

	if (vmig_mig_get_state(vmm->dev, &state))
		return "?";
	return vmig_state_name(state);
}

static void print_line(struct vmig_event_log *story, const char *step,
		       const char *what)
{
	fprintf(story->out, "%-*s %-*s %-12s %s\n", STEP_WIDTH,
		name_once(story, step), WHAT_WIDTH, what, state_of(story->src),
		state_of(story->dst));
}

void vmig_event_log_line(struct vmig_event_log *story, const char *step,
		     const char *fmt, ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	print_line(story, step, what);
}

/* No states here, and so there is room for subflags */
static void tell_section(struct vmig_event_log *story, const char *step,
			 const struct vmig_section *section)
{
	const char *name = vmig_section_name(section->marker);
	const char *shown = name_once(story, step);
	char names[96];

	fprintf(story->out, "%-*s >> %s", STEP_WIDTH, shown, name);
	if (section->marker == VFIO_MIG_FLAG_DEV_SETUP_STATE)
		fprintf(story->out, ": %s, generation %llu\n",
			vmig_policy_name(section->policy),
			(unsigned long long)section->generation);
	else if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE)
		fprintf(story->out, " [%s]: %s\n",
			vmig_subflags_name(section->subflags, names,
					   sizeof(names)),
			section->len ? "256 bytes" : "no payload");
	else
		fprintf(story->out, ": %zu bytes\n", section->len);
}

void vmig_event_log_flush(struct vmig_event_log *story, const struct vmig_vmm *vmm)
{
	unsigned long long data = story->data;

	if (!story->sections)
		return;
	story->sections = 0;
	story->data = 0;
	if (vmm->side == VMIG_VMM_SOURCE)
		fprintf(story->out, "%-*s >> DEV_DATA_STATE: %llu bytes, %s\n",
			STEP_WIDTH, name_once(story, vmm->step), data,
			"by read() from the data_fd");
	else
		vmig_event_log_line(story, vmm->step,
				"write() to the data_fd: %llu bytes", data);
}

static void tell_call(struct vmig_event_log *story, const struct vmig_event *event)
{
	static const char prefix[] = "VFIO_DEVICE_FEATURE ";
	const char *call = event->call;

	/* Config space is read between two queries, which only has to be so */
	if (strstr(call, "GET MIG_CONFIG") && !strstr(event->step, "setup"))
		return;
	if (!strncmp(call, prefix, strlen(prefix)))
		call += strlen(prefix);
	vmig_event_log_line(story, event->step, "%s: %s", call, event->text);
}

static bool is_end(const struct vmig_section *section)
{
	return section->marker == VFIO_MIG_FLAG_END_OF_STATE ||
	       section->marker == VMIG_FLAG_END_OF_STREAM;
}

static void tell(void *opaque, const struct vmig_event *event)
{
	struct vmig_event_log *story = opaque;
	const struct vmig_section *section = event->section;
	const struct vmig_vmm *vmm = event->side == VMIG_VMM_SOURCE ?
				     story->src : story->dst;

	if (section && section->marker == VFIO_MIG_FLAG_DEV_DATA_STATE) {
		story->sections++;
		story->data += section->len;
	} else if (event->kind != VMIG_EVENT_STEP) {
		vmig_event_log_flush(story, vmm);
	}

	if (event->kind == VMIG_EVENT_CALL)
		tell_call(story, event);
	else if (event->kind == VMIG_EVENT_VIOLATION)
		vmig_event_log_line(story, event->step, "%s", event->text);
	else if (section && event->side == VMIG_VMM_SOURCE && !is_end(section) &&
		 section->marker != VFIO_MIG_FLAG_DEV_DATA_STATE)
		tell_section(story, event->step, section);

	if (story->next)
		story->next(story->opaque, event);
}

void vmig_event_log_begin(struct vmig_event_log *story)
{
	story->src->observe = tell;
	story->src->opaque = story;
	story->dst->observe = tell;
	story->dst->opaque = story;
	fprintf(story->out, "%-*s %-*s %-12s %s\n", STEP_WIDTH, "STEP",
		WHAT_WIDTH, "UAPI CALL, or >> section of the stream", "SOURCE",
		"DEST");
}
