/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_IRQ_H
#define MTTY_IRQ_H

#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct eventfd_ctx;

/* The bits that gate interrupts: a message is a write to memory by a bus master */
#define MTTY_IRQ_COMMAND	(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)

/**
 * struct mtty_irq_control - an eventfd of the user that masks or unmasks INTx
 * @virqfd:	one entry is in use; the other one allows to bind a new eventfd, which
 *		can fail, before the old one is removed
 * @slot:	index of the entry in use
 * @ctx:	the eventfd, or NULL
 */
struct mtty_irq_control {
	struct virqfd *virqfd[2];
	unsigned int slot;
	struct eventfd_ctx *ctx;
};

/**
 * struct mtty_irq - the interrupts of a device
 * @lock:	innermost
 * @trigger:	eventfd of each index; an index is enabled if it has one.  INTx and
 *		MSI exclude each other
 * @running:	the device may signal
 * @early:	a defect: the device signals although it does not run
 * @level:	a port asserts its interrupt
 * @command:	MTTY_IRQ_COMMAND bits of PCI_COMMAND
 * @intx_masked: by the user, or by a signal (automask); not migrated
 * @msi_sent:	MSI was signalled for the current assertion
 * @mask:	masks INTx
 * @unmask:	unmasks INTx
 * @name:	of the device, for trace events; does not change
 *
 * @lock protects @trigger to @msi_sent.  All but @intx_masked and @msi_sent change
 * under mtty.lock too, so either lock is enough to read them.  mtty.lock protects
 * @mask and @unmask.
 */
struct mtty_irq {
	struct mutex lock; /* @trigger to @msi_sent */
	struct eventfd_ctx *trigger[VFIO_PCI_NUM_IRQS];
	bool running;
	bool early;
	bool level;
	u16 command;
	bool intx_masked;
	bool msi_sent;

	struct mtty_irq_control mask;
	struct mtty_irq_control unmask;
	const char *name;
};

void mtty_irq_init(struct mtty_irq *irq, const char *name);
void mtty_irq_release(struct mtty_irq *irq);
void mtty_irq_reset(struct mtty_irq *irq);
void mtty_irq_run(struct mtty_irq *irq);
void mtty_irq_quiesce(struct mtty_irq *irq);
void mtty_irq_early(struct mtty_irq *irq, bool early);
void mtty_irq_change(struct mtty_irq *irq, bool level, u16 command);
u32 mtty_irq_save(struct mtty_irq *irq);
void mtty_irq_load(struct mtty_irq *irq, u32 flags);

/**
 * mtty_irq_update - set the level and the command register
 * @irq:	the interrupts
 * @level:	a port asserts its interrupt
 * @command:	PCI_COMMAND
 *
 * Most register accesses change neither and so do not take irq->lock.
 *
 * Locking: mtty.lock.
 */
static inline void mtty_irq_update(struct mtty_irq *irq, bool level,
				   u16 command)
{
	command &= MTTY_IRQ_COMMAND;
	if (level != irq->level || command != irq->command)
		mtty_irq_change(irq, level, command);
}

int mtty_irq_get_info(struct vfio_irq_info *info);
int mtty_irq_set(struct mtty_irq *irq, const struct vfio_irq_set *set,
		 const void *data);

#endif /* MTTY_IRQ_H */
