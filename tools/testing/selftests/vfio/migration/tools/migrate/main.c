// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate: save a VFIO device to a stream, load it from one, or inspect one.
 *
 * This is the command line. The work is done by the model VMM (lib/vmm).
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "mtty_format.h"
#include "migrate.h"

static const char help[] =
"usage: vfio-migrate save [OPTIONS] DEVICE TO\n"
"       vfio-migrate load [OPTIONS] DEVICE FROM\n"
"       vfio-migrate inspect [OPTIONS] FROM\n"
"\n"
"DEVICE is the UUID of a mediated device, or a path that ends in it.  TO and FROM are\n"
"  -               standard output or input (not a terminal)\n"
"  PATH            a file or a named pipe; save replaces a file when the new one is\n"
"                  complete and on disk, and keeps the old one if it fails\n"
"  fd:N            an open file descriptor\n"
"  tcp:HOST:PORT   save connects to it, load listens on it for one connection; HOST is\n"
"                  an address, IPv6 in brackets, or empty for all of this machine's\n"
"The stream goes one way.  Over TCP, by tcp: or by a descriptor, save learns from how\n"
"the connection is closed whether the destination runs.  Otherwise save only knows that\n"
"the stream was stored or handed over.\n"
"\n"
"save:\n"
"  --config MODE   when to send config space: auto (by the driver's answer to the query;\n"
"                  the default), always (each time before data, and at the end), last,\n"
"                  never, plain (last, by a VMM that does not know the query)\n"
"  --no-precopy    stop the device at once\n"
"  --max-rounds N  limit of pre-copy rounds, before the device is stopped (8)\n"
"  --busy-config   the guest writes its config space all the time\n"
"  --dirty KIB[:RATE]  write KIB of capture memory, then RATE KiB of it per second,\n"
"                  random pages, until the source stops (0)\n"
"  --unsure WHAT   without a confirmation: stop (the default) or resume; use resume\n"
"                  only if the destination certainly does not run\n"
"save and load:\n"
"  --guest[=MS]    a guest uses both ports, for MS milliseconds before a save (300), and\n"
"                  after a load or a failed save; then each byte is checked\n"
"all:\n"
"  --timeout S     limit of each wait for the other side, in seconds (10): for the\n"
"                  connection, and for each part of the stream\n"
"  --json          print one JSON object\n"
"  --quiet         print nothing but errors\n"
"  --help          print this\n"
"\n"
"SIGHUP, SIGINT and SIGTERM end save and load early: with status 1, or 5 while save\n"
"waits for the confirmation that the destination runs; a running guest is checked at\n"
"once.  A second signal, or any other, ends the program at once: the device is closed,\n"
"and so reset; a destination without the whole stream does not run.\n"
"\n"
"Exit status:\n"
"  0  done; save: over TCP the destination runs, else the stream was stored or handed\n"
"     over\n"
"  1  failed: after save the source continues to run, after load nothing runs; inspect:\n"
"     the stream cannot be read\n"
"  2  the command line is invalid\n"
"  3  load, inspect: the stream is broken, or this device refuses it; the error says\n"
"     where and why.  From the device: EBADMSG damaged, EOPNOTSUPP another version\n"
"     or policy, EXDEV another kind of device, EINVAL an impossible state or config\n"
"     space of another device, EPROTO data before config space or interrupts before\n"
"     their controller, ESTALE data and config space that do not belong together,\n"
"     ENODATA the stream ends too early\n"
"  4  the device cannot be opened or used\n"
"  5  save: handed over, but not confirmed; the source is stopped\n"
"  6  the guest has lost data\n"
"  7  as 0, but the output could not be written\n";

