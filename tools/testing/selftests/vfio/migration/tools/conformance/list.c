// SPDX-License-Identifier: GPL-2.0-only
/* The output of --list, and the announcement before a run. */
#include <string.h>

#include "conformance.h"

void conf_list(const struct conf_suite *suite)
{
	const struct conf_clause *clause;
	const struct conf_case *which;
	unsigned int i, j, nr;

	for (i = 0; i < suite->clauses_nr; i++) {
		clause = &suite->clauses[i];
		if (!clause->is_selected)
			continue;
		printf("%s  %s, %s, since Linux %s\n", clause->id, clause->level, clause->symbol,
		       clause->since);
		for (j = nr = 0; j < suite->cases_nr; j++) {
			which = &suite->cases[j];
			if (!conf_case_has(which, i))
				continue;
			nr++;
			printf("    %s: %s\n", which->program, which->name);
			if (*which->destructive)
				printf("        destructive: %s\n",
				       which->destructive);
		}
		if (!nr)
			printf("    no case: %s\n", !conf_clause_in_kernel(suite, clause) ?
			       "not in this kernel" : clause->untested ?: "no test");
	}
}

static void announce_device(const struct conf_suite *suite)
{
	printf("# device: %s: %s\n", suite->options.device, suite->device_text);
	if (suite->offers)
		printf("# offers: %s\n", suite->offers);
	if (!strcmp(suite->path, "group"))
		printf("# path: group: /dev/vfio/GROUP and a type 1 container\n");
	else
		printf("# path: iommufd: /dev/vfio/devices/vfioN and /dev/iommu\n");
	printf("# kernel: Linux %s\n", suite->kernel);
	if (conf_kernel_blind())
		printf("# kernel: %s\n", conf_kernel_blind());
	if (!suite->is_created)
		printf("# It is opened, reset and migrated onto itself: it must not be in use.\n");
}

/* Each reason once */
static void announce_destructive(const struct conf_suite *suite)
{
	unsigned int i, j, nr = 0;

	for (i = 0; i < suite->cases_nr; i++)
		nr += !!*suite->cases[i].destructive;
	if (!nr) {
		printf("# destructive: nothing\n");
		return;
	}
	printf("# destructive: %u cases, %s\n", nr, suite->options.destructive ?
	       "allowed by --destructive" : suite->is_created ?
	       "allowed because the device is created for them" :
	       "not run without --destructive");
	for (i = 0; i < suite->cases_nr; i++) {
		const char *why = suite->cases[i].destructive;

		for (j = 0; j < i && strcmp(suite->cases[j].destructive, why); j++)
			;
		if (*why && j == i)
			printf("#     %s (%s: %s)\n", why, suite->cases[i].program,
			       suite->cases[i].name);
	}
}

void conf_announce(const struct conf_suite *suite)
{
	unsigned int i, nr = 0;

	for (i = 0; i < suite->clauses_nr; i++)
		nr += suite->clauses[i].is_selected;
	printf("KTAP version 1\n1..%u\n", nr);
	printf("# " CONF_NAME ": %u clauses, %u cases of %u programs\n", nr, suite->cases_nr,
	       suite->programs_nr);
	announce_device(suite);
	announce_destructive(suite);
	if (suite->options.repeat > 1)
		printf("# each case is run %u times\n", suite->options.repeat);
	if (suite->options.shuffle)
		printf("# the order is shuffled: --shuffle=%u\n", suite->options.seed);
	fflush(stdout);
}
