// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a saving session: read(), poll(), VFIO_MIG_GET_PRECOPY_INFO,
 * VFIO_MIG_GET_CONFIG.
 *
 * One record at a time is made under mtty.lock and then read in parts of any size.
 * The bytes of capture memory are copied to the user from the captured pages.  The
 * copy runs under session.io only, so slow user memory does not stall the device.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"
#include "mtty_trace.h"
#include "save.h"
#include "session.h"

#define HEAD_SIZE	sizeof(struct mtty_rec_head)
/* Upper limit: adjacent pages share a record */
#define PAGE_COST	(HEAD_SIZE + sizeof(struct mtty_rec_capture) + PAGE_SIZE)

/**
 * struct mtty_save - a saving session
 * @session:	the common part
 * @id:		random, for MTTY_REC_START; does not change
 * @sent_version: version of config space that the records so far describe, 0 for none
 * @info_version: version at the start, or that GET_PRECOPY_INFO has reported last
 * @initial:	the unread bytes are initial data
 * @next:	type of the next record, unless one about config space is due: those from
 *		MTTY_REC_START to MTTY_REC_END are made in the order of their numbers
 * @port:	the next port for MTTY_REC_UART
 * @chain:	position in the stream
 * @config_id:	identity of @config
 * @config:	config space that the record was made under
 * @range:	capture memory that follows @buf in the record
 * @len:	bytes of the record, @range included
 * @pos:	bytes of the record that were read
 * @buf:	the record without @range
 * @got:	version of config space that the user got last, 0 for none; protected by
 *		session.io
 *
 * mtty.lock protects @sent_version to @port.  @chain to @buf change with both
 * session.io and mtty.lock held, so either is enough to read them.  Only @pos also
 * changes under session.io alone; under mtty.lock alone it is an estimate.
 */
struct mtty_save {
	struct mtty_session session;
	u64 id;

	u64 sent_version;
	u64 info_version;
	bool initial;
	enum mtty_rec_type next;
	u8 port;

	struct mtty_stream_chain chain;
	struct mig_config_id config_id;
	u8 config[PCI_CFG_SPACE_SIZE];
	struct mtty_cap_range range;
	size_t len;
	size_t pos;
	u8 buf[MTTY_STREAM_SMALL_BUF_SIZE] __aligned(8);

	u64 got;
};

static struct mtty_save *mtty_save_from(struct mtty_session *session)
{
	return container_of(session, struct mtty_save, session);
}

static bool mtty_save_is_stopped(const struct mtty *mtty)
{
	return mtty->state == VFIO_DEVICE_STATE_STOP_COPY;
}

static bool mtty_save_is_done(const struct mtty_save *save)
{
	return save->next > MTTY_REC_END;
}

static bool mtty_save_has_config(const struct mtty *mtty)
{
	return mtty->config.need == VFIO_MIG_CONFIG_IN_DATA;
}

/* Is a change of config space a record of its own? */
static bool mtty_save_has_reinit(const struct mtty *mtty)
{
	return mig_config_depends(&mtty->config) && !mtty_save_is_stopped(mtty);
}

static size_t mtty_save_config_size(const struct mtty *mtty)
{
	return HEAD_SIZE + (mtty_save_has_config(mtty) ?
			    sizeof(struct mtty_rec_config) :
			    sizeof(struct mtty_rec_reinit));
}

/* Is the next record one about config space? */
static bool mtty_save_config_due(const struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;

	if (save->next == MTTY_REC_START || mtty_save_is_done(save) ||
	    save->sent_version == mtty->config.id.version)
		return false;

	return mtty_save_has_config(mtty) || mtty_save_has_reinit(mtty);
}

/* Config space that is sent again is initial data only if REINIT is reported */
static bool mtty_save_config_initial(const struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;

	return !save->sent_version || (mtty_has_precopy_info_v2(&mtty->vdev) &&
				       mtty_save_has_reinit(mtty));
}

/* All that follows capture memory */
static size_t mtty_save_fixed_size(const struct mtty *mtty)
{
	return HEAD_SIZE + sizeof(struct mtty_rec_log) +
	       (HEAD_SIZE + sizeof(struct mtty_rec_uart)) * mtty->nr_ports +
	       HEAD_SIZE + sizeof(struct mtty_rec_irq) +
	       HEAD_SIZE + sizeof(struct mtty_rec_end);
}

static size_t mtty_save_start_size(const struct mtty *mtty)
{
	return HEAD_SIZE + sizeof(struct mtty_rec_start) +
	       (mtty_save_has_config(mtty) ? mtty_save_config_size(mtty) : 0);
}

