// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data_fd of a loading session: write(), and taking over what was written.
 *
 * Capture memory is stored as it comes, as a second copy of it would be too
 * large; everything else waits until the stream is complete, in the parser or,
 * what becomes config space, in its layers.  As in save.c, user memory is touched
 * under the lock of the data_fd only.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "mtty.h"
#include "mtty_trace.h"

static int store_config(struct mtty_session *session)
{
	struct mtty_stream_parser *p = &session->parser;
	struct mtty *mtty = session->mtty;
	int ret;

	ret = mtty_pci_load_base(&mtty->pci, mtty_stream_config(p));
	if (ret)
		return mtty_stream_refuse(p, ret);

	trace_mtty_config(mtty->name, "streamed", mtty_stream_generation(p));
	mtty_device_update_irq(mtty);

	return 0;
}

static int store_capture(struct mtty_session *session)
{
	struct mtty_stream_parser *p = &session->parser;
	const u8 *bytes;
	size_t len;
	u64 offset;
	int ret;

	bytes = mtty_stream_capture(p, &offset, &len);
	ret = mtty_cap_write(&session->mtty->cap, offset, bytes, len);
	if (ret)
		return mtty_stream_refuse(p, ret);

	return 0;
}

/*
 * The defect that a user may ask for, as hardware has it that knows nothing of all
 * this: it is what it has been told to be, and signals.
 */
static void signal_early(struct mtty *mtty)
{
	mtty_device_load(mtty, &mtty->session->parser.state);
	mtty_irq_early(&mtty->irq, true);
}

/**
 * feed() - the user's bytes are where the parser wanted them
 * @session:	the session
 * @len:	how many
 *
 * Return: 0, or an error; after -ESTALE the bytes have not been consumed.
 */
static int feed(struct mtty_session *session, size_t len)
{
	struct mtty_stream_parser *p = &session->parser;
	struct mtty *mtty = session->mtty;
	int ret;

	lockdep_assert_held(&session->io);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return -ENODEV;

	if (!p->fill)
		session->began = mtty->policy.loaded;

	ret = mtty_stream_feed(p, len);
	switch (ret) {
	case MTTY_STREAM_HEAD:
		ret = mtty_policy_admit_record(&mtty->policy, session->began,
					       mtty_stream_generation(p));
		if (ret)
			mtty_stream_unfeed(p, len);
		return ret;
	case MTTY_STREAM_START:
		/* What the stream leaves out was never written on the source */
		mtty_cap_clear(&mtty->cap);
		return 0;
	case MTTY_STREAM_CAPTURE:
		return store_capture(session);
	case MTTY_STREAM_CONFIG:
		return store_config(session);
	default:
		if (ret >= 0 && p->ended && mtty->defect_early_irq)
			signal_early(mtty);
		return min(ret, 0);
	}
}

static int admit(struct mtty_session *session)
{
	struct mtty *mtty = session->mtty;

	guard(mutex)(&mtty->lock);

	if (!session->live)
		return -ENODEV;
	if (session->parser.error)
		return session->parser.error;

	return mtty_policy_admit_data(&mtty->policy);
}

static ssize_t take_in(struct mtty_session *session, const char __user *buf,
		       size_t count)
{
	ssize_t done = 0;
	int ret;

	lockdep_assert_held(&session->io);

	ret = admit(session);
	while (count && !ret) {
		size_t n, left;
		u8 *where;

		n = min(count, mtty_stream_want(&session->parser, &where));
		left = copy_from_user(where, buf, n);
		n -= left;
		if (n)
			ret = feed(session, n);
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

	/* What was taken before is not lost, unless all of it is */
	if (ret != -ESTALE && ret != -EFAULT && ret)
		return ret;

	return done ?: ret;
}

static ssize_t load_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct mtty_session *session = file->private_data;
	ssize_t ret;

	/* The holder may wait for user memory, for as long as that takes */
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &session->io) {
		ret = take_in(session, buf, count);
		trace_mtty_data(session->mtty->name, "write", count, ret);
	}

	return ret;
}

static __poll_t load_poll(struct file *file, struct poll_table_struct *wait)
{
	struct mtty_session *session = file->private_data;
	struct mtty *mtty = session->mtty;

	poll_wait(file, &mtty->wait, wait);
	guard(mutex)(&mtty->lock);

	if (!session->live)
		return EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;

	return EPOLLOUT | EPOLLWRNORM;
}

/**
 * mtty_load_generation - generation of the last record of the stream
 * @mtty:	the device, RESUMING
 *
 * Return: the generation, or 0 as long as the stream is not complete.
 */
u64 mtty_load_generation(const struct mtty *mtty)
{
	lockdep_assert_held(&mtty->lock);

	return mtty->session->parser.ended;
}

/* Which generation what has been loaded is of, and may have been changed from */
static void settle_generation(struct mtty *mtty, u64 ended)
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
 * mtty_load_finish - let the device become what the stream describes
 * @mtty:	the device, RESUMING
 *
 * Return: 0; with nothing changed -ENODATA if the stream is not complete, or
 * -ESTALE if config space of another generation was loaded; or the reason why
 * the stream was refused.
 */
int mtty_load_finish(struct mtty *mtty)
{
	struct mtty_stream_parser *p = &mtty->session->parser;
	int ret;

	lockdep_assert_held(&mtty->lock);

	if (p->error)
		return p->error;
	if (!p->ended)
		return -ENODATA;

	ret = mtty_policy_admit_end(&mtty->policy, p->ended);
	if (ret)
		return ret;

	settle_generation(mtty, p->ended);
	trace_mtty_config(mtty->name, "effective", mtty->policy.generation);
	/* An interrupt that was signalled early must not be signalled again */
	if (mtty->irq.early)
		mtty_device_update_irq(mtty);
	else
		mtty_device_load(mtty, &p->state);

	return 0;
}

const struct file_operations mtty_load_fops = {
	.owner = THIS_MODULE,
	.write = load_write,
	.poll = load_poll,
	.release = mtty_mig_release,
};
