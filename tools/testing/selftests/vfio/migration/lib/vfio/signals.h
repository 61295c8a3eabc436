/* SPDX-License-Identifier: GPL-2.0-only */
/* A signal at short intervals, for tests of system calls that it may interrupt. */
#ifndef VMIG_SIGNALS_H
#define VMIG_SIGNALS_H

/**
 * vmig_signals_start - raise SIGALRM periodically
 * @us:		interval in microseconds
 *
 * The handler is installed without SA_RESTART, so system calls return EINTR.
 */
void vmig_signals_start(unsigned int us);

/** vmig_signals_stop - undo vmig_signals_start() */
void vmig_signals_stop(void);

/**
 * vmig_signals_seen - signals that were handled
 *
 * Return: their number since vmig_signals_start().
 */
unsigned int vmig_signals_seen(void);

#endif /* VMIG_SIGNALS_H */
