/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_IRQ_H
#define MTTY_IRQ_H

#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct eventfd_ctx;

/* Without bus mastering a function must not write to memory, so sends no message */
#define MTTY_IRQ_COMMAND	(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)

/**
 * struct mtty_irq_control - an eventfd through which the user acts on INTx
 * @virqfd:	the binding in one of the two slots; a new one is made in the other
 *		before the old one goes, as making it may fail
 * @slot:	which one is in use
 * @ctx:	the eventfd, or NULL
 */
struct mtty_irq_control {
	struct virqfd *virqfd[2];
	unsigned int slot;
	struct eventfd_ctx *ctx;
};

/**
 * struct mtty_irq - the line, and who is told about it
 * @lock:	protects everything up to @msi_sent; innermost
 * @trigger:	eventfd of each index; an index is enabled if it has one, and
 *		only one of INTx and MSI can be
 * @running:	the device may signal
 * @early:	it does so although it may not, see mtty_irq_early()
 * @level:	a port asserts its interrupt
 * @command:	MTTY_IRQ_COMMAND bits of PCI_COMMAND
 * @intx_masked: by the user, or because INTx was signalled (automask); as all that
 *		VFIO_DEVICE_SET_IRQS sets up, it is the user's and does not migrate
 * @msi_sent:	the current assertion has been signalled; a message has no
 *		level, so there is one for each assertion
 * @mask:	masks INTx; protected, as @unmask, by the lock of the device
 * @unmask:	unmasks INTx
 * @name:	of the device, for trace events
 */
struct mtty_irq {
	struct mutex lock; /* the line and the triggers */
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
 * mtty_irq_update - the line may have changed
 * @irq:	the interrupts
 * @level:	the line
 * @command:	PCI_COMMAND
 *
 * Locking: the lock of the device, as for whatever else changes these two; so they
 * may be looked at without irq->lock, and most register accesses do no more.
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
