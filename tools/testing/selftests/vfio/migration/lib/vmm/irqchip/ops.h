/* SPDX-License-Identifier: GPL-2.0-only */
/* Between irqchip.c and the controllers. */
#ifndef VMIG_IRQCHIP_OPS_H
#define VMIG_IRQCHIP_OPS_H

#include "irqchip.h"

enum vmig_irq_source {
	VMIG_IRQ_MSI,
	VMIG_IRQ_INTX,
	VMIG_IRQ_SOURCE_NR
};

/**
 * struct vmig_irqchip_ops - a kind of controller
 * @name:	for users
 * @id:		of this kind, in a blob
 * @create:	set @priv, or fail and free everything
 * @destroy:	undo @create
 * @guest_setup: as vmig_irqchip_guest_setup()
 * @guest_intx:	as vmig_irqchip_guest_intx(), or NULL
 * @is_ready:	as vmig_irqchip_is_ready()
 * @save:	append the state
 * @restore:	restore a state, after checking its length
 * @connect:	connect the eventfd of a source to the message of @msi_address and
 *		@msi_data, or to the line of INTx
 * @pending:	as vmig_irqchip_pending()
 * @take:	as vmig_irqchip_take()
 */
struct vmig_irqchip_ops {
	const char *name;
	uint32_t id;
	int (*create)(struct vmig_irqchip *chip);
	void (*destroy)(struct vmig_irqchip *chip);
	int (*guest_setup)(struct vmig_irqchip *chip);
	int (*guest_intx)(struct vmig_irqchip *chip, unsigned int mode);
	int (*is_ready)(struct vmig_irqchip *chip);
	int (*save)(struct vmig_irqchip *chip, struct vmig_bytes *blob);
	int (*restore)(struct vmig_irqchip *chip, const void *state,
		       size_t len);
	int (*connect)(struct vmig_irqchip *chip, enum vmig_irq_source source);
	int (*pending)(struct vmig_irqchip *chip, uint8_t vector);
	int (*take)(struct vmig_irqchip *chip, uint8_t vector);
};

/**
 * struct vmig_irqchip - a controller
 * @ops:	its kind
 * @priv:	data of that kind
 * @fd:		trigger eventfds for a device, or -1
 * @unmask_fd:	unmask eventfd for a device, or -1
 * @msi_address: of the message of @fd[VMIG_IRQ_MSI]
 * @msi_data:	of the same message
 */
struct vmig_irqchip {
	const struct vmig_irqchip_ops *ops;
	void *priv;
	int fd[VMIG_IRQ_SOURCE_NR];
	int unmask_fd;
	uint64_t msi_address;
	uint32_t msi_data;
};

extern const struct vmig_irqchip_ops vmig_irqchip_kvm;
extern const struct vmig_irqchip_ops vmig_irqchip_model;

#endif /* VMIG_IRQCHIP_OPS_H */
