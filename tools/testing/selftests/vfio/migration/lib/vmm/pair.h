/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two devices of the same kind, each with a VMM and an interrupt controller, and a
 * stream in a memfd: source and destination work in turns, in one thread.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_PAIR_H
#define VMIG_PAIR_H

#include "lib/mtty/testdev.h"
#include "vmm.h"

/**
 * struct vmig_pair - source and destination
 * @td:		the devices; the first one is the source until vmig_pair_swap()
 * @kind:	of the interrupt controllers
 * @chip:	interrupt controllers, of the source first
 * @src:	the source's VMM
 * @dst:	the destination's VMM
 * @fd:		to write to the stream
 * @reader:	to read from it
 */
struct vmig_pair {
	struct vmig_testdev td[2];
	enum vmig_irqchip_kind kind;
	struct vmig_irqchip *chip[2];
	struct vmig_vmm src;
	struct vmig_vmm dst;
	int fd;
	struct vmig_reader reader;
};

/**
 * vmig_pair_open - create devices, controllers, VMMs and stream
 * @pair:	filled in; closed after a failure
 * @attrs:	of both devices, which are of type mtty-2; may be NULL
 * @kind:	of both interrupt controllers
 */
int vmig_pair_open(struct vmig_pair *pair, const struct vmig_attrs *attrs,
		   enum vmig_irqchip_kind kind);

/** vmig_pair_close - undo vmig_pair_open() */
void vmig_pair_close(struct vmig_pair *pair);

/**
 * vmig_pair_load - load one step
 * @pair:	from vmig_pair_open()
 *
 * Return: as vmig_vmm_load_step().
 */
int vmig_pair_load(struct vmig_pair *pair);

/**
 * vmig_pair_load_all - load the rest of the stream, and run the device
 * @pair:	from vmig_pair_open()
 *
 * Return: 0, or the -errno of vmig_vmm_load_step() or vmig_vmm_load_start().
 */
int vmig_pair_load_all(struct vmig_pair *pair);

/** vmig_pair_read_section - read the next section without loading it */
int vmig_pair_read_section(struct vmig_pair *pair, struct vmig_section *section);

/**
 * vmig_pair_swap - exchange source and destination
 * @pair:	after a successful migration
 *
 * The old source becomes a new destination: its device is reset, its interrupts are
 * disabled, its interrupt controller is a new one.
 */
int vmig_pair_swap(struct vmig_pair *pair);

#endif /* VMIG_PAIR_H */
