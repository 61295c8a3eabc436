// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel 82574, which QEMU emulates as e1000e. Registers as in Intel's datasheet of the
 * 82574. An interrupt is raised by software: a cause that is written to ICS. With MSI-X
 * each of the five causes of the queues has a vector, which IVAR selects.
 */
#include <errno.h>
#include <time.h>
#include <linux/pci_regs.h>

#include "lib/vfio/irq.h"
#include "lib/vfio/util.h"
#include "ops.h"

#define CTRL_EXT		0x0018
#define CTRL_EXT_IAME		0x08000000
#define CTRL_EXT_PBA_CLEAR	0x80000000
#define ICR			0x00c0
#define ICS			0x00c8
#define IMS			0x00d0
#define IMC			0x00d8
#define EIAC			0x00dc
#define IVAR			0x00e4
#define IVAR_VALID		0x8
#define IVAR_BITS		4

/* Receive queues 0 and 1, transmit queues 0 and 1, all others; in the order of IVAR */
#define CAUSE(_vector)		(1u << (20 + (_vector)))
#define NR_CAUSES		5
#define ALL_CAUSES		(CAUSE(NR_CAUSES) - CAUSE(0))

static int in32(struct vmig_device *dev, uint64_t reg, uint32_t *val)
{
	return vmig_region_read32(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, val);
}

static int out32(struct vmig_device *dev, uint64_t reg, uint32_t val)
{
	return vmig_region_write32(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, val);
}

/*
 * QEMU has a minimum of 128 us between two interrupts. One that comes earlier is delayed,
 * and QEMU 7.2 then repeats the later ones. Its timer may be late on a busy host, so one
 * long sleep may end before it: each sleep lets it run.
 */
static void wait_for_throttle(void)
{
	const struct timespec interval = { .tv_nsec = 1000000 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		nanosleep(&interval, NULL);
}

/* A message is a write to memory, so the function must be a bus master */
static int enable(struct vmig_device *dev, unsigned int index)
{
	const uint16_t bits = PCI_COMMAND_MEMORY |
			      (index == VFIO_PCI_INTX_IRQ_INDEX ? 0 : PCI_COMMAND_MASTER);

	return vmig_command_enable(dev, bits);
}

/* Each cause has the vector of its number, and is cleared when its message is sent */
static int route_vectors(struct vmig_device *dev)
{
	uint32_t ivar = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < NR_CAUSES; i++)
		ivar |= (IVAR_VALID | i) << (i * IVAR_BITS);
	ret = out32(dev, IVAR, ivar);
	if (!ret)
		ret = out32(dev, CTRL_EXT, CTRL_EXT_IAME | CTRL_EXT_PBA_CLEAR);
	return ret ? ret : out32(dev, EIAC, ALL_CAUSES);
}

static int irq_raise(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	int ret;

	if (vector >= NR_CAUSES)
		return -ERANGE;
	wait_for_throttle();
	ret = enable(dev, index);
	if (!ret && index == VFIO_PCI_MSIX_IRQ_INDEX)
		ret = route_vectors(dev);
	if (!ret)
		ret = out32(dev, IMS, CAUSE(vector));
	return ret ? ret : out32(dev, ICS, CAUSE(vector));
}

/* Without a mask bit, reading ICR clears it; with MSI-X, writing ones does */
static int irq_lower(struct vmig_device *dev, unsigned int index, unsigned int vector)
{
	uint32_t causes;
	int ret;

	ret = enable(dev, index);
	if (!ret)
		ret = out32(dev, IMC, ~0u);
	if (!ret)
		ret = in32(dev, ICR, &causes);
	return ret ? ret : out32(dev, ICR, ~0u);
}

const struct vmig_ops vmig_ops_e1000e = {
	.name = "e1000e",
	.vendor = 0x8086,
	.device = 0x10d3,
	.irq_raise = irq_raise,
	.irq_lower = irq_lower,
};