static int usage(const char *fmt, ...)
{
	va_list args;

	fputs("vfio-migrate: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("; see vfio-migrate --help\n", stderr);
	return MIGRATE_USAGE;
}

static int work(const struct migrate_options *options)
{
	struct migrate mig = {
		.options = options, .dev = VMIG_DEVICE_CLOSED, .channel.fd = -1,
		.patience.timeout_ms = options->timeout_ms,
	};
	int status;

	if (!strcmp(options->command, "inspect"))
		return migrate_inspect(options);
	mig.patience.cancel_fd = migrate_catch_signals();
	if (!strcmp(options->command, "save"))
		status = migrate_save(&mig);
	else
		status = migrate_load(&mig);

	migrate_dirty_stop(&mig.guest.dirty);
	if (mig.error)
		fprintf(stderr, "vfio-migrate: %s: %s\n", options->command,
			mig.error);
	status = migrate_report(&mig, status);
	/* A guest that was not finished has threads that use the device */
	if (!mig.guest.traffic)
		migrate_close(&mig);
	free(mig.error);
	return status;
}

static int parse_config(const char *word, struct migrate_options *options)
{
	static const char * const words[] = {
		[VMIG_VMM_CONFIG_AUTO] = "auto",
		[VMIG_VMM_CONFIG_ALWAYS] = "always",
		[VMIG_VMM_CONFIG_NEVER] = "never",
		[VMIG_VMM_CONFIG_LAST] = "last",
		[VMIG_VMM_CONFIG_PLAIN] = "plain",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], word))
			continue;
		options->config = i;
		options->config_word = words[i];
		return 0;
	}
	return -EINVAL;
}

static int parse_dirty(const char *text, struct migrate_options *options)
{
	char kib[16];
	size_t len = strcspn(text, ":");

	if (len >= sizeof(kib))
		return -EINVAL;
	memcpy(kib, text, len);
	kib[len] = '\0';
	if (vmig_number(kib, MTTY_CAP_MAX_SIZE / 1024, &options->dirty_kib) ||
	    !options->dirty_kib)
		return -EINVAL;
	return text[len] ? vmig_number(text + len + 1, 1u << 30,
				       &options->dirty_rate_kib) : 0;
}

static int parse_unsure(const char *word, struct migrate_options *options)
{
	options->resume_if_unsure = !strcmp(word, "resume");
	return options->resume_if_unsure || !strcmp(word, "stop") ? 0 : -EINVAL;
}

enum option_nr {
	OPT_CONFIG = 256, OPT_NO_PRECOPY, OPT_MAX_ROUNDS, OPT_GUEST,
	OPT_BUSY_CONFIG, OPT_DIRTY, OPT_UNSURE, OPT_TIMEOUT, OPT_JSON, OPT_QUIET, OPT_HELP,
};

#define BIT(option)	(1u << ((option) - OPT_CONFIG))

#define FOR_ALL		(BIT(OPT_TIMEOUT) | BIT(OPT_JSON) | BIT(OPT_QUIET))

/* Number of words, of which the last is the stream, and options that have an effect */
static const struct command {
	const char *name;
	int words;
	unsigned int options;
} commands[] = {
	{ "save", 2, ~0u },
	{ "load", 2, FOR_ALL | BIT(OPT_GUEST) },
	{ "inspect", 1, FOR_ALL },
	{ }
};

static const struct option longopts[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "no-precopy", no_argument, NULL, OPT_NO_PRECOPY },
	{ "max-rounds", required_argument, NULL, OPT_MAX_ROUNDS },
	{ "guest", optional_argument, NULL, OPT_GUEST },
	{ "busy-config", no_argument, NULL, OPT_BUSY_CONFIG },
	{ "dirty", required_argument, NULL, OPT_DIRTY },
	{ "unsure", required_argument, NULL, OPT_UNSURE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ }
};

