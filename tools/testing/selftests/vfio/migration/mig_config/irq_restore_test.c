// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts across a migration: silent until the interrupt controller is restored and
 * the device runs, then signalled once; and the mistakes of a VMM.
 *
 * The interrupt is the one for an empty transmitter (UART_IIR_THRI): UART_IER enables
 * and so raises it, a read of UART_IIR ends it.
 */
#include <errno.h>
#include <string.h>

#include "lib/vmm.h"

FIXTURE(irq_restore) {
	PAIR_MEMBERS;
	uint8_t vector;
};

/*
 * @early:	a VMM without subflags enables interrupts too early
 * @old:	when a VMM that does not ask the driver sends config space
 */
FIXTURE_VARIANT(irq_restore) {
	enum vmig_irqchip_kind kind;
	unsigned int index;
	const char *policy;
	unsigned int early;
	enum vmig_vmm_config old;
};

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

#define VARIANT(_name, _kind, _index, ...) \
	FIXTURE_VARIANT_ADD(irq_restore, _name) { \
		.kind = VMIG_IRQCHIP_##_kind, .index = _index, __VA_ARGS__ \
	}

#define VARIANTS(_name, _kind, _index) \
	VARIANT(_name##_independent, _kind, _index, .policy = "independent"); \
	VARIANT(_name##_before_data, _kind, _index, .policy = "before-data", \
		.early = 1); \
	VARIANT(_name##_reorder, _kind, _index, .policy = "reorder"); \
	VARIANT(_name##_embedded, _kind, _index, .policy = "embedded", \
		.old = VMIG_VMM_CONFIG_LAST)

VARIANTS(kvm_msi, KVM, MSI);
VARIANTS(kvm_intx, KVM, INTX);
/* The policy does not matter to the model of a controller, but the order does */
VARIANT(model_msi_independent, MODEL, MSI, .policy = "independent");
VARIANT(model_msi_before_data, MODEL, MSI, .policy = "before-data", .early = 1);
VARIANT(model_intx_independent, MODEL, INTX, .policy = "independent");
VARIANT(model_intx_before_data, MODEL, INTX, .policy = "before-data", .early = 1);

FIXTURE_SETUP(irq_restore)
{
	NEED_IRQCHIP(variant->kind, return);
	OPEN_PAIR(variant->kind, .config_policy = variant->policy);
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

/* The interrupt arrives once, and not again when its cause is handled */
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

/* Driver: an interrupt pending since STOP_COPY is silent before RUNNING, then once */
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
 * Driver: an interrupt that was signalled on the source is migrated with the controller,
 * once: a message is not sent again, and INTx is a level, which may be
 */
TEST_F(irq_restore, delivered_interrupt_arrives_once)
{
	ASSERT_EQ(0, vmig_late_irq_raise(self->src->dev));
	ASSERT_EQ(0, vmig_irqchip_wait(self->src->chip, self->vector,
				       VMIG_IRQ_DEADLINE_MS));
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	expect_once(_metadata, self);
}

/* PCI: 3.0, 2.2.6 and 6.8: with its cause, INTx is still asserted; MSI is not repeated */
TEST_F(irq_restore, level_is_repeated_and_edge_is_not)
{
	vmig_late_irq_when_stopped(self->src);
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	ASSERT_EQ(0, vmig_irqchip_wait(self->dst->chip, self->vector,
				       VMIG_IRQ_DEADLINE_MS));
	EXPECT_EQ(1, vmig_irqchip_take(self->dst->chip, self->vector));
	if (variant->index == INTX)
		EXPECT_RET(0, vmig_irqchip_wait(self->dst->chip, self->vector,
						VMIG_IRQ_DEADLINE_MS), "again");
	else
		EXPECT_EQ(0, vmig_irqchip_pending(self->dst->chip,
						  self->vector));
}

/* Proposal: an interrupt raised on the destination after RUNNING arrives */
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

/* When VFIO_DEVICE_SET_IRQS is called: before which step of the source is loaded */
enum when {
	BEFORE_SETUP,		/* not yet RESUMING */
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

/* Driver: VFIO_DEVICE_SET_IRQS may come before, between or after data */
TEST_F(irq_restore, time_of_set_irqs_does_not_matter)
{
	enum when when;

	for (when = BEFORE_SETUP; when < WHEN_NR; when++) {
		vmig_late_irq_when_stopped(self->src);
		ASSERT_RET(0, save_all(self), "%s", self->src->why);
		connect_at(_metadata, self, variant->index, when);
		expect_once(_metadata, self);

		vmig_pair_close(&self->pair);
		OPEN_PAIR(variant->kind, .config_policy = variant->policy);
		ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, variant->index));
	}
}

/* Driver: a VMM without subflags loses no interrupt, as none is sent before RUNNING */
TEST_F(irq_restore, vmm_without_subflags_loses_nothing)
{
	vmig_late_irq_when_stopped(self->src);
	self->src->config = variant->old;
	self->dst->options = VMIG_VMM_IRQ_WITH_CONFIG;
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	EXPECT_EQ(variant->early, self->dst->stats.violations);
	expect_once(_metadata, self);
}

static const struct vmig_section enable = {
	.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
	.subflags = VMIG_CONFIG_ENABLE_INTERRUPTS,
};

/* Proposal: "enable interrupts" before the controller: an error, nothing enabled */
TEST_F(irq_restore, enabling_before_the_controller_is_refused)
{
	ASSERT_RET(0, save_all(self), "%s", self->src->why);
	ASSERT_EQ(0, vmig_pair_load(&self->pair));
	EXPECT_RET(-EPROTO, vmig_vmm_load_section(self->dst, &enable), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "controller is not restored"));
	EXPECT_EQ(0, self->dst->stats.set_irqs);
	EXPECT_EQ(0, self->dst->stats.violations);
	EXPECT_RET(0, load_all(self), "%s", self->dst->why);
}

/* Library: "enable interrupts" twice: EALREADY */
TEST_F(irq_restore, enabling_twice_is_refused)
{
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

/* Library: without "enable interrupts" the VMM does not run the device: EPROTO */
TEST_F(irq_restore, never_enabling_is_refused)
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
