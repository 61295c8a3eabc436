// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's interrupt controller in the kernel, with one processor and no guest; see
 * irqchip.h.
 *
 * A fresh local APIC is switched off by its spurious-vector register, and a
 * fresh IOAPIC has all of its pins masked.  What a device signals then goes
 * nowhere, and nobody is told; this is not our model of things but KVM's.
 * Whether an interrupt has arrived is its bit in the local APIC's IRR.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#if __has_include("asm/kvm.h")
#include <linux/kvm.h>
#endif

#include "irqchip_ops.h"

/* Only x86 has this one */
#ifdef KVM_IRQCHIP_IOAPIC

/* Registers of the local APIC, as in Intel's and AMD's manuals */
#define APIC_SVR		0xf0
#define APIC_SVR_ENABLED	0x100u
#define APIC_IRR		0x200

/* A pin of the IOAPIC that no legacy device has, and the number behind them */
#define GSI_INTX		16
#define GSI_MSI			KVM_IOAPIC_NUM_PINS

static const uint32_t gsi_of[VMIG_IRQ_SOURCE_NR] = {
	[VMIG_IRQ_MSI] = GSI_MSI,
	[VMIG_IRQ_INTX] = GSI_INTX,
};

struct kvm_chip {
	int vm;
	int vcpu;
	bool assigned[VMIG_IRQ_SOURCE_NR];
};

struct kvm_state {
	struct kvm_lapic_state lapic;
	struct kvm_irqchip ioapic;
};

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static uint32_t lapic_read(const struct kvm_lapic_state *lapic,
			   unsigned int reg)
{
	uint32_t val;

	memcpy(&val, lapic->regs + reg, sizeof(val));
	return val;
}

static void lapic_write(struct kvm_lapic_state *lapic, unsigned int reg,
			uint32_t val)
{
	memcpy(lapic->regs + reg, &val, sizeof(val));
}

/* IRR is spread over eight registers of 32 bits, 16 bytes apart */
static unsigned int irr_reg(uint8_t vector)
{
	return APIC_IRR + vector / 32 * 16;
}

static int create_vm(struct kvm_chip *kvm)
{
	int fd, ret = 0;

	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	kvm->vm = ioctl(fd, KVM_CREATE_VM, 0);
	if (kvm->vm < 0)
		ret = -errno;
	close(fd);
	if (ret)
		return ret;

	ret = call(kvm->vm, KVM_CREATE_IRQCHIP, NULL);
	if (ret)
		return ret;
	kvm->vcpu = ioctl(kvm->vm, KVM_CREATE_VCPU, 0);
	return kvm->vcpu < 0 ? -errno : 0;
}

static void free_kvm(struct kvm_chip *kvm)
{
	if (kvm->vcpu >= 0)
		close(kvm->vcpu);
	if (kvm->vm >= 0)
		close(kvm->vm);
	free(kvm);
}

static int kvm_create(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = calloc(1, sizeof(*kvm));
	int ret;

	if (!kvm)
		return -ENOMEM;
	kvm->vm = -1;
	kvm->vcpu = -1;

	ret = create_vm(kvm);
	if (ret) {
		free_kvm(kvm);
		return ret;
	}
	chip->priv = kvm;
	return 0;
}

static void kvm_destroy(struct vmig_irqchip *chip)
{
	free_kvm(chip->priv);
}

static int get_state(struct kvm_chip *kvm, struct kvm_state *state)
{
	int ret;

	memset(state, 0, sizeof(*state));
	ret = call(kvm->vcpu, KVM_GET_LAPIC, &state->lapic);
	if (ret)
		return ret;
	state->ioapic.chip_id = KVM_IRQCHIP_IOAPIC;
	return call(kvm->vm, KVM_GET_IRQCHIP, &state->ioapic);
}

static int set_state(struct kvm_chip *kvm, struct kvm_state *state)
{
	int ret;

	ret = call(kvm->vcpu, KVM_SET_LAPIC, &state->lapic);
	return ret ? ret : call(kvm->vm, KVM_SET_IRQCHIP, &state->ioapic);
}

static int kvm_guest_setup(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_state state;
	uint32_t svr;
	int ret;

	ret = get_state(kvm, &state);
	if (ret)
		return ret;

	svr = lapic_read(&state.lapic, APIC_SVR);
	lapic_write(&state.lapic, APIC_SVR, svr | APIC_SVR_ENABLED);

	/* Level-triggered, active low or high alike, to processor 0 */
	memset(&state.ioapic.chip.ioapic.redirtbl[GSI_INTX], 0,
	       sizeof(state.ioapic.chip.ioapic.redirtbl[GSI_INTX]));
	state.ioapic.chip.ioapic.redirtbl[GSI_INTX].fields.vector =
		VMIG_IRQCHIP_INTX_VECTOR;
	state.ioapic.chip.ioapic.redirtbl[GSI_INTX].fields.trig_mode = 1;

	return set_state(kvm, &state);
}

