// SPDX-License-Identifier: GPL-2.0-only
#include "line.h"
#include "uart.h"

int vmig_line_raise(struct vmig_device *dev, unsigned int port)
{
	return vmig_uart_out(dev, port, UART_IER, UART_IER_THRI);
}

int vmig_line_lower(struct vmig_device *dev, unsigned int port)
{
	return vmig_uart_out(dev, port, UART_IER, 0);
}
