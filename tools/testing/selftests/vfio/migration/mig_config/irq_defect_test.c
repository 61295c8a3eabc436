// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lost interrupt and its cures: a device with the defect of
 * migration/defect_early_irq, and one without, with a VMM that does nothing about it,
 * one that changes the order, and one that uses the subflags.
 *
 * The interrupt becomes pending when the source has stopped, so the destination must
 * signal it. The driver's trace events count the signals, because an interrupt that a
 * controller has lost leaves no trace there.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define INTX		VFIO_PCI_INTX_IRQ_INDEX

FIXTURE(irq_defect) {
	PAIR_MEMBERS;
	uint8_t vector;
	int64_t ran_ns;
};

/* One for all cases, because to remove an instance takes longer than a case */
static struct vmig_trace trace;
static int traced;

FIXTURE_VARIANT(irq_defect) {
	enum vmig_irqchip_kind kind;
	unsigned int index;
	const char *policy;
};

#define VARIANT(_name, _kind, _index, _policy) \
	FIXTURE_VARIANT_ADD(irq_defect, _name) { \
		.kind = VMIG_IRQCHIP_##_kind, .index = _index, \
		.policy = _policy, \
	}

#define VARIANTS(_name, _kind, _index) \
	VARIANT(_name##_independent, _kind, _index, "independent"); \
	VARIANT(_name##_before_data, _kind, _index, "before-data"); \
	VARIANT(_name##_reorder, _kind, _index, "reorder"); \
	VARIANT(_name##_embedded, _kind, _index, "embedded")

VARIANTS(kvm_msi, KVM, MSI);
VARIANTS(kvm_intx, KVM, INTX);
/* The policy does not matter to the model of a controller, but the order does */
VARIANT(model_msi_independent, MODEL, MSI, "independent");
VARIANT(model_msi_before_data, MODEL, MSI, "before-data");
VARIANT(model_intx_independent, MODEL, INTX, "independent");
VARIANT(model_intx_before_data, MODEL, INTX, "before-data");

FIXTURE_SETUP(irq_defect)
{
	NEED_IRQCHIP(variant->kind, return);
	self->vector = vmig_late_irq_vector(variant->index);
	if (traced != -ENODEV)
		ASSERT_RET(0, traced, "trace");
}

FIXTURE_TEARDOWN(irq_defect)
{
	vmig_pair_close(&self->pair);
}

/* Migrate, short of RUNNING; 0 or the -errno of the load */
static int migrate(struct __test_metadata *_metadata,
		   FIXTURE_DATA(irq_defect) *self,
		   const FIXTURE_VARIANT(irq_defect) *variant,
		   const char *defect, enum vmig_vmm_config config,
		   unsigned int options)
{
	OPEN_PAIR(variant->kind, .config_policy = variant->policy,
		  .defect_early_irq = defect);
	ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, variant->index));
	vmig_late_irq_when_stopped(self->src);
	self->src->config = config;
	self->dst->options = options;
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
	return vmig_late_irq_load(&self->pair);
}

static int pending(FIXTURE_DATA(irq_defect) *self)
{
	return vmig_irqchip_pending(self->dst->chip, self->vector);
}

static void run(struct __test_metadata *_metadata,
		FIXTURE_DATA(irq_defect) *self)
{
	self->ran_ns = vmig_now_ns();
	ASSERT_RET(0, vmig_vmm_load_start(self->dst), "%s", self->dst->why);
}

/* How often the destination has signalled; negative without trace events */
static int sent(FIXTURE_DATA(irq_defect) *self)
{
	return traced ? -1 : vmig_testdev_signals(&self->pair.td[1], &trace);
}

/* lab/report/lost_irq_table.py makes a table of these lines */
static void report(struct __test_metadata *_metadata,
		   FIXTURE_DATA(irq_defect) *self, const char *cure,
		   int arrived, int again, int64_t delay_ns)
{
	int nr = sent(self);

	TH_LOG("cure %s: sent %d, arrived %d, again %d, delay %lld us", cure, nr,
	       arrived, again, (long long)delay_ns / 1000);
	if (!traced)
		EXPECT_EQ(1, nr);
}

/*
 * The interrupt arrives once, and not again when its cause is handled. It may arrive
 * late, because a worker of the kernel unmasks INTx. The delay is the time that the
 * guest could run without it, none if it arrived before RUNNING.
 */
static void expect_once(struct __test_metadata *_metadata,
			FIXTURE_DATA(irq_defect) *self, const char *cure,
			bool before_running)
{
	int64_t delay_ns;
	int arrived;

	EXPECT_RET(0, vmig_irqchip_wait(self->dst->chip, self->vector,
					VMIG_IRQ_DEADLINE_MS), "interrupt");
	delay_ns = before_running ? 0 : vmig_now_ns() - self->ran_ns;
	EXPECT_EQ(1, vmig_late_irq_handle(self->dst->dev));
	arrived = vmig_irqchip_take(self->dst->chip, self->vector);
	EXPECT_EQ(1, arrived);
	EXPECT_EQ(0, pending(self));
	if (cure)
		report(_metadata, self, cure, arrived, pending(self), delay_ns);
}

/* Proposal: with the defect, an interrupt enabled before the controller is lost */
TEST_F(irq_defect, nothing_done)
{
	ASSERT_EQ(0, migrate(_metadata, self, variant, "1",
			     VMIG_VMM_CONFIG_ALWAYS, VMIG_VMM_IRQ_WITH_CONFIG));
	EXPECT_LE(1, self->dst->stats.violations);
	EXPECT_EQ(0, pending(self));
	run(_metadata, self);
	EXPECT_EQ(0, pending(self));
	EXPECT_EQ(0, vmig_irqchip_take(self->dst->chip, self->vector));
	report(_metadata, self, "nothing", 0, 0, 0);
}

/* Proposal: with the defect, config space after the controller: arrives, before RUNNING */
TEST_F(irq_defect, cured_by_the_order)
{
	int ret;

	ret = migrate(_metadata, self, variant, "1", VMIG_VMM_CONFIG_LAST,
		      VMIG_VMM_IRQ_WITH_CONFIG);
	/* This device needs its config space first */
	if (!strcmp(variant->policy, "before-data")) {
		EXPECT_RET(-EPROTO, ret, "%s", self->dst->why);
		return;
	}
	ASSERT_RET(0, ret, "%s", self->dst->why);
	EXPECT_EQ(0, self->dst->stats.violations);
	EXPECT_EQ(1, pending(self));
	run(_metadata, self);
	expect_once(_metadata, self, "order", true);
}

/* Proposal: with the defect, and the subflags: arrives, before RUNNING */
TEST_F(irq_defect, cured_by_the_subflag)
{
	ASSERT_EQ(0, migrate(_metadata, self, variant, "1",
			     VMIG_VMM_CONFIG_ALWAYS, 0));
	EXPECT_EQ(0, self->dst->stats.violations);
	EXPECT_EQ(1, pending(self));
	run(_metadata, self);
	expect_once(_metadata, self, "subflag", true);
}

/* Driver: without the defect: nothing before RUNNING, then once, for any VMM */
TEST_F(irq_defect, cured_by_the_driver)
{
	ASSERT_EQ(0, migrate(_metadata, self, variant, "0",
			     VMIG_VMM_CONFIG_ALWAYS, VMIG_VMM_IRQ_WITH_CONFIG));
	EXPECT_LE(1, self->dst->stats.violations);
	EXPECT_EQ(0, pending(self));
	run(_metadata, self);
	expect_once(_metadata, self, "driver", false);
}

/* Driver: the defect exists in RESUMING only; a device in STOP is silent */
TEST_F(irq_defect, only_while_resuming)
{
	ASSERT_EQ(0, migrate(_metadata, self, variant, "1",
			     VMIG_VMM_CONFIG_ALWAYS, 0));
	run(_metadata, self);
	expect_once(_metadata, self, NULL, false);
	ASSERT_EQ(0, vmig_mig_set_state(self->dst->dev, VFIO_DEVICE_STATE_STOP,
					NULL));
	EXPECT_EQ(0, vmig_uart_out(self->dst->dev, 0, UART_IER, 0));
	EXPECT_EQ(0, vmig_late_irq_raise(self->dst->dev));
	EXPECT_EQ(0, pending(self));
	ASSERT_EQ(0, vmig_mig_set_state(self->dst->dev,
					VFIO_DEVICE_STATE_RUNNING, NULL));
	expect_once(_metadata, self, NULL, false);
}

/* Driver: with the defect, no interrupt pending: none is signalled */
TEST_F(irq_defect, nothing_pending)
{
	OPEN_PAIR(variant->kind, .config_policy = variant->policy,
		  .defect_early_irq = "1");
	ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, variant->index));
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	EXPECT_EQ(0, pending(self));
	EXPECT_EQ(0, vmig_late_irq_raise(self->dst->dev));
	expect_once(_metadata, self, NULL, false);
}

