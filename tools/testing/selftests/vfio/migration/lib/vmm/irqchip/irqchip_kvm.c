// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's interrupt controller in the kernel, with one processor (irqchip_cpu.h) and
 * no guest; see irqchip.h.
 *
 * A fresh local APIC is switched off by its spurious-vector register, and a
 * fresh IOAPIC has all of its pins masked.  What a device signals then goes
 * nowhere, and nobody is told; this is not our model of things but KVM's.
 * Whether an interrupt has arrived is its bit in the local APIC's IRR.
 *
 * INTx is a line: KVM keeps it up until the processor has ended the interrupt, and
 * only then tells the device by its unmask eventfd (KVM_IRQFD_FLAG_RESAMPLE).
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

#include "lib/vfio/irq.h"
#include "irqchip_cpu.h"
#include "irqchip_irqfd.h"
#include "irqchip_ops.h"

/* Only x86 has this one */
#ifdef KVM_IRQCHIP_IOAPIC

/* Registers of the local APIC, as in Intel's and AMD's manuals */
#define APIC_BASE		0xfee00000u
#define APIC_SVR		0xf0
#define APIC_SVR_ENABLED	0x100u
#define APIC_IRR		0x200
#define SPURIOUS_VECTOR		0xff

/* And of the IOAPIC: one says which register, another one is its content */
#define IOAPIC_REGSEL		0xfec00000u
#define IOAPIC_WIN		0xfec00010u
#define IOAPIC_RTE(_pin)	(0x10 + 2 * (_pin))
#define IOAPIC_RTE_LEVEL	0x08000u
#define IOAPIC_RTE_MASKED	0x10000u

/* A pin of the IOAPIC that no legacy device has, and the number behind them */
#define GSI_INTX		16
#define GSI_MSI			KVM_IOAPIC_NUM_PINS

/**
 * struct kvm_chip - the controller
 * @vm:		the machine
 * @cpu:	its processor
 * @fds:	its irqfds
 */
struct kvm_chip {
	int vm;
	struct vmig_cpu cpu;
	struct vmig_irqfds fds;
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

/* IRR is spread over eight registers of 32 bits, 16 bytes apart */
static unsigned int irr_reg(uint8_t vector)
{
	return APIC_IRR + vector / 32 * 16;
}

static int create_vm(struct kvm_chip *kvm)
{
	int fd, ret;

	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A signal that comes meanwhile is an error of this one */
	do {
		kvm->vm = ioctl(fd, KVM_CREATE_VM, 0);
	} while (kvm->vm < 0 && errno == EINTR);
	if (kvm->vm < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}

	ret = call(kvm->vm, KVM_CREATE_IRQCHIP, NULL);
	if (!ret)
		ret = vmig_cpu_create(&kvm->cpu, fd, kvm->vm);
	close(fd);
	return ret;
}

static void free_kvm(struct kvm_chip *kvm)
{
	vmig_cpu_destroy(&kvm->cpu);
	if (kvm->vm >= 0)
		close(kvm->vm);
	vmig_irqfds_close(&kvm->fds);
	free(kvm);
}

static int kvm_create(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = calloc(1, sizeof(*kvm));
	int ret;

	if (!kvm)
		return -ENOMEM;
	kvm->vm = -1;
	kvm->cpu.fd = -1;
	vmig_irqfds_init(&kvm->fds);

	ret = create_vm(kvm);
	if (ret) {
		free_kvm(kvm);
		return ret;
	}
	kvm->fds.vm = kvm->vm;
	kvm->fds.gsi[VMIG_IRQ_MSI] = GSI_MSI;
	kvm->fds.gsi[VMIG_IRQ_INTX] = GSI_INTX;
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
	ret = call(kvm->cpu.fd, KVM_GET_LAPIC, &state->lapic);
	if (ret)
		return ret;
	state->ioapic.chip_id = KVM_IRQCHIP_IOAPIC;
	return call(kvm->vm, KVM_GET_IRQCHIP, &state->ioapic);
}

static int set_state(struct kvm_chip *kvm, struct kvm_state *state)
{
	int ret;

	ret = call(kvm->cpu.fd, KVM_SET_LAPIC, &state->lapic);
	return ret ? ret : call(kvm->vm, KVM_SET_IRQCHIP, &state->ioapic);
}

static int flush(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;

	return vmig_irqfds_flush(&kvm->fds, chip);
}

static int ioapic_write(struct kvm_chip *kvm, unsigned int reg, uint32_t val)
{
	int ret;

	ret = vmig_cpu_write(&kvm->cpu, IOAPIC_REGSEL, reg);
	return ret ? ret : vmig_cpu_write(&kvm->cpu, IOAPIC_WIN, val);
}

/* To processor 0; active low or high is all the same to KVM */
static int kvm_guest_intx(struct vmig_irqchip *chip, unsigned int mode)
{
	uint32_t low = VMIG_IRQCHIP_INTX_VECTOR;
	int ret;

	if (!(mode & VMIG_INTX_EDGE))
		low |= IOAPIC_RTE_LEVEL;
	if (mode & VMIG_INTX_MASKED)
		low |= IOAPIC_RTE_MASKED;

	/* What was signalled until now meets the line as it was */
	ret = flush(chip);
	if (!ret)
		ret = ioapic_write(chip->priv, IOAPIC_RTE(GSI_INTX) + 1, 0);
	if (!ret)
		ret = ioapic_write(chip->priv, IOAPIC_RTE(GSI_INTX), low);
	return ret;
}

static int kvm_guest_setup(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	int ret;

	ret = vmig_cpu_write(&kvm->cpu, APIC_BASE + APIC_SVR,
			     APIC_SVR_ENABLED | SPURIOUS_VECTOR);
	return ret ? ret : kvm_guest_intx(chip, 0);
}

static int kvm_is_ready(struct vmig_irqchip *chip)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = call(kvm->cpu.fd, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return !!(lapic_read(&lapic, APIC_SVR) & APIC_SVR_ENABLED);
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
	return ret ? ret : vmig_irqfds_assign(&kvm->fds, chip, source);
}

static int kvm_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	struct kvm_chip *kvm = chip->priv;
	struct kvm_lapic_state lapic;
	int ret;

	ret = flush(chip);
	if (!ret)
		ret = call(kvm->cpu.fd, KVM_GET_LAPIC, &lapic);
	if (ret)
		return ret;
	return lapic_read(&lapic, irr_reg(vector)) >> vector % 32 & 1;
}

static int kvm_take(struct vmig_irqchip *chip, uint8_t vector)
{
	struct kvm_chip *kvm = chip->priv;
	int ret;

	ret = kvm_pending(chip, vector);
	if (ret <= 0)
		return ret;
	ret = vmig_cpu_accept(&kvm->cpu);
	if (ret < 0)
		return ret;
	/* Another one came first, and is gone now */
	return ret == vector ? 1 : -EBUSY;
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
	.connect = kvm_connect,
	.pending = kvm_pending,
	.take = kvm_take,
#endif
};
