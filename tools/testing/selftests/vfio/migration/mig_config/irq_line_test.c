// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx on KVM's IOAPIC or GIC, level- and edge-triggered, masked by the guest and not,
 * across a migration. PCI's lines are level-triggered; the edge shows what depends on
 * it.
 *
 * A masked pin of an IOAPIC forgets an edge, with or without a migration; a GIC
 * remembers it.
 */
#include <errno.h>

#include "lib/vmm.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define VECTOR	VMIG_IRQCHIP_INTX_VECTOR
#define LEVEL	0
#define EDGE_MASKED	(VMIG_INTX_EDGE | VMIG_INTX_MASKED)

FIXTURE(irq_line) {
	PAIR_MEMBERS;
	struct vmig_irqchip **chip;
};

/*
 * @mode:	how the guest has programmed the pin, on the source
 * @arrives:	how often the interrupt arrives if it was not lost
 */
FIXTURE_VARIANT(irq_line) {
	const char *policy;
	unsigned int mode;
	unsigned int arrives;
};

#define VARIANT(_name, _policy, _mode, _arrives) \
	FIXTURE_VARIANT_ADD(irq_line, _name) { \
		.policy = _policy, .mode = _mode, .arrives = _arrives, \
	}

#define VARIANTS(_name, _policy) \
	VARIANT(_name##_level, _policy, LEVEL, 1); \
	VARIANT(_name##_level_masked, _policy, VMIG_INTX_MASKED, 1); \
	VARIANT(_name##_edge, _policy, VMIG_INTX_EDGE, 1); \
	VARIANT(_name##_edge_masked, _policy, EDGE_MASKED, \
		VMIG_IRQCHIP_KEEPS_MASKED_EDGE)

VARIANTS(independent, "independent");
VARIANTS(before_data, "before-data");
VARIANTS(reorder, "reorder");
VARIANTS(embedded, "embedded");

FIXTURE_SETUP(irq_line)
{
	NEED_IRQCHIP(VMIG_IRQCHIP_KVM, return);
	self->chip = self->pair.chip;
}

FIXTURE_TEARDOWN(irq_line)
{
	vmig_pair_close(&self->pair);
}

static void open_pair(struct __test_metadata *_metadata,
		      FIXTURE_DATA(irq_line) *self,
		      const FIXTURE_VARIANT(irq_line) *variant,
		      const char *defect)
{
	OPEN_PAIR(VMIG_IRQCHIP_KVM, .config_policy = variant->policy,
		  .defect_early_irq = defect);
	ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, INTX));
	ASSERT_EQ(0, vmig_irqchip_guest_intx(self->chip[0], variant->mode));
}

static void migrate(struct __test_metadata *_metadata,
		    FIXTURE_DATA(irq_line) *self)
{
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
	ASSERT_RET(0, vmig_late_irq_load(&self->pair), "%s", self->dst->why);
	ASSERT_RET(0, vmig_vmm_load_start(self->dst), "%s", self->dst->why);
}

/* A masked pin is silent until the guest unmasks it */
static void unmask(struct __test_metadata *_metadata,
		   FIXTURE_DATA(irq_line) *self,
		   const FIXTURE_VARIANT(irq_line) *variant)
{
	if (!(variant->mode & VMIG_INTX_MASKED))
		return;
	EXPECT_EQ(0, vmig_irqchip_pending(self->chip[1], VECTOR));
	ASSERT_EQ(0, vmig_irqchip_guest_intx(self->chip[1], variant->mode &
					     ~VMIG_INTX_MASKED));
}

/* Arrives so many times, and not again when its cause is handled */
static void expect_arrivals(struct __test_metadata *_metadata,
			    FIXTURE_DATA(irq_line) *self, unsigned int times)
{
	EXPECT_EQ(times, vmig_irqchip_pending(self->chip[1], VECTOR));
	EXPECT_EQ(1, vmig_late_irq_handle(self->dst->dev));
	EXPECT_EQ(times, vmig_irqchip_take(self->chip[1], VECTOR));
	EXPECT_EQ(0, vmig_irqchip_pending(self->chip[1], VECTOR));
}

/* Driver: INTx, pending since STOP_COPY, is signalled by the destination at RUNNING */
TEST_F(irq_line, sent_by_the_destination)
{
	open_pair(_metadata, self, variant, "0");
	vmig_late_irq_when_stopped(self->src);
	migrate(_metadata, self);
	unmask(_metadata, self, variant);
	expect_arrivals(_metadata, self, variant->arrives);
}

/* Driver: INTx, signalled by the source, is migrated with the controller */
TEST_F(irq_line, sent_by_the_source)
{
	open_pair(_metadata, self, variant, "0");
	ASSERT_EQ(0, vmig_late_irq_raise(self->src->dev));
	migrate(_metadata, self);
	unmask(_metadata, self, variant);
	expect_arrivals(_metadata, self, variant->arrives);
}

/* Proposal: with the defect, INTx enabled before the controller is always lost */
TEST_F(irq_line, lost_before_the_controller)
{
	open_pair(_metadata, self, variant, "1");
	vmig_late_irq_when_stopped(self->src);
	self->src->config = VMIG_VMM_CONFIG_ALWAYS;
	self->dst->options = VMIG_VMM_IRQ_WITH_CONFIG;
	migrate(_metadata, self);
	EXPECT_LE(1, self->dst->stats.violations);
	unmask(_metadata, self, variant);
	expect_arrivals(_metadata, self, 0);
}

/* Proposal: with the defect, and the subflags: not lost */
TEST_F(irq_line, kept_by_the_subflag)
{
	open_pair(_metadata, self, variant, "1");
	vmig_late_irq_when_stopped(self->src);
	self->src->config = VMIG_VMM_CONFIG_ALWAYS;
	migrate(_metadata, self);
	EXPECT_EQ(0, self->dst->stats.violations);
	unmask(_metadata, self, variant);
	expect_arrivals(_metadata, self, variant->arrives);
}

TEST_HARNESS_MAIN
