/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The eventfds of a controller's sources as irqfds of a machine of KVM's, whatever
 * the architecture.  For irqchip_kvm.c and irqchip_gic.c alone.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_IRQCHIP_IRQFD_H
#define VMIG_IRQCHIP_IRQFD_H

#include <stdbool.h>

#include "irqchip_ops.h"

/**
 * struct vmig_irqfds - the irqfds of a machine
 * @vm:		the machine
 * @gsi:	KVM's number of each source
 * @assigned:	which sources have an irqfd
 * @holder:	an irqfd of the same line as INTx, trigger and resample, that nobody
 *		signals: KVM lowers a line that is without any
 */
struct vmig_irqfds {
	int vm;
	uint32_t gsi[VMIG_IRQ_SOURCE_NR];
	bool assigned[VMIG_IRQ_SOURCE_NR];
	int holder[2];
};

/** vmig_irqfds_init - none yet; @vm and @gsi are to be filled in before one is */
void vmig_irqfds_init(struct vmig_irqfds *fds);

/** vmig_irqfds_close - close what is not the controller's */
void vmig_irqfds_close(struct vmig_irqfds *fds);

/**
 * vmig_irqfds_assign - let KVM listen to the eventfd of a source
 * @fds:	the irqfds
 * @chip:	the controller that has the eventfds
 * @source:	which one; INTx is a line that stays up until the interrupt has ended,
 *		and KVM signals the unmask eventfd then (KVM_IRQFD_FLAG_RESAMPLE)
 */
int vmig_irqfds_assign(struct vmig_irqfds *fds, struct vmig_irqchip *chip,
		       enum vmig_irq_source source);

/** vmig_irqfds_flush - what was signalled before the call has been injected after it */
int vmig_irqfds_flush(struct vmig_irqfds *fds, struct vmig_irqchip *chip);

#endif /* VMIG_IRQCHIP_IRQFD_H */
