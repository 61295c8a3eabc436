/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor of kvm_arm64.c: writes to registers, and takes interrupts and ends them. */
#ifndef VMIG_IRQCHIP_KVM_ARM64_CPU_H
#define VMIG_IRQCHIP_KVM_ARM64_CPU_H

#include "kvm.h"

/* The only memory of the machine; the first page is the processor's code */
#define VMIG_ARM64_MEMORY	0x40000000u
#define VMIG_ARM64_MEMORY_SIZE	0x60000u

/**
 * vmig_arm64_cpu_create - create processor 0
 * @kvm:	the machine, without an interrupt controller
 */
int vmig_arm64_cpu_create(struct vmig_kvm *kvm);

/**
 * vmig_arm64_cpu_write - write to a register that is mapped into memory
 * @kvm:	the machine
 * @address:	of the register
 * @val:	32 bits
 */
int vmig_arm64_cpu_write(struct vmig_kvm *kvm, uint32_t address, uint32_t val);

/** vmig_arm64_cpu_enable - enable the processor's interface to the controller */
int vmig_arm64_cpu_enable(struct vmig_kvm *kvm);

/**
 * vmig_arm64_cpu_accept - take one pending interrupt and end it
 * @kvm:	the machine
 *
 * Return: the interrupt's number, 0 if none is pending, or -errno.
 */
int vmig_arm64_cpu_accept(struct vmig_kvm *kvm);

#endif /* VMIG_IRQCHIP_KVM_ARM64_CPU_H */
