// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "uart.h"

#define FIFO_SIZE	16

/* Port 0 is behind BAR0, port 1 behind BAR1 */
static unsigned int bar(unsigned int port)
{
	return VFIO_PCI_BAR0_REGION_INDEX + port;
}

int vmig_uart_in(struct vmig_device *dev, unsigned int port, unsigned int reg,
		 uint8_t *val)
{
	return vmig_region_read(dev, bar(port), reg, val, sizeof(*val));
}

int vmig_uart_out(struct vmig_device *dev, unsigned int port, unsigned int reg,
		  uint8_t val)
{
	return vmig_region_write(dev, bar(port), reg, &val, sizeof(val));
}

int vmig_uart_set_divisor(struct vmig_device *dev, unsigned int port,
			  uint16_t divisor)
{
	uint8_t lcr;
	int ret;

	ret = vmig_uart_in(dev, port, UART_LCR, &lcr);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_LCR, lcr | UART_LCR_DLAB);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_DLL, divisor & 0xff);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_DLM, divisor >> 8);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_LCR,
				    lcr & ~UART_LCR_DLAB);

	return ret;
}

int vmig_uart_init(struct vmig_device *dev, unsigned int port, uint8_t trigger,
		   uint8_t ier)
{
	int ret;

	ret = vmig_uart_out(dev, port, UART_LCR, UART_LCR_WLEN8);
	if (!ret)
		ret = vmig_uart_set_divisor(dev, port, 1);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_FCR, UART_FCR_ENABLE_FIFO |
				    UART_FCR_CLEAR_RCVR |
				    UART_FCR_CLEAR_XMIT | trigger);
	if (!ret)
		ret = vmig_uart_out(dev, port, UART_IER, ier);

	return ret;
}

/* Receive @max bytes */
static int drain(struct vmig_device *dev, unsigned int port, uint8_t *rx,
		 size_t max)
{
	size_t done;
	uint8_t lsr;
	int ret;

	for (done = 0; done < max; done++) {
		ret = vmig_uart_in(dev, port, UART_LSR, &lsr);
		if (ret)
			return ret;
		if (lsr & UART_LSR_OE)
			return -EIO;
		if (!(lsr & UART_LSR_DR))
			return -ENODATA;
		ret = vmig_uart_in(dev, port, UART_RX, &rx[done]);
		if (ret)
			return ret;
	}

	return 0;
}

int vmig_uart_exchange(struct vmig_device *dev, unsigned int port,
		       const uint8_t *tx, uint8_t *rx, size_t len)
{
	size_t done, n, i;
	int ret = 0;

	for (done = 0; done < len && !ret; done += n) {
		n = len - done < FIFO_SIZE ? len - done : FIFO_SIZE;
		for (i = 0; i < n && !ret; i++)
			ret = vmig_uart_out(dev, port, UART_TX, tx[done + i]);
		if (!ret)
			ret = drain(dev, port, rx + done, n);
	}

	return ret;
}
