// SPDX-License-Identifier: GPL-2.0-only
/* The verdict of each clause, from the outcomes of its cases. */
#include <stdlib.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/**
 * struct tally - the cases of a clause
 * @nr:		how many have each verdict
 * @total:	how many there are
 * @why:	the first reason of each verdict, or NULL
 * @unstable:	a case whose outcomes differ between repetitions, or NULL
 */
struct tally {
	unsigned int nr[VERDICT_NR];
	unsigned int total;
	const char *why[VERDICT_NR];
	const struct conf_case *unstable;
};

static const char * const names[] = {
	[VERDICT_KEPT] = "kept",
	[VERDICT_VIOLATED] = "violated",
	[VERDICT_NOT_APPLICABLE] = "not applicable",
	[VERDICT_NOT_CHECKED] = "not checked",
};

const char *conf_verdict_name(enum conf_verdict verdict)
{
	return names[verdict];
}

unsigned int conf_verdict_count(const struct conf_suite *suite, enum conf_verdict verdict)
{
	unsigned int i, nr = 0;

	for (i = 0; i < suite->clauses_nr; i++)
		nr += suite->clauses[i].is_selected && suite->clauses[i].verdict == verdict;
	return nr;
}

bool conf_case_has(const struct conf_case *which, unsigned int clause)
{
	unsigned int i = 0;

	while (i < which->clauses_nr && which->clauses[i] != clause)
		i++;
	return i < which->clauses_nr;
}

const struct conf_outcome *conf_case_worst(const struct conf_suite *suite,
					   const struct conf_case *which)
{
	static const int rank[] = {
		[VERDICT_KEPT] = 1,
		[VERDICT_NOT_APPLICABLE] = 2,
		[VERDICT_NOT_CHECKED] = 3,
		[VERDICT_VIOLATED] = 4,
	};
	const struct conf_outcome *worst = &which->outcomes[0];
	unsigned int i;

	for (i = 1; i < suite->options.repeat; i++) {
		const struct conf_outcome *outcome = &which->outcomes[i];

		if (outcome->is_run && (!worst->is_run ||
					rank[outcome->verdict] > rank[worst->verdict]))
			worst = outcome;
	}
	return worst;
}

const struct conf_case *conf_case_broken(const struct conf_suite *suite)
{
	unsigned int i, j;

	for (i = 0; i < suite->cases_nr; i++) {
		for (j = 0; j < suite->options.repeat; j++) {
			if (suite->cases[i].outcomes[j].is_broken)
				return &suite->cases[i];
		}
	}
	return NULL;
}

/* Count the repetitions that have each verdict; returns how many verdicts there are */
static unsigned int count_repetitions(const struct conf_suite *suite,
				      const struct conf_case *which, unsigned int *nr)
{
	unsigned int i, kinds = 0;

	for (i = 0; i < suite->options.repeat; i++) {
		if (which->outcomes[i].is_run)
			kinds += !nr[which->outcomes[i].verdict]++;
	}
	return kinds;
}

static void add_case(const struct conf_suite *suite, const struct conf_case *which,
		     struct tally *tally)
{
	const struct conf_outcome *worst = conf_case_worst(suite, which);
	enum conf_verdict verdict = worst->is_run ? worst->verdict : VERDICT_NOT_CHECKED;
	unsigned int nr[VERDICT_NR] = {};

	tally->total++;
	tally->nr[verdict]++;
	if (!tally->why[verdict])
		tally->why[verdict] = worst->is_run ? worst->why : "not run";
	if (!tally->unstable && count_repetitions(suite, which, nr) > 1)
		tally->unstable = which;
}

static char *say_unstable(const struct conf_suite *suite, const struct conf_case *which)
{
	unsigned int nr[VERDICT_NR] = {}, i;
	char *why = conf_text("unstable");

	count_repetitions(suite, which, nr);
	for (i = 0; i < VERDICT_NR; i++) {
		if (nr[i])
			conf_append(&why, ", %s in %u", names[i], nr[i]);
	}
	conf_append(&why, " of %u repetitions", suite->options.repeat);
	return why;
}

static void set(struct conf_clause *clause, enum conf_verdict verdict, char *why)
{
	clause->verdict = verdict;
	clause->why = why;
}

/* A clause that no case can judge may still not concern this device */
static void judge_untested(const struct conf_suite *suite, struct conf_clause *clause)
{
	char *missing = conf_missing_feature(suite, clause);

	if (missing)
		set(clause, VERDICT_NOT_APPLICABLE, missing);
	else
		set(clause, VERDICT_NOT_CHECKED, conf_text("%s", clause->untested ?: "no test"));
}

/* No case names it, or it does not concern this kernel */
static bool judge_without_cases(const struct conf_suite *suite, struct conf_clause *clause,
				const struct tally *tally)
{
	if (!conf_clause_in_kernel(suite, clause)) {
		set(clause, VERDICT_NOT_APPLICABLE,
		    clause->until ? conf_text("for Linux %s to %s", clause->since, clause->until) :
				    conf_text("since Linux %s", clause->since));
		return true;
	}
	if (!tally->total)
		judge_untested(suite, clause);
	return !tally->total;
}

static void judge(const struct conf_suite *suite, struct conf_clause *clause,
		  const struct tally *tally)
{
	enum conf_verdict verdict = VERDICT_NOT_APPLICABLE;
	const char *why;
	char *text;

	if (judge_without_cases(suite, clause, tally))
		return;
	if (tally->unstable) {
		set(clause, VERDICT_VIOLATED, say_unstable(suite, tally->unstable));
		return;
	}
	if (tally->nr[VERDICT_VIOLATED])
		verdict = VERDICT_VIOLATED;
	else if (tally->nr[VERDICT_NOT_CHECKED])
		verdict = VERDICT_NOT_CHECKED;
	else if (tally->nr[VERDICT_KEPT])
		verdict = VERDICT_KEPT;
	why = tally->why[verdict];
	text = why ? conf_text("%s", why) : NULL;
	if (verdict == VERDICT_NOT_CHECKED && tally->nr[VERDICT_KEPT])
		conf_append(&text, "; %u of %u cases passed", tally->nr[VERDICT_KEPT],
			    tally->total - tally->nr[VERDICT_NOT_APPLICABLE]);
	set(clause, verdict, text);
}

void conf_verdicts(struct conf_suite *suite)
{
	struct tally *tally = conf_zeroes(suite->clauses_nr, sizeof(*tally));
	unsigned int i, j;

	for (i = 0; i < suite->cases_nr; i++) {
		for (j = 0; j < suite->cases[i].clauses_nr; j++)
			add_case(suite, &suite->cases[i], &tally[suite->cases[i].clauses[j]]);
	}
	for (i = 0; i < suite->clauses_nr; i++)
		judge(suite, &suite->clauses[i], &tally[i]);
	free(tally);
}
