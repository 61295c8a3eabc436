// SPDX-License-Identifier: GPL-2.0-only
/* Show bytes, rate, rest and expected downtime on the terminal. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/util.h"
#include "migrate.h"

#define INTERVAL_NS	100000000ULL

static struct {
	bool is_on;
	const struct vmig_vmm *vmm;
	uint64_t begin;
	uint64_t shown;
	uint64_t bytes;
} progress;

/* A stopped terminal must not block the migration */
static bool is_writable(void)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT;
}

static void show(uint64_t now)
{
	double seconds = (now - progress.begin) / 1e9;
	double rate = seconds > 0 ? progress.bytes / seconds : 0;
	uint64_t left = 0;

	if (!is_writable())
		return;
	fprintf(stderr, "\r%-10s %9.1f KiB  %8.1f KiB/s", progress.vmm->side ==
		VMIG_VMM_SOURCE ? "saving" : "loading",
		progress.bytes / 1024.0, rate / 1024);
	if (progress.vmm->side == VMIG_VMM_SOURCE && rate > 0 &&
	    !vmig_mig_data_size(progress.vmm->dev, &left))
		fprintf(stderr, "  left %8.1f KiB  expected downtime %7.1f ms",
			left / 1024.0, left / rate * 1000);
	fputs("  ", stderr);
}

static void observe(void *opaque, const struct vmig_event *event)
{
	uint64_t now;

	if (event->kind != VMIG_EVENT_SECTION)
		return;
	progress.bytes += event->section->len;
	now = vmig_now_ns();
	if (now - progress.shown < INTERVAL_NS)
		return;
	progress.shown = now;
	show(now);
}

void migrate_progress_begin(struct vmig_vmm *vmm,
			    const struct migrate_options *options)
{
	if (options->quiet || options->json || !isatty(STDERR_FILENO))
		return;
	progress.is_on = true;
	progress.vmm = vmm;
	progress.begin = vmig_now_ns();
	vmm->observe = observe;
}

void migrate_progress_end(void)
{
	if (!progress.is_on)
		return;
	show(vmig_now_ns());
	if (is_writable())
		fputs("\n", stderr);
	progress.is_on = false;
}
