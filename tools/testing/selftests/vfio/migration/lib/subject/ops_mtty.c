// SPDX-License-Identifier: GPL-2.0-only
/*
 * mtty, ours and the kernel's, which have the same IDs. Only registers that both have are
 * used, and of those only the ones that store what is written: how well a driver models
 * a 16550 is not judged here. The kernel's mtty loses the divisor when it is read, so it is
 * not compared.
 */
#include <errno.h>

#include "lib/mtty/port_irq.h"
#include "lib/mtty/uart.h"
#include "lib/vfio/irq.h"
#include "lib/vfio/util.h"
#include "ops.h"

#define FIFO_BYTES	5
#define LCR	(UART_LCR_WLEN8 | UART_LCR_STOP | UART_LCR_PARITY)
#define MEMORY	VFIO_PCI_BAR2_REGION_INDEX
/* So long a character that the receiver's timeout comes after many seconds */
#define DIVISOR	0xff00

static uint64_t memory_end(struct vmig_device *dev)
{
	return dev->region[MEMORY].size - sizeof(uint64_t);
}

static int fill(struct vmig_device *dev, uint8_t seed)
{
	uint64_t end = 0x0101010101010101 * (seed + 1ull);
	unsigned int i;
	int ret;

	ret = vmig_uart_init(dev, 0, UART_FCR_TRIGGER_8, 0);
	if (!ret)
		ret = vmig_uart_set_divisor(dev, 0, DIVISOR);
	if (!ret)
		ret = vmig_uart_out(dev, 0, UART_LCR, LCR);
	if (!ret)
		ret = vmig_uart_out(dev, 0, UART_SCR, seed + 1);
	for (i = 0; i < FIFO_BYTES && !ret; i++)
		ret = vmig_uart_out(dev, 0, UART_TX, seed + i);
	if (!ret && dev->region[MEMORY].size)
		ret = vmig_region_write(dev, MEMORY, memory_end(dev), &end, sizeof(end));
	return ret;
}

static int check_reg(struct vmig_device *dev, unsigned int reg, uint8_t want)
{
	uint8_t val;
	int ret = vmig_uart_in(dev, 0, reg, &val);

	if (ret)
		return ret;
	return val == want ? 0 : -EUCLEAN;
}

static int check_memory(struct vmig_device *dev, uint8_t seed)
{
	uint64_t want = 0x0101010101010101 * (seed + 1ull), end;
	int ret;

	ret = vmig_region_read(dev, MEMORY, memory_end(dev), &end, sizeof(end));
	if (ret)
		return ret;
	return end == want ? 0 : -EUCLEAN;
}

static int check(struct vmig_device *dev, uint8_t seed, const char **what)
{
	unsigned int i;
	int ret;

	*what = "LCR";
	ret = check_reg(dev, UART_LCR, LCR);
	if (ret)
		return ret;
	*what = "SCR";
	ret = check_reg(dev, UART_SCR, seed + 1);
	if (ret)
		return ret;
	*what = "bytes in the receiver";
	for (i = 0; i < FIFO_BYTES && !ret; i++)
		ret = check_reg(dev, UART_RX, seed + i);
	if (ret || !dev->region[MEMORY].size)
		return ret;
	*what = "capture memory";
	return check_memory(dev, seed);
}

/* Nothing that check() looks at: a word of the memory, or without one a bit of MCR */
static int dirty(struct vmig_device *dev, size_t *bytes)
{
	uint64_t offset = dev->region[MEMORY].size / 2, val;
	uint8_t mcr;
	int ret;

	if (!offset) {
		*bytes = 1;
		ret = vmig_uart_in(dev, 0, UART_MCR, &mcr);
		return ret ? ret : vmig_uart_out(dev, 0, UART_MCR, mcr ^ UART_MCR_OUT1);
	}
	*bytes = sizeof(val);
	ret = vmig_region_read(dev, MEMORY, offset, &val, sizeof(val));
	if (ret)
		return ret;
	val = ~val;
	return vmig_region_write(dev, MEMORY, offset, &val, sizeof(val));
}

static int irq_raise(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	int ret = index == VFIO_PCI_INTX_IRQ_INDEX ? 0 : vmig_bus_master_enable(dev);

	return ret ? ret : vmig_port_irq_raise(dev, 0);
}

static int irq_lower(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	return vmig_port_irq_lower(dev, 0);
}

const struct vmig_ops vmig_ops_mtty = {
	.name = "mtty",
	.vendor = 0x4348,
	.device = 0x3253,
	.no_dma = true,
	.fill = fill,
	.check = check,
	.dirty = dirty,
	.irq_raise = irq_raise,
	.irq_lower = irq_lower,
};
