// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before and after the run: can the device be opened, and is it RUNNING? The program
 * mig_probe opens it, because an open may not return.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "conformance.h"

#define PROBE		"mig_probe"
#define TIMEOUT_MS	10000

/**
 * struct probe - what the program has printed
 * @offers:	features of the device, or NULL
 * @state:	its migration state; NULL if it has no migration
 * @problem:	any other line
 */
struct probe {
	char *offers;
	char *state;
	char *problem;
};

static bool take(char **to, const char *line, const char *key)
{
	if (strncmp(line, key, strlen(key)))
		return false;
	free(*to);
	*to = conf_text("%s", line + strlen(key));
	return true;
}

static void take_line(void *opaque, char *line)
{
	struct probe *probe = opaque;

	if (!take(&probe->offers, line, "offers: ") && !take(&probe->state, line, "state: "))
		take(&probe->problem, line, "");
}

static char *judge(const struct conf_child *child, const struct probe *probe)
{
	if (child->is_timeout || child->is_stuck)
		return conf_text("it does not return within %u s", child->timeout_ms / 1000);
	if (WIFSIGNALED(child->status))
		return conf_text("signal %d", WTERMSIG(child->status));
	if (WEXITSTATUS(child->status))
		return conf_text("%s", probe->problem ?: "it failed");
	if (probe->state && strcmp(probe->state, "RUNNING"))
		return conf_text("its state is %s, not RUNNING", probe->state);
	return NULL;
}

/* @problem: set to NULL, or what is wrong with the device */
static enum conf_exit probe_device(struct conf_suite *suite, char **problem)
{
	char *path = conf_text("%s/" PROBE, suite->options.programs);
	char * const argv[] = { path, NULL };
	struct probe probe = {};
	struct conf_child child = {
		.argv = argv, .envp = conf_case_environment(suite), .calls = -1,
		.timeout_ms = TIMEOUT_MS, .line = take_line, .opaque = &probe,
	};
	int ret = conf_child_run(&child);

	if (ret == -EINTR)
		return conf_error("stopped by %s", conf_child_signal());
	if (ret)
		return conf_error("%s: %s; build the tests, or give their --programs", path,
				  strerror(-ret));
	*problem = judge(&child, &probe);
	free(suite->offers);
	free(suite->state);
	suite->offers = probe.offers;
	suite->state = probe.state;
	free(probe.problem);
	free(child.stack);
	free(path);
	return CONF_GO_ON;
}

enum conf_exit conf_probe_before(struct conf_suite *suite)
{
	char *problem = NULL;
	enum conf_exit ret = probe_device(suite, &problem);

	if (ret == CONF_GO_ON && problem)
		ret = conf_error("%s cannot be used: %s; %s", suite->options.device, problem,
				 strstr(problem, "busy") ? "end what uses it" :
				 "check its name, its driver, --path, and reset it");
	free(problem);
	return ret;
}

/* A device that is created for each case is gone */
enum conf_exit conf_probe_after(struct conf_suite *suite)
{
	if (suite->is_created)
		return CONF_GO_ON;
	suite->is_after_known = true;
	return probe_device(suite, &suite->after);
}
