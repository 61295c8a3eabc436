// SPDX-License-Identifier: GPL-2.0-only
/* The report on standard output: KTAP, with tables as diagnostics. */
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define WIDTH	92

/* Lines of a text, each behind a mark */
static void put_lines(const char *title, const char *text)
{
	char *copy = conf_text("%s", text ?: ""), *at = copy, *line;

	if (*copy)
		printf("#   %s:\n", title);
	while ((line = conf_each_line(&at)))
		printf("#     %s\n", line);
	free(copy);
}

/* One paragraph, in lines of WIDTH */
static void put_wrapped(const char *title, const char *text)
{
	size_t column = strlen(title) + 4, len;

	printf("#   %s:", title);
	while (*text) {
		len = strcspn(text, " ");
		if (column + 1 + len > WIDTH) {
			printf("\n#    ");
			column = 5;
		}
		printf(" %.*s", (int)len, text);
		column += 1 + len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void put_other_cases(const struct conf_suite *suite, unsigned int clause,
			    const struct conf_case *shown)
{
	unsigned int i;

	for (i = 0; i < suite->cases_nr; i++) {
		const struct conf_case *which = &suite->cases[i];
		const struct conf_outcome *outcome = conf_case_worst(suite, which);

		if (which != shown && conf_case_has(which, clause) && outcome->is_run &&
		    outcome->verdict == VERDICT_VIOLATED)
			printf("#   also: %s: %s\n", which->program, which->name);
	}
}

static void put_violation(const struct conf_suite *suite, unsigned int nr)
{
	const struct conf_clause *clause = &suite->clauses[nr];
	const struct conf_case *which = conf_show_case(suite, nr);
	char *command = conf_show_command(suite, clause);

	printf("# %s is violated%s%s\n", clause->id, clause->why ? ": " : "",
	       clause->why ?: "");
	put_wrapped("asks", clause->text);
	printf("#   from: %s, %s, since Linux %s\n", clause->symbol, clause->level,
	       clause->since);
	if (which) {
		const struct conf_outcome *outcome = conf_case_worst(suite, which);
		char *kernel = conf_show_kernel(outcome);

		printf("#   case: %s: %s\n", which->program, which->name);
		put_lines("seen", outcome->messages ?: outcome->why);
		put_lines("calls", outcome->calls);
		put_lines("kernel", kernel);
		free(kernel);
	}
	put_other_cases(suite, nr, which);
	printf("#   repeat: %s\n", command);
	free(command);
}

static void put_results(const struct conf_suite *suite)
{
	unsigned int i, nr = 0;

	for (i = 0; i < suite->clauses_nr; i++) {
		const struct conf_clause *clause = &suite->clauses[i];

		if (!clause->is_selected)
			continue;
		nr++;
		if (clause->verdict == VERDICT_VIOLATED) {
			put_violation(suite, i);
			printf("not ok %u %s\n", nr, clause->id);
		} else if (clause->verdict == VERDICT_KEPT) {
			printf("ok %u %s\n", nr, clause->id);
		} else {
			printf("ok %u %s # SKIP %s: %s\n", nr, clause->id,
			       conf_verdict_name(clause->verdict), clause->why ?: "no reason");
		}
	}
}

/* The longest id, but not all of the line */
static int id_width(const struct conf_suite *suite)
{
	size_t width = 0;
	unsigned int i;

	for (i = 0; i < suite->clauses_nr; i++) {
		if (suite->clauses[i].is_selected && strlen(suite->clauses[i].id) > width)
			width = strlen(suite->clauses[i].id);
	}
	return width > 60 ? 60 : width;
}

static void put_table(const struct conf_suite *suite)
{
	int width = id_width(suite);
	unsigned int i;

	printf("#\n# Clauses\n");
	for (i = 0; i < suite->clauses_nr; i++) {
		const struct conf_clause *clause = &suite->clauses[i];

		if (clause->is_selected)
			printf("# %-*s  %-6s  %s%s%s\n", width, clause->id, clause->level,
			       conf_verdict_name(clause->verdict), clause->why ? ": " : "",
			       clause->why ?: "");
	}
}

static void put_choices(const struct conf_suite *suite)
{
	struct conf_choice *choices;
	unsigned int i, nr = conf_choices(suite, &choices);

	printf("#\n# Choices of the driver\n");
	for (i = 0; i < nr; i++)
		printf("# %s  (%s)\n", choices[i].text, choices[i].clauses);
	for (i = 0; i < suite->clauses_nr; i++) {
		const struct conf_clause *clause = &suite->clauses[i];

		if (clause->is_selected && (clause->is_choice || !strcmp(clause->level, "OPEN")))
			printf("# %s: %s%s%s\n", clause->id, conf_verdict_name(clause->verdict),
			       clause->why ? ": " : "", clause->why ?: "");
	}
}

static void put_after(const struct conf_suite *suite)
{
	if (suite->is_created)
		return;
	printf("# after the run: ");
	if (!suite->is_after_known)
		printf("not known whether the device can be used\n");
	else if (suite->after)
		printf("the device cannot be used: %s; reset it, or bind it again\n",
		       suite->after);
	else
		printf("the device can be opened%s%s\n", suite->state ? ", and is " : "",
		       suite->state ?: "");
}

void conf_report_text(const struct conf_suite *suite)
{
	const struct conf_case *broken = conf_case_broken(suite);
	char *summary = conf_show_summary(suite);

	put_results(suite);
	put_table(suite);
	put_choices(suite);
	printf("#\n");
	put_after(suite);
	if (broken)
		printf("# test program failed: %s: %s: %s\n", broken->program, broken->name,
		       conf_case_worst(suite, broken)->why ?: "");
	if (suite->stopped)
		printf("# stopped by %s: the report is not complete\n", suite->stopped);
	printf("# %s: %s; %u.%u s\n", suite->options.device, summary, suite->ms / 1000,
	       suite->ms % 1000 / 100);
	free(summary);
}
