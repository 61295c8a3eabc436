/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_PCI_H
#define MTTY_PCI_H

#include <linux/bitmap.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/**
 * struct mtty_pci_load - layers of config space in RESUMING
 * @base:	config space at the start of RESUMING or from the migration stream
 * @config:	@base, overwritten by the snapshot
 * @snapshot:	bitmap of the bytes of @config that are from the snapshot
 * @staged:	bytes written after the snapshot, not masked
 * @staged_map:	bitmap of the bytes of @staged that were written
 */
struct mtty_pci_load {
	u8 base[PCI_CFG_SPACE_SIZE];
	u8 config[PCI_CFG_SPACE_SIZE];
	DECLARE_BITMAP(snapshot, PCI_CFG_SPACE_SIZE);
	u8 staged[PCI_CFG_SPACE_SIZE];
	DECLARE_BITMAP(staged_map, PCI_CFG_SPACE_SIZE);
};

/**
 * struct mtty_pci - config space
 * @space:	its content, without the bits that only report a state
 * @writable:	mask of the bits of @space that a guest can change
 * @load:	collects writes in RESUMING, else NULL
 *
 * Protected by mtty.lock.
 */
struct mtty_pci {
	u8 space[PCI_CFG_SPACE_SIZE];
	u8 writable[PCI_CFG_SPACE_SIZE];
	struct mtty_pci_load *load;
};

bool mtty_pci_reset(struct mtty_pci *pci, unsigned int nr_ports,
		    u64 capture_size);
void mtty_pci_read(const struct mtty_pci *pci, unsigned int offset, u8 *buf,
		   size_t len, u16 status);
bool mtty_pci_write(struct mtty_pci *pci, unsigned int offset, const u8 *buf,
		    size_t len);

void mtty_pci_load_begin(struct mtty_pci *pci, struct mtty_pci_load *load);
void mtty_pci_load_end(struct mtty_pci *pci);
int mtty_pci_load_base(struct mtty_pci *pci, const u8 *space);
int mtty_pci_load_check(const struct mtty_pci *pci);
void mtty_pci_load_commit(struct mtty_pci *pci);
void mtty_pci_load_drop(struct mtty_pci *pci);
bool mtty_pci_load_finish(struct mtty_pci *pci);
bool mtty_pci_load_overrides(const struct mtty_pci *pci);

/**
 * mtty_pci_loaded - config space without staged writes
 * @pci:	config space
 */
static inline const u8 *mtty_pci_loaded(const struct mtty_pci *pci)
{
	return pci->load ? pci->load->config : pci->space;
}

/**
 * mtty_pci_command - the command register without staged writes
 * @pci:	config space
 */
static inline u16 mtty_pci_command(const struct mtty_pci *pci)
{
	return get_unaligned_le16(mtty_pci_loaded(pci) + PCI_COMMAND);
}

/**
 * mtty_pci_command_read - the command register as it reads, with staged writes
 * @pci:	config space
 */
static inline u16 mtty_pci_command_read(const struct mtty_pci *pci)
{
	u8 command[sizeof(u16)];

	if (!pci->load)
		return get_unaligned_le16(pci->space + PCI_COMMAND);

	mtty_pci_read(pci, PCI_COMMAND, command, sizeof(command), 0);

	return get_unaligned_le16(command);
}

#endif /* MTTY_PCI_H */
