/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration in which an interrupt is pending that the source could not signal any
 * more: the transmitter's, enabled when the device has stopped already, by what a
 * processor wrote last.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_LATE_IRQ_H
#define VMIG_LATE_IRQ_H

#include "pair.h"

#define VMIG_LATE_IRQ_MSI_VECTOR		0x42

/**
 * vmig_late_irq_vector - what the interrupt arrives as
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 */
uint8_t vmig_late_irq_vector(unsigned int index);

/**
 * vmig_late_irq_boot - let the guest of the source set up port 0 and the interrupt
 * @pair:	from vmig_pair_open()
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 */
int vmig_late_irq_boot(struct vmig_pair *pair, unsigned int index);

/** vmig_late_irq_when_stopped - raise the interrupt as soon as the source has stopped */
void vmig_late_irq_when_stopped(struct vmig_vmm *src);

/** vmig_late_irq_raise - enable the interrupt, which is due then */
int vmig_late_irq_raise(struct vmig_device *dev);

/**
 * vmig_late_irq_handle - what an interrupt handler does with the device
 * @dev:	the device
 *
 * Return: 1 if it was the cause, which has ended now, 0 if it was not, or -errno.
 */
int vmig_late_irq_handle(struct vmig_device *dev);

/**
 * vmig_late_irq_load - let the destination load all there is, short of RUNNING
 * @pair:	whose source has been saved
 */
int vmig_late_irq_load(struct vmig_pair *pair);

#endif /* VMIG_LATE_IRQ_H */
