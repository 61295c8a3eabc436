// SPDX-License-Identifier: GPL-2.0-only
/* The choices of the driver where vfio.h leaves one: each once, with its clauses. */
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

/**
 * struct list - the choices found so far
 * @choices:	sorted by nothing: in the order of the cases
 * @nr:		number of them
 */
struct list {
	struct conf_choice *choices;
	unsigned int nr;
};

static struct conf_choice *find(struct list *list, const char *text)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (!strcmp(list->choices[i].text, text))
			return &list->choices[i];
	}
	list->choices = conf_grow(list->choices, list->nr, sizeof(*list->choices));
	list->choices[list->nr] = (struct conf_choice){ .text = conf_text("%s", text) };
	return &list->choices[list->nr++];
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while (at && (at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ','))
			return true;
		at++;
	}
	return false;
}

/* Clauses that leave a choice; all of the case's if it has none of these */
static void add_clauses(const struct conf_suite *suite, const struct conf_case *which,
			struct conf_choice *choice)
{
	const struct conf_clause *clause;
	bool has_open = false;
	unsigned int i;

	for (i = 0; i < which->clauses_nr; i++) {
		clause = &suite->clauses[which->clauses[i]];
		has_open |= clause->is_choice || !strcmp(clause->level, "OPEN");
	}
	for (i = 0; i < which->clauses_nr; i++) {
		clause = &suite->clauses[which->clauses[i]];
		if (has_open && !clause->is_choice && strcmp(clause->level, "OPEN"))
			continue;
		if (!has_word(choice->clauses, clause->id))
			conf_append(&choice->clauses, "%s%s", choice->clauses ? ", " : "",
				    clause->id);
	}
}

static void add_outcome(const struct conf_suite *suite, const struct conf_case *which,
			const struct conf_outcome *outcome, struct list *list)
{
	char *text = conf_text("%s", outcome->seen ?: ""), *at = text, *line;

	while ((line = conf_each_line(&at)))
		add_clauses(suite, which, find(list, line));
	free(text);
}

unsigned int conf_choices(const struct conf_suite *suite, struct conf_choice **choices)
{
	struct list list = {};
	unsigned int i, j;

	for (i = 0; i < suite->cases_nr; i++) {
		for (j = 0; j < suite->options.repeat; j++)
			add_outcome(suite, &suite->cases[i], &suite->cases[i].outcomes[j], &list);
	}
	*choices = list.choices;
	return list.nr;
}
