/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_SESSION_H
#define MTTY_SESSION_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct mtty;

/**
 * struct mtty_session - common part of struct mtty_save and struct mtty_load
 * @mtty:	the device; the data_fd holds a reference on it
 * @file:	the data_fd; the device holds a reference until the session ends
 * @io:		serialises read() or write()
 * @opted_in:	the user had opted in to VFIO_DEVICE_FEATURE_MIG_CONFIG
 * @live:	the session has not ended; protected by mtty.lock
 *
 * @mtty, @file and @opted_in do not change.
 */
struct mtty_session {
	struct mtty *mtty;
	struct file *file;
	struct mutex io; /* one read() or write() at a time */
	bool opted_in;
	bool live;
};

struct file *mtty_session_begin(struct mtty *mtty, struct mtty_session *session,
				const struct file_operations *fops, int flags);
void mtty_session_end(struct mtty *mtty);
void mtty_session_release(struct mtty_session *session);

#endif /* MTTY_SESSION_H */
