// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal: results so far, on disk before the next case begins.
 *
 * Lines of fields with a tab between; a newline, tab or backslash in a field is escaped:
 *   vfio-migration-conformance 1 <TAB> DEVICE <TAB> PATH <TAB> KERNEL
 *   boot <TAB> BOOT_ID
 *   begin <TAB> REPETITION <TAB> PROGRAM <TAB> CASE
 *   end <TAB> REPETITION <TAB> PROGRAM <TAB> CASE <TAB> MS <TAB> VERDICT <TAB> FLAGS
 *       <TAB> WHY <TAB> MESSAGES <TAB> SEEN <TAB> CALLS <TAB> KERNEL
 * A case without "end" was running when the machine died, if it has been booted since.
 * Otherwise this program was ended, and the case is run again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define HEAD		CONF_NAME " 1"
#define FIELDS_MAX	12
#define EMPTY		"-"

static int journal_fd = -1;
static const char *journal_name;
/* Gets what is added, and is never read: a port of a VM, which outlives the machine */
static int copy_fd = -1;
static const char *copy_name;

/**
 * struct journal - what is being read
 * @suite:	gets the results
 * @boot_id:	of the last "boot"
 * @begun:	outcome of the last "begin", or NULL
 * @line:	number of the line
 */
struct journal {
	struct conf_suite *suite;
	char boot_id[64];
	struct conf_outcome *begun;
	unsigned int line;
};

static void put_field(FILE *to, const char *text)
{
	fputc('\t', to);
	if (!text) {
		fputs(EMPTY, to);
		return;
	}
	/* Not to be read as NULL */
	if (!strcmp(text, EMPTY))
		fputc('\\', to);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '\t')
			fputs("\\t", to);
		else if (*text == '\\')
			fputs("\\\\", to);
		else
			fputc(*text, to);
	}
}

/* In place; NULL for EMPTY */
static char *unescape(char *field)
{
	char *from = field, *to = field;

	if (!strcmp(field, EMPTY))
		return NULL;
	for (; *from; from++) {
		if (*from == '\\' && from[1]) {
			from++;
			*to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return field;
}

/* A port of a VM takes a part of a long line at a time */
static enum conf_exit put_to(int fd, const char *name, const char *option, const char *line,
			     size_t len)
{
	ssize_t n;

	for (; len; line += n, len -= n) {
		n = write(fd, line, len);
		if (n <= 0)
			return conf_error("%s: %s; give another file with %s", name,
					  strerror(n < 0 ? errno : ENOSPC), option);
	}
	return CONF_GO_ON;
}

static enum conf_exit put(char *line, size_t len)
{
	enum conf_exit ret = put_to(journal_fd, journal_name, "--journal", line, len);

	/* Before a case that may crash the machine; a pipe or a terminal cannot */
	if (ret == CONF_GO_ON)
		fdatasync(journal_fd);
	if (ret == CONF_GO_ON && copy_fd >= 0)
		ret = put_to(copy_fd, copy_name, "--journal-copy", line, len);
	free(line);
	return ret;
}

static enum conf_exit put_fields(const char *first, const char * const *fields, unsigned int nr)
{
	char *line = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&line, &len);
	unsigned int i;

	if (!to)
		return conf_error("out of memory");
	fputs(first, to);
	for (i = 0; i < nr; i++)
		put_field(to, fields[i]);
	fputc('\n', to);
	fclose(to);
	return put(line, len);
}

enum conf_exit conf_journal_begin(const struct conf_case *which, unsigned int repetition)
{
	char number[16];
	const char * const fields[] = { number, which->program, which->name };

	if (journal_fd < 0)
		return CONF_GO_ON;
	snprintf(number, sizeof(number), "%u", repetition);
	return put_fields("begin", fields, ARRAY_SIZE(fields));
}

enum conf_exit conf_journal_end(const struct conf_case *which, unsigned int repetition,
				const struct conf_outcome *outcome)
{
	char number[16], ms[16], verdict[16];
	const char * const fields[] = {
		number, which->program, which->name, ms, verdict,
		outcome->is_broken ? "broken" : outcome->is_crash ? "crash" : NULL,
		outcome->why, outcome->messages, outcome->seen, outcome->calls,
		outcome->kernel,
	};

	if (journal_fd < 0)
		return CONF_GO_ON;
	snprintf(number, sizeof(number), "%u", repetition);
	snprintf(ms, sizeof(ms), "%u", outcome->ms);
	snprintf(verdict, sizeof(verdict), "%d", outcome->verdict);
	return put_fields("end", fields, ARRAY_SIZE(fields));
}

/* NULL for a case that is not selected, or is not known any more */
static struct conf_outcome *find(const struct conf_suite *suite, char **fields)
{
	unsigned int repetition, i;

	if (vmig_number(fields[1], suite->options.repeat - 1, &repetition))
		return NULL;
	for (i = 0; i < suite->cases_nr; i++) {
		const struct conf_case *which = &suite->cases[i];

		if (!strcmp(which->program, fields[2]) && !strcmp(which->name, fields[3]))
			return &which->outcomes[repetition];
	}
	return NULL;
}

static char *copy(char *field)
{
	char *text = unescape(field);

	return text ? conf_text("%s", text) : NULL;
}

/* Begun, not ended, and the machine was booted since */
static void end_begun(struct journal *journal)
{
	if (!journal->begun)
		return;
	*journal->begun = (struct conf_outcome){
		.is_run = true, .is_crash = true, .verdict = VERDICT_VIOLATED,
		.why = conf_text("the machine died in it"),
	};
	journal->begun = NULL;
}

static enum conf_exit take_end(struct journal *journal, char **fields)
{
	struct conf_outcome *outcome = find(journal->suite, fields);
	unsigned int verdict, ms;

	if (vmig_number(fields[4], 1u << 30, &ms) ||
	    vmig_number(fields[5], VERDICT_NR - 1, &verdict))
		return CONF_FAILED;
	journal->begun = NULL;
	if (!outcome)
		return CONF_GO_ON;
	*outcome = (struct conf_outcome){
		.is_run = true, .ms = ms, .verdict = verdict,
		.is_broken = !strcmp(fields[6], "broken"),
		.is_crash = !strcmp(fields[6], "crash"),
		.why = copy(fields[7]), .messages = copy(fields[8]), .seen = copy(fields[9]),
		.calls = copy(fields[10]), .kernel = copy(fields[11]),
	};
	return CONF_GO_ON;
}

static enum conf_exit take_line(struct journal *journal, char *line)
{
	char *fields[FIELDS_MAX];
	unsigned int nr = 0;

	while (line && nr < FIELDS_MAX)
		fields[nr++] = strsep(&line, "\t");
	if (!strcmp(fields[0], "boot") && nr == 2) {
		if (strcmp(journal->boot_id, fields[1]))
			end_begun(journal);
		journal->begun = NULL;
		snprintf(journal->boot_id, sizeof(journal->boot_id), "%s", fields[1]);
		return CONF_GO_ON;
	}
	if (!strcmp(fields[0], "begin") && nr == 4) {
		journal->begun = find(journal->suite, fields);
		return CONF_GO_ON;
	}
	if (!strcmp(fields[0], "end") && nr == FIELDS_MAX)
		return take_end(journal, fields);
	return CONF_FAILED;
}

/* Device, path and kernel */
static bool is_head(const struct conf_suite *suite, char *line)
{
	const char * const want[] = { HEAD, suite->options.device, suite->path, suite->kernel };
	char *field;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		field = strsep(&line, "\t");
		if (!field || strcmp(unescape(field) ?: "", want[i]))
			return false;
	}
	return true;
}

