// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts across a migration: silent until the interrupt controller is back
 * and the device runs, then there, once; and the VMM that gets it wrong.
 *
 * The interrupt is the one for an empty transmitter (UART_IIR_THRI): enabling it
 * in UART_IER raises it, reading UART_IIR takes it back.
 */
#include <errno.h>
#include <string.h>

#include "lib/vmm.h"

FIXTURE(irq_restore) {
	struct vmig_pair pair;
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
	uint8_t vector;
};

/*
 * @again:	it comes again when it was handled, but not its cause
 * @early:	a VMM that knows no subflags enables interrupts too early
 * @old:	when one sends config space that does not ask the device either
 */
FIXTURE_VARIANT(irq_restore) {
	enum vmig_irqchip_kind kind;
	unsigned int index;
	const char *policy;
	unsigned int again;
	unsigned int early;
	enum vmig_vmm_config old;
};

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

FIXTURE_VARIANT_ADD(irq_restore, kvm_msi_independent) {
	.kind = VMIG_IRQCHIP_KVM, .index = MSI, .policy = "independent",
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_msi_before_data) {
	.kind = VMIG_IRQCHIP_KVM, .index = MSI, .policy = "before-data",
	.early = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_intx_independent) {
	.kind = VMIG_IRQCHIP_KVM, .index = INTX, .policy = "independent",
	.again = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_intx_before_data) {
	.kind = VMIG_IRQCHIP_KVM, .index = INTX, .policy = "before-data",
	.again = 1, .early = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, model_msi_independent) {
	.kind = VMIG_IRQCHIP_MODEL, .index = MSI, .policy = "independent",
};

FIXTURE_VARIANT_ADD(irq_restore, model_msi_before_data) {
	.kind = VMIG_IRQCHIP_MODEL, .index = MSI, .policy = "before-data",
	.early = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, model_intx_independent) {
	.kind = VMIG_IRQCHIP_MODEL, .index = INTX, .policy = "independent",
	.again = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, model_intx_before_data) {
	.kind = VMIG_IRQCHIP_MODEL, .index = INTX, .policy = "before-data",
	.again = 1, .early = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_msi_reorder) {
	.kind = VMIG_IRQCHIP_KVM, .index = MSI, .policy = "reorder",
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_msi_embedded) {
	.kind = VMIG_IRQCHIP_KVM, .index = MSI, .policy = "embedded",
	.old = VMIG_VMM_CONFIG_LAST,
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_intx_reorder) {
	.kind = VMIG_IRQCHIP_KVM, .index = INTX, .policy = "reorder",
	.again = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, kvm_intx_embedded) {
	.kind = VMIG_IRQCHIP_KVM, .index = INTX, .policy = "embedded",
	.old = VMIG_VMM_CONFIG_LAST,
	.again = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, model_msi_reorder) {
	.kind = VMIG_IRQCHIP_MODEL, .index = MSI, .policy = "reorder",
};

FIXTURE_VARIANT_ADD(irq_restore, model_msi_embedded) {
	.kind = VMIG_IRQCHIP_MODEL, .index = MSI, .policy = "embedded",
	.old = VMIG_VMM_CONFIG_LAST,
};

FIXTURE_VARIANT_ADD(irq_restore, model_intx_reorder) {
	.kind = VMIG_IRQCHIP_MODEL, .index = INTX, .policy = "reorder",
	.again = 1,
};

FIXTURE_VARIANT_ADD(irq_restore, model_intx_embedded) {
	.kind = VMIG_IRQCHIP_MODEL, .index = INTX, .policy = "embedded",
	.old = VMIG_VMM_CONFIG_LAST,
	.again = 1,
};

FIXTURE_SETUP(irq_restore)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };
	struct vmig_irqchip *probe;
	int ret;

	ret = vmig_irqchip_create(&probe, variant->kind);
	if (ret && variant->kind == VMIG_IRQCHIP_KVM)
		SKIP(return, "no interrupt controller of KVM: %s",
		     vmig_errno_name(ret));
	ASSERT_EQ(0, ret);
	TH_LOG("controller: %s", vmig_irqchip_name(probe));
	vmig_irqchip_destroy(probe);

	ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs, variant->kind));
	self->src = &self->pair.src;
	self->dst = &self->pair.dst;
	self->vector = vmig_late_irq_vector(variant->index);
	ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, variant->index));
}

FIXTURE_TEARDOWN(irq_restore)
{
	vmig_pair_close(&self->pair);
}

static int save_all(FIXTURE_DATA(irq_restore) *self)
{
	return vmig_vmm_save(self->src, self->pair.fd);
}

