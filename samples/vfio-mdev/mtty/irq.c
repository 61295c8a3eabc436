// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts (INTx and MSI) and VFIO_DEVICE_SET_IRQS.
 *
 * Each change of the level, the device's state, a mask or an eventfd calls
 * mtty_irq_signal_due(), which decides from the current state alone.  So the order of
 * changes does not matter: a pending interrupt is signalled once, as soon as all
 * conditions are met.
 *
 * mtty.lock cannot replace irq->lock, which the work items of the mask and unmask
 * eventfds take: removing such an eventfd waits for its work item under mtty.lock.
 *
 * Locking: mtty.lock, for all functions in irq.h but init and get_info.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/eventfd.h>

#include "irq.h"
#include "mtty_format.h"
#include "mtty_trace.h"

/* For an external build, which has no Kconfig */
static_assert(IS_ENABLED(CONFIG_VFIO_VIRQFD),
	      "mtty needs a kernel with CONFIG_VFIO_VIRQFD (as VFIO_PCI selects)");

static void mtty_irq_signal(struct mtty_irq *irq, unsigned int index,
			    const char *why)
{
	lockdep_assert_held(&irq->lock);

	trace_mtty_signal(irq->name, index, why);
	eventfd_signal(irq->trigger[index]);
}

static void mtty_irq_signal_due(struct mtty_irq *irq)
{
	const char *why = irq->running ? "running" : "early";
	struct eventfd_ctx *intx = irq->trigger[VFIO_PCI_INTX_IRQ_INDEX];
	struct eventfd_ctx *msi = irq->trigger[VFIO_PCI_MSI_IRQ_INDEX];

	lockdep_assert_held(&irq->lock);

	if (!irq->level)
		irq->msi_sent = false;

	if (!(irq->running || irq->early) || !irq->level)
		return;

	if (intx && !irq->intx_masked &&
	    !(irq->command & PCI_COMMAND_INTX_DISABLE)) {
		irq->intx_masked = true;
		mtty_irq_signal(irq, VFIO_PCI_INTX_IRQ_INDEX, why);
	}

	if (msi && !irq->msi_sent && (irq->command & PCI_COMMAND_MASTER)) {
		irq->msi_sent = true;
		mtty_irq_signal(irq, VFIO_PCI_MSI_IRQ_INDEX, why);
	}
}

static void mtty_irq_set_intx_masked(struct mtty_irq *irq, bool masked)
{
	guard(mutex)(&irq->lock);

	irq->intx_masked = masked;
	mtty_irq_signal_due(irq);
}

static void mtty_irq_mask_by_eventfd(void *opaque, void *unused)
{
	mtty_irq_set_intx_masked(opaque, true);
}

static void mtty_irq_unmask_by_eventfd(void *opaque, void *unused)
{
	mtty_irq_set_intx_masked(opaque, false);
}

/* Takes the caller's reference on @ctx */
static void mtty_irq_connect(struct mtty_irq *irq, unsigned int index,
			     struct eventfd_ctx *ctx)
{
	struct eventfd_ctx *old;

	scoped_guard(mutex, &irq->lock) {
		old = irq->trigger[index];
		irq->trigger[index] = ctx;
		mtty_irq_signal_due(irq);
	}

	if (old)
		eventfd_ctx_put(old);
}

/* Wait until all signals of the eventfd so far have taken effect */
static void mtty_irq_flush_control(struct mtty_irq_control *control)
{
	if (control->ctx)
		vfio_virqfd_flush_thread(&control->virqfd[control->slot]);
}

/*
 * A signal of a mask or unmask eventfd takes effect in a work item.  The user expects
 * that effect before those of later calls.  Must not be called with irq->lock held,
 * which the work items take.
 */
static void mtty_irq_flush_controls(struct mtty_irq *irq)
{
	mtty_irq_flush_control(&irq->mask);
	mtty_irq_flush_control(&irq->unmask);
}

