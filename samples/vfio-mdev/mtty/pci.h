/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_PCI_H
#define MTTY_PCI_H

#include <linux/bitmap.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/**
 * struct mtty_pci - config space
 * @space:	its content, without the bits that only report a state
 * @writable:	mask of the bits of @space that a guest can change
 * @written:	bitmap of the bytes that the user has written; cleared when RESUMING is
 *		entered, and used only there
 *
 * Protected by mtty.lock.
 */
struct mtty_pci {
	u8 space[PCI_CFG_SPACE_SIZE];
	u8 writable[PCI_CFG_SPACE_SIZE];
	DECLARE_BITMAP(written, PCI_CFG_SPACE_SIZE);
};

bool mtty_pci_reset(struct mtty_pci *pci, unsigned int nr_ports,
		    u64 capture_size);
void mtty_pci_read(const struct mtty_pci *pci, unsigned int offset, u8 *buf,
		   size_t len, u16 status);
bool mtty_pci_write(struct mtty_pci *pci, unsigned int offset, const u8 *buf,
		    size_t len);
bool mtty_pci_write_unwritten(struct mtty_pci *pci, const u8 *space);

/**
 * mtty_pci_command - the command register
 * @pci:	config space
 */
static inline u16 mtty_pci_command(const struct mtty_pci *pci)
{
	return get_unaligned_le16(pci->space + PCI_COMMAND);
}

#endif /* MTTY_PCI_H */
