// SPDX-License-Identifier: GPL-2.0-only
/* The parts that all reports have: of a violated clause, and of the run. */
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/* Registers and the like, which no reader of a report needs */
static const char * const details[] = {
	"Code:", "RSP:", "RAX:", "RDX:", "RBP:", "R10:", "R13:", "FS:", "CS:", "CR2:", "DR0:",
	"DR3:", "PKRU:", "Modules linked in:", "Hardware name:", "Tainted:", "pstate:", "sp :",
	"x29:", "x26:", "x23:", "x20:", "x17:", "x14:", "x11:", "x8 :", "x5 :", "x2 :",
	" <TASK>", " </TASK>",
};

static unsigned int count_lines(const char *text)
{
	unsigned int nr = 0;

	for (; text && *text; text++)
		nr += *text == '\n';
	return nr;
}

/* The one with the shortest list of calls; NULL if none has failed */
const struct conf_case *conf_show_case(const struct conf_suite *suite, unsigned int clause)
{
	unsigned int i, len, best_len = 0;
	const struct conf_case *best = NULL;

	for (i = 0; i < suite->cases_nr; i++) {
		const struct conf_outcome *outcome = conf_case_worst(suite, &suite->cases[i]);

		if (!conf_case_has(&suite->cases[i], clause) || !outcome->is_run ||
		    outcome->verdict != VERDICT_VIOLATED)
			continue;
		/* One without calls shows less than any other */
		len = count_lines(outcome->calls) ?: ~0u;
		if (best && len >= best_len)
			continue;
		best = &suite->cases[i];
		best_len = len;
	}
	return best;
}

char *conf_show_command(const struct conf_suite *suite, const struct conf_clause *clause)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		exit(conf_error("out of memory"));
	fputs("./" CONF_NAME " --device ", to);
	conf_quote(to, suite->options.device);
	if (*suite->options.device != '/' && strcmp(suite->path, "group"))
		fprintf(to, " --path %s", suite->path);
	if (suite->options.destructive)
		fputs(" --destructive", to);
	if (suite->options.repeat > 1)
		fprintf(to, " --repeat %u", suite->options.repeat);
	fputs(" --clause ", to);
	conf_quote(to, clause->id);
	fclose(to);
	return text;
}

static bool is_detail(const char *line)
{
	unsigned int i = 0;

	while (i < ARRAY_SIZE(details) && strncmp(line, details[i], strlen(details[i])))
		i++;
	return i < ARRAY_SIZE(details);
}

static bool is_beginning(const char *line)
{
	return !strncmp(line, "WARNING: ", 9) || !strncmp(line, "BUG: ", 5) ||
	       strstr(line, " survives SIGKILL");
}

/* Without what a crash repeats behind its end */
char *conf_show_kernel(const struct conf_outcome *outcome)
{
	char *copy = conf_text("%s", outcome->kernel ?: ""), *at = copy, *line, *text = NULL;
	bool has_ended = false;

	while ((line = conf_each_line(&at))) {
		if (is_beginning(line))
			has_ended = false;
		if (!has_ended && !is_detail(line))
			conf_append(&text, "%s\n", line);
		if (!strncmp(line, "---[ end trace", 14))
			has_ended = true;
	}
	free(copy);
	return text;
}

char *conf_show_summary(const struct conf_suite *suite)
{
	char *text = NULL;
	unsigned int i;

	for (i = 0; i < VERDICT_NR; i++)
		conf_append(&text, "%s%u %s", i ? ", " : "", conf_verdict_count(suite, i),
			    conf_verdict_name(i));
	return text;
}
