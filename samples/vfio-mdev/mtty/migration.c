// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine, and the life of a data transfer session.
 *
 * Which arcs there are is the business of vfio_mig_get_next_state(); here is
 * what an arc does.  What goes through a data_fd is up to save.c and load.c, and
 * what a record looks like is none of anybody's business here.
 *
 * A session lives as long as its data_fd, which may be longer than the device is
 * open, or even there.  The device has at most one, keeps a reference on its
 * file, and lets go of both when the session ends; from then on the data_fd
 * gives errors only.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "mtty.h"
#include "mtty_trace.h"

/**
 * mtty_mig_stream_id - what a stream says about the device it is from
 * @mtty:	the device
 * @id:		filled in
 */
void mtty_mig_stream_id(const struct mtty *mtty, struct mtty_stream_id *id)
{
	*id = (struct mtty_stream_id) {
		.nr_ports = mtty->nr_ports,
		.policy = mtty->policy.flag,
		.features = mtty->vdev.migration_flags,
		.capture_size = mtty->cap.size,
	};
}

static void session_free(struct mtty_session *session)
{
	mutex_destroy(&session->io);
	mtty_cap_piece_put(&session->piece);
	kvfree(session->buf);
	kfree(session);
}

static struct mtty_session *session_alloc(struct mtty *mtty,
					  enum mtty_session_kind kind)
{
	size_t size = MTTY_STREAM_SMALL_BUF_SIZE;
	struct mtty_session *session;
	struct mtty_stream_id id;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return NULL;

	mutex_init(&session->io);
	session->mtty = mtty;
	session->kind = kind;
	session->id = get_random_u64();
	mtty_mig_stream_id(mtty, &id);
	if (kind == MTTY_LOADING)
		size = mtty_stream_buf_size(&id);
	session->buf = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!session->buf) {
		session_free(session);
		return NULL;
	}

	session->noticed = mtty->policy.generation;
	if (kind == MTTY_LOADING)
		mtty_stream_parser_init(&session->parser, &id, session->buf);

	return session;
}

static struct file *session_begin(struct mtty *mtty,
				  enum mtty_session_kind kind)
{
	const struct file_operations *fops = &mtty_save_fops;
	struct mtty_session *session;
	int flags = O_RDONLY;
	struct file *file;

	lockdep_assert_held(&mtty->lock);

	if (kind == MTTY_LOADING) {
		fops = &mtty_load_fops;
		flags = O_WRONLY;
	}

	session = session_alloc(mtty, kind);
	if (!session)
		return ERR_PTR(-ENOMEM);

	file = anon_inode_getfile("[mtty_mig]", fops, session, flags);
	if (IS_ERR(file)) {
		session_free(session);
		return file;
	}

	stream_open(file->f_inode, file);
	get_device(&mtty->vdev.device);
	session->file = get_file(file);
	session->live = true;
	mtty->session = session;

	return file;
}

/**
 * mtty_mig_session_end - no more data are transferred
 * @mtty:	the device; nothing happens if it has no session
 */
void mtty_mig_session_end(struct mtty *mtty)
{
	struct mtty_session *session = mtty->session;

	lockdep_assert_held(&mtty->lock);

	if (!session)
		return;

	session->live = false;
	mtty->session = NULL;
	mtty_pci_load_end(&mtty->pci);
	mtty->policy.loaded = 0;
	mtty_cap_track_stop(&mtty->cap);
	mtty_irq_early(&mtty->irq, false);
	wake_up_interruptible(&mtty->wait);
	fput(session->file);
}

/**
 * mtty_mig_release - the last reference on a data_fd is gone
 * @inode:	of no interest
 * @file:	the data_fd
 *
 * Its session has ended before, as the device has a reference as long as it
 * lasts.
 */
int mtty_mig_release(struct inode *inode, struct file *file)
{
	struct mtty_session *session = file->private_data;
	struct mtty *mtty = session->mtty;

	session_free(session);
	vfio_put_device(&mtty->vdev);

	return 0;
}

static struct file *arc_nothing(struct mtty *mtty)
{
	return NULL;
}

static struct file *arc_quiesce(struct mtty *mtty)
{
	mtty_device_quiesce(mtty);

	return NULL;
}

static struct file *arc_run(struct mtty *mtty)
{
	mtty_device_run(mtty);

	return NULL;
}

static struct file *arc_save_begin(struct mtty *mtty)
{
	struct file *file;
	int ret;

	ret = mtty_cap_track_start(&mtty->cap);
	if (ret)
		return ERR_PTR(ret);

	file = session_begin(mtty, MTTY_SAVING);
	if (IS_ERR(file))
		mtty_cap_track_stop(&mtty->cap);

	return file;
}

/* Who waits at the temporary end of the stream can go on: now all of it comes */
static struct file *arc_save_rest(struct mtty *mtty)
{
	mtty_device_quiesce(mtty);
	wake_up_interruptible(&mtty->wait);

