// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that ask for an early end: SIGHUP, SIGINT and SIGTERM. They come as a
 * descriptor that ends every wait, so that a source can cancel its migration and run
 * on, whenever the signal comes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "lib/vfio/util.h"
#include "migrate.h"

static const int ends[] = { SIGHUP, SIGINT, SIGTERM };

static sigset_t caught;

/* Before there is any thread, as each is to leave them to the descriptor */
int migrate_catch_signals(void)
{
	struct sigaction old;
	unsigned int i;
	int fd;

	sigemptyset(&caught);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		/* nohup, or a job in the background: it is to be ignored */
		if (!sigaction(ends[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&caught, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &caught, NULL);
	fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		sigprocmask(SIG_UNBLOCK, &caught, NULL);
	return fd;
}

/* Waits are waits again, and the next signal ends the program */
static void take_signal(struct migrate *mig, char *text, size_t size)
{
	struct signalfd_siginfo info;
	const char *name = NULL;

	if (read(mig->patience.cancel_fd, &info, sizeof(info)) == sizeof(info))
		name = sigabbrev_np(info.ssi_signo);
	snprintf(text, size, "stopped by SIG%s", name ? name : "?");
	close(mig->patience.cancel_fd);
	mig->patience.cancel_fd = -1;
	sigprocmask(SIG_UNBLOCK, &caught, NULL);
}

const char *migrate_reason(struct migrate *mig, int error)
{
	static char text[32];

	if (error == -ECANCELED && mig->patience.cancel_fd >= 0)
		take_signal(mig, text, sizeof(text));
	if (error == -ECANCELED)
		return text;
	return mig->vmm.why[0] ? mig->vmm.why : strerror(-error);
}
