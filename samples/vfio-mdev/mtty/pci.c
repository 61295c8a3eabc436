// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space, from one table of reset values and write masks.  Bits that are not
 * in the table read as zero.
 *
 * In RESUMING, config space has layers, each above the previous one: the content at
 * the start or from the migration stream, the snapshot that the user has declared
 * complete, and later writes.  They take effect together at the end of RESUMING.
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
 * @pci:	config space; nothing is staged afterwards
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

/* The new value of a byte after a write */
static u8 mtty_pci_apply_mask(const struct mtty_pci *pci, unsigned int offset,
			      u8 val)
{
	u8 writable = pci->writable[offset];

	return (pci->space[offset] & ~writable) | (val & writable);
}

static bool mtty_pci_is_staged(const struct mtty_pci *pci, unsigned int offset)
{
	return pci->load && test_bit(offset, pci->load->staged_map);
}

/**
 * mtty_pci_read - read from config space
 * @pci:	config space
 * @offset:	in bytes; the caller has checked that the range is inside
 * @buf:	filled in completely
 * @len:	bytes
 * @status:	bits of PCI_STATUS that report a state of the device
 *
 * A staged write reads as the value that it will have.
 */
void mtty_pci_read(const struct mtty_pci *pci, unsigned int offset, u8 *buf,
		   size_t len, u16 status)
{
	unsigned int at;

	for (at = offset; len--; at++, buf++) {
		*buf = mtty_pci_loaded(pci)[at];
		if (mtty_pci_is_staged(pci, at))
			*buf = mtty_pci_apply_mask(pci, at, pci->load->staged[at]);
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
 * Return: true if the content has changed, false if the write was staged.
 */
bool mtty_pci_write(struct mtty_pci *pci, unsigned int offset, const u8 *buf,
		    size_t len)
{
	bool changed = false;
	unsigned int at;

	for (at = offset; len--; at++, buf++) {
		u8 val = mtty_pci_apply_mask(pci, at, *buf);

		if (pci->load) {
			pci->load->staged[at] = *buf;
			__set_bit(at, pci->load->staged_map);
			continue;
		}
		changed |= pci->space[at] != val;
		pci->space[at] = val;
	}

	return changed;
}

/**
 * mtty_pci_load_begin - collect writes from now on
 * @pci:	config space
 * @load:	collects them; must stay valid until mtty_pci_load_end()
 */
void mtty_pci_load_begin(struct mtty_pci *pci, struct mtty_pci_load *load)
{
	memset(load, 0, sizeof(*load));
	memcpy(load->base, pci->space, sizeof(load->base));
	memcpy(load->config, pci->space, sizeof(load->config));
	pci->load = load;
}

/**
 * mtty_pci_load_end - drop what was collected; writes take effect again
 * @pci:	config space
 */
void mtty_pci_load_end(struct mtty_pci *pci)
{
	pci->load = NULL;
}

/*
 * Read-only bits must be the same as on this device: IDs, capabilities, and the low
 * bits of a BAR, which encode its size.
 */
static bool mtty_pci_contradicts(const struct mtty_pci *pci, unsigned int at,
				 u8 val)
{
	u8 differs = val ^ pci->space[at];

	if (at == PCI_STATUS)
		differs &= ~PCI_STATUS_INTERRUPT;

	return differs & ~pci->writable[at];
}

/**
 * mtty_pci_load_base - replace the lowest layer
 * @pci:	config space
 * @space:	PCI_CFG_SPACE_SIZE bytes from the migration stream
 *
 * Return: 0, or -EINVAL with nothing changed if read-only bits differ.
 */
int mtty_pci_load_base(struct mtty_pci *pci, const u8 *space)
{
	struct mtty_pci_load *load = pci->load;
	unsigned int at;

	for (at = 0; at < PCI_CFG_SPACE_SIZE; at++)
		if (mtty_pci_contradicts(pci, at, space[at]))
			return -EINVAL;

	for (at = 0; at < PCI_CFG_SPACE_SIZE; at++) {
		load->base[at] = mtty_pci_apply_mask(pci, at, space[at]);
		if (!test_bit(at, load->snapshot))
			load->config[at] = load->base[at];
	}

	return 0;
}

/**
 * mtty_pci_load_check - check the staged writes
 * @pci:	config space
 *
 * Return: 0, or -EINVAL if read-only bits differ.
 */
int mtty_pci_load_check(const struct mtty_pci *pci)
{
	const struct mtty_pci_load *load = pci->load;
	unsigned int at;

	for_each_set_bit(at, load->staged_map, PCI_CFG_SPACE_SIZE)
		if (mtty_pci_contradicts(pci, at, load->staged[at]))
			return -EINVAL;

	return 0;
}

static void mtty_pci_overlay_staged(struct mtty_pci *pci)
{
	struct mtty_pci_load *load = pci->load;
	unsigned int at;

	for_each_set_bit(at, load->staged_map, PCI_CFG_SPACE_SIZE)
		load->config[at] = mtty_pci_apply_mask(pci, at,
						       load->staged[at]);
}

/**
 * mtty_pci_load_commit - replace the snapshot by the staged writes
 * @pci:	config space, after mtty_pci_load_check()
 */
void mtty_pci_load_commit(struct mtty_pci *pci)
{
	struct mtty_pci_load *load = pci->load;

	memcpy(load->config, load->base, sizeof(load->config));
	mtty_pci_overlay_staged(pci);
	bitmap_copy(load->snapshot, load->staged_map, PCI_CFG_SPACE_SIZE);
	mtty_pci_load_drop(pci);
}

/**
 * mtty_pci_load_drop - drop the staged writes
 * @pci:	config space
 */
void mtty_pci_load_drop(struct mtty_pci *pci)
{
	bitmap_zero(pci->load->staged_map, PCI_CFG_SPACE_SIZE);
}

/**
 * mtty_pci_load_finish - apply all layers
 * @pci:	config space
 *
 * Return: true if writes after the snapshot have changed the content.
 */
bool mtty_pci_load_finish(struct mtty_pci *pci)
{
	struct mtty_pci_load *load = pci->load;
	bool changed;

	memcpy(pci->space, load->config, sizeof(pci->space));
	mtty_pci_overlay_staged(pci);
	changed = memcmp(pci->space, load->config, sizeof(pci->space));
	memcpy(pci->space, load->config, sizeof(pci->space));

	return changed;
}

/**
 * mtty_pci_load_overrides - does the result differ from the lowest layer?
 * @pci:	config space, after mtty_pci_load_finish()
 */
bool mtty_pci_load_overrides(const struct mtty_pci *pci)
{
	return memcmp(pci->space, pci->load->base, sizeof(pci->space));
}
