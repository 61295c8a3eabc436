// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migration-conformance: check a VFIO device clause by clause.
 *
 * The checks are cases of the test programs. This program runs each in a process group of
 * its own, so that what a bad driver does to a case does not reach the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>

#include "lib/vfio/util.h"
#include "conformance.h"

/**
 * struct report - a report in a file
 * @name:	the file, or NULL
 * @to:		opened before the run, so that it does not fail after it
 * @write:	writes it
 */
struct report {
	const char *name;
	FILE *to;
	void (*write)(const struct conf_suite *suite, enum conf_exit status, FILE *to);
};

/* Otherwise a file that is opened gets the number, and messages are written to it */
static void open_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

static enum conf_exit flush_output(enum conf_exit status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return conf_error("cannot print the report: %s; redirect standard output elsewhere",
			  errno ? strerror(errno) : "an earlier write failed");
}

static enum conf_exit open_report(struct report *report)
{
	if (!report->name)
		return CONF_GO_ON;
	report->to = fopen(report->name, "we");
	if (!report->to)
		return conf_error("%s: %s; give another file", report->name, strerror(errno));
	return CONF_GO_ON;
}

/* Half a report must not look like one */
static enum conf_exit write_report(const struct report *report, const struct conf_suite *suite,
				   enum conf_exit status)
{
	int err;

	if (!report->to)
		return status;
	errno = 0;
	report->write(suite, status, report->to);
	if (fflush(report->to) || ferror(report->to)) {
		err = errno;
		if (ftruncate(fileno(report->to), 0))
			err = err ?: errno;
		fclose(report->to);
		return conf_error("%s: %s; the report is not written, give another file",
				  report->name, strerror(err ?: EIO));
	}
	fclose(report->to);
	return status;
}

static enum conf_exit result(const struct conf_suite *suite, enum conf_exit status)
{
	if (status != CONF_GO_ON)
		return status;
	if (suite->after || conf_verdict_count(suite, VERDICT_VIOLATED))
		return CONF_VIOLATED;
	return conf_case_broken(suite) ? CONF_FAILED : CONF_KEPT;
}

static enum conf_exit prepare(struct conf_suite *suite)
{
	struct utsname name;
	enum conf_exit status;
	int ret;

	uname(&name);
	snprintf(suite->kernel, sizeof(suite->kernel), "%s", name.release);
	status = conf_clauses_read(suite);
	if (status == CONF_GO_ON)
		status = conf_clauses_select(suite);
	if (status == CONF_GO_ON && !suite->options.list)
		status = conf_device_check(suite);
	if (status != CONF_GO_ON)
		return status;
	ret = conf_child_init();
	if (ret)
		return conf_error("cannot watch processes: %s; use Linux 3.4 or newer",
				  strerror(-ret));
	conf_kernel_init();
	status = conf_programs_read(suite);
	if (status == CONF_GO_ON && !suite->options.list)
		status = conf_probe_before(suite);
	return status;
}

static enum conf_exit run(struct conf_suite *suite)
{
	struct report reports[] = {
		{ suite->options.json, NULL, conf_report_json },
		{ suite->options.html, NULL, conf_report_html },
	};
	enum conf_exit status = conf_journal_open(suite);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reports) && status == CONF_GO_ON; i++)
		status = open_report(&reports[i]);
	if (status != CONF_GO_ON)
		return status;
	conf_announce(suite);
	status = flush_output(CONF_GO_ON);
	if (status != CONF_GO_ON)
		return status;
	status = conf_run(suite);
	conf_verdicts(suite);
	status = result(suite, status);
	conf_report_text(suite);
	status = flush_output(status);
	for (i = 0; i < ARRAY_SIZE(reports); i++)
		status = write_report(&reports[i], suite, status);
	return status;
}

int main(int argc, char **argv)
{
	struct conf_suite suite = {};
	enum conf_exit status;

	/* A reader that exits, or a file that is too large, is an error of write() */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	open_standard_fds();
	status = conf_options(&suite.options, argc, argv);
	if (status == CONF_GO_ON)
		status = prepare(&suite);
	if (status == CONF_GO_ON && suite.options.list) {
		conf_list(&suite);
		status = CONF_KEPT;
	} else if (status == CONF_GO_ON) {
		return run(&suite);
	}
	return flush_output(status);
}
