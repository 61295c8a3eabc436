// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a saving session: read(), poll(), VFIO_MIG_GET_PRECOPY_INFO.
 *
 * One record at a time is made in the session's buffer and then read from there,
 * in pieces of any size.  A record is made under the lock of the device, and
 * copied to the user under the lock of the data_fd only: a user whose memory is
 * slow to come holds up nobody but himself.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "mtty.h"

#define HEAD_SIZE	sizeof(struct mtty_rec_head)
#define START_SIZE	(HEAD_SIZE + sizeof(struct mtty_rec_start))
/* Where every page is sent by itself; neighbours share a record */
#define PAGE_COST	(HEAD_SIZE + sizeof(struct mtty_rec_capture) + PAGE_SIZE)

static bool is_stopped(const struct mtty *mtty)
{
	return mtty->state == VFIO_DEVICE_STATE_STOP_COPY;
}

static size_t fixed_size(const struct mtty *mtty)
{
	return HEAD_SIZE + sizeof(struct mtty_rec_log) +
	       (HEAD_SIZE + sizeof(struct mtty_rec_uart)) * mtty->nr_ports +
	       HEAD_SIZE + sizeof(struct mtty_rec_irq) +
	       HEAD_SIZE + sizeof(struct mtty_rec_end);
}

/* The buffer is filled, and read, with session->io held; this is an estimate */
static size_t unread(const struct mtty_session *session)
{
	return READ_ONCE(session->len) - READ_ONCE(session->pos);
}

static u64 initial_bytes(const struct mtty *mtty,
			 const struct mtty_session *session)
{
	u64 bytes = (u64)mtty->cap.nr_initial * PAGE_COST;

	if (session->step == MTTY_SAVE_START)
		bytes += START_SIZE;
	if (session->initial)
		bytes += unread(session);

	return bytes;
}

static u64 dirty_bytes(const struct mtty *mtty,
		       const struct mtty_session *session)
{
	u64 bytes = (u64)mtty->cap.nr_dirty * PAGE_COST;

	if (!session->initial)
		bytes += unread(session);

	return bytes;
}

/**
 * mtty_save_stop_copy_size - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @mtty:	the device, in any state
 *
 * Return: bytes that would be left to read if the device stopped now; never
 * less than there really are.
 */
u64 mtty_save_stop_copy_size(const struct mtty *mtty)
{
	const struct mtty_session *session = mtty->session;

	lockdep_assert_held(&mtty->lock);

	if (!session || session->kind != MTTY_SAVING)
		return START_SIZE + mtty->cap.nr_present * PAGE_COST +
		       fixed_size(mtty);

	if (session->step > MTTY_SAVE_CAPTURE)
		return unread(session) + fixed_size(mtty);

	return initial_bytes(mtty, session) + dirty_bytes(mtty, session) +
	       fixed_size(mtty);
}

/* Puts the payload of the next record into place, and says what it is */
static size_t next_payload(struct mtty_session *session, void *payload,
			   enum mtty_rec_type *type)
{
	struct mtty *mtty = session->mtty;
	struct mtty_stream_state st;
	struct mtty_stream_id id;
	u64 offset;
	size_t len;

	if (session->step == MTTY_SAVE_START) {
		session->step = MTTY_SAVE_CAPTURE;
		session->initial = true;
		mtty_mig_stream_id(mtty, &id);
		*type = MTTY_REC_START;
		return mtty_stream_put_start(payload, &id, session->id);
	}

	if (session->step == MTTY_SAVE_CAPTURE) {
		session->initial = mtty->cap.nr_initial;
		len = mtty_cap_take(&mtty->cap, &offset,
				    payload + sizeof(struct mtty_rec_capture),
				    MTTY_REC_CAPTURE_MAX);
		if (len) {
			*type = MTTY_REC_CAPTURE;
			return mtty_stream_put_capture(payload, offset, len);
		}
		if (!is_stopped(mtty))
			return 0;
		session->step = MTTY_SAVE_LOG;
	}

	mtty_device_save(mtty, &st);

	switch (session->step) {
	case MTTY_SAVE_LOG:
		session->step = MTTY_SAVE_UART;
		*type = MTTY_REC_LOG;
		return mtty_stream_put_log(payload, &st);
	case MTTY_SAVE_UART:
		if (session->port + 1 == mtty->nr_ports)
			session->step = MTTY_SAVE_IRQ;
		*type = MTTY_REC_UART;
		return mtty_stream_put_uart(payload, &st, session->port++);
	case MTTY_SAVE_IRQ:
		session->step = MTTY_SAVE_END;
		*type = MTTY_REC_IRQ;
		return mtty_stream_put_irq(payload, &st);
	case MTTY_SAVE_END:
		session->step = MTTY_SAVE_DONE;
		*type = MTTY_REC_END;
		return mtty_stream_put_end(payload, &session->chain);
	default:
		return 0;
	}
}

/**
 * fill() - have something in the buffer that was not read yet
 * @session:	of which everything was read
 *
 * Return: 1, 0 at the end of the stream, -ENOMSG at its temporary end, -ESTALE
 * if the user has to look at config space first, -ENODEV if the session has
 * ended.
 */
static int fill(struct mtty_session *session)
{
	struct mtty *mtty = session->mtty;
	enum mtty_rec_type type;
	size_t len;
	int ret;

	lockdep_assert_held(&session->io);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return -ENODEV;
	if (unread(session))
		return 1;

	ret = mtty_policy_admit_read(&mtty->policy);
	if (ret)
		return ret;

	len = next_payload(session, session->buf + HEAD_SIZE, &type);
	if (!len)
		return is_stopped(mtty) ? 0 : -ENOMSG;

	len = mtty_stream_seal(&session->chain, session->buf, type,
			       mtty->policy.generation, len);
	WRITE_ONCE(session->pos, 0);
	WRITE_ONCE(session->len, len);

	return 1;
}

static ssize_t save_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct mtty_session *session = file->private_data;
	ssize_t done = 0;
	int ret = 0;

	guard(mutex)(&session->io);

	while (count) {
		size_t n, left;

		ret = fill(session);
		if (ret <= 0)
			break;

		n = min(count, unread(session));
		left = copy_to_user(buf, session->buf + session->pos, n);
		n -= left;
		WRITE_ONCE(session->pos, session->pos + n);
		done += n;
		buf += n;
		count -= n;
		if (left) {
			ret = -EFAULT;
			break;
		}
	}

	return done ?: ret;
}

static __poll_t save_poll(struct file *file, struct poll_table_struct *wait)
{
	struct mtty_session *session = file->private_data;
	struct mtty *mtty = session->mtty;

	poll_wait(file, &mtty->wait, wait);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;
	if (is_stopped(mtty) || initial_bytes(mtty, session) ||
	    dirty_bytes(mtty, session))
		return EPOLLIN | EPOLLRDNORM;

	return 0;
}

static int precopy_info(struct mtty_session *session,
			struct vfio_precopy_info __user *arg)
{
	size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct mtty *mtty = session->mtty;
	struct vfio_precopy_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	scoped_guard(mutex, &mtty->lock) {
		/* Of this session there is no PRE_COPY, or no more */
		if (!session->live || is_stopped(mtty))
			return -EINVAL;
		info.flags = 0;
		info.initial_bytes = initial_bytes(mtty, session);
		info.dirty_bytes = dirty_bytes(mtty, session);
	}

	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;

	return precopy_info(file->private_data, (void __user *)arg);
}

const struct file_operations mtty_save_fops = {
	.owner = THIS_MODULE,
	.read = save_read,
	.poll = save_poll,
	.unlocked_ioctl = save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = mtty_mig_release,
};
