/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration with an interrupt that the source cannot signal: a last register write
 * enables the transmitter's interrupt after the device has stopped.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_LATE_IRQ_H
#define VMIG_LATE_IRQ_H

#include <stdbool.h>

#include "pair.h"

#define VMIG_LATE_IRQ_MSI_VECTOR		0x42

/**
 * vmig_late_irq_vector - vector of the interrupt
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 */
uint8_t vmig_late_irq_vector(unsigned int index);

/**
 * vmig_late_irq_boot - set up port 0 and the interrupt of the source
 * @pair:	from vmig_pair_open()
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 */
int vmig_late_irq_boot(struct vmig_pair *pair, unsigned int index);

/** vmig_late_irq_is_stop - has the source just stopped its device? */
bool vmig_late_irq_is_stop(const struct vmig_event *event);

/** vmig_late_irq_when_stopped - raise the interrupt when the source stops */
void vmig_late_irq_when_stopped(struct vmig_vmm *src);

/** vmig_late_irq_raise - enable the interrupt, which makes it pending */
int vmig_late_irq_raise(struct vmig_device *dev);

/**
 * vmig_late_irq_handle - read IIR as an interrupt handler does
 * @dev:	the device
 *
 * Return: 1 if the transmitter was the cause, which this ends; 0 if not; or -errno.
 */
int vmig_late_irq_handle(struct vmig_device *dev);

/**
 * vmig_late_irq_load - load the whole stream, without running the device
 * @pair:	its source was saved
 */
int vmig_late_irq_load(struct vmig_pair *pair);

#endif /* VMIG_LATE_IRQ_H */
