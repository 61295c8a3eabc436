// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a loading session: write(), VFIO_MIG_SET_CONFIG, VFIO_MIG_CHECK_DATA,
 * and the end of RESUMING.
 *
 * Capture memory and config space are stored when they arrive.  The rest stays in the
 * parser until the stream is complete.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"
#include "load.h"
#include "mtty_trace.h"
#include "session.h"

/**
 * struct mtty_load - a loading session
 * @session:	the common part
 * @parser:	the stream so far; changes with both session.io and mtty.lock held,
 *		so either is enough to read it
 * @buf:	buffer of @parser for one record; protected by session.io
 * @config:	config space so far; protected by mtty.lock
 */
struct mtty_load {
	struct mtty_session session;
	struct mtty_stream_parser parser;
	u8 *buf;
	struct mig_config_load config;
};

static struct mtty_load *mtty_load_from(struct mtty_session *session)
{
	return container_of(session, struct mtty_load, session);
}

static int mtty_load_check_config(const struct mtty *mtty, const u8 *space)
{
	return mig_config_check_bits(mtty->pci.space, space, mtty->pci.writable,
				     sizeof(mtty->pci.space));
}

static int mtty_load_store_config(struct mtty_load *load)
{
	struct mtty_stream_parser *p = &load->parser;
	const u8 *space = mtty_stream_config(p);
	struct mtty *mtty = load->session.mtty;
	int ret;

	ret = mtty_load_check_config(mtty, space);
	if (ret)
		return mtty_stream_refuse(p, ret);

	trace_mtty_config(mtty->name, "loaded", 0);
	mtty_device_config_written(mtty, mtty_pci_write_unwritten(&mtty->pci,
								  space));

	return 0;
}

static int mtty_load_store_capture(struct mtty_load *load)
{
	struct mtty_stream_parser *p = &load->parser;
	const u8 *bytes;
	size_t len;
	u64 offset;
	int ret;

	bytes = mtty_stream_capture(p, &offset, &len);
	ret = mtty_cap_write(&load->session.mtty->cap, offset, bytes, len);

	return ret ? mtty_stream_refuse(p, ret) : 0;
}

/**
 * mtty_load_feed() - parse bytes that were copied to where the parser wants them
 * @load:	the session
 * @len:	bytes
 *
 * Return: 0, or an error; see mtty_load_can_repeat().
 */
static int mtty_load_feed(struct mtty_load *load, size_t len)
{
	struct mtty_stream_parser *p = &load->parser;
	struct mtty *mtty = load->session.mtty;
	struct mig_config_id id;
	int ret;

	lockdep_assert_held(&load->session.io);
	guard(mutex)(&mtty->lock);

	if (!load->session.live)
		return -ENODEV;

	ret = mtty_stream_feed(p, len);
	switch (ret) {
	case MTTY_STREAM_HEAD:
		id = mtty_stream_config_id(p);
		ret = mig_config_load_record(&mtty->config, &load->config, &id);
		if (ret)
			mtty_stream_unfeed(p, len);
		return ret;
	case MTTY_STREAM_START:
		/* Memory that the stream leaves out is zero on the source */
		mtty_cap_clear(&mtty->cap);
		return 0;
	case MTTY_STREAM_CAPTURE:
		return mtty_load_store_capture(load);
	case MTTY_STREAM_CONFIG:
		return mtty_load_store_config(load);
	default:
		if (ret >= 0 && p->ended && mtty->defect_early_irq) {
			mtty_device_load(mtty, &p->state);
			mtty_irq_early(&mtty->irq, true);
		}
		return min(ret, 0);
	}
}

static int mtty_load_check_write(struct mtty_load *load)
{
	struct mtty *mtty = load->session.mtty;

	guard(mutex)(&mtty->lock);

	if (!load->session.live)
		return -ENODEV;
	if (load->parser.error)
		return load->parser.error;

	return mig_config_check_write(&mtty->config, &load->config);
}

/* These errors do not refuse the stream: their bytes have not been consumed */
static bool mtty_load_can_repeat(int error)
{
	return error == -ESTALE || error == -EPROTO || error == -EFAULT;
}

static ssize_t mtty_load_copy_from_user(struct mtty_load *load,
					const char __user *buf, size_t count)
{
	ssize_t done = 0;
	int ret;

	lockdep_assert_held(&load->session.io);

	ret = mtty_load_check_write(load);
	while (count && !ret) {
		size_t n, left;
		u8 *to;

		n = min(count, mtty_stream_want(&load->parser, &to));
		left = copy_from_user(to, buf, n);
		n -= left;
		if (n)
			ret = mtty_load_feed(load, n);
		if (ret)
			break;

		done += n;
		buf += n;
		count -= n;
		if (left)
			ret = -EFAULT;
		if (signal_pending(current))
			break;
	}

	if (ret && !mtty_load_can_repeat(ret))
		return ret;

	return done ?: ret;
}

