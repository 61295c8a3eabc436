/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_PCI_H
#define MTTY_PCI_H

#include <linux/bitmap.h>
#include <linux/pci_regs.h>
#include <linux/types.h>

/**
 * struct mtty_pci - config space
 * @space:	its content, without the bits that only report a state
 * @writable:	which bits of @space a guest can change
 * @staging:	writes are collected in @staged instead of taking effect
 * @staged:	bytes as they were written
 * @staged_map:	which bytes of @staged were written
 *
 * Has no lock; everything is protected by the lock of the device.
 */
struct mtty_pci {
	u8 space[PCI_CFG_SPACE_SIZE];
	u8 writable[PCI_CFG_SPACE_SIZE];
	bool staging;
	u8 staged[PCI_CFG_SPACE_SIZE];
	DECLARE_BITMAP(staged_map, PCI_CFG_SPACE_SIZE);
};

bool mtty_pci_reset(struct mtty_pci *pci, unsigned int nr_ports,
		    u64 capture_size);
u16 mtty_pci_command(const struct mtty_pci *pci);
void mtty_pci_read(const struct mtty_pci *pci, unsigned int offset, u8 *buf,
		   size_t len, u16 status);
bool mtty_pci_write(struct mtty_pci *pci, unsigned int offset, const u8 *buf,
		    size_t len);

void mtty_pci_stage(struct mtty_pci *pci);
void mtty_pci_unstage(struct mtty_pci *pci);
int mtty_pci_staged_check(const struct mtty_pci *pci);
bool mtty_pci_staged_apply(struct mtty_pci *pci);

#endif /* MTTY_PCI_H */
