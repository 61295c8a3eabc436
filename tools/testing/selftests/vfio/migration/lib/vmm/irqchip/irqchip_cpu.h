/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A processor of KVM's that writes to registers as it is told to, and takes
 * interrupts and ends them, each with a write to the EOI register of its local APIC.
 * For irqchip_kvm.c alone.
 *
 * Functions return 0 or more, or -errno; they neither judge nor print.
 */
#ifndef VMIG_IRQCHIP_CPU_H
#define VMIG_IRQCHIP_CPU_H

#include <stddef.h>
#include <stdint.h>

struct kvm_run;

/**
 * struct vmig_cpu - the processor, and its memory
 * @fd:		of the processor, or -1
 * @run:	what KVM says of it
 * @run_size:	bytes of @run
 * @memory:	all that the machine has
 */
struct vmig_cpu {
	int fd;
	struct kvm_run *run;
	size_t run_size;
	void *memory;
};

/**
 * vmig_cpu_create - create processor 0 of a machine, and the machine's memory
 * @cpu:	filled in; for vmig_cpu_destroy() also after a failure
 * @kvm:	/dev/kvm
 * @vm:		the machine; has its interrupt controller, and no memory yet
 */
int vmig_cpu_create(struct vmig_cpu *cpu, int kvm, int vm);

/** vmig_cpu_destroy - free it; the machine is to be closed, too */
void vmig_cpu_destroy(struct vmig_cpu *cpu);

/**
 * vmig_cpu_write - let it write to a register that is mapped into memory
 * @cpu:	the processor; interrupts are off meanwhile
 * @address:	of the register
 * @val:	the value, of 32 bits
 */
int vmig_cpu_write(struct vmig_cpu *cpu, uint32_t address, uint32_t val);

/**
 * vmig_cpu_accept - let it take the one interrupt that is due, and end it
 * @cpu:	the processor
 *
 * Return: the vector, which is 16 or more, or 0 if no interrupt is due, or -errno.
 */
int vmig_cpu_accept(struct vmig_cpu *cpu);

#endif /* VMIG_IRQCHIP_CPU_H */