static size_t mtty_save_unread(const struct mtty_save *save)
{
	return save->len - READ_ONCE(save->pos);
}

static u64 mtty_save_initial_bytes(const struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;
	u64 bytes = (u64)mtty->cap.nr_initial * PAGE_COST;

	if (save->next == MTTY_REC_START)
		bytes += mtty_save_start_size(mtty);
	if (mtty_save_config_due(save) && mtty_save_config_initial(save))
		bytes += mtty_save_config_size(mtty);
	if (save->initial)
		bytes += mtty_save_unread(save);

	return bytes;
}

static u64 mtty_save_dirty_bytes(const struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;
	u64 bytes = (u64)mtty->cap.nr_dirty * PAGE_COST;

	if (mtty_save_config_due(save) && !mtty_save_config_initial(save))
		bytes += mtty_save_config_size(mtty);
	if (!save->initial)
		bytes += mtty_save_unread(save);

	return bytes;
}

static size_t mtty_save_next_config(struct mtty_save *save, void *payload,
				    enum mtty_rec_type *type)
{
	struct mtty *mtty = save->session.mtty;
	u64 before = save->sent_version;

	save->initial = mtty_save_config_initial(save);
	save->sent_version = mtty->config.id.version;

	if (mtty_save_has_config(mtty)) {
		*type = MTTY_REC_CONFIG;
		return mtty_stream_put_config(payload, mtty->pci.space);
	}

	*type = MTTY_REC_REINIT;
	return mtty_stream_put_reinit(payload, before);
}

static size_t mtty_save_next_start(struct mtty_save *save, void *payload)
{
	struct mtty *mtty = save->session.mtty;
	struct mtty_stream_id id;

	save->next = MTTY_REC_CAPTURE;
	save->initial = true;
	if (!mtty_save_has_config(mtty))
		save->sent_version = mtty->config.id.version;
	mtty_device_stream_id(mtty, &id);

	return mtty_stream_put_start(payload, &id, save->id);
}

static size_t mtty_save_next_state(struct mtty_save *save, void *payload,
				   enum mtty_rec_type *type)
{
	struct mtty *mtty = save->session.mtty;
	struct mtty_stream_state st;

	mtty_device_save(mtty, &st);

	*type = save->next++;
	switch (*type) {
	case MTTY_REC_LOG:
		return mtty_stream_put_log(payload, &st);
	case MTTY_REC_UART:
		if (save->port + 1 < mtty->nr_ports)
			save->next = MTTY_REC_UART;
		return mtty_stream_put_uart(payload, &st, save->port++);
	case MTTY_REC_IRQ:
		return mtty_stream_put_irq(payload, &st);
	default:
		return mtty_stream_put_end(payload, &save->chain);
	}
}

static bool mtty_save_has_next(const struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;

	if (save->next != MTTY_REC_CAPTURE)
		return !mtty_save_is_done(save);

	return mtty_save_is_stopped(mtty) || mtty_save_config_due(save) ||
	       mtty->cap.nr_initial || mtty->cap.nr_dirty;
}

/* After mtty_save_has_next(); returns the bytes of @payload */
static size_t mtty_save_next_payload(struct mtty_save *save, void *payload,
				     enum mtty_rec_type *type)
{
	struct mtty *mtty = save->session.mtty;

	if (save->next == MTTY_REC_START) {
		*type = MTTY_REC_START;
		return mtty_save_next_start(save, payload);
	}

	if (mtty_save_config_due(save))
		return mtty_save_next_config(save, payload, type);

	if (save->next == MTTY_REC_CAPTURE) {
		save->initial = mtty->cap.nr_initial;
		if (mtty_cap_send_next(&mtty->cap, &save->range)) {
			*type = MTTY_REC_CAPTURE;
			return mtty_stream_put_capture(payload,
						       save->range.offset);
		}
		save->next = MTTY_REC_LOG;
	}

	return mtty_save_next_state(save, payload, type);
}

static unsigned int mtty_save_range_to_vec(const struct mtty_cap_range *range,
					   struct kvec *vec)
{
	unsigned int nr = 0;
	size_t pos;

	for (pos = 0; pos < range->len; pos += vec[nr++].iov_len)
		vec[nr].iov_base = mtty_cap_range_at(range, pos,
						     &vec[nr].iov_len);

	return nr;
}

