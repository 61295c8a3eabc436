// SPDX-License-Identifier: GPL-2.0-only
/* The output of a case: its result line, and lines "# ..." */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define TEXT_MAX_LEN	65536

/* Lines that the harness prints for each run, behind "#" and blanks */
static const char * const noise[] = {
	"RUN ", "OK ", "FAIL ", "SKIP ", "Starting ", "PASSED: ", "FAILED: ", "Totals: ",
};

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static bool is_noise(const struct conf_ktap *ktap, const char *text)
{
	size_t len = strlen(ktap->name);
	const char *end = strrchr(text, ':');
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(noise); i++) {
		if (begins(text, noise[i]))
			return true;
	}
	/* "TEST: Test failed", "TEST: Test terminated by assertion" */
	return end && len >= (size_t)(end - text) &&
	       !strncmp(ktap->name + len - (end - text), text, end - text) &&
	       (!strcmp(end, ": Test failed") || !strcmp(end, ": Test terminated by assertion"));
}

static void keep(struct conf_ktap *ktap, char **where, const char *text)
{
	size_t len = strlen(text) + 1;

	if (ktap->len > TEXT_MAX_LEN)
		return;
	ktap->len += len;
	conf_append(where, "%s\n", ktap->len > TEXT_MAX_LEN ? "(more is not shown)" : text);
}

/* "N NAME[ # SKIP REASON]"; false if it is another case's */
static bool take_result(struct conf_ktap *ktap, const char *text, bool ok)
{
	size_t len = strlen(ktap->name);

	text += strspn(text, "0123456789");
	text += strspn(text, " -");
	if (strncmp(text, ktap->name, len) || (text[len] && text[len] != ' '))
		return false;
	text += len;
	text += strspn(text, " ");
	if (!ok)
		ktap->not_ok = true;
	else if (!*text)
		ktap->ok = true;
	else if (!ktap->skip)
		ktap->skip = conf_text("%s", begins(text, "# SKIP ") ? text + 7 : text);
	return true;
}

void conf_ktap_line(void *opaque, char *line)
{
	struct conf_ktap *ktap = opaque;
	char *at;

	for (at = line; *at; at++) {
		if (*at == '\t')
			*at = ' ';
	}
	if (begins(line, "ok ") && take_result(ktap, line + 3, true))
		return;
	if (begins(line, "not ok ") && take_result(ktap, line + 7, false))
		return;
	if (begins(line, "1..0 # SKIP ")) {
		ktap->skip = ktap->skip ?: conf_text("not checked: %s", line + 12);
		return;
	}
	if (begins(line, "1..") || begins(line, "TAP version") || begins(line, "KTAP version"))
		return;
	if (*line == '#')
		line += 1 + strspn(line + 1, " ");
	if (begins(line, "seen: "))
		keep(ktap, &ktap->seen, line + 6);
	else if (*line && !is_noise(ktap, line))
		keep(ktap, &ktap->messages, line);
}

static void set(struct conf_outcome *outcome, enum conf_verdict verdict, char *why)
{
	outcome->verdict = verdict;
	outcome->why = why;
}

static void judge_skip(const struct conf_ktap *ktap, struct conf_outcome *outcome)
{
	static const char not_applicable[] = "not applicable: ", not_checked[] = "not checked: ";

	if (begins(ktap->skip, not_applicable))
		set(outcome, VERDICT_NOT_APPLICABLE,
		    conf_text("%s", ktap->skip + strlen(not_applicable)));
	else if (begins(ktap->skip, not_checked))
		set(outcome, VERDICT_NOT_CHECKED,
		    conf_text("%s", ktap->skip + strlen(not_checked)));
	else
		set(outcome, VERDICT_NOT_CHECKED, conf_text("%s", ktap->skip));
}

/* The program ended by itself */
static void judge_result(const struct conf_ktap *ktap, int status, struct conf_outcome *outcome)
{
	if (ktap->not_ok) {
		set(outcome, VERDICT_VIOLATED, NULL);
		return;
	}
	if (ktap->skip && !ktap->ok) {
		judge_skip(ktap, outcome);
		return;
	}
	if (ktap->ok && !ktap->skip && !status) {
		set(outcome, VERDICT_KEPT, NULL);
		return;
	}
	outcome->is_broken = true;
	set(outcome, VERDICT_NOT_CHECKED,
	    conf_text("the test program %s and exited with status %d",
		      ktap->ok ? "printed \"ok\"" : "printed no result", WEXITSTATUS(status)));
}

void conf_ktap_judge(struct conf_ktap *ktap, const struct conf_child *child,
		     struct conf_outcome *outcome)
{
	outcome->is_run = true;
	outcome->ms = child->ms;
	outcome->messages = ktap->messages;
	outcome->seen = ktap->seen;
	if (child->is_stuck)
		set(outcome, VERDICT_VIOLATED, conf_text("does not return, and survives SIGKILL"));
	else if (child->is_timeout)
		set(outcome, VERDICT_VIOLATED, conf_text("does not end within %u s",
							 child->timeout_ms / 1000));
	else if (WIFSIGNALED(child->status))
		set(outcome, VERDICT_VIOLATED, conf_text("ended by signal %d (%s)",
							 WTERMSIG(child->status),
							 strsignal(WTERMSIG(child->status))));
	else
		judge_result(ktap, child->status, outcome);
	free(ktap->skip);
}
