// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate: save a VFIO device to a stream, load it from one, or look into one.
 *
 * Here is the command line; the work is done by the model VMM of the library, on
 * which each command is a file of its own.
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

#include "lib/vmm/irqchip/irqchip.h"
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
"                  complete and on disk, and leaves it as it is if it fails\n"
"  fd:N            an open file descriptor\n"
"  tcp:HOST:PORT   save connects to it, load listens on it for one connection; HOST is\n"
"                  an address, IPv6 in brackets, or empty for all of this machine's\n"
"The stream goes one way.  Over TCP, be it by tcp: or by a descriptor, save learns\n"
"from how the connection is closed whether the device runs on the other side.  Over\n"
"anything else it knows no more than that all was stored or handed over.\n"
"\n"
"save:\n"
"  --config MODE   when to send config space: auto (as the driver answers the query;\n"
"                  the default), always (before data, every time, and at last), last,\n"
"                  never\n"
"  --no-precopy    stop the device at once\n"
"  --max-rounds N  of pre-copy, before the device is stopped (8)\n"
"  --busy-config   the guest rewrites its config space all the time\n"
"  --dirty KIB[:RATE]  KIB of capture memory are written to, then RATE KiB of it a\n"
"                  second, page by page, at random, until the source stops (0)\n"
"  --unsure WHAT   nobody has confirmed: stop (the default) or resume; do the latter\n"
"                  only if the device surely does not run on the other side\n"
"save and load:\n"
"  --guest[=MS]    a guest uses both ports, for MS milliseconds before a save (300), and\n"
"                  as long after a load or a failed save; then every byte is judged\n"
"all:\n"
"  --timeout S     how long the other side, of whatever kind, may keep this one waiting,\n"
"                  in seconds (10): until it is there, and for each part of the stream\n"
"  --json          print one JSON object\n"
"  --quiet         print nothing but errors\n"
"  --help          print this\n"
"\n"
"SIGHUP, SIGINT and SIGTERM end save and load early: with 1, or with 5 where save waits\n"
"to be told that the device runs on the other side; a guest that runs is judged at once.\n"
"A second signal, or any other, ends them on the spot.  The device is closed then, and\n"
"so reset; a destination that has not been handed everything does not run.\n"
"\n"
"Exit status:\n"
"  0  done; save: over TCP the device runs on the other side, else all was stored or\n"
"     handed over\n"
"  1  failed: after save the source runs on, after load nothing was started; inspect:\n"
"     the stream cannot be read\n"
"  2  the command line makes no sense\n"
"  3  load, inspect: the stream is broken, or this device refuses it; the error says\n"
"     where and why.  From the device: EBADMSG damaged, EOPNOTSUPP another version,\n"
"     EXDEV another kind of device or policy, EINVAL an impossible state, EPROTO data\n"
"     before config space or interrupts before their controller, ESTALE data of\n"
"     another generation than the config space, ENODATA the stream ends too early\n"
"  4  the device cannot be opened or used\n"
"  5  save: all was handed over, and nobody has confirmed it; the source stands still\n"
"  6  the guest has lost something\n"
"  7  as 0, but what was to be printed could not be\n";

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

/* The first reason is the one that counts, the last status is */
int migrate_fail(struct migrate *mig, enum migrate_exit status,
		 const char *fmt, ...)
{
	char *text, *all = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return status;
	if (!mig->error) {
		mig->error = text;
		return status;
	}
	if (asprintf(&all, "%s; %s", mig->error, text) >= 0) {
		free(mig->error);
		mig->error = all;
	}
	free(text);
	return status;
}

int migrate_open(struct migrate *mig, enum vmig_vmm_side side)
{
	const char *name = mig->options->device;
	struct vmig_mdev mdev;
	enum vmig_path path;
	int ret;

	memcpy(mdev.uuid, name, sizeof(mdev.uuid));
	path = vmig_path_available(VMIG_PATH_CDEV) ? VMIG_PATH_CDEV :
						     VMIG_PATH_GROUP;
	ret = vmig_device_open(&mig->dev, &mdev, path);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "cannot open %s: %s",
				    name, strerror(-ret));
	ret = vmig_irqchip_create(&mig->chip, VMIG_IRQCHIP_AUTO);
	if (!ret)
		ret = vmig_vmm_init(&mig->vmm, side, &mig->dev, mig->chip);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "no VMM: %s",
				    strerror(-ret));
	mig->vmm.patience = &mig->patience;
	return MIGRATE_DONE;
}

void migrate_close(struct migrate *mig)
{
	vmig_channel_abort(&mig->channel);
	if (mig->vmm.buf)
		vmig_vmm_exit(&mig->vmm);
	vmig_irqchip_destroy(mig->chip);
	vmig_device_close(&mig->dev);
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
	/* A guest that has moved, or stands still, would use it otherwise */
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

/* What a command takes: this many words, the last of them the stream, and options */
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

/* 0 to go on, -1 for an answer that was given, or the status to exit with */
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
			return usage("%s is no option, or lacks its value",
				     argv[optind - 1]);
		if (take_option(options, option, optarg))
			return usage("%s makes no sense", argv[optind - 1]);
		options->given |= BIT(option);
	}
	return 0;
}

/* A UUID, or a path that ends in one; the kernel has them in small letters */
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

/* An option without an effect would be one that is believed to have one */
static int check_options(const struct migrate_options *options,
			 const struct command *command)
{
	unsigned int i;

	for (i = 0; longopts[i].name; i++) {
		unsigned int bit = BIT(longopts[i].val);

		if (options->given & bit & ~command->options)
			return usage("--%s is not for %s", longopts[i].name,
				     command->name);
	}
	if (options->busy_config && !options->guest)
		return usage("--busy-config is for a --guest");
	return 0;
}

static int parse_words(struct migrate_options *options, int argc, char **argv)
{
	const struct command *command = commands;

	if (!argc)
		return usage("say what to do");
	while (command->name && strcmp(command->name, argv[0]))
		command++;
	if (!command->name)
		return usage("%s is no command", argv[0]);
	if (argc != 1 + command->words)
		return usage("%s takes %s", argv[0], command->words == 2 ?
			     "a device and a stream" : "a stream");
	options->command = command->name;
	options->stream = argv[argc - 1];
	if (command->words == 2 && parse_device(argv[1], options->device))
		return usage("%s is no UUID, and does not end in one", argv[1]);
	return check_options(options, command);
}

/*
 * A closed descriptor is replaced by /dev/null: a device or a stream that got its number would
 * have our own words written into it.
 */
static void hold_standard_fds(void)
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

	/* A reader that goes away, or a file too large, is an error of write() */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	hold_standard_fds();
	ret = parse_options(&options, argc, argv);
	if (ret)
		return ret < 0 ? (int)migrate_flush(stdout, MIGRATE_DONE) : ret;
	ret = parse_words(&options, argc - optind, argv + optind);
	if (ret)
		return ret;
	return work(&options);
}