/* The user has read all of the record */
static void mtty_save_drop_record(struct mtty_save *save)
{
	mtty_cap_send_done(&save->session.mtty->cap);
	mtty_cap_range_put(&save->range);
	WRITE_ONCE(save->pos, 0);
	save->len = 0;
}

static void mtty_save_take_config(struct mtty_save *save)
{
	const struct mtty *mtty = save->session.mtty;

	/* The same identity has the same content */
	if (save->config_id.version == mtty->config.id.version)
		return;

	save->config_id = mtty->config.id;
	memcpy(save->config, mtty->pci.space, sizeof(save->config));
}

/**
 * mtty_save_fill() - make the next record, unless there are unread bytes
 * @save:	the session
 *
 * Return: 1, 0 at the end of the stream, -ENOMSG at its temporary end, -ESTALE
 * if the user must get config space first, -ENODEV if the session has ended.
 */
static int mtty_save_fill(struct mtty_save *save)
{
	struct mtty *mtty = save->session.mtty;
	struct kvec vec[MTTY_CAP_RANGE_PAGES];
	enum mtty_rec_type type;
	size_t len;
	int ret;

	lockdep_assert_held(&save->session.io);
	guard(mutex)(&mtty->lock);

	if (!save->session.live)
		return -ENODEV;
	if (mtty_save_unread(save))
		return 1;
	mtty_save_drop_record(save);

	if (!mtty_save_has_next(save))
		return mtty_save_is_stopped(mtty) ? 0 : -ENOMSG;

	ret = mig_config_check_read(&mtty->config, save->got);
	if (ret)
		return ret;

	mtty_save_take_config(save);
	len = mtty_save_next_payload(save, save->buf + HEAD_SIZE, &type);
	len = mtty_stream_seal(&save->chain, save->buf, type,
			       mig_config_record_id(&mtty->config), len, vec,
			       mtty_save_range_to_vec(&save->range, vec));
	save->len = len + save->range.len;

	return 1;
}

/* The unread bytes that are contiguous; there must be some */
static const u8 *mtty_save_next_bytes(const struct mtty_save *save, size_t *len)
{
	size_t head = save->len - save->range.len;

	if (save->pos >= head)
		return mtty_cap_range_at(&save->range, save->pos - head, len);

	*len = head - save->pos;

	return save->buf + save->pos;
}

/* Copies less than @count only at the end of the record or if user memory faults */
static size_t mtty_save_copy_record(struct mtty_save *save, char __user *buf,
				    size_t count)
{
	size_t done = 0, left = 0;

	while (done < count && mtty_save_unread(save) && !left) {
		const u8 *from;
		size_t n;

		from = mtty_save_next_bytes(save, &n);
		n = min(n, count - done);
		left = copy_to_user(buf + done, from, n);
		done += n - left;
		WRITE_ONCE(save->pos, save->pos + n - left);
	}

	return done;
}

static ssize_t mtty_save_copy_to_user(struct mtty_save *save, char __user *buf,
				      size_t count)
{
	ssize_t done = 0;
	int ret = 0;

	lockdep_assert_held(&save->session.io);

	while (count) {
		size_t n;

		ret = mtty_save_fill(save);
		if (ret <= 0)
			break;

		n = mtty_save_copy_record(save, buf, count);
		done += n;
		buf += n;
		count -= n;
		if (count && mtty_save_unread(save)) {
			ret = -EFAULT;
			break;
		}
		if (signal_pending(current))
			break;
	}

	return done ?: ret;
}

static ssize_t mtty_save_read(struct file *file, char __user *buf, size_t count,
			      loff_t *ppos)
{
	struct mtty_session *session = file->private_data;
	ssize_t ret;

	/* Interruptible, because a copy to user memory under this lock may block */
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &session->io) {
		ret = mtty_save_copy_to_user(mtty_save_from(session), buf,
					     count);
		trace_mtty_data(session->mtty->name, "read", count, ret);
	}

	return ret;
}

static __poll_t mtty_save_poll(struct file *file,
			       struct poll_table_struct *wait)
{
	struct mtty_save *save = mtty_save_from(file->private_data);
	struct mtty *mtty = save->session.mtty;

	poll_wait(file, &mtty->wait, wait);
	guard(mutex)(&mtty->lock);

	if (!save->session.live)
		return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;
	if (mtty_save_is_stopped(mtty) || mtty_save_unread(save) ||
	    mtty_save_has_next(save))
		return EPOLLIN | EPOLLRDNORM;

	return 0;
}

