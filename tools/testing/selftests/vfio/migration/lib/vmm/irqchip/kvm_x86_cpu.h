/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor of kvm_x86.c: writes to registers, and takes interrupts and ends them
 * by a write to the EOI register of its local APIC.
 */
#ifndef VMIG_IRQCHIP_KVM_X86_CPU_H
#define VMIG_IRQCHIP_KVM_X86_CPU_H

#include "kvm.h"

/**
 * vmig_x86_cpu_create - create processor 0
 * @kvm:	the machine, with its interrupt controller
 */
int vmig_x86_cpu_create(struct vmig_kvm *kvm);

/**
 * vmig_x86_cpu_write - write to a register that is mapped into memory
 * @kvm:	the machine; its interrupts are off meanwhile
 * @address:	of the register
 * @val:	32 bits
 */
int vmig_x86_cpu_write(struct vmig_kvm *kvm, uint32_t address, uint32_t val);

/**
 * vmig_x86_cpu_accept - take one pending interrupt and end it
 * @kvm:	the machine
 *
 * Return: the vector, which is 16 or more; 0 if none is pending; or -errno.
 */
int vmig_x86_cpu_accept(struct vmig_kvm *kvm);

#endif /* VMIG_IRQCHIP_KVM_X86_CPU_H */
