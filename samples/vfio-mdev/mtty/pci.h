/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_PCI_H
#define MTTY_PCI_H

#include <linux/bitmap.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/**
 * struct mtty_pci_load - config space on its way in, while the device is RESUMING
 * @base:	what the snapshot leaves out: config space as it was, or as the
 *		migration stream says
 * @config:	@base under the snapshot: what is loaded so far
 * @snapshot:	which bytes of @config are of the snapshot
 * @staged:	bytes as they were written since
 * @staged_map:	which bytes of @staged were written
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
 * @writable:	which bits of @space a guest can change
 * @load:	collects writes, which take effect all at once; NULL if a write
 *		takes effect by itself
 *
 * Has no lock; everything is protected by the lock of the device.
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
 * mtty_pci_loaded - the layer that a write goes on top of
 * @pci:	config space
 */
static inline const u8 *mtty_pci_loaded(const struct mtty_pci *pci)
{
	return pci->load ? pci->load->config : pci->space;
}

/**
 * mtty_pci_command - the command register as it is in effect
 * @pci:	config space; while it is loaded, a snapshot counts, and what was
 *		written since does not
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