static int load_all(FIXTURE_DATA(irq_restore) *self)
{
	int ret = vmig_late_irq_load(&self->pair);

	return ret ? ret : vmig_vmm_load_start(self->dst);
}

/* It must be there, and only once; its cause is dealt with, as a guest would */
static void expect_once(struct __test_metadata *_metadata,
			FIXTURE_DATA(irq_restore) *self)
{
	EXPECT_RET(0, vmig_irqchip_wait(self->dst->chip, self->vector,
					VMIG_IRQ_DEADLINE_MS), "interrupt");
	EXPECT_EQ(1, vmig_late_irq_handle(self->dst->dev));
	EXPECT_EQ(1, vmig_irqchip_take(self->dst->chip, self->vector));
	EXPECT_EQ(0, vmig_irqchip_pending(self->dst->chip, self->vector));
	EXPECT_EQ(0, vmig_late_irq_handle(self->dst->dev));
}

/* Clause: pending since STOP_COPY: silent before RUNNING, then once */
TEST_F(irq_restore, pending_interrupt_waits_for_controller_and_running)
{
	int ret;

	vmig_late_irq_when_stopped(self->src);
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	EXPECT_EQ(0, vmig_irqchip_pending(self->src->chip, self->vector));

	do {
		ret = vmig_pair_load(&self->pair);
		ASSERT_LE(0, ret) {
			TH_LOG("%s", self->dst->why);
		}
		EXPECT_EQ(0, vmig_irqchip_pending(self->dst->chip,
						  self->vector)) {
			TH_LOG("after %s", self->dst->step);
		}
	} while (!ret);
	EXPECT_EQ(1, vmig_irqchip_is_ready(self->dst->chip));
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev, "loaded");

	ASSERT_RET(0, vmig_vmm_load_start(self->dst), "%s", self->dst->why);
	expect_once(_metadata, self);
	EXPECT_EQ(0, self->dst->stats.violations);
	EXPECT_EQ(0, vmig_irqchip_pending(self->src->chip, self->vector));
}

/*
 * Driver: an interrupt that was signalled on the source moves with the controller and
 * is there once: a message is not sent again, and INTx is a level, which may be
 */
TEST_F(irq_restore, delivered_interrupt_is_there_once)
{
	ASSERT_EQ(0, vmig_late_irq_raise(self->src->dev));
	ASSERT_EQ(0, vmig_irqchip_wait(self->src->chip, self->vector,
				       VMIG_IRQ_DEADLINE_MS));
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	expect_once(_metadata, self);
}

/* Clause: handled, but its cause is still there: INTx comes again, MSI does not */
TEST_F(irq_restore, level_comes_again_and_edge_does_not)
{
	unsigned int again = 0;

	vmig_late_irq_when_stopped(self->src);
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	ASSERT_EQ(0, vmig_irqchip_wait(self->dst->chip, self->vector,
				       VMIG_IRQ_DEADLINE_MS));
	EXPECT_EQ(1, vmig_irqchip_take(self->dst->chip, self->vector));
	if (variant->again)
		again = !vmig_irqchip_wait(self->dst->chip, self->vector,
					   VMIG_IRQ_DEADLINE_MS);
	else
		again = vmig_irqchip_pending(self->dst->chip, self->vector);
	EXPECT_EQ(variant->again, again);
}

/* Clause: interrupt raised on the destination after RUNNING: arrives */
TEST_F(irq_restore, interrupts_work_on_the_destination)
{
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	EXPECT_EQ(0, vmig_irqchip_pending(self->dst->chip, self->vector));
	ASSERT_EQ(0, vmig_late_irq_raise(self->dst->dev));
	expect_once(_metadata, self);
}

static int connect_early(FIXTURE_DATA(irq_restore) *self, unsigned int index)
{
	int fd, unmask_fd, ret;

	self->dst->irq_enabled = true;
	if (index == MSI) {
		fd = vmig_irqchip_connect_msi(self->dst->chip,
					      VMIG_IRQCHIP_MSI_ADDRESS,
					      VMIG_IRQCHIP_MSI_DATA(VMIG_LATE_IRQ_MSI_VECTOR));
		return vmig_irq_set_fd(self->dst->dev, index,
				       VFIO_IRQ_SET_ACTION_TRIGGER, fd);
	}
	fd = vmig_irqchip_connect_intx(self->dst->chip, &unmask_fd);
	ret = vmig_irq_set_fd(self->dst->dev, index,
			      VFIO_IRQ_SET_ACTION_TRIGGER, fd);
	return ret ? ret : vmig_irq_set_fd(self->dst->dev, index,
					   VFIO_IRQ_SET_ACTION_UNMASK,
					   unmask_fd);
}

