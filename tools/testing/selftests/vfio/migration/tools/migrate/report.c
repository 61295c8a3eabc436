// SPDX-License-Identifier: GPL-2.0-only
/*
 * Summary of a save or load, as text or as a JSON object. It goes to standard error if
 * standard output is the stream.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/vfio/feature.h"
#include "migrate.h"

static FILE *out;

static const char * const results[] = {
	[MIGRATE_DONE] = "done",
	[MIGRATE_FAILED] = "failed",
	[MIGRATE_USAGE] = "usage",
	[MIGRATE_BROKEN] = "broken",
	[MIGRATE_DEVICE] = "device",
	[MIGRATE_UNSURE] = "unsure",
	[MIGRATE_LOST] = "lost",
};

static void string(const char *key, const char *value)
{
	migrate_json_string(out, key, value);
}

static void number(const char *key, unsigned long long value)
{
	fprintf(out, ",\"%s\":%llu", key, value);
}

static void guest_json(const struct migrate_guest *guest)
{
	const struct vmig_traffic_report *report = &guest->report;

	fprintf(out, ",\"guest\":{\"sent\":%llu",
		(unsigned long long)(report->sent[0] + report->sent[1]));
	number("received", report->received[0] + report->received[1]);
	number("logged", report->logged[0] + report->logged[1]);
	number("lost", report->lost);
	number("config_changes", guest->config_changes);
	fputc('}', out);
}

static void json(const struct migrate *mig, enum migrate_exit status)
{
	const struct vmig_vmm_stats *stats = &mig->vmm.stats;

	fputc('{', out);
	string("command", mig->options->command);
	fputc(',', out);
	string("result", results[status]);
	number("exit", status);
	fputc(',', out);
	string("device", mig->options->device);
	fputc(',', out);
	string("policy", vmig_need_name(mig->vmm.answer.need));
	fputc(',', out);
	string("config", mig->options->config_word);
	number("bytes_precopy", stats->bytes_precopy);
	number("bytes_stopcopy", stats->bytes_stopcopy);
	number("bytes", stats->bytes_precopy + stats->bytes_stopcopy);
	number("rounds", stats->rounds);
	number("config_sections", stats->config_sections);
	number("config_bytes", stats->config_bytes);
	number("config_repeats", stats->config_repeats);
	number("config_writes", stats->config_writes);
	number("set_irqs", stats->set_irqs);
	number("started_ns", stats->started_at);
	number("stopped_ns", stats->stopped_at);
	number("running_ns", stats->running_at);
	if (mig->guest.is_finished)
		guest_json(&mig->guest);
	fputc(',', out);
	string("error", mig->error ? mig->error : "");
	fputs("}\n", out);
}

static void text(const struct migrate *mig, enum migrate_exit status)
{
	const struct vmig_vmm_stats *stats = &mig->vmm.stats;
	const struct vmig_traffic_report *report = &mig->guest.report;

	fprintf(out, "%s: policy %s", results[status],
		vmig_need_name(mig->vmm.answer.need));
	if (!strcmp(mig->options->command, "save"))
		fprintf(out, ", %llu bytes before and %llu after the stop",
			(unsigned long long)stats->bytes_precopy,
			(unsigned long long)stats->bytes_stopcopy);
	fprintf(out, ", config space %u times, %u interrupts connected\n",
		stats->config_sections, stats->set_irqs);
	if (!mig->guest.is_finished)
		return;
	fprintf(out, "guest: %llu bytes sent, %llu logged, %llu lost",
		(unsigned long long)(report->sent[0] + report->sent[1]),
		(unsigned long long)(report->logged[0] + report->logged[1]),
		(unsigned long long)report->lost);
	fprintf(out, "; %llu writes to config space\n",
		(unsigned long long)mig->guest.config_changes);
}

/* Compares files, because the stream may have another name */
bool migrate_is_output(int fd)
{
	struct stat st, stdout_st;

	return !fstat(fd, &st) && !fstat(STDOUT_FILENO, &stdout_st) &&
	       !S_ISCHR(st.st_mode) && st.st_dev == stdout_st.st_dev &&
	       st.st_ino == stdout_st.st_ino;
}

/* An earlier failure takes precedence over one to print */
enum migrate_exit migrate_flush(FILE *to, enum migrate_exit status)
{
	const char *why = "an earlier write failed";

	if (fflush(to))
		why = strerror(errno);
	else if (!ferror(to))
		return status;
	fprintf(stderr, "vfio-migrate: cannot print: %s\n", why);
	return status == MIGRATE_DONE ? MIGRATE_NO_OUTPUT : status;
}

enum migrate_exit migrate_report(const struct migrate *mig,
				 enum migrate_exit status)
{
	const struct migrate_options *options = mig->options;

	out = mig->is_out_taken ? stderr : stdout;
	if (options->json)
		json(mig, status);
	else if (!options->quiet &&
		 (status == MIGRATE_DONE || mig->guest.is_finished))
		text(mig, status);
	return migrate_flush(out, status);
}
