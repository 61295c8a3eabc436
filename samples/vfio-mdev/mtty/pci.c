// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space, driven by one table: what a register holds after reset, and
 * which of its bits can be written.  A bit that no row names reads as zero.
 *
 * While the device is RESUMING, config space comes in layers, each above the one
 * before: what was there, or what the migration stream carries; a snapshot that
 * the user has declared complete, judged as a whole by the same table; what he
 * has written since.  Until all of it takes effect config space stays what it
 * was.
 *
 * It signals nothing: what the command register means for interrupts and for
 * the ports is the business of whoever writes to it.  No locks either; the
 * device has the only one.
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

/* Bus mastering is for the messages of MSI; the device has no DMA of its own */
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
	/* Decoding I/O from the start is what the kernel's sample does */
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
	/* One vector, so the number of enabled ones is fixed as well */
	{ MSI(PCI_MSI_FLAGS),	2, PCI_MSI_FLAGS_64BIT, PCI_MSI_FLAGS_ENABLE },
	/* Messages are dwords, hence aligned to one */
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

/* A BAR decodes naturally aligned: the bits below its size are hard-wired */
static void mtty_pci_set_bar(struct mtty_pci *pci, unsigned int n, u32 type,
			     u32 size)
{
	const struct mtty_pci_reg reg = { BAR(n), 4, type, -size };

	mtty_pci_set_reg(pci, &reg);
}

/**
 * mtty_pci_reset - put config space into the state after a reset
 * @pci:	config space; nothing is staged afterwards
 * @nr_ports:	serial ports, each with a BAR
 * @capture_size: bytes of BAR2, 0 or a power of two
 *
 * Return: whether a guest can see a difference.
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

/* What a byte becomes when it is written */
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
 * A staged write reads back as what it will become.
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
 * Return: whether a guest can see a difference, false if it was only staged.
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
 * @load:	to collect them in; stays until mtty_pci_load_end()
 */
void mtty_pci_load_begin(struct mtty_pci *pci, struct mtty_pci_load *load)
{
	memset(load, 0, sizeof(*load));
	memcpy(load->base, pci->space, sizeof(load->base));
	memcpy(load->config, pci->space, sizeof(load->config));
	pci->load = load;
}

/**
 * mtty_pci_load_end - let writes take effect again, and forget what was collected
 * @pci:	config space
 */
void mtty_pci_load_end(struct mtty_pci *pci)
{
	pci->load = NULL;
}

/*
 * What cannot be written must agree with this device, as it was read from one of
 * the same kind: identity, capabilities, and the zeroes at the bottom of a BAR
 * that say how large, and so how aligned, it is.
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
 * mtty_pci_load_base - config space comes with the migration stream
 * @pci:	config space
 * @space:	PCI_CFG_SPACE_SIZE bytes; a snapshot stays above them
 *
 * Return: 0, or -EINVAL with nothing changed if that is not such a device.
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
 * mtty_pci_load_check - are the staged writes a snapshot of such a device?
 * @pci:	config space
 *
 * Return: 0 or -EINVAL.
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
 * mtty_pci_load_commit - the staged writes are the snapshot, instead of any other
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
 * mtty_pci_load_drop - forget the staged writes
 * @pci:	config space
 */
void mtty_pci_load_drop(struct mtty_pci *pci)
{
	bitmap_zero(pci->load->staged_map, PCI_CFG_SPACE_SIZE);
}

/**
 * mtty_pci_load_finish - let everything take effect
 * @pci:	config space
 *
 * Return: whether writes that were staged after the last snapshot made a
 * difference.
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
 * mtty_pci_load_overrides - is the result another one than the migration stream's?
 * @pci:	config space, after mtty_pci_load_finish()
 */
bool mtty_pci_load_overrides(const struct mtty_pci *pci)
{
	return memcmp(pci->space, pci->load->base, sizeof(pci->space));
}
