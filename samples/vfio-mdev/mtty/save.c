// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a saving session: read(), poll(), VFIO_MIG_GET_PRECOPY_INFO.
 *
 * One record at a time is made in the session's buffer and then read from there,
 * in pieces of any size; capture memory goes out from where it is.  A record is
 * made under the lock of the device, and copied to the user under the lock of the
 * data_fd only: a user whose memory is slow to come holds up nobody but himself.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "mtty.h"
#include "mtty_trace.h"

#define HEAD_SIZE	sizeof(struct mtty_rec_head)
/* Where every page is sent by itself; neighbours share a record */
#define PAGE_COST	(HEAD_SIZE + sizeof(struct mtty_rec_capture) + PAGE_SIZE)

static bool is_stopped(const struct mtty *mtty)
{
	return mtty->state == VFIO_DEVICE_STATE_STOP_COPY;
}

static bool is_reinit_told(const struct mtty *mtty)
{
	return mtty_has_precopy_info_v2(&mtty->vdev) && !is_stopped(mtty);
}

static size_t config_size(const struct mtty *mtty)
{
	return HEAD_SIZE + (mtty_policy_embeds(&mtty->policy) ?
			    sizeof(struct mtty_rec_config) :
			    sizeof(struct mtty_rec_reinit));
}

/* Is the next record one about config space? */
static bool is_config_due(const struct mtty *mtty,
			  const struct mtty_session *session)
{
	if (session->step == MTTY_SAVE_START ||
	    session->step == MTTY_SAVE_DONE ||
	    session->told == mtty->policy.generation)
		return false;

	return mtty_policy_embeds(&mtty->policy) || is_reinit_told(mtty);
}

/* What is sent again is initial only to those who are told of it */
static bool is_config_initial(const struct mtty *mtty,
			      const struct mtty_session *session)
{
	return !session->told || is_reinit_told(mtty);
}

static size_t fixed_size(const struct mtty *mtty)
{
	return HEAD_SIZE + sizeof(struct mtty_rec_log) +
	       (HEAD_SIZE + sizeof(struct mtty_rec_uart)) * mtty->nr_ports +
	       HEAD_SIZE + sizeof(struct mtty_rec_irq) +
	       HEAD_SIZE + sizeof(struct mtty_rec_end);
}

static size_t start_size(const struct mtty *mtty)
{
	size_t size = HEAD_SIZE + sizeof(struct mtty_rec_start);

	if (mtty_policy_embeds(&mtty->policy))
		size += config_size(mtty);

	return size;
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
		bytes += start_size(mtty);
	if (is_config_due(mtty, session) && is_config_initial(mtty, session))
		bytes += config_size(mtty);
	if (session->initial)
		bytes += unread(session);

	return bytes;
}

static u64 dirty_bytes(const struct mtty *mtty,
		       const struct mtty_session *session)
{
	u64 bytes = (u64)mtty->cap.nr_dirty * PAGE_COST;

	if (is_config_due(mtty, session) && !is_config_initial(mtty, session))
		bytes += config_size(mtty);
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
		return start_size(mtty) + mtty->cap.nr_present * PAGE_COST +
		       fixed_size(mtty);

	/* What is written to capture memory from then on is not sent */
	if (session->step > MTTY_SAVE_CAPTURE)
		return unread(session) + fixed_size(mtty) +
		       (is_config_due(mtty, session) ? config_size(mtty) : 0);

	return initial_bytes(mtty, session) + dirty_bytes(mtty, session) +
	       fixed_size(mtty);
}

/* All that was not read by now is initial data: new, or to be told of as new */
static void restart_initial(struct mtty_session *session)
{
	session->initial = true;
	mtty_cap_track_restart(&session->mtty->cap);
}

/* What was not read yet belongs to the config space that is new */
static void notice_config(struct mtty_session *session)
{
	struct mtty *mtty = session->mtty;

	if (session->noticed == mtty->policy.generation ||
	    !is_reinit_told(mtty))
		return;

	session->noticed = mtty->policy.generation;
	session->reinit = true;
	restart_initial(session);
}

/* VFIO_PRECOPY_INFO_REINIT comes with dirty_bytes of 0, also if memory was written since */
static u32 report_reinit(struct mtty_session *session)
{
	notice_config(session);
	if (!session->reinit)
		return 0;

	session->reinit = false;
	restart_initial(session);

	return VFIO_PRECOPY_INFO_REINIT;
}

static size_t next_config(struct mtty_session *session, void *payload,
			  enum mtty_rec_type *type)
{
	struct mtty *mtty = session->mtty;
	u64 before = session->told;

	session->initial = is_config_initial(mtty, session);
	session->told = mtty->policy.generation;

	if (mtty_policy_embeds(&mtty->policy)) {
		*type = MTTY_REC_CONFIG;
		return mtty_stream_put_config(payload, mtty->pci.space);
	}

	*type = MTTY_REC_REINIT;
	return mtty_stream_put_reinit(payload, before);
}

/* Puts the payload of the next record into place, and says what it is */
static size_t next_payload(struct mtty_session *session, void *payload,
			   enum mtty_rec_type *type)
{
	struct mtty *mtty = session->mtty;
	struct mtty_stream_state st;
	struct mtty_stream_id id;

