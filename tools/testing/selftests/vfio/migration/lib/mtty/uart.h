/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of the serial ports; names as in linux/serial_reg.h.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_UART_H
#define VMIG_UART_H

#include <stddef.h>
#include <stdint.h>
#include <linux/serial_reg.h>

#include "lib/vfio/device.h"

/** vmig_uart_in - read a register of a port (0 or 1) */
int vmig_uart_in(struct vmig_device *dev, unsigned int port, unsigned int reg,
		 uint8_t *val);

/** vmig_uart_out - write a register of a port (0 or 1) */
int vmig_uart_out(struct vmig_device *dev, unsigned int port, unsigned int reg,
		  uint8_t val);

/** vmig_uart_set_divisor - write the divisor latch; clears DLAB */
int vmig_uart_set_divisor(struct vmig_device *dev, unsigned int port,
			  uint16_t divisor);

/**
 * vmig_uart_init - 8n1, divisor 1, FIFOs on and empty
 * @dev:	the device
 * @port:	0 or 1
 * @trigger:	UART_FCR_TRIGGER_1, _4, _8 or _14
 * @ier:	UART_IER_* to enable
 */
int vmig_uart_init(struct vmig_device *dev, unsigned int port, uint8_t trigger,
		   uint8_t ier);

/**
 * vmig_uart_exchange - send bytes and receive them, in blocks of a FIFO
 * @dev:	the device, RUNNING, FIFOs on
 * @port:	0 or 1
 * @tx:		bytes to send
 * @rx:		bytes received
 * @len:	bytes of @tx and of @rx
 *
 * Return: 0, -EIO on an overrun, -ENODATA if a byte is missing, or another -errno.
 */
int vmig_uart_exchange(struct vmig_device *dev, unsigned int port,
		       const uint8_t *tx, uint8_t *rx, size_t len);

#endif /* VMIG_UART_H */
