/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that come all the time, for tests of code that signals must not disturb. */
#ifndef VMIG_SIGNALS_H
#define VMIG_SIGNALS_H

/**
 * vmig_signals_start - from now on SIGALRM comes, again and again
 * @us:		how often, in microseconds
 *
 * It has a handler that does nothing, without SA_RESTART: each system call that a
 * signal can end is ended.
 */
void vmig_signals_start(unsigned int us);

/** vmig_signals_stop - no more of them */
void vmig_signals_stop(void);

#endif /* VMIG_SIGNALS_H */