static ssize_t mtty_load_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	struct mtty_session *session = file->private_data;
	ssize_t ret;

	/* Interruptible, because a copy from user memory under this lock may block */
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &session->io) {
		ret = mtty_load_copy_from_user(mtty_load_from(session), buf,
					       count);
		trace_mtty_data(session->mtty->name, "write", count, ret);
	}

	return ret;
}

static __poll_t mtty_load_poll(struct file *file,
			       struct poll_table_struct *wait)
{
	struct mtty_session *session = file->private_data;
	struct mtty *mtty = session->mtty;

	poll_wait(file, &mtty->wait, wait);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;

	return EPOLLOUT | EPOLLWRNORM;
}

static long mtty_load_set_config(struct mtty_load *load, void __user *arg)
{
	struct mtty *mtty = load->session.mtty;
	u8 space[PCI_CFG_SPACE_SIZE];
	struct mig_config_id id;
	int ret;

	ret = mig_config_copy_from_user(&id, space, sizeof(space), arg);
	if (ret)
		return ret;

	guard(mutex)(&mtty->lock);

	if (!load->session.live)
		return -ENODEV;

	ret = mtty_load_check_config(mtty, space);
	if (ret)
		return ret;

	ret = mig_config_load_snapshot(&mtty->config, &load->config, &id,
				       mtty_stream_has_head(&load->parser),
				       load->parser.ended);
	if (ret > 0)
		trace_mtty_config(mtty->name, "superseded", id.version);
	if (ret)
		return min(ret, 0);

	trace_mtty_config(mtty->name, "loaded", id.version);
	mtty_device_config_written(mtty, mtty_pci_write(&mtty->pci, 0, space,
							sizeof(space)));

	return 0;
}

/* The result that the change from RESUMING to STOP would have */
static int mtty_load_check(const struct mtty_load *load)
{
	const struct mtty *mtty = load->session.mtty;

	lockdep_assert_held(&mtty->lock);

	if (load->parser.error)
		return load->parser.error;
	if (!load->parser.ended)
		return -ENODATA;

	return mig_config_check_end(&mtty->config, &load->config);
}

static long mtty_load_check_data(struct mtty_load *load)
{
	guard(mutex)(&load->session.mtty->lock);

	return load->session.live ? mtty_load_check(load) : -ENODEV;
}

static long mtty_load_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct mtty_load *load = mtty_load_from(file->private_data);

	if (load->session.opted_in && cmd == VFIO_MIG_SET_CONFIG)
		return mtty_load_set_config(load, (void __user *)arg);
	if (load->session.opted_in && cmd == VFIO_MIG_CHECK_DATA)
		return mtty_load_check_data(load);

	return -ENOTTY;
}

static void mtty_load_free(struct mtty_load *load)
{
	kvfree(load->buf);
	kfree(load);
}

static int mtty_load_release(struct inode *inode, struct file *file)
{
	struct mtty_load *load = mtty_load_from(file->private_data);

	mtty_session_release(&load->session);
	mtty_load_free(load);

	return 0;
}

static const struct file_operations mtty_load_fops = {
	.owner = THIS_MODULE,
	.write = mtty_load_write,
	.poll = mtty_load_poll,
	.unlocked_ioctl = mtty_load_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = mtty_load_release,
};

/**
 * mtty_load_begin - begin a loading session
 * @mtty:	the device
 *
 * Locking: mtty.lock.
 *
 * Return: the data_fd or an ERR_PTR().
 */
struct file *mtty_load_begin(struct mtty *mtty)
{
	struct mtty_stream_id id;
	struct mtty_load *load;
	struct file *file;

	load = kzalloc_obj(*load, GFP_KERNEL_ACCOUNT);
	if (!load)
		return ERR_PTR(-ENOMEM);

	mtty_device_stream_id(mtty, &id);
	load->buf = kvmalloc(mtty_stream_buf_size(&id), GFP_KERNEL_ACCOUNT);
	file = load->buf ? mtty_session_begin(mtty, &load->session,
					      &mtty_load_fops, O_WRONLY) :
			   ERR_PTR(-ENOMEM);
	if (IS_ERR(file)) {
		mtty_load_free(load);
		return file;
	}

	mtty_stream_parser_init(&load->parser, &id, load->buf);
	bitmap_zero(mtty->pci.written, PCI_CFG_SPACE_SIZE);

	return file;
}

/**
 * mtty_load_finish - put the device into the state that the stream describes
 * @mtty:	the device, RESUMING
 *
 * Locking: mtty.lock.
 *
 * Return: 0; with nothing changed -ENODATA if the stream is not complete, or -ESTALE
 * if the config space of its last record is not loaded; or the error that the stream
 * was refused with.
 */
int mtty_load_finish(struct mtty *mtty)
{
	const struct mtty_load *load = mtty_load_from(mtty->session);
	int ret;

	ret = mtty_load_check(load);
	if (ret)
		return ret;

	/* Do not load the state twice: that would repeat an early interrupt */
	if (!mtty->irq.early)
		mtty_device_load(mtty, &load->parser.state);

	return 0;
}