/* One device with the defect, and a stream with INTx asserted */
FIXTURE(defect_command) {
	DEVICE_MEMBERS;
	int intx;
};

FIXTURE_SETUP(defect_command)
{
	self->intx = vmig_eventfd_create();
	ASSERT_LE(0, self->intx);
	OPEN_DEVICE("mtty-1", .defect_early_irq = "1");
	ASSERT_EQ(0, vmig_late_irq_raise(self->dev));
	ASSERT_EQ(0, vmig_transfer_save(self->dev, &self->stream));
	ASSERT_EQ(0, vmig_device_reset(self->dev));
	ASSERT_EQ(0, vmig_irq_set_fd(self->dev, INTX,
				     VFIO_IRQ_SET_ACTION_TRIGGER, self->intx));
	ASSERT_EQ(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					&self->fd));
}

FIXTURE_TEARDOWN(defect_command)
{
	close(self->intx);
	CLOSE_DEVICE();
}

#define COMMAND(_val) \
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, _val), \
		   "PCI_COMMAND " #_val)
#define LOAD_DATA() \
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, \
					  self->stream.len, 4096, NULL), "data")
#define GO(_state) \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_##_state, \
					 NULL), #_state)
#define EXPECT_INTX(_want, _when) do { \
	int64_t seen = vmig_eventfd_take(self->intx); \
	EXPECT_EQ(_want, seen) { \
		TH_LOG(_when); \
	} \
} while (0)

