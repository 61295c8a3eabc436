// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGHUP, SIGINT and SIGTERM end the program early. They make a descriptor readable
 * that cancels each wait, so that a source can cancel its migration at any time.
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

/* Call before a thread is created: each has to block these signals */
int migrate_catch_signals(void)
{
	struct sigaction old;
	unsigned int i;
	int fd;

	sigemptyset(&caught);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		/* Stay ignored, as with nohup or a job in the background */
		if (!sigaction(ends[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&caught, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &caught, NULL);
	fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		sigprocmask(SIG_UNBLOCK, &caught, NULL);
	return fd;
}

/* From here on waits are not cancelled, and the next signal ends the program */
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
