/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture with a source and a destination. For tests only, which include it by
 * lib/vmm.h.
 */
#ifndef VMIG_PAIR_FIXTURE_H
#define VMIG_PAIR_FIXTURE_H

#include "pair.h"

/* Members of such a fixture; its own ones may follow */
#define PAIR_MEMBERS \
	struct vmig_pair pair; \
	struct vmig_vmm *src; \
	struct vmig_vmm *dst

/* Open both devices; attributes are like ".features = NAME" */
#define OPEN_PAIR(_kind, _attrs...) do { \
	const struct vmig_attrs attrs = { _attrs }; \
\
	self->src = &self->pair.src; \
	self->dst = &self->pair.dst; \
	ASSERT_RET(0, vmig_pair_open(&self->pair, &attrs, _kind), \
		   "open source and destination"); \
} while (0)

/* The same, with contents in the source, whose guest has set up MSI */
#define BOOT_PAIR(_seed, _attrs...) do { \
	OPEN_PAIR(VMIG_IRQCHIP_AUTO, _attrs); \
	ASSERT_RET(0, vmig_contents_set(self->src->dev, 2, _seed), "contents"); \
	ASSERT_RET(0, vmig_vmm_boot(self->src, VFIO_PCI_MSI_IRQ_INDEX, \
				    VMIG_LATE_IRQ_MSI_VECTOR), "boot"); \
} while (0)

/* Skip the test, by this statement, if there is no such controller */
#define NEED_IRQCHIP(_kind, _statement) do { \
	struct vmig_irqchip *probe; \
	int ret = vmig_irqchip_create(&probe, _kind); \
\
	if (ret && (_kind) == VMIG_IRQCHIP_KVM) \
		SKIP(_statement, "no interrupt controller of KVM: %s", \
		     vmig_errno_name(ret)); \
	ASSERT_RET(0, ret, "interrupt controller"); \
	TH_LOG("controller: %s", vmig_irqchip_name(probe)); \
	vmig_irqchip_destroy(probe); \
} while (0)

/* The destination has the contents of BOOT_PAIR(), and the source's config space */
#define EXPECT_SAME_DEVICES(_seed) do { \
	const char *what = ""; \
	unsigned int reg = 0; \
\
	EXPECT_RET(0, vmig_dump_compare_config(self->pair.src.dev, self->pair.dst.dev, &reg), \
		   "register 0x%x", reg); \
	EXPECT_RET(0, vmig_contents_check(self->dst->dev, 2, _seed, &what), \
		   "%s", what); \
} while (0)

#endif /* VMIG_PAIR_FIXTURE_H */
