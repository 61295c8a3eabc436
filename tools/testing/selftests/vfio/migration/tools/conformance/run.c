// SPDX-License-Identifier: GPL-2.0-only
/* Run all cases, in order or shuffled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/* Would destroy the state of a given device, and is not allowed to */
bool conf_is_forbidden(const struct conf_suite *suite, const struct conf_case *which)
{
	return *which->destructive && !suite->options.destructive && !suite->is_created;
}

/* xorshift: the same order on each machine */
static unsigned int next_random(uint64_t *state, unsigned int below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

static void shuffle(unsigned int *order, unsigned int nr, uint64_t *state)
{
	unsigned int i, j, swap;

	for (i = nr; i > 1; i--) {
		j = next_random(state, i);
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static void show_progress(const struct conf_suite *suite, const struct conf_case *which,
			  unsigned int nr)
{
	static int is_terminal = -1;

	if (is_terminal < 0)
		is_terminal = isatty(STDERR_FILENO);
	if (!is_terminal)
		return;
	if (which)
		fprintf(stderr, "\r\033[K%u/%u %s: %s", nr + 1,
			suite->cases_nr * suite->options.repeat, which->program, which->name);
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static enum conf_exit run_one(struct conf_suite *suite, struct conf_case *which,
			      unsigned int repetition)
{
	struct conf_outcome *outcome = &which->outcomes[repetition];
	char *missing = conf_case_missing(suite, which);
	enum conf_exit status;
	int ret;

	if (missing) {
		outcome->is_run = true;
		outcome->verdict = VERDICT_NOT_APPLICABLE;
		outcome->why = missing;
		return CONF_GO_ON;
	}
	if (conf_is_forbidden(suite, which)) {
		outcome->is_run = true;
		outcome->verdict = VERDICT_NOT_CHECKED;
		outcome->why = conf_text("it %s; allow it with --destructive",
					 which->destructive);
		return CONF_GO_ON;
	}
	status = conf_journal_begin(which, repetition);
	if (status != CONF_GO_ON)
		return status;
	ret = conf_case_run(suite, which, outcome);
	if (ret == -EINTR) {
		suite->stopped = conf_text("%s", conf_child_signal());
		return CONF_FAILED;
	}
	if (ret) {
		outcome->is_run = true;
		outcome->is_broken = true;
		outcome->verdict = VERDICT_NOT_CHECKED;
		outcome->why = conf_text("the test program cannot be run: %s", strerror(-ret));
	}
	status = conf_journal_end(which, repetition, outcome);
	if (status == CONF_GO_ON && outcome->is_crash && suite->options.stop_on_crash) {
		suite->stopped = conf_text("a crash in %s: %s", which->program, which->name);
		return CONF_CRASHED;
	}
	return status;
}

static enum conf_exit run_each(struct conf_suite *suite, unsigned int *order)
{
	uint64_t state = suite->options.seed * 2654435761ull + 88172645463325252ull;
	enum conf_exit status = CONF_GO_ON;
	unsigned int repetition, i;

	for (i = 0; i < suite->cases_nr; i++)
		order[i] = i;
	for (repetition = 0; repetition < suite->options.repeat; repetition++) {
		if (suite->options.shuffle)
			shuffle(order, suite->cases_nr, &state);
		for (i = 0; i < suite->cases_nr && status == CONF_GO_ON; i++) {
			struct conf_case *which = &suite->cases[order[i]];

			/* It is in the journal */
			if (which->outcomes[repetition].is_run)
				continue;
			show_progress(suite, which, repetition * suite->cases_nr + i);
			status = run_one(suite, which, repetition);
		}
	}
	show_progress(suite, NULL, 0);
	return status;
}

enum conf_exit conf_run(struct conf_suite *suite)
{
	unsigned int *order = conf_zeroes(suite->cases_nr + 1, sizeof(*order));
	int64_t began = vmig_now_ms();
	enum conf_exit status;

	suite->started = time(NULL);
	status = run_each(suite, order);
	if (status == CONF_GO_ON)
		status = conf_probe_after(suite);
	suite->ms = vmig_now_ms() - began;
	free(order);
	return status;
}
