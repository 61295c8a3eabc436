// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a loading session: write(), and the end of RESUMING.
 *
 * Capture memory is stored when it arrives, because a second copy of it could be
 * too large.  The rest stays in the parser, or in the layers of config space, until
 * the stream is complete.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

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
 * @pci:	config space to be loaded; protected by mtty.lock
 * @loaded_at_start: generation of config space that was loaded when the current
 *		record's first byte came, 0 if none was; protected by mtty.lock
 */
struct mtty_load {
	struct mtty_session session;
	struct mtty_stream_parser parser;
	u8 *buf;
	struct mtty_pci_load pci;
	u64 loaded_at_start;
};

static struct mtty_load *mtty_load_from(struct mtty_session *session)
{
	return container_of(session, struct mtty_load, session);
}

static int mtty_load_store_config(struct mtty_load *load)
{
	struct mtty_stream_parser *p = &load->parser;
	struct mtty *mtty = load->session.mtty;
	int ret;

	ret = mtty_pci_load_base(&mtty->pci, mtty_stream_config(p));
	if (ret)
		return mtty_stream_refuse(p, ret);

	trace_mtty_config(mtty->name, "streamed", mtty_stream_generation(p));
	mtty_device_update_irq(mtty);

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
	if (ret)
		return mtty_stream_refuse(p, ret);

	return 0;
}

/**
 * mtty_load_feed() - parse bytes that were copied to where the parser wants them
 * @load:	the session
 * @len:	bytes
 *
 * Return: 0, or an error; after -ESTALE the bytes have not been consumed.
 */
static int mtty_load_feed(struct mtty_load *load, size_t len)
{
	struct mtty_stream_parser *p = &load->parser;
	struct mtty *mtty = load->session.mtty;
	int ret;

	lockdep_assert_held(&load->session.io);
	guard(mutex)(&mtty->lock);

	if (!load->session.live)
		return -ENODEV;

	if (!p->fill)
		load->loaded_at_start = mtty->policy.loaded;

	ret = mtty_stream_feed(p, len);
	switch (ret) {
	case MTTY_STREAM_HEAD:
		ret = mtty_policy_check_record(&mtty->policy,
					       load->loaded_at_start,
					       mtty_stream_generation(p));
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

	return mtty_policy_check_write(&mtty->policy);
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

	/* These two do not end the session, so return the bytes consumed before */
	if (ret != -ESTALE && ret != -EFAULT && ret)
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

	load = kzalloc(sizeof(*load), GFP_KERNEL_ACCOUNT);
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
	mtty_pci_load_begin(&mtty->pci, &load->pci);

	return file;
}

/**
 * mtty_load_generation - generation of the last record of the stream
 * @mtty:	the device, RESUMING
 *
 * Locking: mtty.lock.
 *
 * Return: the generation, or 0 as long as the stream is not complete.
 */
u64 mtty_load_generation(const struct mtty *mtty)
{
	lockdep_assert_held(&mtty->lock);

	return mtty_load_from(mtty->session)->parser.ended;
}

/* Apply config space and set its generation; a new one if the user changed more */
static void mtty_load_finish_config(struct mtty *mtty, u64 ended)
{
	bool changed = mtty_pci_load_finish(&mtty->pci);

	if (mtty->policy.loaded)
		mtty->policy.generation = mtty->policy.loaded;
	if (mtty_policy_embeds(&mtty->policy)) {
		mtty->policy.generation = ended;
		changed = mtty_pci_load_overrides(&mtty->pci);
	}
	if (changed)
		mtty_policy_config_changed(&mtty->policy);
}

/**
 * mtty_load_finish - put the device into the state that the stream describes
 * @mtty:	the device, RESUMING
 *
 * Locking: mtty.lock.
 *
 * Return: 0; with nothing changed -ENODATA if the stream is not complete, or
 * -ESTALE if config space of another generation is loaded; or the error that the
 * stream was refused with.
 */
int mtty_load_finish(struct mtty *mtty)
{
	struct mtty_stream_parser *p = &mtty_load_from(mtty->session)->parser;
	int ret;

	lockdep_assert_held(&mtty->lock);

	if (p->error)
		return p->error;
	if (!p->ended)
		return -ENODATA;

	ret = mtty_policy_check_end(&mtty->policy, p->ended);
	if (ret)
		return ret;

	mtty_load_finish_config(mtty, p->ended);
	trace_mtty_config(mtty->name, "effective", mtty->policy.generation);
	/* Do not load the state twice: that would repeat an early interrupt */
	if (mtty->irq.early)
		mtty_device_update_irq(mtty);
	else
		mtty_device_load(mtty, &p->state);

	return 0;
}
