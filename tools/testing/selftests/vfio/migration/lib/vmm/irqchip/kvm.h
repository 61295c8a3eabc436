/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine of KVM with one processor and no guest, and the irqfds of its
 * interrupt controller. Shared by the controllers of all architectures.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_IRQCHIP_KVM_H
#define VMIG_IRQCHIP_KVM_H

#include <stdbool.h>
#include <stddef.h>

#if __has_include("asm/kvm.h")
#include <linux/kvm.h>
#endif

#include "ops.h"

struct kvm_run;

/**
 * struct vmig_kvm - the machine; first member of the @priv of a controller
 * @vm:		the machine, or -1
 * @cpu:	its processor, or -1
 * @run:	shared with KVM
 * @run_size:	bytes of @run
 * @memory:	the only memory of the machine
 * @memory_size: bytes of @memory
 * @gsi:	KVM's number of each source; of INTx it is the pin as well
 * @irqchip:	KVM_IRQCHIP_* of INTx
 * @msi_flags:	KVM_MSI_*
 * @devid:	sender of the message, with KVM_MSI_VALID_DEVID
 * @assigned:	sources with an irqfd
 * @idle:	an irqfd of the INTx line, trigger and resample, that is never
 *		signalled: KVM lowers a line without irqfds
 */
struct vmig_kvm {
	int vm;
	int cpu;
	struct kvm_run *run;
	int run_size;
	void *memory;
	size_t memory_size;
	uint32_t gsi[VMIG_IRQ_SOURCE_NR];
	uint32_t irqchip;
	uint32_t msi_flags;
	uint32_t devid;
	bool assigned[VMIG_IRQ_SOURCE_NR];
	int idle[2];
};

int vmig_kvm_call(int fd, unsigned long request, void *arg);

/**
 * vmig_kvm_create_vm - create a machine without processor and memory
 * @kvm:	filled in; vmig_kvm_destroy() it also after a failure
 */
int vmig_kvm_create_vm(struct vmig_kvm *kvm);

/**
 * vmig_kvm_create_cpu - create processor 0, and the memory
 * @kvm:	the machine
 * @address:	guest physical address of the memory
 * @size:	bytes of memory
 */
int vmig_kvm_create_cpu(struct vmig_kvm *kvm, uint64_t address, size_t size);

void vmig_kvm_destroy(struct vmig_kvm *kvm);

/** vmig_kvm_run - run the processor until KVM exits to userspace */
int vmig_kvm_run(struct vmig_kvm *kvm);

/**
 * vmig_kvm_unexpected - print why the processor stopped where the code does not stop it
 * @kvm:	the machine, after vmig_kvm_run()
 *
 * A processor that is emulated itself ends a guest by a triple fault on rare occasions: exit
 * reason KVM_EXIT_SHUTDOWN, 8.
 *
 * Return: -EIO.
 */
int vmig_kvm_unexpected(const struct vmig_kvm *kvm);

/**
 * vmig_kvm_connect - route the sources, and assign the eventfd of one as irqfd
 * @chip:	the controller, with the eventfds
 * @source:	INTx is a line that stays up until the end of the interrupt, which signals
 *		the unmask eventfd (KVM_IRQFD_FLAG_RESAMPLE)
 */
int vmig_kvm_connect(struct vmig_irqchip *chip, enum vmig_irq_source source);

/** vmig_kvm_flush - wait until everything signalled before the call is injected */
int vmig_kvm_flush(struct vmig_irqchip *chip);

/**
 * vmig_kvm_take - as vmig_irqchip_take()
 * @chip:	the controller
 * @vector:	the interrupt
 * @number:	its number for the processor
 * @accept:	runs the processor, which takes an interrupt and returns its number
 */
int vmig_kvm_take(struct vmig_irqchip *chip, uint8_t vector, int number,
		  int (*accept)(struct vmig_kvm *kvm));

#endif /* VMIG_IRQCHIP_KVM_H */
