// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "signals.h"

static unsigned int seen;

static void count(int signal)
{
	__atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
}

void vmig_signals_start(unsigned int us)
{
	const struct sigaction action = { .sa_handler = count };
	const struct itimerval often = {
		.it_interval.tv_usec = us, .it_value.tv_usec = us,
	};

	__atomic_store_n(&seen, 0, __ATOMIC_RELAXED);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

void vmig_signals_stop(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
}

unsigned int vmig_signals_seen(void)
{
	return __atomic_load_n(&seen, __ATOMIC_RELAXED);
}
