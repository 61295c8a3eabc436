/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of a channel only. All return 0 or -errno.
 */
#ifndef VMIG_CHANNEL_INT_H
#define VMIG_CHANNEL_INT_H

#include "channel.h"

/* Connect to HOST:PORT, or listen there for one connection */
int vmig_tcp_open(struct vmig_channel *ch, const char *name);

/* Is it a TCP connection, wherever it comes from? */
bool vmig_tcp_is(int fd);

/* From now on, an end that is not vmig_tcp_finish() is a reset */
void vmig_tcp_begin(const struct vmig_channel *ch);

/* Say that all is well, or wait until the reader has said so */
int vmig_tcp_finish(const struct vmig_channel *ch);

/* Reset it at once, also if other processes have it open */
void vmig_tcp_reset(const struct vmig_channel *ch);

/* Open a path; -ETIMEDOUT for a named pipe without a peer */
int vmig_file_open(struct vmig_channel *ch, const char *path);

/* Bring what was written to the disk; anything that has none passes */
int vmig_file_sync(int fd);

/* Give a file that was written, and closed, its name */
int vmig_file_rename(const struct vmig_channel *ch);

#endif /* VMIG_CHANNEL_INT_H */
