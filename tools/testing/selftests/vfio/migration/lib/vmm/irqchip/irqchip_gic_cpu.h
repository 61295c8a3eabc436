/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A processor of KVM's on arm64 that writes to registers as it is told to, and takes
 * interrupts and ends them.  For irqchip_gic.c alone.
 *
 * Functions return 0 or more, or -errno; they neither judge nor print.
 */
#ifndef VMIG_IRQCHIP_GIC_CPU_H
#define VMIG_IRQCHIP_GIC_CPU_H

#include <stddef.h>
#include <stdint.h>

/* All the memory that the machine has; the first page is the processor's code */
#define VMIG_GIC_MEMORY		0x40000000u
#define VMIG_GIC_MEMORY_SIZE	0x60000u
#define VMIG_GIC_CODE_SIZE	0x1000u

struct kvm_run;

/**
 * struct vmig_gic_cpu - the processor, and the machine's memory
 * @fd:		of the processor, or -1
 * @run:	what KVM says of it
 * @run_size:	bytes of @run
 * @memory:	where VMIG_GIC_MEMORY is in this program
 */
struct vmig_gic_cpu {
	int fd;
	struct kvm_run *run;
	size_t run_size;
	uint8_t *memory;
};

/**
 * vmig_gic_cpu_create - create processor 0 of a machine, and the machine's memory
 * @cpu:	filled in; for vmig_gic_cpu_destroy() also after a failure
 * @kvm:	/dev/kvm
 * @vm:		the machine; has no memory yet, and no interrupt controller
 */
int vmig_gic_cpu_create(struct vmig_gic_cpu *cpu, int kvm, int vm);

/** vmig_gic_cpu_destroy - free it; the machine is to be closed, too */
void vmig_gic_cpu_destroy(struct vmig_gic_cpu *cpu);

/**
 * vmig_gic_cpu_write - let it write to a register that is mapped into memory
 * @cpu:	the processor
 * @address:	of the register
 * @val:	the value, of 32 bits
 */
int vmig_gic_cpu_write(struct vmig_gic_cpu *cpu, uint32_t address, uint32_t val);

/** vmig_gic_cpu_enable - let it enable its interface to the controller */
int vmig_gic_cpu_enable(struct vmig_gic_cpu *cpu);

/**
 * vmig_gic_cpu_accept - let it take the one interrupt that is due, and end it
 * @cpu:	the processor
 *
 * Return: the interrupt's number, or 0 if none is due, or -errno.
 */
int vmig_gic_cpu_accept(struct vmig_gic_cpu *cpu);

#endif /* VMIG_IRQCHIP_GIC_CPU_H */
