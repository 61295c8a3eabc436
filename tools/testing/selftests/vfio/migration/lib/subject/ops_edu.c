// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu, the device for education that QEMU emulates; its registers are in QEMU's
 * documentation. It has no migration, so it has no contents either.
 */
#include <endian.h>
#include <errno.h>
#include <time.h>

#include "lib/vfio/irq.h"
#include "lib/vfio/util.h"
#include "ops.h"

#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_DMA_START		0x1
#define EDU_DMA_TO_MEMORY	0x2
#define EDU_DMA_BUFFER		0x40000
#define DMA_DEADLINE_MS		5000

static int in32(struct vmig_device *dev, uint64_t reg, uint32_t *val)
{
	return vmig_region_read32(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, val);
}

static int out32(struct vmig_device *dev, uint64_t reg, uint32_t val)
{
	return vmig_region_write32(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, val);
}

static int out64(struct vmig_device *dev, uint64_t reg, uint64_t val)
{
	val = htole64(val);
	return vmig_region_write(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, &val, sizeof(val));
}

static int irq_raise(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	int ret = index == VFIO_PCI_INTX_IRQ_INDEX ? 0 : vmig_bus_master_enable(dev);

	return ret ? ret : out32(dev, EDU_IRQ_RAISE, 1);
}

static int irq_lower(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	uint32_t status;
	int ret;

	ret = in32(dev, EDU_IRQ_STATUS, &status);
	return ret ? ret : out32(dev, EDU_IRQ_ACK, status);
}

/* The device clears the start bit at the end of the transfer */
static int wait_for_dma(struct vmig_device *dev)
{
	int64_t end = vmig_now_ms() + DMA_DEADLINE_MS;
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint32_t cmd;
	int ret;

	for (;;) {
		ret = in32(dev, EDU_DMA_CMD, &cmd);
		if (ret || !(cmd & EDU_DMA_START))
			return ret;
		if (vmig_now_ms() > end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static int dma_write(struct vmig_device *dev, uint64_t iova, size_t len)
{
	int ret;

	ret = out64(dev, EDU_DMA_SRC, EDU_DMA_BUFFER);
	if (!ret)
		ret = out64(dev, EDU_DMA_DST, iova);
	if (!ret)
		ret = out64(dev, EDU_DMA_COUNT, len);
	if (!ret)
		ret = out32(dev, EDU_DMA_CMD, EDU_DMA_START | EDU_DMA_TO_MEMORY);
	return ret ? ret : wait_for_dma(dev);
}

const struct vmig_ops vmig_ops_edu = {
	.name = "edu",
	.vendor = 0x1234,
	.device = 0x11e8,
	.irq_raise = irq_raise,
	.irq_lower = irq_lower,
	.dma_write = dma_write,
};
