// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine: what the device does on each arc.
 *
 * vfio_mig_get_next_state() decides which arcs a request takes.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>

#include "device.h"
#include "load.h"
#include "migration.h"
#include "mtty_trace.h"
#include "save.h"
#include "session.h"

static struct file *mtty_mig_nothing(struct mtty *mtty)
{
	return NULL;
}

static struct file *mtty_mig_quiesce(struct mtty *mtty)
{
	mtty_device_quiesce(mtty);

	return NULL;
}

static struct file *mtty_mig_run(struct mtty *mtty)
{
	mtty_device_run(mtty);

	return NULL;
}

static struct file *mtty_mig_save_begin(struct mtty *mtty)
{
	struct file *file;
	int ret;

	ret = mtty_cap_track_start(&mtty->cap);
	if (ret)
		return ERR_PTR(ret);

	file = mtty_save_begin(mtty);
	if (IS_ERR(file))
		mtty_cap_track_stop(&mtty->cap);

	return file;
}

static struct file *mtty_mig_stop_copy(struct mtty *mtty)
{
	mtty_device_quiesce(mtty);
	/* The stream no longer ends with ENOMSG */
	wake_up_interruptible(&mtty->wait);

	return NULL;
}

static struct file *mtty_mig_save_end(struct mtty *mtty)
{
	mtty_session_end(mtty);

	return NULL;
}

/*
 * The device stays in RESUMING while the rest of the stream, or the config space
 * that matches it, can still arrive.  A refused stream needs a reset.
 */
static struct file *mtty_mig_load_end(struct mtty *mtty)
{
	int ret;

	ret = mtty_load_finish(mtty);
	if (ret == -ENODATA || ret == -ESTALE)
		return ERR_PTR(ret);

	mtty_session_end(mtty);
	if (!ret)
		return NULL;

	mtty->state = VFIO_DEVICE_STATE_ERROR;

	return ERR_PTR(ret);
}

typedef struct file *(*mtty_mig_arc)(struct mtty *mtty);

#define S(name)		VFIO_DEVICE_STATE_##name

/* All arcs, with and without the optional states */
static const mtty_mig_arc arcs[VFIO_DEVICE_STATE_NR][VFIO_DEVICE_STATE_NR] = {
	[S(RUNNING)][S(STOP)] = mtty_mig_quiesce,
	[S(RUNNING)][S(RUNNING_P2P)] = mtty_mig_nothing,
	[S(RUNNING)][S(PRE_COPY)] = mtty_mig_save_begin,
	[S(RUNNING_P2P)][S(RUNNING)] = mtty_mig_nothing,
	[S(RUNNING_P2P)][S(STOP)] = mtty_mig_quiesce,
	[S(RUNNING_P2P)][S(PRE_COPY_P2P)] = mtty_mig_save_begin,
	[S(PRE_COPY)][S(RUNNING)] = mtty_mig_save_end,
	[S(PRE_COPY)][S(PRE_COPY_P2P)] = mtty_mig_nothing,
	[S(PRE_COPY)][S(STOP_COPY)] = mtty_mig_stop_copy,
	[S(PRE_COPY_P2P)][S(RUNNING_P2P)] = mtty_mig_save_end,
	[S(PRE_COPY_P2P)][S(PRE_COPY)] = mtty_mig_nothing,
	[S(PRE_COPY_P2P)][S(STOP_COPY)] = mtty_mig_stop_copy,
	[S(STOP)][S(RUNNING)] = mtty_mig_run,
	[S(STOP)][S(RUNNING_P2P)] = mtty_mig_run,
	[S(STOP)][S(STOP_COPY)] = mtty_mig_save_begin,
	[S(STOP)][S(RESUMING)] = mtty_load_begin,
	[S(STOP_COPY)][S(STOP)] = mtty_mig_save_end,
	[S(RESUMING)][S(STOP)] = mtty_mig_load_end,
};

static struct file *mtty_mig_refuse(struct mtty *mtty,
				    enum vfio_device_mig_state target, int ret)
{
	trace_mtty_state(mtty->name, mtty->state, target, mtty->state, ret);

	return ERR_PTR(ret);
}

static struct file *mtty_mig_step(struct mtty *mtty,
				  enum vfio_device_mig_state target)
{
	enum vfio_device_mig_state old = mtty->state, next;
	struct file *file;
	int ret;

	ret = vfio_mig_get_next_state(&mtty->vdev, old, target, &next);
	if (ret)
		return mtty_mig_refuse(mtty, target, ret);

	if (WARN_ON_ONCE(!arcs[old][next]))
		return ERR_PTR(-EINVAL);

	file = arcs[old][next](mtty);
	if (!IS_ERR(file))
		mtty->state = next;
	trace_mtty_state(mtty->name, old, next, mtty->state,
			 PTR_ERR_OR_ZERO(file));

	return file;
}

static struct file *mtty_mig_set_state(struct vfio_device *vdev,
				       enum vfio_device_mig_state target)
{
	struct mtty *mtty = to_mtty(vdev);
	struct file *file = NULL;

	guard(mutex)(&mtty->lock);

	/*
	 * Only a reset leaves ERROR, and no request enters it.
	 * vfio_mig_get_next_state() would warn about the former as a driver bug.
	 */
	if (mtty->state == VFIO_DEVICE_STATE_ERROR ||
	    target == VFIO_DEVICE_STATE_ERROR)
		return mtty_mig_refuse(mtty, target, -EINVAL);

	/* Only the last arc of a path can begin a session */
	while (mtty->state != target && !file)
		file = mtty_mig_step(mtty, target);

	return file;
}

static int mtty_mig_get_state(struct vfio_device *vdev,
			      enum vfio_device_mig_state *state)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);
	*state = mtty->state;

	return 0;
}

static int mtty_mig_get_data_size(struct vfio_device *vdev,
				  unsigned long *stop_copy_length)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);
	*stop_copy_length = mtty_save_stop_copy_size(mtty);

	return 0;
}

const struct vfio_migration_ops mtty_mig_ops = {
	.migration_set_state = mtty_mig_set_state,
	.migration_get_state = mtty_mig_get_state,
	.migration_get_data_size = mtty_mig_get_data_size,
};