static enum conf_exit read_journal(struct conf_suite *suite)
{
	struct journal journal = { .suite = suite, .line = 1 };
	char *text = conf_read_text(journal_name, "give another file with --journal");
	char *at = text, *line, *head;

	if (!text)
		return CONF_FAILED;
	/* The line that was being written when the machine died has no newline */
	line = strrchr(text, '\n');
	if (line)
		line[1] = '\0';
	line = conf_each_line(&at);
	head = line ? conf_text("%s", line) : NULL;
	if (!head || !is_head(suite, line)) {
		conf_error("%s: not a journal of this device, path and kernel; it begins with: %s",
			   journal_name, head ?: "");
		free(head);
		return CONF_FAILED;
	}
	free(head);
	while ((line = conf_each_line(&at))) {
		journal.line++;
		if (take_line(&journal, line) != CONF_GO_ON)
			return conf_error("%s:%u: not a line of a journal; remove the file",
					  journal_name, journal.line);
	}
	if (strcmp(journal.boot_id, conf_kernel_boot_id()))
		end_begun(&journal);
	free(text);
	return CONF_GO_ON;
}

/* Only what is known to be a journal is changed */
static enum conf_exit cut_torn_line(void)
{
	off_t size = lseek(journal_fd, 0, SEEK_END);
	char last;

	while (size > 0 && pread(journal_fd, &last, 1, size - 1) == 1 && last != '\n')
		size--;
	if (ftruncate(journal_fd, size))
		return conf_error("%s: %s; give another file with --journal", journal_name,
				  strerror(errno));
	return CONF_GO_ON;
}

static enum conf_exit open_copy(const char *name)
{
	copy_name = name;
	if (!name)
		return CONF_GO_ON;
	copy_fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (copy_fd < 0)
		return conf_error("%s: %s; give another file with --journal-copy", name,
				  strerror(errno));
	return CONF_GO_ON;
}

enum conf_exit conf_journal_open(struct conf_suite *suite)
{
	const char * const head[] = { suite->options.device, suite->path, suite->kernel };
	const char * const boot[] = { conf_kernel_boot_id() };
	enum conf_exit ret = open_copy(suite->options.journal_copy);
	struct stat st;

	journal_name = suite->options.journal;
	if (!journal_name || ret != CONF_GO_ON)
		return ret;
	journal_fd = open(journal_name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (journal_fd < 0 || fstat(journal_fd, &st))
		return conf_error("%s: %s; give another file with --journal", journal_name,
				  strerror(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		ret = put_fields(HEAD, head, ARRAY_SIZE(head));
	} else {
		ret = read_journal(suite);
		if (ret == CONF_GO_ON)
			ret = cut_torn_line();
	}
	return ret == CONF_GO_ON ? put_fields("boot", boot, ARRAY_SIZE(boot)) : ret;
}
