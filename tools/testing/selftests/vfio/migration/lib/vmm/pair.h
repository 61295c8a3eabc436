/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two devices of the same kind, each with a VMM and an interrupt controller, and
 * a stream between them that is a file in memory: the source may write first and
 * the destination read later, step by step, in one thread.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_PAIR_H
#define VMIG_PAIR_H

#include "lib/mtty/testdev.h"
#include "vmm.h"

/**
 * struct vmig_pair - source and destination
 * @td:		the devices; the first one begins as the source
 * @kind:	of the interrupt controllers
 * @chip:	the source's and the destination's interrupt controller
 * @src:	the source's VMM
 * @dst:	the destination's VMM
 * @fd:		of the stream, to write to
 * @reader:	of the stream
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
 * vmig_pair_open - create all of it
 * @pair:	filled in; nothing is left behind on failure
 * @attrs:	of both devices, which are of type mtty-2; may be NULL
 * @kind:	of both interrupt controllers
 */
int vmig_pair_open(struct vmig_pair *pair, const struct vmig_attrs *attrs,
		   enum vmig_irqchip_kind kind);

/** vmig_pair_close - remove all of it */
void vmig_pair_close(struct vmig_pair *pair);

/**
 * vmig_pair_load - let the destination do one step of what is in the stream
 * @pair:	from vmig_pair_open()
 *
 * Return: as vmig_vmm_load_step().
 */
int vmig_pair_load(struct vmig_pair *pair);

/**
 * vmig_pair_load_all - let the destination do all that is left, and run the device
 * @pair:	from vmig_pair_open()
 *
 * Return: 0, or the -errno of vmig_vmm_load_step() or vmig_vmm_load_start().
 */
int vmig_pair_load_all(struct vmig_pair *pair);

/** vmig_pair_next - the next section of the stream, for a test to play with */
int vmig_pair_next(struct vmig_pair *pair, struct vmig_section *section);

/**
 * vmig_pair_swap - the other direction
 * @pair:	after a successful migration
 *
 * What was the source becomes a destination that knows nothing: a device after a
 * reset, with no interrupt connected, and a new interrupt controller.
 */
int vmig_pair_swap(struct vmig_pair *pair);

#endif /* VMIG_PAIR_H */
