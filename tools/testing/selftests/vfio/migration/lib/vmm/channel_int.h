/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by channel*.c. Functions return 0 or -errno. */
#ifndef VMIG_CHANNEL_INT_H
#define VMIG_CHANNEL_INT_H

#include "channel.h"

/* Connect to HOST:PORT, or listen there for one connection */
int vmig_tcp_open(struct vmig_channel *ch, const char *name);

/* Is it a TCP connection? Works for inherited descriptors, too */
bool vmig_tcp_is(int fd);

/* From now on, closing without vmig_tcp_finish() resets the connection */
void vmig_tcp_begin(const struct vmig_channel *ch);

/* Reader: confirm. Writer: wait for that */
int vmig_tcp_finish(const struct vmig_channel *ch);

/* Reset at once, even if other processes have it open */
void vmig_tcp_reset(const struct vmig_channel *ch);

/* Open a path; -ETIMEDOUT for a named pipe without a peer */
int vmig_file_open(struct vmig_channel *ch, const char *path);

/* fsync(); succeeds for pipes and sockets */
int vmig_file_sync(int fd);

/* Rename a complete and closed file */
int vmig_file_rename(const struct vmig_channel *ch);

#endif /* VMIG_CHANNEL_INT_H */
