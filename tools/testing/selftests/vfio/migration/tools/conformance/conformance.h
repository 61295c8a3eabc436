/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of vfio-migration-conformance.
 *
 * Texts of more than one line end each line with a newline; NULL means none. They are
 * printable ASCII, because what comes from outside is checked or replaced where it enters.
 */
#ifndef VFIO_CONFORMANCE_H
#define VFIO_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define CONF_NAME	"vfio-migration-conformance"

/**
 * enum conf_exit - exit status
 * @CONF_KEPT:		no clause is violated
 * @CONF_VIOLATED:	one is, or more
 * @CONF_FAILED:	the run is not complete, or a report could not be written
 * @CONF_CRASHED:	with --stop-on-crash: the machine must be rebooted
 * @CONF_NO_DEVICE:	no device was given and none can be made
 * @CONF_GO_ON:		not an exit status: continue
 */
enum conf_exit {
	CONF_KEPT,
	CONF_VIOLATED,
	CONF_FAILED,
	CONF_CRASHED,
	CONF_NO_DEVICE,
	CONF_GO_ON,
};

enum conf_verdict {
	VERDICT_KEPT,
	VERDICT_VIOLATED,
	VERDICT_NOT_APPLICABLE,
	VERDICT_NOT_CHECKED,
	VERDICT_NR,
};

/**
 * struct conf_options - the command line
 * @device:	as given, or the default
 * @is_given:	--device was given
 * @path:	"group", "iommufd", or NULL
 * @globs:	patterns of clause ids
 * @globs_nr:	number of them; 0 selects all clauses
 * @list:	list, do not run
 * @destructive: run also what is destructive
 * @shuffle:	run the cases in random order
 * @seed:	of that order
 * @repeat:	number of repetitions, 1 or more
 * @timeout_ms:	limit of one case; 0: not given
 * @json:	file, or NULL
 * @html:	file, or NULL
 * @journal:	file, or NULL
 * @journal_copy: file, or NULL; with @journal only
 * @stop_on_crash: end the run when the kernel has crashed
 * @programs:	directory of the test programs
 * @clauses:	the clause file
 */
struct conf_options {
	const char *device;
	bool is_given;
	const char *path;
	const char **globs;
	unsigned int globs_nr;
	bool list;
	bool destructive;
	bool shuffle;
	unsigned int seed;
	unsigned int repeat;
	unsigned int timeout_ms;
	const char *json;
	const char *html;
	const char *journal;
	const char *journal_copy;
	bool stop_on_crash;
	const char *programs;
	const char *clauses;
};

/**
 * struct conf_clause - a stanza of the clause file, and its verdict
 * @id:		unique
 * @symbol:	the symbol of vfio.h, or "kernel core"
 * @level:	"MUST", "SHOULD" or "OPEN"
 * @since:	first kernel that has it, "MAJOR.MINOR"
 * @until:	last one, or NULL
 * @needs:	features it depends on; "" for none
 * @by:		"driver" or "core"
 * @text:	what the driver or the core does
 * @untested:	why there is no test, or NULL
 * @choice:	"yes", "no" or NULL
 * @is_choice:	@choice is "yes": it concerns a choice of the driver
 * @is_selected: matches a --clause, if there is one
 * @line:	where it begins in the file
 * @verdict:	valid after conf_verdicts()
 * @why:	reason of the verdict, or NULL
 */
struct conf_clause {
	char *id;
	char *symbol;
	char *level;
	char *since;
	char *until;
	char *needs;
	char *by;
	char *text;
	char *untested;
	char *choice;
	bool is_choice;
	bool is_selected;
	unsigned int line;
	enum conf_verdict verdict;
	char *why;
};

/**
 * struct conf_outcome - what one run of a case has shown
 * @is_run:	the case was run, or is known not to be run
 * @is_broken:	the test program failed, so that nothing is known of the device
 * @is_crash:	the kernel crashed, or a task cannot be killed
 * @verdict:	verdict of the case
 * @why:	reason in one line, or NULL
 * @messages:	lines that the case printed about a failure
 * @seen:	lines "KEY: VALUE": choices of the driver
 * @calls:	the calls that lead to the failure
 * @kernel:	lines of the kernel log
 * @ms:		duration in milliseconds
 */
struct conf_outcome {
	bool is_run;
	bool is_broken;
	bool is_crash;
	enum conf_verdict verdict;
	char *why;
	char *messages;
	char *seen;
	char *calls;
	char *kernel;
	unsigned int ms;
};