static void mtty_irq_clear_control(struct mtty_irq_control *control)
{
	vfio_virqfd_disable(&control->virqfd[control->slot]);
	if (control->ctx)
		eventfd_ctx_put(control->ctx);
	control->ctx = NULL;
}

static void mtty_irq_disable_index(struct mtty_irq *irq, unsigned int index)
{
	mtty_irq_connect(irq, index, NULL);

	if (index == VFIO_PCI_INTX_IRQ_INDEX) {
		mtty_irq_clear_control(&irq->mask);
		mtty_irq_clear_control(&irq->unmask);
	}

	/* Enabling an index again starts unmasked, with no MSI sent */
	guard(mutex)(&irq->lock);
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		irq->intx_masked = false;
	if (index == VFIO_PCI_MSI_IRQ_INDEX)
		irq->msi_sent = false;
}

/**
 * mtty_irq_init - initialise
 * @irq:	zeroed
 * @name:	of the device; must stay valid as long as @irq
 */
void mtty_irq_init(struct mtty_irq *irq, const char *name)
{
	mutex_init(&irq->lock);
	irq->name = name;
}

/**
 * mtty_irq_release - disable all indexes
 * @irq:	the interrupts
 */
void mtty_irq_release(struct mtty_irq *irq)
{
	unsigned int index;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++)
		mtty_irq_disable_index(irq, index);
}

/**
 * mtty_irq_reset - the device was reset
 * @irq:	the interrupts; the eventfds stay
 */
void mtty_irq_reset(struct mtty_irq *irq)
{
	mtty_irq_flush_controls(irq);

	guard(mutex)(&irq->lock);

	irq->level = false;
	irq->command = 0;
	irq->intx_masked = false;
	irq->msi_sent = false;
}

/**
 * mtty_irq_run - allow signals, and signal pending interrupts
 * @irq:	the interrupts
 */
void mtty_irq_run(struct mtty_irq *irq)
{
	mtty_irq_flush_controls(irq);

	guard(mutex)(&irq->lock);

	irq->running = true;
	mtty_irq_signal_due(irq);
}

/**
 * mtty_irq_quiesce - forbid signals
 * @irq:	the interrupts
 */
void mtty_irq_quiesce(struct mtty_irq *irq)
{
	mtty_irq_flush_controls(irq);

	guard(mutex)(&irq->lock);

	irq->running = false;
}

/**
 * mtty_irq_early - set whether to signal although the device does not run
 * @irq:	the interrupts
 * @early:	the new setting
 */
void mtty_irq_early(struct mtty_irq *irq, bool early)
{
	guard(mutex)(&irq->lock);

	irq->early = early;
	mtty_irq_signal_due(irq);
}

/**
 * mtty_irq_change - slow path of mtty_irq_update()
 * @irq:	the interrupts
 * @level:	a port asserts its interrupt
 * @command:	MTTY_IRQ_COMMAND bits of PCI_COMMAND
 */
void mtty_irq_change(struct mtty_irq *irq, bool level, u16 command)
{
	guard(mutex)(&irq->lock);

	irq->level = level;
	irq->command = command;
	mtty_irq_signal_due(irq);
}

/**
 * mtty_irq_save - get the state to migrate
 * @irq:	the interrupts of a device that does not run
 *
 * Masks and eventfds are not saved, because VFIO_DEVICE_SET_IRQS sets them on the
 * destination.  The destination signals INTx again if the level is high.  MSI is
 * edge-triggered: the message was delivered and must not be sent twice.
 *
 * Return: MTTY_REC_IRQ_* flags.
 */
u32 mtty_irq_save(struct mtty_irq *irq)
{
	guard(mutex)(&irq->lock);

	return irq->msi_sent ? MTTY_REC_IRQ_MSI_SENT : 0;
}

/**
 * mtty_irq_load - set the migrated state
 * @irq:	the interrupts of a device that does not run; masks and eventfds stay
 * @flags:	of mtty_irq_save(), checked
 */
void mtty_irq_load(struct mtty_irq *irq, u32 flags)
{
	guard(mutex)(&irq->lock);

	irq->msi_sent = flags & MTTY_REC_IRQ_MSI_SENT;
}

