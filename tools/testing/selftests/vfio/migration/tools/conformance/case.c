// SPDX-License-Identifier: GPL-2.0-only
/* Run one case, and judge it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/* These are set for a case, so that the caller's values do not reach it */
static const char * const own_names[] = {
	"VFIO_DEVICE=", "VMIG_PATH=", "VFIO_DESTRUCTIVE=", "VFIO_CALLS=",
};

static bool is_own(const char *variable)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own_names); i++) {
		if (!strncmp(variable, own_names[i], strlen(own_names[i])))
			return true;
	}
	return false;
}

char **conf_case_environment(const struct conf_suite *suite)
{
	unsigned int nr = 0, i;
	static char **envp;

	if (envp)
		return envp;
	while (environ[nr])
		nr++;
	envp = conf_zeroes(nr + ARRAY_SIZE(own_names) + 1, sizeof(*envp));
	for (i = nr = 0; environ[i]; i++) {
		if (!is_own(environ[i]))
			envp[nr++] = environ[i];
	}
	envp[nr++] = conf_text("VFIO_DEVICE=%s", suite->options.device);
	envp[nr++] = conf_text("VMIG_PATH=%s", strcmp(suite->path, "group") ? "cdev" : "group");
	envp[nr++] = conf_text("VFIO_CALLS=%d", CONF_CALLS_FD);
	if (suite->options.destructive || suite->is_created)
		envp[nr++] = conf_text("VFIO_DESTRUCTIVE=1");
	return envp;
}

/* The kernel's word counts more than the program's */
static void add_crash(struct conf_outcome *outcome, const struct conf_crash *crash)
{
	outcome->kernel = crash->log;
	outcome->is_crash |= crash->is_crash;
	if (!crash->is_bad)
		return;
	outcome->is_broken = false;
	outcome->verdict = VERDICT_VIOLATED;
	if (outcome->why) {
		char *both = conf_text("%s; %s", crash->why, outcome->why);

		free(outcome->why);
		free(crash->why);
		outcome->why = both;
	} else {
		outcome->why = crash->why;
	}
}

/* For how long the last line of the list has been the last: a call writes before and after */
static unsigned int pending_ms(int calls)
{
	struct timespec now;
	struct stat st;

	if (fstat(calls, &st) || clock_gettime(CLOCK_REALTIME, &now))
		return 0;
	return (now.tv_sec - st.st_mtim.tv_sec) * 1000 +
	       (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
}

/*
 * Many calls that take long each, as those of firmware do, are no violation. One call that
 * took most of the time is.
 */
static bool is_slow_only(const struct conf_child *child, const struct conf_outcome *outcome,
			 const char *last)
{
	if (child->is_stuck || outcome->is_crash || outcome->messages)
		return false;
	return !last || pending_ms(child->calls) < child->timeout_ms / 2;
}

/* @last: the call that was pending at the limit, or NULL */
static void judge_limit(struct conf_outcome *outcome, const struct conf_child *child,
			const char *last)
{
	if (is_slow_only(child, outcome, last)) {
		outcome->verdict = VERDICT_NOT_CHECKED;
		outcome->is_broken = true;
		conf_append(&outcome->why, ", but no call took long; give it more with --timeout");
	} else if (last) {
		conf_append(&outcome->why, ", in %s", last);
	}
}

static void add_calls(struct conf_outcome *outcome, const struct conf_child *child)
{
	char *last;

	if (outcome->verdict != VERDICT_VIOLATED)
		return;
	outcome->calls = conf_calls_read(child->calls, &last);
	if (child->is_stuck || child->is_timeout)
		judge_limit(outcome, child, last);
	free(last);
}

/* Messages of what has not failed say nothing */
static void trim(struct conf_outcome *outcome)
{
	if (outcome->verdict == VERDICT_VIOLATED || outcome->is_broken)
		return;
	free(outcome->messages);
	outcome->messages = NULL;
}

/* Hardware may need seconds for an arc, or for a reset */
static unsigned int limit_ms(const struct conf_suite *suite)
{
	if (suite->options.timeout_ms)
		return suite->options.timeout_ms;
	return suite->is_created ? 10000 : 60000;
}

/* 0, -EINTR, or another -errno if it cannot be run */
int conf_case_run(const struct conf_suite *suite, const struct conf_case *which,
		  struct conf_outcome *outcome)
{
	struct conf_ktap ktap = { .name = which->name };
	char *path = conf_text("%s/%s", suite->options.programs, which->program);
	char * const argv[] = { path, (char *)"-r", which->name, NULL };
	struct conf_child child = {
		.argv = argv, .envp = conf_case_environment(suite),
		.timeout_ms = limit_ms(suite),
		.calls = memfd_create("calls", MFD_CLOEXEC),
		.line = conf_ktap_line, .opaque = &ktap,
	};
	struct conf_crash crash;
	int ret;

	if (child.calls < 0)
		return -errno;
	/* Threads and children of the case write to it */
	fcntl(child.calls, F_SETFL, O_APPEND);
	conf_kernel_before();
	ret = conf_child_run(&child);
	crash = conf_kernel_after();
	if (!ret) {
		conf_ktap_judge(&ktap, &child, outcome);
		outcome->is_crash = child.is_stuck;
		add_crash(outcome, &crash);
		if (child.stack)
			conf_append(&outcome->kernel, "%s", child.stack);
		add_calls(outcome, &child);
		trim(outcome);
	}
	close(child.calls);
	free(child.stack);
	free(path);
	return ret;
}