/**
 * struct conf_case - a case of a test program
 * @program:	name of the program
 * @name:	FIXTURE.VARIANT.TEST
 * @destructive: what it may destroy; "" for nothing
 * @clauses:	the clauses that it checks, as indices
 * @clauses_nr:	number of them
 * @outcomes:	one a repetition
 */
struct conf_case {
	const char *program;
	char *name;
	char *destructive;
	unsigned int *clauses;
	unsigned int clauses_nr;
	struct conf_outcome *outcomes;
};

/**
 * struct conf_suite - everything
 * @options:	the command line
 * @clauses:	in the order of the file
 * @clauses_nr:	number of them
 * @programs:	names of the test programs
 * @programs_nr: number of them
 * @cases:	those that are selected, in the order of the programs
 * @cases_nr:	number of them
 * @kernel:	release of the running kernel
 * @path:	"group" or "iommufd"
 * @is_created:	a device is created for each case
 * @device_text: what kind of device it is
 * @offers:	features that it has, or NULL
 * @state:	its migration state when it was opened last, or NULL
 * @stopped:	why the run ended early, or NULL
 * @after:	what is wrong with the given device after the run, or NULL
 * @is_after_known: the given device was checked after the run
 * @started:	wall clock
 * @ms:		duration of the run in milliseconds
 */
struct conf_suite {
	struct conf_options options;
	struct conf_clause *clauses;
	unsigned int clauses_nr;
	char **programs;
	unsigned int programs_nr;
	struct conf_case *cases;
	unsigned int cases_nr;
	char kernel[128];
	const char *path;
	bool is_created;
	char *device_text;
	char *offers;
	char *state;
	char *stopped;
	char *after;
	bool is_after_known;
	time_t started;
	unsigned int ms;
};

/* options.c: CONF_GO_ON, or the exit status */
enum conf_exit conf_options(struct conf_options *options, int argc, char **argv);

/* text.c: messages, strings and lists; these end the program when memory is short */
enum conf_exit conf_error(const char *fmt, ...);
char *conf_text(const char *fmt, ...);
void conf_append(char **text, const char *fmt, ...);
void *conf_grow(void *list, unsigned int nr, size_t size);
void *conf_zeroes(unsigned int nr, size_t size);
char *conf_read_text(const char *path, const char *next_step);
bool conf_is_printable(const char *text);
void conf_quote(FILE *to, const char *word);

/**
 * conf_each_line - split a text in place
 * @text:	advanced to the next line, to NULL behind the last one
 *
 * Return: the line without its newline, or NULL.
 */
char *conf_each_line(char **text);

/* clauses.c */
enum conf_exit conf_clauses_read(struct conf_suite *suite);
enum conf_exit conf_clauses_select(struct conf_suite *suite);
int conf_clause_find(const struct conf_suite *suite, const char *id);
unsigned int conf_kernel_code(const char *release);
bool conf_clause_in_kernel(const struct conf_suite *suite, const struct conf_clause *clause);

/* programs.c: ask each program for its cases */
enum conf_exit conf_programs_read(struct conf_suite *suite);

/* device.c: what the device's name says and sysfs knows, before anything is opened */
enum conf_exit conf_device_check(struct conf_suite *suite);

/**
 * struct conf_child - a program to run in a process group of its own
 * @argv:	its path and arguments
 * @envp:	its environment
 * @timeout_ms:	limit; then the group is killed
 * @calls:	descriptor that it inherits as CONF_CALLS_FD, or -1
 * @line:	called for each line of its output
 * @opaque:	argument of @line
 * @status:	set: status as of waitpid(), if @is_reaped
 * @is_reaped:	set: it has ended
 * @is_timeout:	set: it was killed at its limit
 * @is_stuck:	set: it, or a child, survived SIGKILL for CONF_STUCK_MS
 * @stack:	set: where it is in the kernel then, or NULL
 * @ms:		set: duration in milliseconds
 */
struct conf_child {
	char * const *argv;
	char **envp;
	unsigned int timeout_ms;
	int calls;
	void (*line)(void *opaque, char *line);
	void *opaque;
	int status;
	bool is_reaped;
	bool is_timeout;
	bool is_stuck;
	char *stack;
	unsigned int ms;
};

#define CONF_CALLS_FD	3
#define CONF_STUCK_MS	2000

/* child.c: 0; -EINTR after SIGINT, SIGTERM or SIGHUP; or another -errno */
int conf_child_init(void);
int conf_child_run(struct conf_child *child);
const char *conf_child_signal(void);

/* leftover.c: kill what is left of a program: number of processes */
unsigned int conf_leftover_kill(void);
char *conf_leftover_give_up(void);