/**
 * mtty_irq_get_info - VFIO_DEVICE_GET_IRQ_INFO
 * @info:	with its index set; flags and count are filled in
 *
 * The error index exists because a VMM warns if it cannot set an eventfd there.
 * This device never signals it.
 *
 * Return: 0, or -EINVAL if PCI has no such index.
 */
int mtty_irq_get_info(struct vfio_irq_info *info)
{
	static const struct {
		u32 flags;
		u32 count;
	} infos[VFIO_PCI_NUM_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = {
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			VFIO_IRQ_INFO_AUTOMASKED, 1
		},
		[VFIO_PCI_MSI_IRQ_INDEX] = {
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, 1
		},
		[VFIO_PCI_ERR_IRQ_INDEX] = {
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, 1
		},
	};

	if (info->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;

	info->flags = infos[info->index].flags;
	info->count = infos[info->index].count;

	return 0;
}

static bool mtty_irq_is_enabled(struct mtty_irq *irq, unsigned int index)
{
	guard(mutex)(&irq->lock);

	return irq->trigger[index];
}

/*
 * An eventfd that is signalled by INTx must not unmask INTx: that would keep a worker
 * busy as long as the level is high.  A circle through another device is not detected.
 */
static bool mtty_irq_is_trigger(struct mtty_irq *irq,
				const struct eventfd_ctx *ctx)
{
	guard(mutex)(&irq->lock);

	return irq->trigger[VFIO_PCI_INTX_IRQ_INDEX] == ctx;
}

/**
 * struct mtty_irq_request - VFIO_DEVICE_SET_IRQS, decoded
 * @index:	VFIO_PCI_*_IRQ_INDEX
 * @mask:	the action is VFIO_IRQ_SET_ACTION_MASK
 * @fd:		for VFIO_IRQ_SET_DATA_EVENTFD; -1 removes the eventfd
 * @by_fd:	bind the action to @fd instead of performing it
 */
struct mtty_irq_request {
	unsigned int index;
	bool mask;
	s32 fd;
	bool by_fd;
};

/*
 * Disabling a disabled index must not clear msi_sent: after loading a stream, a user
 * may disable MSI before it enables it.
 */
static int mtty_irq_disable_if_enabled(struct mtty_irq *irq, unsigned int index)
{
	if (mtty_irq_is_enabled(irq, index))
		mtty_irq_disable_index(irq, index);

	return 0;
}

/* INTx and MSI exclude each other */
static bool mtty_irq_conflicts(struct mtty_irq *irq, unsigned int index)
{
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return mtty_irq_is_enabled(irq, VFIO_PCI_MSI_IRQ_INDEX);

	return index == VFIO_PCI_MSI_IRQ_INDEX &&
	       mtty_irq_is_enabled(irq, VFIO_PCI_INTX_IRQ_INDEX);
}

static int mtty_irq_set_trigger_eventfd(struct mtty_irq *irq,
					unsigned int index, s32 fd)
{
	struct eventfd_ctx *ctx;

	if (fd == -1)
		return mtty_irq_disable_if_enabled(irq, index);

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	if (mtty_irq_conflicts(irq, index) || ctx == irq->mask.ctx || ctx
	    == irq->unmask.ctx) {
		eventfd_ctx_put(ctx);
		return -EINVAL;
	}

	mtty_irq_connect(irq, index, ctx);

	return 0;
}

static int mtty_irq_set_trigger(struct mtty_irq *irq,
				const struct mtty_irq_request *req)
{
	if (req->by_fd)
		return mtty_irq_set_trigger_eventfd(irq, req->index, req->fd);

	/* Loopback test: signal whatever the level is */
	guard(mutex)(&irq->lock);

	if (!irq->trigger[req->index])
		return -EINVAL;
	mtty_irq_signal(irq, req->index, "user");

	return 0;
}

static int mtty_irq_set_control(struct mtty_irq *irq,
				struct mtty_irq_control *control, s32 fd,
				void (*thread)(void *, void *))
{
	struct virqfd **virqfd = &control->virqfd[!control->slot];
	struct eventfd_ctx *ctx;
	int ret;

	if (fd == -1) {
		mtty_irq_clear_control(control);
		return 0;
	}

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	ret = mtty_irq_is_trigger(irq, ctx) ? -EINVAL :
	      vfio_virqfd_enable(irq, NULL, thread, NULL, virqfd, fd);
	if (ret) {
		eventfd_ctx_put(ctx);
		return ret;
	}

	mtty_irq_clear_control(control);
	control->slot = !control->slot;
	control->ctx = ctx;

	return 0;
}

static int mtty_irq_set_mask(struct mtty_irq *irq,
			     const struct mtty_irq_request *req)
{
	if (!mtty_irq_is_enabled(irq, VFIO_PCI_INTX_IRQ_INDEX))
		return -EINVAL;
	if (!req->by_fd)
		mtty_irq_set_intx_masked(irq, req->mask);
	else if (req->mask)
		return mtty_irq_set_control(irq, &irq->mask, req->fd,
					    mtty_irq_mask_by_eventfd);
	else
		return mtty_irq_set_control(irq, &irq->unmask, req->fd,
					    mtty_irq_unmask_by_eventfd);

	return 0;
}

typedef int (*mtty_irq_action_fn)(struct mtty_irq *irq,
				  const struct mtty_irq_request *req);

enum mtty_irq_action { ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER, ACTION_NR };

/* In the order of the VFIO_IRQ_SET_ACTION_* bits; MSI has no mask */
static const mtty_irq_action_fn actions[VFIO_PCI_NUM_IRQS][ACTION_NR] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {
		[ACTION_MASK] = mtty_irq_set_mask,
		[ACTION_UNMASK] = mtty_irq_set_mask,
		[ACTION_TRIGGER] = mtty_irq_set_trigger,
	},
	[VFIO_PCI_MSI_IRQ_INDEX] = {
		[ACTION_TRIGGER] = mtty_irq_set_trigger,
	},
	[VFIO_PCI_ERR_IRQ_INDEX] = {
		[ACTION_TRIGGER] = mtty_irq_set_trigger,
	},
};

