// SPDX-License-Identifier: GPL-2.0-only
/* The report as one JSON object. */
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "conformance.h"

static void put_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if (*text < ' ' || *text > '~')
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

/* A member; the first one of an object follows a "{" */
static void put_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, "\"%s\":", key);
	if (text)
		put_string(to, text);
	else
		fputs("null", to);
	fputc(',', to);
}

static void put_lines(FILE *to, const char *key, const char *text)
{
	char *copy = conf_text("%s", text ?: ""), *at = copy, *line;
	const char *comma = "";

	fprintf(to, "\"%s\":[", key);
	while ((line = conf_each_line(&at))) {
		fputs(comma, to);
		put_string(to, line);
		comma = ",";
	}
	fputs("],", to);
	free(copy);
}

static const char *bool_name(bool value)
{
	return value ? "true" : "false";
}

static void put_case_name(FILE *to, const struct conf_case *which)
{
	char *name = conf_text("%s: %s", which->program, which->name);

	put_string(to, name);
	free(name);
}

static void put_clause(FILE *to, const struct conf_suite *suite, unsigned int nr)
{
	const struct conf_clause *clause = &suite->clauses[nr];
	char *command = conf_show_command(suite, clause);
	const char *comma = "";
	unsigned int i;

	fputs("\n{", to);
	put_text(to, "id", clause->id);
	put_text(to, "verdict", conf_verdict_name(clause->verdict));
	put_text(to, "why", clause->why);
	put_text(to, "symbol", clause->symbol);
	put_text(to, "level", clause->level);
	put_text(to, "since", clause->since);
	put_text(to, "until", clause->until);
	put_text(to, "needs", clause->needs);
	put_text(to, "by", clause->by);
	put_text(to, "text", clause->text);
	put_text(to, "repeat", command);
	fprintf(to, "\"choice\":%s,\"cases\":[", bool_name(clause->is_choice));
	for (i = 0; i < suite->cases_nr; i++) {
		if (!conf_case_has(&suite->cases[i], nr))
			continue;
		fputs(comma, to);
		put_case_name(to, &suite->cases[i]);
		comma = ",";
	}
	fputs("]}", to);
	free(command);
}

static void put_outcome(FILE *to, const struct conf_outcome *outcome)
{
	fputc('{', to);
	put_text(to, "verdict", outcome->is_run ? conf_verdict_name(outcome->verdict) : "not run");
	put_text(to, "why", outcome->why);
	put_lines(to, "messages", outcome->messages);
	put_lines(to, "seen", outcome->seen);
	put_lines(to, "calls", outcome->calls);
	put_lines(to, "kernel", outcome->kernel);
	fprintf(to, "\"broken\":%s,\"crash\":%s,\"ms\":%u}", bool_name(outcome->is_broken),
		bool_name(outcome->is_crash), outcome->ms);
}

static void put_case(FILE *to, const struct conf_suite *suite, const struct conf_case *which)
{
	unsigned int i;

	fputs("\n{\"name\":", to);
	put_case_name(to, which);
	fputc(',', to);
	put_text(to, "program", which->program);
	put_text(to, "case", which->name);
	put_text(to, "destructive", *which->destructive ? which->destructive : NULL);
	fputs("\"clauses\":[", to);
	for (i = 0; i < which->clauses_nr; i++) {
		fputs(i ? "," : "", to);
		put_string(to, suite->clauses[which->clauses[i]].id);
	}
	fputs("],\"runs\":[", to);
	for (i = 0; i < suite->options.repeat; i++) {
		fputs(i ? "," : "", to);
		put_outcome(to, &which->outcomes[i]);
	}
	fputs("]}", to);
}

static void put_choices(FILE *to, const struct conf_suite *suite)
{
	struct conf_choice *choices;
	unsigned int i, nr = conf_choices(suite, &choices);

	fputs("\"choices\":[", to);
	for (i = 0; i < nr; i++) {
		fputs(i ? ",\n{" : "\n{", to);
		put_text(to, "clauses", choices[i].clauses);
		fputs("\"seen\":", to);
		put_string(to, choices[i].text);
		fputc('}', to);
	}
	fputs("],\n", to);
}

static void put_head(FILE *to, const struct conf_suite *suite, enum conf_exit status)
{
	const struct conf_options *options = &suite->options;
	char started[32];
	struct tm tm;
	unsigned int i;

	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&suite->started, &tm));
	fputc('{', to);
	put_text(to, "suite", CONF_NAME);
	put_text(to, "device", options->device);
	put_text(to, "device_kind", suite->device_text);
	put_text(to, "offers", suite->offers);
	put_text(to, "path", suite->path);
	put_text(to, "kernel", suite->kernel);
	put_text(to, "started", started);
	put_text(to, "stopped", suite->stopped);
	put_text(to, "after", suite->after);
	fprintf(to, "\"after_known\":%s,", bool_name(suite->is_after_known));
	if (options->shuffle)
		fprintf(to, "\"seed\":%u,", options->seed);
	fprintf(to, "\"format\":1,\"exit\":%d,\"ms\":%u,\"repeat\":%u,\"destructive\":%s,",
		status, suite->ms, options->repeat, bool_name(options->destructive));
	fputs("\"totals\":{", to);
	for (i = 0; i < VERDICT_NR; i++)
		fprintf(to, "%s\"%s\":%u", i ? "," : "", conf_verdict_name(i),
			conf_verdict_count(suite, i));
	fputs("},\n", to);
}

void conf_report_json(const struct conf_suite *suite, enum conf_exit status, FILE *to)
{
	const char *comma = "";
	unsigned int i;

	put_head(to, suite, status);
	fputs("\"clauses\":[", to);
	for (i = 0; i < suite->clauses_nr; i++) {
		if (!suite->clauses[i].is_selected)
			continue;
		fputs(comma, to);
		put_clause(to, suite, i);
		comma = ",";
	}
	fputs("],\n", to);
	put_choices(to, suite);
	fputs("\"cases\":[", to);
	for (i = 0; i < suite->cases_nr; i++) {
		fputs(i ? "," : "", to);
		put_case(to, suite, &suite->cases[i]);
	}
	fputs("]}\n", to);
}
