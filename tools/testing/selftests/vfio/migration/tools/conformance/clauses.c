// SPDX-License-Identifier: GPL-2.0-only
/* The clause file: stanzas of "Field: value"; a line that begins with a blank goes on. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "conformance.h"

static const char * const levels[] = { "MUST", "SHOULD", "OPEN", NULL };
static const char * const sides[] = { "driver", "core", NULL };
static const char * const answers[] = { "yes", "no", NULL };

/* @words: the values that it may have, or NULL for any */
static const struct field {
	const char *name;
	size_t offset;
	bool is_required;
	const char * const *words;
} fields[] = {
	{ "Id", offsetof(struct conf_clause, id), true, NULL },
	{ "Symbol", offsetof(struct conf_clause, symbol), true, NULL },
	{ "Level", offsetof(struct conf_clause, level), true, levels },
	{ "Since", offsetof(struct conf_clause, since), true, NULL },
	{ "Until", offsetof(struct conf_clause, until), false, NULL },
	{ "Needs", offsetof(struct conf_clause, needs), false, NULL },
	{ "By", offsetof(struct conf_clause, by), true, sides },
	{ "Text", offsetof(struct conf_clause, text), true, NULL },
	{ "Choice", offsetof(struct conf_clause, choice), false, answers },
	{ "Untested", offsetof(struct conf_clause, untested), false, NULL },
};

static char **value_of(struct conf_clause *clause, const struct field *field)
{
	return (char **)((char *)clause + field->offset);
}

static bool is_one_of(const char *word, const char * const *words)
{
	while (*words && strcmp(*words, word))
		words++;
	return *words;
}

/* 0 for what is not a release */
unsigned int conf_kernel_code(const char *release)
{
	unsigned long major, minor;
	char *end;

	major = strtoul(release, &end, 10);
	if (end == release || *end != '.' || end[1] < '0' || end[1] > '9')
		return 0;
	minor = strtoul(end + 1, &end, 10);
	return major > 255 || minor > 255 ? 0 : (major << 8) + minor;
}

bool conf_clause_in_kernel(const struct conf_suite *suite, const struct conf_clause *clause)
{
	unsigned int running = conf_kernel_code(suite->kernel);

	return running >= conf_kernel_code(clause->since) &&
	       (!clause->until || running <= conf_kernel_code(clause->until));
}

int conf_clause_find(const struct conf_suite *suite, const char *id)
{
	unsigned int i;

	for (i = 0; i < suite->clauses_nr; i++) {
		if (!strcmp(suite->clauses[i].id, id))
			return i;
	}
	return -1;
}

static enum conf_exit fail(const struct conf_suite *suite, unsigned int line,
			   const char *problem, const char *word)
{
	return conf_error("%s:%u: %s%s; correct it or give another file with --clauses",
			  suite->options.clauses, line, problem, word);
}

/* The stanza is complete: check it and add it */
static enum conf_exit add(struct conf_suite *suite, struct conf_clause *clause)
{
	unsigned int i;

	if (!clause->line)
		return CONF_GO_ON;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = *value_of(clause, &fields[i]);

		if (fields[i].is_required && (!value || !*value))
			return fail(suite, clause->line, "a stanza has no ", fields[i].name);
		if (value && fields[i].words && !is_one_of(value, fields[i].words))
			return fail(suite, clause->line, "an unknown value of ",
				    fields[i].name);
	}
	if (!conf_kernel_code(clause->since) ||
	    (clause->until && !conf_kernel_code(clause->until)))
		return fail(suite, clause->line, "Since or Until is not a kernel release", "");
	if (conf_clause_find(suite, clause->id) >= 0)
		return fail(suite, clause->line, "a second clause ", clause->id);

	clause->needs = clause->needs ?: "";
	clause->is_choice = clause->choice && !strcmp(clause->choice, "yes");
	suite->clauses = conf_grow(suite->clauses, suite->clauses_nr, sizeof(*clause));
	suite->clauses[suite->clauses_nr++] = *clause;
	*clause = (struct conf_clause){};
	return CONF_GO_ON;
}

/* "Field: value"; returns where the value is to go, or NULL and what is wrong */
static char **begin_field(struct conf_clause *clause, char *line, char **value,
			  const char **problem)
{
	char *colon = strchr(line, ':');
	const struct field *field = fields;
	char **to;

	*problem = "this is not \"Field: value\": ";
	if (!colon)
		return NULL;
	*colon = '\0';
	*value = colon + 1 + strspn(colon + 1, " \t");
	while (field < fields + ARRAY_SIZE(fields) && strcmp(field->name, line))
		field++;
	*problem = "unknown field ";
	if (field == fields + ARRAY_SIZE(fields))
		return NULL;
	to = value_of(clause, field);
	*problem = "a second field ";
	return *to ? NULL : to;
}

static void trim(char *line)
{
	size_t len = strlen(line);

	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
}

static enum conf_exit parse(struct conf_suite *suite, char *text)
{
	struct conf_clause clause = {};
	enum conf_exit ret = CONF_GO_ON;
	char **field = NULL, *line, *value;
	const char *problem;
	unsigned int nr = 0;

	while (ret == CONF_GO_ON && (line = conf_each_line(&text))) {
		nr++;
		trim(line);
		if (*line == '#')
			continue;
		if (!*line) {
			ret = add(suite, &clause);
			field = NULL;
			continue;
		}
		value = line + strspn(line, " \t");
		if (!conf_is_printable(value))
			return fail(suite, nr, "not printable ASCII", "");
		if (value != line) {
			if (!field)
				return fail(suite, nr, "this line continues no field: ", value);
			conf_append(field, "%s%s", **field ? " " : "", value);
			continue;
		}
		field = begin_field(&clause, line, &value, &problem);
		if (!field)
			return fail(suite, nr, problem, line);
		*field = conf_text("%s", value);
		clause.line = clause.line ?: nr;
	}
	return ret == CONF_GO_ON ? add(suite, &clause) : ret;
}

enum conf_exit conf_clauses_read(struct conf_suite *suite)
{
	char *text = conf_read_text(suite->options.clauses,
				    "give the clause file with --clauses");
	enum conf_exit ret;

	if (!text)
		return CONF_FAILED;
	ret = parse(suite, text);
	free(text);
	if (ret == CONF_GO_ON && !suite->clauses_nr)
		ret = fail(suite, 1, "no clause in this file", "");
	return ret;
}

enum conf_exit conf_clauses_select(struct conf_suite *suite)
{
	const struct conf_options *options = &suite->options;
	unsigned int i, j;
	bool has_match;

	for (i = 0; i < suite->clauses_nr; i++)
		suite->clauses[i].is_selected = !options->globs_nr;
	for (j = 0; j < options->globs_nr; j++) {
		has_match = false;
		for (i = 0; i < suite->clauses_nr; i++) {
			if (fnmatch(options->globs[j], suite->clauses[i].id, 0))
				continue;
			suite->clauses[i].is_selected = true;
			has_match = true;
		}
		if (!has_match)
			return conf_error("no clause matches %s; --list names them all",
					  options->globs[j]);
	}
	return CONF_GO_ON;
}
