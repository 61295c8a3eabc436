// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space, from one table of reset values and write masks.  Bits that are not
 * in the table read as zero.
 *
 * The caller handles the effects of the command register on interrupts and ports.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "mtty_format.h"
#include "pci.h"

#define MTTY_PCI_VENDOR_ID	0x4348
#define MTTY_PCI_DEVICE_ID	0x3253
#define MTTY_PCI_REVISION	0x10
#define MTTY_PCI_CLASS_16550	0x070002	/* serial, 16550 compatible */

#define MTTY_PCI_CAP_MSI	0x50
#define MTTY_PCI_IO_BAR_SIZE	8

/* Bus mastering is for MSI; the device has no DMA */
#define MTTY_PCI_COMMAND_BITS	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | \
				 PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)

#define BAR(n)			(PCI_BASE_ADDRESS_0 + 4 * (n))
#define MSI(reg)		(MTTY_PCI_CAP_MSI + (reg))

struct mtty_pci_reg {
	u8 offset;
	u8 width;
	u32 reset;
	u32 writable;
};

static const struct mtty_pci_reg regs[] = {
	{ PCI_VENDOR_ID,	2, MTTY_PCI_VENDOR_ID },
	{ PCI_DEVICE_ID,	2, MTTY_PCI_DEVICE_ID },
	/* The kernel's sample, too, decodes I/O after reset */
	{ PCI_COMMAND,		2, PCI_COMMAND_IO, MTTY_PCI_COMMAND_BITS },
	{ PCI_STATUS,		2, PCI_STATUS_CAP_LIST |
				   PCI_STATUS_DEVSEL_MEDIUM },
	{ PCI_CLASS_REVISION,	4, MTTY_PCI_CLASS_16550 << 8 |
				   MTTY_PCI_REVISION },
	{ PCI_CACHE_LINE_SIZE,	1, 0, 0xff },
	{ PCI_LATENCY_TIMER,	1, 0, 0xff },
	{ PCI_SUBSYSTEM_VENDOR_ID, 2, MTTY_PCI_VENDOR_ID },
	{ PCI_SUBSYSTEM_ID,	2, MTTY_PCI_DEVICE_ID },
	{ PCI_CAPABILITY_LIST,	1, MTTY_PCI_CAP_MSI },
	{ PCI_INTERRUPT_LINE,	1, 0, 0xff },
	{ PCI_INTERRUPT_PIN,	1, 1 },
	{ MSI(PCI_CAP_LIST_ID),	1, PCI_CAP_ID_MSI },
	/* One vector, so the number of enabled vectors is read-only */
	{ MSI(PCI_MSI_FLAGS),	2, PCI_MSI_FLAGS_64BIT, PCI_MSI_FLAGS_ENABLE },
	/* A message is a dword and aligned to it */
	{ MSI(PCI_MSI_ADDRESS_LO), 4, 0, 0xfffffffc },
	{ MSI(PCI_MSI_ADDRESS_HI), 4, 0, 0xffffffff },
	{ MSI(PCI_MSI_DATA_64),	2, 0, 0xffff },
};

static void mtty_pci_set_reg(struct mtty_pci *pci,
			     const struct mtty_pci_reg *reg)
{
	__le32 reset = cpu_to_le32(reg->reset);
	__le32 writable = cpu_to_le32(reg->writable);

	memcpy(pci->space + reg->offset, &reset, reg->width);
	memcpy(pci->writable + reg->offset, &writable, reg->width);
}

/* A BAR is aligned to its size, so the bits below are read-only */
static void mtty_pci_set_bar(struct mtty_pci *pci, unsigned int n, u32 type,
			     u32 size)
{
	const struct mtty_pci_reg reg = { BAR(n), 4, type, -size };

	mtty_pci_set_reg(pci, &reg);
}

/**
 * mtty_pci_reset - reset config space
 * @pci:	config space
 * @nr_ports:	serial ports, each with a BAR
 * @capture_size: bytes of BAR2, 0 or a power of two
 *
 * Return: true if the content has changed.
 */
bool mtty_pci_reset(struct mtty_pci *pci, unsigned int nr_ports,
		    u64 capture_size)
{
	u8 old[PCI_CFG_SPACE_SIZE];
	unsigned int i;

	memcpy(old, pci->space, sizeof(old));
	memset(pci, 0, sizeof(*pci));

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		mtty_pci_set_reg(pci, &regs[i]);
	for (i = 0; i < nr_ports; i++)
		mtty_pci_set_bar(pci, i, PCI_BASE_ADDRESS_SPACE_IO,
				 MTTY_PCI_IO_BAR_SIZE);
	if (capture_size)
		mtty_pci_set_bar(pci, 2, PCI_BASE_ADDRESS_SPACE_MEMORY,
				 capture_size);

	return memcmp(old, pci->space, sizeof(old));
}

/* Returns true if the byte has changed */
static bool mtty_pci_write_byte(struct mtty_pci *pci, unsigned int at, u8 val)
{
	u8 writable = pci->writable[at];
	u8 old = pci->space[at];

	pci->space[at] = (old & ~writable) | (val & writable);

	return pci->space[at] != old;
}

/**
 * mtty_pci_read - read from config space
 * @pci:	config space
 * @offset:	in bytes; the caller has checked that the range is inside
 * @buf:	filled in completely
 * @len:	bytes
 * @status:	bits of PCI_STATUS that report a state of the device
 */
void mtty_pci_read(const struct mtty_pci *pci, unsigned int offset, u8 *buf,
		   size_t len, u16 status)
{
	unsigned int at;

	for (at = offset; len--; at++, buf++) {
		*buf = pci->space[at];
		if (at == PCI_STATUS)
			*buf |= status & 0xff;
		if (at == PCI_STATUS + 1)
			*buf |= status >> 8;
	}
}

/**
 * mtty_pci_write - write to config space
 * @pci:	config space
 * @offset:	in bytes; the caller has checked that the range is inside
 * @buf:	what to write
 * @len:	bytes
 *
 * Return: true if the content has changed.
 */
bool mtty_pci_write(struct mtty_pci *pci, unsigned int offset, const u8 *buf,
		    size_t len)
{
	bool changed = false;

	bitmap_set(pci->written, offset, len);
	for (; len--; offset++, buf++)
		changed |= mtty_pci_write_byte(pci, offset, *buf);

	return changed;
}

/**
 * mtty_pci_write_unwritten - write the bytes that the user has not written
 * @pci:	config space
 * @space:	PCI_CFG_SPACE_SIZE bytes from the migration stream
 *
 * Return: true if the content has changed.
 */
bool mtty_pci_write_unwritten(struct mtty_pci *pci, const u8 *space)
{
	bool changed = false;
	unsigned int at;

	for_each_clear_bit(at, pci->written, PCI_CFG_SPACE_SIZE)
		changed |= mtty_pci_write_byte(pci, at, space[at]);

	return changed;
}