static int take_option(struct migrate_options *options, int option,
		       const char *arg)
{
	unsigned int seconds;
	int ret = 0;

	switch (option) {
	case OPT_CONFIG:
		return parse_config(arg, options);
	case OPT_NO_PRECOPY:
		options->no_precopy = true;
		return 0;
	case OPT_MAX_ROUNDS:
		return vmig_number(arg, 1000000, &options->max_rounds);
	case OPT_GUEST:
		options->guest = true;
		return arg ? vmig_number(arg, 3600000, &options->guest_ms) : 0;
	case OPT_BUSY_CONFIG:
		options->busy_config = true;
		return 0;
	case OPT_DIRTY:
		return parse_dirty(arg, options);
	case OPT_UNSURE:
		return parse_unsure(arg, options);
	case OPT_TIMEOUT:
		ret = vmig_number(arg, 3600, &seconds);
		options->timeout_ms = seconds * 1000;
		return ret || !seconds ? -EINVAL : 0;
	case OPT_JSON:
		options->json = true;
		return 0;
	default:
		options->quiet = true;
		return 0;
	}
}

/* 0 to continue, -1 after --help, or the exit status */
static int parse_options(struct migrate_options *options, int argc, char **argv)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option == OPT_HELP) {
			fputs(help, stdout);
			return -1;
		}
		if (option == '?')
			return usage("%s is not an option, or has no value",
				     argv[optind - 1]);
		if (take_option(options, option, optarg))
			return usage("%s has an invalid value", argv[optind - 1]);
		options->given |= BIT(option);
	}
	return 0;
}

/* A UUID, or a path that ends in one; the kernel uses lower case */
static int parse_device(const char *word, char *uuid)
{
	size_t end = strlen(word);
	unsigned int i;

	while (end && word[end - 1] == '/')
		end--;
	if (end < VMIG_UUID_LEN ||
	    (end > VMIG_UUID_LEN && word[end - VMIG_UUID_LEN - 1] != '/'))
		return -EINVAL;
	word += end - VMIG_UUID_LEN;
	for (i = 0; i < VMIG_UUID_LEN; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? word[i] != '-' : !isxdigit((unsigned char)word[i]))
			return -EINVAL;
		uuid[i] = tolower((unsigned char)word[i]);
	}
	uuid[i] = '\0';
	return 0;
}

/* Refuse options that would have no effect */
static int check_options(const struct migrate_options *options,
			 const struct command *command)
{
	unsigned int i;

	for (i = 0; longopts[i].name; i++) {
		unsigned int bit = BIT(longopts[i].val);

		if (options->given & bit & ~command->options)
			return usage("--%s has no effect on %s", longopts[i].name,
				     command->name);
	}
	if (options->busy_config && !options->guest)
		return usage("--busy-config needs --guest");
	return 0;
}

static int parse_words(struct migrate_options *options, int argc, char **argv)
{
	const struct command *command = commands;

	if (!argc)
		return usage("no command");
	while (command->name && strcmp(command->name, argv[0]))
		command++;
	if (!command->name)
		return usage("%s is not a command", argv[0]);
	if (argc != 1 + command->words)
		return usage("%s takes %s", argv[0], command->words == 2 ?
			     "a device and a stream" : "a stream");
	options->command = command->name;
	options->stream = argv[argc - 1];
	if (command->words == 2 && parse_device(argv[1], options->device))
		return usage("%s is not a UUID, and does not end in one", argv[1]);
	return check_options(options, command);
}

/*
 * Open /dev/null for a closed standard descriptor: otherwise a device or a stream gets
 * its number, and messages are written to it.
 */
static void open_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY :
							       O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	struct migrate_options options = {
		.config_word = "auto", .max_rounds = 8, .guest_ms = 300,
		.timeout_ms = 10000,
	};
	int ret;

	/* A reader that exits, or a file that is too large, is an error of write() */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	open_standard_fds();
	ret = parse_options(&options, argc, argv);
	if (ret)
		return ret < 0 ? (int)migrate_flush(stdout, MIGRATE_DONE) : ret;
	ret = parse_words(&options, argc - optind, argv + optind);
	if (ret)
		return ret;
	return work(&options);
}
