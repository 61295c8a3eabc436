// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports of the kernel during a case: a new taint flag, or a warning or crash in its log.
 *
 * A flag that is set stays set. Only the log shows the second warning.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define RECORD_LEN	8192
#define LOG_LEN		16384

static const struct {
	unsigned int bit;
	bool is_crash;
	const char *text;
} flags[] = {
	{ 5, true, "the kernel found a bad page" },
	{ 7, true, "the kernel crashed in it" },
	{ 9, false, "the kernel warned" },
	{ 14, true, "a CPU was locked up" },
};

/* How the first line of a report begins */
static const struct {
	const char *begin;
	bool is_crash;
	const char *text;
} reports[] = {
	{ "BUG: ", true, "the kernel crashed in it" },
	{ "Oops", true, "the kernel crashed in it" },
	{ "kernel BUG at ", true, "the kernel crashed in it" },
	{ "Internal error: ", true, "the kernel crashed in it" },
	{ "general protection fault", true, "the kernel crashed in it" },
	{ "Unable to handle kernel ", true, "the kernel crashed in it" },
	{ "WARNING: ", false, "the kernel warned" },
};

static int taint_fd, log_fd;
static unsigned long taint;
static char boot_id[64];

static unsigned long read_taint(void)
{
	char text[32];
	ssize_t n = pread(taint_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return taint;
	text[n] = '\0';
	return strtoul(text, NULL, 10);
}

void conf_kernel_init(void)
{
	taint_fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);
	log_fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (vmig_read_file("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)))
		snprintf(boot_id, sizeof(boot_id), "unknown");
	boot_id[strcspn(boot_id, "\n")] = '\0';
}

/* The reports that cannot be seen, or NULL */
const char *conf_kernel_blind(void)
{
	if (log_fd < 0)
		return "/dev/kmsg cannot be read, so kernel warnings may be missed; run as root";
	return taint_fd < 0 ? "/proc/sys/kernel/tainted cannot be read" : NULL;
}

const char *conf_kernel_boot_id(void)
{
	return boot_id;
}

void conf_kernel_before(void)
{
	taint = read_taint();
	lseek(log_fd, 0, SEEK_END);
}

/* "PRIORITY,NUMBER,TIME,FLAGS;TEXT", and lines that begin with a blank and are dropped */
static void take_line(struct conf_crash *crash, char *line, size_t *len)
{
	char *text = strchr(line, ';');
	unsigned int i;

	if (*line == ' ' || !text++)
		return;
	for (i = 0; text[i]; i++) {
		if (!isprint((unsigned char)text[i]))
			text[i] = ' ';
	}
	for (i = 0; i < ARRAY_SIZE(reports); i++) {
		if (strncmp(text, reports[i].begin, strlen(reports[i].begin)))
			continue;
		crash->is_bad = true;
		if (!crash->why || (reports[i].is_crash && !crash->is_crash)) {
			free(crash->why);
			crash->why = conf_text("%s", reports[i].text);
		}
		crash->is_crash |= reports[i].is_crash;
	}
	*len += strlen(text) + 1;
	if (*len < LOG_LEN)
		conf_append(&crash->log, "%s\n", text);
}

static void read_log(struct conf_crash *crash)
{
	char record[RECORD_LEN], *line, *text;
	size_t len = 0;
	ssize_t n;

	/* EPIPE: records were lost, the next one can be read */
	while ((n = read(log_fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		text = record;
		while ((line = conf_each_line(&text)))
			take_line(crash, line, &len);
	}
}

struct conf_crash conf_kernel_after(void)
{
	unsigned long added = read_taint() & ~taint;
	struct conf_crash crash = {};
	unsigned int i;

	read_log(&crash);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!(added & (1ul << flags[i].bit)))
			continue;
		crash.is_bad = true;
		crash.is_crash |= flags[i].is_crash;
		if (!crash.why)
			crash.why = conf_text("%s", flags[i].text);
	}
	if (!crash.is_bad) {
		free(crash.log);
		crash.log = NULL;
	} else {
		/* Code that warns only once must warn in the next case, too */
		vmig_write_file("/sys/kernel/debug/clear_warn_once", "1");
	}
	return crash;
}
