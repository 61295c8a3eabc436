// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lifetime of a data transfer session.
 *
 * A session is freed with its data_fd, which may be released after the device is
 * closed or removed.  The device has at most one session and holds a reference on
 * its file until the session ends.  After that, the data_fd returns errors only.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>

#include "mtty.h"
#include "session.h"

/**
 * mtty_session_begin - make a session and its data_fd
 * @mtty:	the device; it has no session
 * @session:	zeroed; becomes the private_data of the file
 * @fops:	release() must call mtty_session_release()
 * @flags:	O_RDONLY or O_WRONLY
 *
 * Locking: mtty.lock.
 *
 * Return: the file, or an ERR_PTR(); then the caller still owns @session.
 */
struct file *mtty_session_begin(struct mtty *mtty, struct mtty_session *session,
				const struct file_operations *fops, int flags)
{
	struct file *file;

	lockdep_assert_held(&mtty->lock);

	file = anon_inode_getfile("[mtty_mig]", fops, session, flags);
	if (IS_ERR(file))
		return file;

	stream_open(file->f_inode, file);
	get_device(&mtty->vdev.device);
	mutex_init(&session->io);
	session->mtty = mtty;
	session->file = get_file(file);
	session->opted_in = mtty->config.opted_in;
	session->live = true;
	mtty->session = session;

	return file;
}

/**
 * mtty_session_end - end the session of a device
 * @mtty:	the device; nothing happens if it has no session
 *
 * Locking: mtty.lock.
 */
void mtty_session_end(struct mtty *mtty)
{
	struct mtty_session *session = mtty->session;

	lockdep_assert_held(&mtty->lock);

	if (!session)
		return;

	session->live = false;
	mtty->session = NULL;
	mtty_cap_track_stop(&mtty->cap);
	mtty_irq_early(&mtty->irq, false);
	wake_up_interruptible(&mtty->wait);
	fput(session->file);
}

/**
 * mtty_session_release - undo mtty_session_begin()
 * @session:	has ended, as the device no longer holds its file; the caller frees it
 */
void mtty_session_release(struct mtty_session *session)
{
	mutex_destroy(&session->io);
	vfio_put_device(&session->mtty->vdev);
}
