// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "signals.h"

static void do_nothing(int signal)
{
}

void vmig_signals_start(unsigned int us)
{
	const struct sigaction action = { .sa_handler = do_nothing };
	const struct itimerval often = {
		.it_interval.tv_usec = us, .it_value.tv_usec = us,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

void vmig_signals_stop(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
}