/**
 * mtty_irq_set - VFIO_DEVICE_SET_IRQS
 * @irq:	the interrupts
 * @set:	checked by vfio_set_irqs_validate_and_prepare()
 * @data:	the data behind @set
 *
 * In every migration state it takes effect at once, or fails with nothing changed.
 * Without mtty.lock, concurrent calls of vfio_virqfd_enable() would race.
 *
 * Return: 0; -EINVAL, -ENOTTY for an action that the index does not have,
 * -EBADF for a bad file descriptor, -ENOMEM.
 */
int mtty_irq_set(struct mtty_irq *irq, const struct vfio_irq_set *set,
		 const void *data)
{
	u32 action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	u32 type = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	struct mtty_irq_request req = { .index = set->index };
	unsigned int nr;

	if (hweight32(action) != 1)
		return -EINVAL;

	nr = __ffs(action) - __ffs(VFIO_IRQ_SET_ACTION_MASK);
	if (!actions[req.index][nr])
		return -ENOTTY;

	req.mask = nr == ACTION_MASK;
	if (req.index == VFIO_PCI_INTX_IRQ_INDEX)
		mtty_irq_flush_controls(irq);

	if (!set->count) {
		if (nr != ACTION_TRIGGER || type != VFIO_IRQ_SET_DATA_NONE)
			return -EINVAL;
		return mtty_irq_disable_if_enabled(irq, req.index);
	}

	if (type == VFIO_IRQ_SET_DATA_EVENTFD) {
		req.by_fd = true;
		req.fd = *(const s32 *)data;
	} else if (type == VFIO_IRQ_SET_DATA_BOOL && !*(const u8 *)data) {
		return 0;
	}

	return actions[req.index][nr](irq, &req);
}