static int kvm_is_ready(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = call(kvm->vcpu, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return !!(lapic_read(&lapic, APIC_SVR) & APIC_SVR_ENABLED);
}

static int irqfd(struct vmig_irqchip *chip, enum vmig_irq_source source,
		 uint32_t flags)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_irqfd arg = {
		.fd = chip->fd[source],
		.gsi = gsi_of[source],
		.flags = flags,
	};

	return call(kvm->vm, KVM_IRQFD, &arg);
}

/*
 * KVM injects through the IOAPIC from a work item.  Taking an irqfd away waits
 * for it, and nothing is lost: until it is back, the eventfd keeps what comes.
 */
static int flush(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < VMIG_IRQ_SOURCE_NR; i++) {
		if (!kvm->assigned[i])
			continue;
		ret = irqfd(chip, i, KVM_IRQFD_FLAG_DEASSIGN);
		if (!ret)
			ret = irqfd(chip, i, 0);
		if (ret)
			return ret;
	}
	return 0;
}

static int kvm_save(struct vmig_irqchip *chip, struct vmig_bytes *blob)
{
	struct kvm_state state;
	int ret;

	ret = flush(chip);
	if (!ret)
		ret = get_state(chip->priv, &state);
	return ret ? ret : vmig_bytes_add(blob, &state, sizeof(state));
}

static int kvm_restore(struct vmig_irqchip *chip, const void *blob, size_t len)
{
	struct kvm_state state;
	int ret;

	if (len != sizeof(state))
		return -EBADMSG;
	memcpy(&state, blob, sizeof(state));
	if (state.ioapic.chip_id != KVM_IRQCHIP_IOAPIC)
		return -EBADMSG;

	ret = flush(chip);
	return ret ? ret : set_state(chip->priv, &state);
}

static int set_routes(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[VMIG_IRQ_SOURCE_NR];
	} routes = { .head.nr = VMIG_IRQ_SOURCE_NR };

	routes.entry[VMIG_IRQ_MSI] = (struct kvm_irq_routing_entry) {
		.gsi = GSI_MSI,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = chip->msi_address,
		.u.msi.address_hi = chip->msi_address >> 32,
		.u.msi.data = chip->msi_data,
	};
	routes.entry[VMIG_IRQ_INTX] = (struct kvm_irq_routing_entry) {
		.gsi = GSI_INTX,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC,
		.u.irqchip.pin = GSI_INTX,
	};
	return call(kvm->vm, KVM_SET_GSI_ROUTING, &routes);
}

static int kvm_connect(struct vmig_irqchip *chip, enum vmig_irq_source source)
{
	struct kvm_chip *kvm = chip->priv;
	int ret;

	ret = set_routes(chip);
	if (ret || kvm->assigned[source])
		return ret;
	ret = irqfd(chip, source, 0);
	kvm->assigned[source] = !ret;
	return ret;
}

static int kvm_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = flush(chip);
	if (!ret)
		ret = call(kvm->vcpu, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return lapic_read(&lapic, irr_reg(vector)) >> vector % 32 & 1;
}

/* Accept and end of interrupt in one: no processor is there to see the middle */
static int kvm_take(struct vmig_irqchip *chip, uint8_t vector)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_state state;
	uint32_t irr;
	int ret;

	ret = flush(chip);
	if (!ret)
		ret = get_state(kvm, &state);
	if (ret)
		return ret;

	irr = lapic_read(&state.lapic, irr_reg(vector));
	if (!(irr >> vector % 32 & 1))
		return 0;
	irr ^= 1u << vector % 32;
	lapic_write(&state.lapic, irr_reg(vector), irr);
	if (vector == VMIG_IRQCHIP_INTX_VECTOR)
		state.ioapic.chip.ioapic.redirtbl[GSI_INTX].fields.remote_irr = 0;

	ret = set_state(kvm, &state);
	return ret ? ret : 1;
}

#else

static int kvm_create(struct vmig_irqchip *chip)
{
	(void)chip;
	return -EOPNOTSUPP;
}

#endif

const struct vmig_irqchip_ops vmig_irqchip_kvm = {
	.name = "KVM (local APIC and IOAPIC in the kernel)",
	.id = 0x4b564d58,	/* "KVMX" */
	.create = kvm_create,
#ifdef KVM_IRQCHIP_IOAPIC
	.destroy = kvm_destroy,
	.guest_setup = kvm_guest_setup,
	.is_ready = kvm_is_ready,
	.save = kvm_save,
	.restore = kvm_restore,
	.connect = kvm_connect,
	.pending = kvm_pending,
	.take = kvm_take,
#endif
};