static long mtty_save_get_config(struct mtty_save *save, void __user *arg)
{
	struct mtty *mtty = save->session.mtty;
	int ret;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &save->session.io) {
		scoped_guard(mutex, &mtty->lock) {
			if (!save->session.live)
				return -ENODEV;
			if (!mtty_save_unread(save) && !mtty_save_is_done(save))
				mtty_save_take_config(save);
			trace_mtty_config(mtty->name, "read",
					  save->config_id.version);
		}
		ret = mig_config_copy_to_user(arg, &save->config_id,
					      save->config,
					      sizeof(save->config));
		if (!ret)
			save->got = save->config_id.version;
	}

	return ret;
}

static long mtty_save_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct mtty_save *save = mtty_save_from(file->private_data);
	struct mtty *mtty = save->session.mtty;
	struct vfio_precopy_info info;
	u64 old;
	int ret;

	if (cmd == VFIO_MIG_GET_CONFIG && save->session.opted_in)
		return mtty_save_get_config(save, (void __user *)arg);

	ret = vfio_check_precopy_ioctl(&mtty->vdev, cmd, arg, &info);
	if (ret)
		return ret;

	scoped_guard(mutex, &mtty->lock) {
		/* A device in PRE_COPY again has another session */
		if (!save->session.live || mtty_save_is_stopped(mtty))
			return -EINVAL;
		old = save->info_version;
		info.flags = 0;
		if (old != mtty->config.id.version &&
		    mtty_has_precopy_info_v2(&mtty->vdev) &&
		    mtty_save_has_reinit(mtty)) {
			/* All unread data are initial: dirty_bytes is 0 */
			save->initial = true;
			mtty_cap_track_restart(&mtty->cap);
			save->info_version = mtty->config.id.version;
			info.flags = VFIO_PRECOPY_INFO_REINIT;
		}
		info.initial_bytes = mtty_save_initial_bytes(save);
		info.dirty_bytes = mtty_save_dirty_bytes(save);
	}

	if (!copy_to_user((void __user *)arg, &info, minsz))
		return 0;

	/* The copy failed: report REINIT again next time */
	guard(mutex)(&mtty->lock);
	if (info.flags)
		save->info_version = old;

	return -EFAULT;
}

static int mtty_save_release(struct inode *inode, struct file *file)
{
	struct mtty_save *save = mtty_save_from(file->private_data);

	mtty_cap_range_put(&save->range);
	mtty_session_release(&save->session);
	kfree(save);

	return 0;
}

static const struct file_operations mtty_save_fops = {
	.owner = THIS_MODULE,
	.read = mtty_save_read,
	.poll = mtty_save_poll,
	.unlocked_ioctl = mtty_save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = mtty_save_release,
};

/**
 * mtty_save_begin - begin a saving session
 * @mtty:	the device, with its capture memory tracked
 *
 * Locking: mtty.lock.
 *
 * Return: the data_fd or an ERR_PTR().
 */
struct file *mtty_save_begin(struct mtty *mtty)
{
	struct mtty_save *save;
	struct file *file;

	save = kzalloc_obj(*save, GFP_KERNEL_ACCOUNT);
	if (!save)
		return ERR_PTR(-ENOMEM);

	save->id = get_random_u64();
	save->next = MTTY_REC_START;
	save->info_version = mtty->config.id.version;
	file = mtty_session_begin(mtty, &save->session, &mtty_save_fops,
				  O_RDONLY);
	if (IS_ERR(file))
		kfree(save);

	return file;
}

/**
 * mtty_save_stop_copy_size - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @mtty:	the device, in any state
 *
 * Locking: mtty.lock.
 *
 * Return: upper limit of the bytes left to read if the device stopped now.
 */
u64 mtty_save_stop_copy_size(const struct mtty *mtty)
{
	const struct mtty_save *save;

	lockdep_assert_held(&mtty->lock);

	if (!mtty->session || mtty->session->file->f_op != &mtty_save_fops)
		return mtty_save_start_size(mtty) +
		       mtty->cap.nr_present * PAGE_COST +
		       mtty_save_fixed_size(mtty);

	/* Capture memory that is written after its last record is not sent */
	save = mtty_save_from(mtty->session);
	if (save->next > MTTY_REC_CAPTURE)
		return mtty_save_unread(save) + mtty_save_fixed_size(mtty) +
		       (mtty_save_config_due(save) ?
			mtty_save_config_size(mtty) : 0);

	return mtty_save_initial_bytes(save) + mtty_save_dirty_bytes(save) +
	       mtty_save_fixed_size(mtty);
}
