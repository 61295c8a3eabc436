// SPDX-License-Identifier: GPL-2.0-only
/* The test programs: each prints its cases with the clauses that they check. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "conformance.h"

#ifndef PROGRAMS
#error "the Makefile sets PROGRAMS to the names of the test programs"
#endif

/* A program that has not listed its cases by then never will */
#define LIST_TIMEOUT_MS	30000

#define BLANKS	"\n\t "

/**
 * struct reader - reads what "PROGRAM --cases" prints
 * @suite:	gets the cases
 * @program:	its name
 * @cases:	number of its cases
 * @bad:	the first line that is none, or NULL
 */
struct reader {
	struct conf_suite *suite;
	const char *program;
	unsigned int cases;
	char *bad;
};

static void add_name(struct conf_suite *suite, const char *name)
{
	suite->programs = conf_grow(suite->programs, suite->programs_nr, sizeof(name));
	suite->programs[suite->programs_nr++] = conf_text("%s", name);
}

/* From DIR/programs, one a line, or as compiled in */
static enum conf_exit read_names(struct conf_suite *suite)
{
	static const char built_in[] = PROGRAMS;
	char *path = conf_text("%s/programs", suite->options.programs);
	enum conf_exit ret = CONF_GO_ON;
	char *text, *name, *save;

	if (!access(path, F_OK))
		text = conf_read_text(path, "remove it, or make it a list of programs");
	else
		text = conf_text("%s", built_in);
	if (!text)
		ret = CONF_FAILED;
	for (name = text ? strtok_r(text, BLANKS, &save) : NULL; name;
	     name = strtok_r(NULL, BLANKS, &save))
		add_name(suite, name);
	if (text && !suite->programs_nr)
		ret = conf_error("no test program in %s; name their directory with --programs",
				 path);
	free(text);
	free(path);
	return ret;
}

static void add_clause(struct conf_case *which, unsigned int clause)
{
	which->clauses = conf_grow(which->clauses, which->clauses_nr, sizeof(clause));
	which->clauses[which->clauses_nr++] = clause;
}

/* "id,id": false if the case has none that is selected */
static bool add_clauses(const struct reader *reader, struct conf_case *which, char *ids)
{
	const struct conf_suite *suite = reader->suite;
	bool is_selected = false;
	char *id, *save;
	int clause;

	for (id = strtok_r(ids, ", ", &save); id; id = strtok_r(NULL, ", ", &save)) {
		clause = conf_clause_find(suite, id);
		if (clause < 0) {
			conf_error("warning: %s: %s names the clause %s, which %s does not have",
				   reader->program, which->name, id, suite->options.clauses);
			continue;
		}
		add_clause(which, clause);
		is_selected |= suite->clauses[clause].is_selected &&
			       conf_clause_in_kernel(suite, &suite->clauses[clause]);
	}
	return is_selected;
}

/* NAME <TAB> IDS <TAB> DESTRUCTIVE */
static void take_line(void *opaque, char *line)
{
	struct reader *reader = opaque;
	struct conf_suite *suite = reader->suite;
	struct conf_case which = { .program = reader->program };
	char *ids = strchr(line, '\t');
	char *destructive = ids ? strchr(ids + 1, '\t') : NULL;

	if (!ids || ids == line || ids[1] == '\t' || !ids[1]) {
		if (!reader->bad)
			reader->bad = conf_text("%s", line);
		return;
	}
	*ids++ = '\0';
	if (destructive)
		*destructive++ = '\0';
	reader->cases++;
	which.name = conf_text("%s", line);
	which.destructive = conf_text("%s", destructive ?: "");
	if (!add_clauses(reader, &which, ids)) {
		free(which.name);
		free(which.destructive);
		free(which.clauses);
		return;
	}
	suite->cases = conf_grow(suite->cases, suite->cases_nr, sizeof(which));
	suite->cases[suite->cases_nr++] = which;
}

/* The error in the output of the program, or in its end; NULL if there is none */
static char *judge(const struct reader *reader, const struct conf_child *child)
{
	if (child->is_timeout || child->is_stuck)
		return conf_text("does not end");
	if (reader->bad)
		return conf_text("printed \"%s\", which is no case", reader->bad);
	if (!WIFEXITED(child->status))
		return conf_text("was ended by signal %d", WTERMSIG(child->status));
	if (WEXITSTATUS(child->status))
		return conf_text("exited with status %d", WEXITSTATUS(child->status));
	return reader->cases ? NULL : conf_text("printed no case");
}

static enum conf_exit ask(struct conf_suite *suite, const char *program)
{
	struct reader reader = { .suite = suite, .program = program };
	char *path = conf_text("%s/%s", suite->options.programs, program), *problem;
	char * const argv[] = { path, (char *)"--cases", NULL };
	struct conf_child child = {
		.argv = argv, .envp = environ, .timeout_ms = LIST_TIMEOUT_MS, .calls = -1,
		.line = take_line, .opaque = &reader,
	};
	int ret = conf_child_run(&child);

	if (ret == -EINTR)
		return conf_error("stopped by %s", conf_child_signal());
	if (ret)
		return conf_error("%s: %s; build the tests, or give their --programs", path,
				  strerror(-ret));
	problem = judge(&reader, &child);
	if (problem)
		return conf_error("%s --cases %s; rebuild the tests", path, problem);
	free(path);
	return CONF_GO_ON;
}

enum conf_exit conf_programs_read(struct conf_suite *suite)
{
	enum conf_exit ret = read_names(suite);
	unsigned int i;

	for (i = 0; i < suite->programs_nr && ret == CONF_GO_ON; i++)
		ret = ask(suite, suite->programs[i]);
	for (i = 0; i < suite->cases_nr; i++)
		suite->cases[i].outcomes = conf_zeroes(suite->options.repeat,
						       sizeof(*suite->cases[i].outcomes));
	return ret;
}
