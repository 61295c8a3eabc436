/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raise and lower the interrupt of a port without any data: the transmitter is always
 * empty, so UART_IER_THRI alone controls the interrupt.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_PORT_IRQ_H
#define VMIG_PORT_IRQ_H

#include "lib/vfio/device.h"

/**
 * vmig_port_irq_raise - assert the interrupt of a port; idempotent
 * @dev:	the device, in any state; other bits of IER are 0
 * @port:	0 or 1
 */
int vmig_port_irq_raise(struct vmig_device *dev, unsigned int port);

/** vmig_port_irq_lower - undo vmig_port_irq_raise(); idempotent */
int vmig_port_irq_lower(struct vmig_device *dev, unsigned int port);

#endif /* VMIG_PORT_IRQ_H */
