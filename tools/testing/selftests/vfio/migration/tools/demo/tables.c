// SPDX-License-Identifier: GPL-2.0-only
/* The table at the end: sections and calls, bytes and interrupts of each policy. */
#include "demo.h"
#include "fail.h"
#include "print.h"

static void print_calls(const struct journey *journeys, unsigned int nr)
{
	const struct vmig_vmm_stats *src, *dst;
	unsigned int i;

	print_line(BOLD, "%-12s %10s %10s %11s %11s %11s", "POLICY", "PRE-COPY",
		   "STOP-COPY", "CONFIG SENT", "CONFIG SET", "SET_IRQS");
	for (i = 0; i < nr; i++) {
		src = &journeys[i].stats[0];
		dst = &journeys[i].stats[1];
		print_line(PLAIN, "%-12s %10llu %10llu %11u %11u %11u", journeys[i].policy,
			   (unsigned long long)src->bytes_precopy,
			   (unsigned long long)src->bytes_stopcopy,
			   src->config_sections, dst->config_writes, dst->set_irqs);
	}
}

/* The bytes of both ports */
static unsigned long long sum(const uint64_t *bytes)
{
	return bytes[0] + bytes[1];
}

static void print_bytes(const struct journey *journeys, unsigned int nr)
{
	unsigned int i;

	print_line(BOLD, "%-12s %12s %14s %12s %8s  %s", "BYTES", "by the guest",
		   "back to it", "in the log", "lost", "INTERRUPT");
	for (i = 0; i < nr; i++) {
		const struct vmig_traffic_report *report = &journeys[i].report;

		print_line(PLAIN, "%-12s %12llu %14llu %12llu %8llu  %s", journeys[i].policy,
			   sum(report->sent), sum(report->received), sum(report->logged),
			   (unsigned long long)report->lost,
			   journeys[i].irqs == 1 ? "once, running" : "not once");
	}
}

static int check(const struct journey *journey)
{
	if (!journey->report.sent[0] || !journey->report.sent[1])
		return demo_fail("%s: a port was not used", journey->policy);
	if (journey->stats[1].violations)
		return demo_fail("%s: interrupts were enabled before their controller was restored",
				 journey->policy);
	if (journey->report.lost)
		return demo_fail("%s: %llu bytes lost", journey->policy,
				 (unsigned long long)journey->report.lost);
	return 0;
}

int tables_show(const struct journey *journeys, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	print_title("4. The four answers of a driver side by side");
	print_calls(journeys, nr);
	print_bytes(journeys, nr);
	print_text("With each answer all bytes and the interrupt arrive. The answer decides how\n"
		   "often config space is sent: again after each change if the data need it, once if\n"
		   "not, never if the data contain it. Downtime is not in the table, because it\n"
		   "differs more between two runs than between two answers; make bench-config\n"
		   "measures it.");
	for (i = 0; i < nr && !ret; i++)
		ret = check(&journeys[i]);
	return ret;
}