/* PCI: 3.0, 6.2.2: Interrupt Disable silences INTx; set before the data */
TEST_F(defect_command, interrupt_disable_before_the_data)
{
	COMMAND(PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	LOAD_DATA();
	EXPECT_INTX(0, "in RESUMING");
	GO(STOP);
	GO(RUNNING);
	EXPECT_INTX(0, "in RUNNING");
	COMMAND(PCI_COMMAND_IO);
	EXPECT_INTX(1, "enabled");
}

/* PCI: 3.0, 6.2.2: Interrupt Disable silences INTx; set after the data */
TEST_F(defect_command, interrupt_disable_behind_the_data)
{
	LOAD_DATA();
	EXPECT_INTX(1, "the defect");
	COMMAND(PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX,
				      VFIO_IRQ_SET_ACTION_UNMASK), "unmask");
	EXPECT_INTX(0, "in RESUMING");
	GO(STOP);
	GO(RUNNING);
	EXPECT_INTX(0, "in RUNNING");
	COMMAND(PCI_COMMAND_IO);
	EXPECT_INTX(1, "enabled");
}

/* PCI: 3.0, 6.2.2: Interrupt Disable, cleared after the data: INTx is asserted */
TEST_F(defect_command, interrupt_enabled_behind_the_data)
{
	COMMAND(PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	LOAD_DATA();
	EXPECT_INTX(0, "disabled");
	COMMAND(PCI_COMMAND_IO);
	EXPECT_INTX(1, "the defect, enabled");
	GO(STOP);
	GO(RUNNING);
	EXPECT_INTX(0, "a second time");
}

int main(int argc, char **argv)
{
	int ret;

	traced = vmig_trace_start(&trace, "mtty");
	ret = test_harness_run(argc, argv);
	vmig_trace_stop(&trace);
	return ret;
}