	if (session->step == MTTY_SAVE_START) {
		session->step = MTTY_SAVE_CAPTURE;
		session->initial = true;
		if (!mtty_policy_embeds(&mtty->policy))
			session->told = mtty->policy.generation;
		mtty_mig_stream_id(mtty, &id);
		*type = MTTY_REC_START;
		return mtty_stream_put_start(payload, &id, session->id);
	}

	if (is_config_due(mtty, session))
		return next_config(session, payload, type);

	if (session->step == MTTY_SAVE_CAPTURE) {
		session->initial = mtty->cap.nr_initial;
		if (mtty_cap_lend(&mtty->cap, &session->piece)) {
			*type = MTTY_REC_CAPTURE;
			return mtty_stream_put_capture(payload,
						       session->piece.offset);
		}
		if (!is_stopped(mtty))
			return 0;
		session->step = MTTY_SAVE_LOG;
	}

	if (session->step == MTTY_SAVE_DONE)
		return 0;
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
	default:
		session->step = MTTY_SAVE_DONE;
		*type = MTTY_REC_END;
		return mtty_stream_put_end(payload, &session->chain);
	}
}

static unsigned int piece_as_vec(const struct mtty_cap_piece *piece,
				 struct kvec *vec)
{
	unsigned int nr = 0;
	size_t pos;

	for (pos = 0; pos < piece->len; pos += vec[nr++].iov_len)
		vec[nr].iov_base = mtty_cap_piece_at(piece, pos,
						     &vec[nr].iov_len);

	return nr;
}

/* Everything of the last record was read */
static void drop_record(struct mtty_session *session)
{
	mtty_cap_return(&session->mtty->cap);
	mtty_cap_piece_put(&session->piece);
	WRITE_ONCE(session->pos, 0);
	WRITE_ONCE(session->len, 0);
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
	struct kvec vec[MTTY_CAP_LENT_MAX];
	enum mtty_rec_type type;
	size_t len;
	int ret;

	lockdep_assert_held(&session->io);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return -ENODEV;
	if (unread(session))
		return 1;
	drop_record(session);

	ret = mtty_policy_admit_read(&mtty->policy);
	if (ret)
		return ret;

	notice_config(session);
	len = next_payload(session, session->buf + HEAD_SIZE, &type);
	if (!len)
		return is_stopped(mtty) ? 0 : -ENOMSG;

	len = mtty_stream_seal(&session->chain, session->buf, type,
			       mtty->policy.generation, len, vec,
			       piece_as_vec(&session->piece, vec));
	WRITE_ONCE(session->len, len + session->piece.len);

	return 1;
}

/* What can be read in one piece; only once fill() said that there is something */
static const u8 *next_bytes(const struct mtty_session *session, size_t *len)
{
	size_t head = session->len - session->piece.len;

	if (session->pos >= head)
		return mtty_cap_piece_at(&session->piece, session->pos - head,
					 len);

	*len = head - session->pos;

	return session->buf + session->pos;
}

/* As much as there is, and asked for; less only if user memory is not there */
static size_t copy_out(struct mtty_session *session, char __user *buf,
		       size_t count)
{
	size_t done = 0, left = 0;

	while (done < count && unread(session) && !left) {
		const u8 *from;
		size_t n;

		from = next_bytes(session, &n);
		n = min(n, count - done);
		left = copy_to_user(buf + done, from, n);
		done += n - left;
		WRITE_ONCE(session->pos, session->pos + n - left);
	}

	return done;
}

static ssize_t give_out(struct mtty_session *session, char __user *buf,
			size_t count)
{
	ssize_t done = 0;
	int ret = 0;

	lockdep_assert_held(&session->io);

	while (count) {
		size_t n;

		ret = fill(session);
		if (ret <= 0)
			break;

		n = copy_out(session, buf, count);
		done += n;
		buf += n;
		count -= n;
		if (count && unread(session)) {
			ret = -EFAULT;
			break;
		}
		if (signal_pending(current))
			break;
	}

	return done ?: ret;
}

static ssize_t save_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct mtty_session *session = file->private_data;
	ssize_t ret;

	/* The holder may wait for user memory, for as long as that takes */
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &session->io) {
		ret = give_out(session, buf, count);
		trace_mtty_data(session->mtty->name, "read", count, ret);
	}

	return ret;
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

static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct mtty_session *session = file->private_data;
	struct mtty *mtty = session->mtty;
	struct vfio_precopy_info info;
	int ret;

	ret = vfio_check_precopy_ioctl(&mtty->vdev, cmd, arg, &info);
	if (ret)
		return ret;

	scoped_guard(mutex, &mtty->lock) {
		/* Of this session there is no PRE_COPY, or no more */
		if (!session->live || is_stopped(mtty))
			return -EINVAL;
		info.flags = report_reinit(session);
		info.initial_bytes = initial_bytes(mtty, session);
		info.dirty_bytes = dirty_bytes(mtty, session);
	}

	if (!copy_to_user((void __user *)arg, &info, minsz))
		return 0;

	/* The copy failed: report REINIT again next time */
	guard(mutex)(&mtty->lock);
	session->reinit |= info.flags & VFIO_PRECOPY_INFO_REINIT;

	return -EFAULT;
}

const struct file_operations mtty_save_fops = {
	.owner = THIS_MODULE,
	.read = save_read,
	.poll = save_poll,
	.unlocked_ioctl = save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = mtty_mig_release,
};