/* kernel.c: the kernel's log, and its taint flags */
struct conf_crash {
	bool is_bad;
	bool is_crash;
	char *why;
	char *log;
};

void conf_kernel_init(void);
void conf_kernel_before(void);
struct conf_crash conf_kernel_after(void);
const char *conf_kernel_blind(void);
const char *conf_kernel_boot_id(void);

/**
 * struct conf_ktap - what a case has printed so far
 * @name:	the case
 * @ok:		a result line says so
 * @not_ok:	a result line says so
 * @skip:	reason of a skip, or NULL
 * @messages:	as in struct conf_outcome
 * @seen:	as in struct conf_outcome
 * @len:	bytes in both
 */
struct conf_ktap {
	const char *name;
	bool ok;
	bool not_ok;
	char *skip;
	char *messages;
	char *seen;
	size_t len;
};

/* ktap.c */
void conf_ktap_line(void *opaque, char *line);
void conf_ktap_judge(struct conf_ktap *ktap, const struct conf_child *child,
		     struct conf_outcome *outcome);

/* calls.c: the calls that lead to a failure; @last is set to one that did not return */
char *conf_calls_read(int fd, char **last);

/* case.c: run one case: 0; -EINTR after a signal to this program; or another -errno */
int conf_case_run(const struct conf_suite *suite, const struct conf_case *which,
		  struct conf_outcome *outcome);
char **conf_case_environment(const struct conf_suite *suite);

/* probe.c: CONF_GO_ON, or CONF_FAILED if the device cannot be used, or not be probed */
enum conf_exit conf_probe_before(struct conf_suite *suite);
enum conf_exit conf_probe_after(struct conf_suite *suite);

/* run.c: run all cases: CONF_GO_ON, CONF_FAILED or CONF_CRASHED */
enum conf_exit conf_run(struct conf_suite *suite);
bool conf_is_forbidden(const struct conf_suite *suite, const struct conf_case *which);

/* needs.c: what a clause, or all clauses of a case, need and the device lacks, or NULL */
char *conf_missing_feature(const struct conf_suite *suite, const struct conf_clause *clause);
char *conf_case_missing(const struct conf_suite *suite, const struct conf_case *which);

/* journal.c */
enum conf_exit conf_journal_open(struct conf_suite *suite);
enum conf_exit conf_journal_begin(const struct conf_case *which, unsigned int repetition);
enum conf_exit conf_journal_end(const struct conf_case *which, unsigned int repetition,
				const struct conf_outcome *outcome);

/* verdict.c: the verdict of each clause, from the outcomes of its cases */
void conf_verdicts(struct conf_suite *suite);
const char *conf_verdict_name(enum conf_verdict verdict);
unsigned int conf_verdict_count(const struct conf_suite *suite, enum conf_verdict verdict);
bool conf_case_has(const struct conf_case *which, unsigned int clause);

/**
 * conf_case_worst - the outcome of a case that decides
 * @suite:	for the number of repetitions
 * @which:	the case
 *
 * Return: an outcome; it was not run if none was.
 */
const struct conf_outcome *conf_case_worst(const struct conf_suite *suite,
					   const struct conf_case *which);

/* The first case whose test program failed, or NULL */
const struct conf_case *conf_case_broken(const struct conf_suite *suite);

/**
 * struct conf_choice - a choice of the driver, as seen
 * @text:	"KEY: VALUE"
 * @clauses:	ids, with commas
 */
struct conf_choice {
	char *text;
	char *clauses;
};

/* choices.c: the number of choices, each once */
unsigned int conf_choices(const struct conf_suite *suite, struct conf_choice **choices);

/* list.c: what --list prints, and what is printed before a run */
void conf_list(const struct conf_suite *suite);
void conf_announce(const struct conf_suite *suite);

/* show.c: the case of a violated clause to show, and the command that repeats it */
const struct conf_case *conf_show_case(const struct conf_suite *suite, unsigned int clause);
char *conf_show_command(const struct conf_suite *suite, const struct conf_clause *clause);
char *conf_show_kernel(const struct conf_outcome *outcome);
char *conf_show_summary(const struct conf_suite *suite);

/* report_text.c, report_json.c, report_html.c: the reports */
void conf_report_text(const struct conf_suite *suite);
void conf_report_json(const struct conf_suite *suite, enum conf_exit status, FILE *to);
void conf_report_html(const struct conf_suite *suite, enum conf_exit status, FILE *to);

#endif /* VFIO_CONFORMANCE_H */
