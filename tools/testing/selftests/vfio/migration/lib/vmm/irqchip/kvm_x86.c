// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's local APIC and IOAPIC in the kernel; see irqchip.h.
 *
 * A new local APIC is disabled by its spurious-vector register, and a new IOAPIC has
 * all pins masked: KVM drops what a device signals then.  An interrupt that has
 * arrived is a bit in the local APIC's IRR.
 */
#ifndef __aarch64__

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_x86_cpu.h"

#ifdef KVM_IRQCHIP_IOAPIC

/* Registers of the local APIC, as in Intel's and AMD's manuals */
#define APIC_BASE		0xfee00000u
#define APIC_SVR		0xf0
#define APIC_SVR_ENABLED	0x100u
#define APIC_IRR		0x200
#define SPURIOUS_VECTOR		0xff

/* Registers of the IOAPIC: REGSEL selects one, WIN is its content */
#define IOAPIC_REGSEL		0xfec00000u
#define IOAPIC_WIN		0xfec00010u
#define IOAPIC_RTE(_pin)	(0x10 + 2 * (_pin))
#define IOAPIC_RTE_LEVEL	0x08000u
#define IOAPIC_RTE_MASKED	0x10000u

/* A pin without a legacy device, and the first number after the pins */
#define GSI_INTX		16
#define GSI_MSI			KVM_IOAPIC_NUM_PINS

struct kvm_state {
	struct kvm_lapic_state lapic;
	struct kvm_irqchip ioapic;
};

static uint32_t lapic_read(const struct kvm_lapic_state *lapic,
			   unsigned int reg)
{
	uint32_t val;

	memcpy(&val, lapic->regs + reg, sizeof(val));
	return val;
}

/* IRR has eight registers of 32 bits, 16 bytes apart */
static unsigned int irr_reg(uint8_t vector)
{
	return APIC_IRR + vector / 32 * 16;
}

static void kvm_destroy(struct vmig_irqchip *chip)
{
	vmig_kvm_destroy(chip->priv);
	free(chip->priv);
}

static int kvm_create(struct vmig_irqchip *chip)
{
	struct vmig_kvm *kvm = malloc(sizeof(*kvm));
	int ret;

	if (!kvm)
		return -ENOMEM;
	chip->priv = kvm;
	ret = vmig_kvm_create_vm(kvm);
	if (!ret)
		ret = vmig_kvm_call(kvm->vm, KVM_CREATE_IRQCHIP, NULL);
	if (!ret)
		ret = vmig_x86_cpu_create(kvm);
	if (ret) {
		kvm_destroy(chip);
		return ret;
	}
	kvm->gsi[VMIG_IRQ_MSI] = GSI_MSI;
	kvm->gsi[VMIG_IRQ_INTX] = GSI_INTX;
	kvm->irqchip = KVM_IRQCHIP_IOAPIC;
	return 0;
}

static int get_state(struct vmig_kvm *kvm, struct kvm_state *state)
{
	int ret;

	memset(state, 0, sizeof(*state));
	ret = vmig_kvm_call(kvm->cpu, KVM_GET_LAPIC, &state->lapic);
	if (ret)
		return ret;
	state->ioapic.chip_id = KVM_IRQCHIP_IOAPIC;
	return vmig_kvm_call(kvm->vm, KVM_GET_IRQCHIP, &state->ioapic);
}

static int set_state(struct vmig_kvm *kvm, struct kvm_state *state)
{
	int ret;

	ret = vmig_kvm_call(kvm->cpu, KVM_SET_LAPIC, &state->lapic);
	return ret ? ret : vmig_kvm_call(kvm->vm, KVM_SET_IRQCHIP, &state->ioapic);
}

static int ioapic_write(struct vmig_kvm *kvm, unsigned int reg, uint32_t val)
{
	int ret;

	ret = vmig_x86_cpu_write(kvm, IOAPIC_REGSEL, reg);
	return ret ? ret : vmig_x86_cpu_write(kvm, IOAPIC_WIN, val);
}

/* To processor 0; KVM ignores the polarity */
static int kvm_guest_intx(struct vmig_irqchip *chip, unsigned int mode)
{
	uint32_t low = VMIG_IRQCHIP_INTX_VECTOR;
	int ret;

	if (!(mode & VMIG_INTX_EDGE))
		low |= IOAPIC_RTE_LEVEL;
	if (mode & VMIG_INTX_MASKED)
		low |= IOAPIC_RTE_MASKED;

	/* Earlier signals see the old settings */
	ret = vmig_kvm_flush(chip);
	if (!ret)
		ret = ioapic_write(chip->priv, IOAPIC_RTE(GSI_INTX) + 1, 0);
	if (!ret)
		ret = ioapic_write(chip->priv, IOAPIC_RTE(GSI_INTX), low);
	return ret;
}

static int kvm_guest_setup(struct vmig_irqchip *chip)
{
	struct vmig_kvm *kvm = chip->priv;
	int ret;

	ret = vmig_x86_cpu_write(kvm, APIC_BASE + APIC_SVR,
				 APIC_SVR_ENABLED | SPURIOUS_VECTOR);
	return ret ? ret : kvm_guest_intx(chip, 0);
}

static int kvm_is_ready(struct vmig_irqchip *chip)
{
	struct vmig_kvm *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = vmig_kvm_call(kvm->cpu, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return !!(lapic_read(&lapic, APIC_SVR) & APIC_SVR_ENABLED);
}

static int kvm_save(struct vmig_irqchip *chip, struct vmig_bytes *blob)
{
	struct kvm_state state;
	int ret;

	ret = vmig_kvm_flush(chip);
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

	ret = vmig_kvm_flush(chip);
	return ret ? ret : set_state(chip->priv, &state);
}

static int kvm_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	struct vmig_kvm *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = vmig_kvm_flush(chip);
	if (!ret)
		ret = vmig_kvm_call(kvm->cpu, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return lapic_read(&lapic, irr_reg(vector)) >> vector % 32 & 1;
}

static int kvm_take(struct vmig_irqchip *chip, uint8_t vector)
{
	return vmig_kvm_take(chip, vector, vector, vmig_x86_cpu_accept);
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
	.guest_intx = kvm_guest_intx,
	.is_ready = kvm_is_ready,
	.save = kvm_save,
	.restore = kvm_restore,
	.connect = vmig_kvm_connect,
	.pending = kvm_pending,
	.take = kvm_take,
#endif
};

#endif
