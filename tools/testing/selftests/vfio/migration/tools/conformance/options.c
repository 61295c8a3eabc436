// SPDX-License-Identifier: GPL-2.0-only
/* The command line of vfio-migration-conformance. */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "conformance.h"

#define DEFAULT_DEVICE	"mtty/mtty-1"

static const char help[] =
"usage: " CONF_NAME " [--device DEVICE[,SECOND]] [OPTIONS]\n"
"Check a VFIO device and its driver clause by clause against linux/vfio.h.\n"
"\n"
"DEVICE is one of\n"
"  PARENT/TYPE[:ATTR=VALUE]...  a new mdev for each case (default: " DEFAULT_DEVICE ")\n"
"  UUID                         an mdev that exists\n"
"  dddd:bb:dd.f                 a PCI function that is bound to a vfio driver\n"
"  /dev/vfio/devices/vfioN      any device, by iommufd\n"
"A device must not be in use. It is reset, and left closed and RUNNING.\n"
"\n"
"  --path group|iommufd  how to open it (default: $VMIG_PATH, or group)\n"
"  --clause GLOB         only the clauses that match; may be repeated\n"
"  --list                list clauses and cases, and what may be destructive\n"
"  --destructive         run also what may destroy the state of a given device\n"
"  --shuffle[=SEED]      run the cases in random order\n"
"  --repeat N            run each case N times; results that differ are a violation\n"
"  --timeout SECONDS     limit of one case (60; 10 for a device that is created)\n"
"  --json FILE           write a report for programs\n"
"  --html FILE           write a report as one page\n"
"  --journal FILE        keep results in FILE, and do not run again what it has\n"
"  --journal-copy FILE   write to FILE, too, what is added to the journal\n"
"  --stop-on-crash       stop when the kernel has crashed, so that it can be rebooted\n"
"  --programs DIR        the test programs; a file DIR/programs may list them\n"
"  --clauses FILE        the clause file (default: next to this program)\n"
"  --help                print this\n"
"\n"
"Standard output is KTAP: a result for each clause, then tables.\n"
"Exit status: 0 no clause is violated, 1 one is, 2 the run is not complete, 3 stopped\n"
"by --stop-on-crash, 4 no device is given and none can be made.\n";

enum option_nr {
	OPT_DEVICE = 256, OPT_PATH, OPT_CLAUSE, OPT_LIST, OPT_DESTRUCTIVE, OPT_SHUFFLE,
	OPT_REPEAT, OPT_TIMEOUT, OPT_JSON, OPT_HTML, OPT_JOURNAL, OPT_COPY, OPT_STOP, OPT_PROGRAMS,
	OPT_CLAUSES, OPT_HELP,
};

static const struct option longopts[] = {
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "path", required_argument, NULL, OPT_PATH },
	{ "clause", required_argument, NULL, OPT_CLAUSE },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "destructive", no_argument, NULL, OPT_DESTRUCTIVE },
	{ "shuffle", optional_argument, NULL, OPT_SHUFFLE },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "html", required_argument, NULL, OPT_HTML },
	{ "journal", required_argument, NULL, OPT_JOURNAL },
	{ "journal-copy", required_argument, NULL, OPT_COPY },
	{ "stop-on-crash", no_argument, NULL, OPT_STOP },
	{ "programs", required_argument, NULL, OPT_PROGRAMS },
	{ "clauses", required_argument, NULL, OPT_CLAUSES },
	{ "help", no_argument, NULL, OPT_HELP },
	{ }
};

static enum conf_exit usage(const char *word, const char *problem)
{
	return conf_error("%s %s; see --help", word, problem);
}

/* Options that just store their argument */
static const char **text_of(struct conf_options *options, int option)
{
	switch (option) {
	case OPT_DEVICE:
		return &options->device;
	case OPT_PATH:
		return &options->path;
	case OPT_JSON:
		return &options->json;
	case OPT_HTML:
		return &options->html;
	case OPT_JOURNAL:
		return &options->journal;
	case OPT_COPY:
		return &options->journal_copy;
	case OPT_PROGRAMS:
		return &options->programs;
	case OPT_CLAUSES:
		return &options->clauses;
	default:
		return NULL;
	}
}

static int take_shuffle(struct conf_options *options, const char *arg)
{
	options->shuffle = true;
	options->seed = ((uint64_t)vmig_now_ns() * 2654435761u >> 16) % 1000000;
	return arg ? vmig_number(arg, INT_MAX, &options->seed) : 0;
}

static int take_option(struct conf_options *options, int option, const char *arg)
{
	const char **text = text_of(options, option);
	unsigned int seconds = 0;
	int ret;

	if (text) {
		*text = arg;
		return *arg ? 0 : -1;
	}
	switch (option) {
	case OPT_CLAUSE:
		options->globs = conf_grow(options->globs, options->globs_nr, sizeof(arg));
		options->globs[options->globs_nr++] = arg;
		return 0;
	case OPT_SHUFFLE:
		return take_shuffle(options, arg);
	case OPT_REPEAT:
		ret = vmig_number(arg, 1000, &options->repeat);
		return ret || !options->repeat ? -1 : 0;
	case OPT_TIMEOUT:
		ret = vmig_number(arg, 3600, &seconds);
		options->timeout_ms = seconds * 1000;
		return ret || !seconds ? -1 : 0;
	case OPT_LIST:
		options->list = true;
		return 0;
	case OPT_DESTRUCTIVE:
		options->destructive = true;
		return 0;
	default:
		options->stop_on_crash = true;
		return 0;
	}
}

/* Directory of this program */
static const char *own_directory(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return ".";
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return conf_text("%s", *path ? path : "/");
}

static enum conf_exit check(struct conf_options *options)
{
	if (options->path && strcmp(options->path, "group") && strcmp(options->path, "iommufd"))
		return usage(options->path, "is not a path, which is group or iommufd");
	if (options->journal_copy && !options->journal)
		return usage("--journal-copy", "needs --journal");
	options->is_given = options->device;
	options->device = options->device ?: DEFAULT_DEVICE;
	if (!conf_is_printable(options->device))
		return usage("--device", "is not printable ASCII");
	options->programs = options->programs ?: own_directory();
	if (!options->clauses)
		options->clauses = conf_text("%s/clauses", own_directory());
	return CONF_GO_ON;
}

enum conf_exit conf_options(struct conf_options *options, int argc, char **argv)
{
	int option;

	*options = (struct conf_options){ .repeat = 1 };
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option == OPT_HELP) {
			fputs(help, stdout);
			return CONF_KEPT;
		}
		if (option == '?')
			return usage(argv[optind - 1], "is not an option, or has no value");
		if (take_option(options, option, optarg))
			return usage(argv[optind - 1], "has an invalid value");
	}
	if (optind < argc)
		return usage(argv[optind], "is not an option; a device is given with --device");
	return check(options);
}
