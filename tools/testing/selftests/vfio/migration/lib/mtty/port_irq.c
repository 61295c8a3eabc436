// SPDX-License-Identifier: GPL-2.0-only
#include "port_irq.h"
#include "uart.h"

int vmig_port_irq_raise(struct vmig_device *dev, unsigned int port)
{
	return vmig_uart_out(dev, port, UART_IER, UART_IER_THRI);
}

int vmig_port_irq_lower(struct vmig_device *dev, unsigned int port)
{
	return vmig_uart_out(dev, port, UART_IER, 0);
}