	return NULL;
}

static struct file *arc_save_end(struct mtty *mtty)
{
	mtty_mig_session_end(mtty);

	return NULL;
}

static struct file *arc_load_begin(struct mtty *mtty)
{
	struct file *file;

	file = session_begin(mtty, MTTY_LOADING);
	if (IS_ERR(file))
		return file;

	mtty_pci_load_begin(&mtty->pci, &mtty->session->pci);

	return file;
}

/*
 * A stream that is not complete yet may still become so, and config space that
 * does not go with it may be replaced.  A stream that was refused stays refused:
 * only a reset helps.
 */
static struct file *arc_load_end(struct mtty *mtty)
{
	int ret;

	ret = mtty_load_finish(mtty);
	if (ret == -ENODATA || ret == -ESTALE)
		return ERR_PTR(ret);

	mtty_mig_session_end(mtty);
	if (!ret)
		return NULL;

	mtty->state = VFIO_DEVICE_STATE_ERROR;

	return ERR_PTR(ret);
}

typedef struct file *(*arc_fn)(struct mtty *mtty);

#define S(name)		VFIO_DEVICE_STATE_##name

/* What happens on an arc; with or without the optional states between */
static const arc_fn arcs[VFIO_DEVICE_STATE_NR][VFIO_DEVICE_STATE_NR] = {
	[S(RUNNING)][S(STOP)] = arc_quiesce,
	[S(RUNNING)][S(RUNNING_P2P)] = arc_nothing,
	[S(RUNNING)][S(PRE_COPY)] = arc_save_begin,
	[S(RUNNING_P2P)][S(RUNNING)] = arc_nothing,
	[S(RUNNING_P2P)][S(STOP)] = arc_quiesce,
	[S(RUNNING_P2P)][S(PRE_COPY_P2P)] = arc_save_begin,
	[S(PRE_COPY)][S(RUNNING)] = arc_save_end,
	[S(PRE_COPY)][S(PRE_COPY_P2P)] = arc_nothing,
	[S(PRE_COPY)][S(STOP_COPY)] = arc_save_rest,
	[S(PRE_COPY_P2P)][S(RUNNING_P2P)] = arc_save_end,
	[S(PRE_COPY_P2P)][S(PRE_COPY)] = arc_nothing,
	[S(PRE_COPY_P2P)][S(STOP_COPY)] = arc_save_rest,
	[S(STOP)][S(RUNNING)] = arc_run,
	[S(STOP)][S(RUNNING_P2P)] = arc_run,
	[S(STOP)][S(STOP_COPY)] = arc_save_begin,
	[S(STOP)][S(RESUMING)] = arc_load_begin,
	[S(STOP_COPY)][S(STOP)] = arc_save_end,
	[S(RESUMING)][S(STOP)] = arc_load_end,
};

static struct file *refuse(struct mtty *mtty, enum vfio_device_mig_state target,
			   int ret)
{
	trace_mtty_state(mtty->name, mtty->state, target, mtty->state, ret);

	return ERR_PTR(ret);
}

static struct file *step(struct mtty *mtty, enum vfio_device_mig_state target)
{
	enum vfio_device_mig_state old = mtty->state, next;
	struct file *file;
	int ret;

	ret = vfio_mig_get_next_state(&mtty->vdev, old, target, &next);
	if (ret)
		return refuse(mtty, target, ret);

	if (WARN_ON_ONCE(!arcs[old][next]))
		return ERR_PTR(-EINVAL);

	file = arcs[old][next](mtty);
	if (!IS_ERR(file))
		mtty->state = next;
	trace_mtty_state(mtty->name, old, next, mtty->state,
			 PTR_ERR_OR_ZERO(file));

	return file;
}

static struct file *set_state(struct vfio_device *vdev,
			      enum vfio_device_mig_state target)
{
	struct mtty *mtty = to_mtty(vdev);
	struct file *file = NULL;

	guard(mutex)(&mtty->lock);

	/*
	 * Only a reset leads out of ERROR, and no request leads into it.  To ask
	 * for the next state from there would be warned about as a driver bug.
	 */
	if (mtty->state == VFIO_DEVICE_STATE_ERROR ||
	    target == VFIO_DEVICE_STATE_ERROR)
		return refuse(mtty, target, -EINVAL);

	/* Only the last arc of a path can begin a session */
	while (mtty->state != target && !file)
		file = step(mtty, target);

	return file;
}

static int get_state(struct vfio_device *vdev,
		     enum vfio_device_mig_state *state)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);
	*state = mtty->state;

	return 0;
}

static int get_data_size(struct vfio_device *vdev,
			 unsigned long *stop_copy_length)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);
	*stop_copy_length = mtty_save_stop_copy_size(mtty);

	return 0;
}

const struct vfio_migration_ops mtty_mig_ops = {
	.migration_set_state = set_state,
	.migration_get_state = get_state,
	.migration_get_data_size = get_data_size,
};
