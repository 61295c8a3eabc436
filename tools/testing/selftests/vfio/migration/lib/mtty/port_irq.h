/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupt of a port, raised and lowered at will, with nothing sent and
 * nothing received for it: the transmitter is always empty, so listening to it
 * (UART_IER_THRI) is an interrupt, and no longer listening is none.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_PORT_IRQ_H
#define VMIG_PORT_IRQ_H

#include "lib/vfio/device.h"

/**
 * vmig_port_irq_raise - assert the interrupt of a port; idempotent
 * @dev:	the device, in any state, its ports as after a reset
 * @port:	0 or 1
 */
int vmig_port_irq_raise(struct vmig_device *dev, unsigned int port);

/** vmig_port_irq_lower - undo vmig_port_irq_raise(); idempotent */
int vmig_port_irq_lower(struct vmig_device *dev, unsigned int port);

#endif /* VMIG_PORT_IRQ_H */
