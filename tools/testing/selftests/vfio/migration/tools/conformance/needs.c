// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the device offer what a clause depends on? mig_probe has printed what it offers. A
 * case that judges only clauses which do not concern the device is not run: each run opens
 * the device, which takes long where opening means a reset.
 */
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

/* Cases find out themselves: a device may be opened by both, whatever --path says */
static bool is_path(const char *word)
{
	return !strcmp(word, "GROUP") || !strcmp(word, "CDEV");
}

char *conf_missing_feature(const struct conf_suite *suite, const struct conf_clause *clause)
{
	char *offers, *needs, *rest, *word, *missing = NULL;

	if (!suite->offers)
		return NULL;
	offers = conf_text(" %s ", suite->offers);
	needs = conf_text("%s", clause->needs);
	rest = needs;
	while (!missing && (word = strsep(&rest, " "))) {
		char *padded = conf_text(" %s ", word);

		if (*word && !is_path(word) && !strstr(offers, padded))
			missing = conf_text("the device does not have %s", word);
		free(padded);
	}
	free(offers);
	free(needs);
	return missing;
}

char *conf_case_missing(const struct conf_suite *suite, const struct conf_case *which)
{
	char *missing = NULL;
	unsigned int i;

	for (i = 0; i < which->clauses_nr; i++) {
		free(missing);
		missing = conf_missing_feature(suite, &suite->clauses[which->clauses[i]]);
		if (!missing)
			return NULL;
	}
	return missing;
}