/* When VFIO_DEVICE_SET_IRQS is called, counted in steps of the source */
enum when {
	BEFORE_SETUP,		/* not even RESUMING yet */
	BEFORE_DATA,
	BETWEEN_DATA,
	AFTER_DATA,
	AFTER_CONTROLLER,
	AFTER_STATE,
	AFTER_RUNNING,
	WHEN_NR
};

static void connect_at(struct __test_metadata *_metadata,
		       FIXTURE_DATA(irq_restore) *self, unsigned int index,
		       enum when when)
{
	unsigned int step = 0;
	int end = 0;

	while (!end) {
		struct vmig_section section;

		if (step == when)
			ASSERT_EQ(0, connect_early(self, index));
		step++;
		do {
			ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
			section.subflags &= ~VMIG_CONFIG_ENABLE_INTERRUPTS;
			ASSERT_RET(0, vmig_vmm_load_section(self->dst, &section),
				   "%s", self->dst->why);
			end = section.marker == VMIG_FLAG_END_OF_STREAM;
		} while (!end && section.marker != VFIO_MIG_FLAG_END_OF_STATE);
	}
	EXPECT_EQ(0, vmig_irqchip_pending(self->dst->chip, self->vector));
	ASSERT_EQ(0, vmig_mig_set_state(self->dst->dev,
					VFIO_DEVICE_STATE_RUNNING, NULL));
	if (when == AFTER_RUNNING)
		ASSERT_EQ(0, connect_early(self, index));
}

/* Clause: VFIO_DEVICE_SET_IRQS before, between or after data: the same, once */
TEST_F(irq_restore, time_of_set_irqs_does_not_matter)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };
	enum when when;

	for (when = BEFORE_SETUP; when < WHEN_NR; when++) {
		vmig_late_irq_when_stopped(self->src);
		ASSERT_RET(0, save_all(self), "%s", self->src->why);
		connect_at(_metadata, self, variant->index, when);
		expect_once(_metadata, self);

		vmig_pair_close(&self->pair);
		ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs,
					    variant->kind));
		ASSERT_EQ(0, vmig_late_irq_boot(&self->pair,
						variant->index));
	}
}

/* Clause: a device that holds back until RUNNING: no interrupt is lost anyway */
TEST_F(irq_restore, device_that_holds_back_survives_a_vmm_without_subflags)
{
	vmig_late_irq_when_stopped(self->src);
	self->src->config = variant->old;
	self->dst->options = VMIG_VMM_IRQ_WITH_CONFIG;
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	EXPECT_EQ(variant->early, self->dst->stats.violations);
	expect_once(_metadata, self);
}

/* Clause: "enable interrupts" before the controller: EPROTO, nothing enabled */
TEST_F(irq_restore, enabling_before_the_controller_is_refused)
{
	const struct vmig_section enable = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = VMIG_CONFIG_ENABLE_INTERRUPTS,
	};

	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_EQ(0, vmig_pair_load(&self->pair));
	EXPECT_RET(-EPROTO, vmig_vmm_load_section(self->dst, &enable), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "controller is not restored"));
	EXPECT_EQ(0, self->dst->stats.set_irqs);
	EXPECT_EQ(0, self->dst->stats.violations);
	EXPECT_RET(0, load_all(self), "%s", self->dst->why);
}

/* Clause: "enable interrupts" twice: EALREADY */
TEST_F(irq_restore, enabling_twice_is_refused)
{
	const struct vmig_section enable = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = VMIG_CONFIG_ENABLE_INTERRUPTS,
	};
	unsigned int calls;
	int ret;

	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	do {
		ret = vmig_pair_load(&self->pair);
	} while (!ret);
	ASSERT_EQ(1, ret);
	calls = self->dst->stats.set_irqs;
	EXPECT_EQ(variant->index == MSI ? 1 : 2, calls);
	EXPECT_RET(-EALREADY, vmig_vmm_load_section(self->dst, &enable), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "twice"));
	EXPECT_EQ(calls, self->dst->stats.set_irqs);
}

/* Clause: no "enable interrupts" at all: EPROTO, and the device does not run */
TEST_F(irq_restore, never_enabling_is_noticed)
{
	struct vmig_section section;

	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	do {
		ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
		section.subflags &= ~VMIG_CONFIG_ENABLE_INTERRUPTS;
		ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &section));
	} while (section.marker != VMIG_FLAG_END_OF_STREAM);
	EXPECT_RET(-EPROTO, vmig_vmm_load_start(self->dst), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "interrupts are not enabled"));
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev, "destination");
}

TEST_HARNESS_MAIN
