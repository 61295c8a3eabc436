// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor of kvm_x86.c. It runs a few bytes of 32-bit code without paging. An
 * interrupt handler writes its vector to PORT_TAKEN; other code ends with a write to
 * PORT_DONE.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm_x86_cpu.h"

#ifdef KVM_IRQCHIP_IOAPIC

#define MEMORY_SIZE	0x4000u
#define GDT		0x0800u
#define IDT		0x1000u
#define STUBS		0x2000u
#define STUB_SIZE	8u
#define COMMON		0x2800u
#define START		0x2900u
#define WRITE		0x2a00u
#define STACK_TOP	0x4000u

#define CODE_SELECTOR	0x08
#define DATA_SELECTOR	0x10
#define PORT_TAKEN	0x80
#define PORT_DONE	0x81
#define CR0_PE		0x1u
#define RFLAGS_FIXED	0x2u
#define RFLAGS_IF	0x200u
#define NR_VECTORS	256u

static const uint8_t start_code[] = {
	0x90,					/* nop */
	0xe6, PORT_DONE,			/* out %al, $PORT_DONE */
	0xf4,					/* hlt */
};

static const uint8_t common_code[] = {
	0xc7, 0x05, 0xb0, 0x00, 0xe0, 0xfe,	/* movl $0, EOI register */
	0x00, 0x00, 0x00, 0x00,
	0xe6, PORT_TAKEN,			/* out %al, $PORT_TAKEN */
	0xf4,					/* hlt */
};

static const uint8_t write_code[] = {
	0x89, 0x03,				/* mov %eax, (%ebx) */
	0xe6, PORT_DONE,			/* out %al, $PORT_DONE */
	0xf4,					/* hlt */
};

/* Flat segments: the whole address space */
static const uint64_t gdt[] = {
	0, 0x00cf9b000000ffff, 0x00cf93000000ffff,
};

static void put_stub(uint8_t *memory, unsigned int vector)
{
	uint32_t at = STUBS + vector * STUB_SIZE;
	uint32_t jump = COMMON - (at + 7);
	uint8_t code[7] = { 0xb0, vector, 0xe9 };	/* mov, jmp */
	uint64_t gate;

	memcpy(code + 3, &jump, sizeof(jump));
	memcpy(memory + at, code, sizeof(code));

	/* A 32-bit interrupt gate */
	gate = (uint64_t)(at >> 16) << 48 | 0x8e00ULL << 32 |
	       CODE_SELECTOR << 16 | (at & 0xffff);
	memcpy(memory + IDT + vector * sizeof(gate), &gate, sizeof(gate));
}

static void put_code(uint8_t *memory)
{
	unsigned int vector;

	memcpy(memory + GDT, gdt, sizeof(gdt));
	memcpy(memory + COMMON, common_code, sizeof(common_code));
	memcpy(memory + START, start_code, sizeof(start_code));
	memcpy(memory + WRITE, write_code, sizeof(write_code));
	for (vector = 0; vector < NR_VECTORS; vector++)
		put_stub(memory, vector);
}

static int enter_protected_mode(struct vmig_kvm *kvm)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = CODE_SELECTOR, .type = 11,
		.present = 1, .db = 1, .s = 1, .g = 1,
	};
	struct kvm_segment data = code;
	struct kvm_sregs sregs;

	if (ioctl(kvm->cpu, KVM_GET_SREGS, &sregs))
		return -errno;
	data.selector = DATA_SELECTOR;
	data.type = 3;
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = sizeof(gdt) - 1;
	sregs.idt.base = IDT;
	sregs.idt.limit = NR_VECTORS * sizeof(uint64_t) - 1;
	sregs.cr0 |= CR0_PE;
	return ioctl(kvm->cpu, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

int vmig_x86_cpu_create(struct vmig_kvm *kvm)
{
	int ret;

	ret = vmig_kvm_create_cpu(kvm, 0, MEMORY_SIZE);
	if (ret)
		return ret;
	put_code(kvm->memory);
	return enter_protected_mode(kvm);
}

/* Run up to a write to a port; 0, or the vector, or -errno */
static int run(struct vmig_kvm *kvm, const struct kvm_regs *regs)
{
	const struct kvm_run *run = kvm->run;
	int ret;

	if (ioctl(kvm->cpu, KVM_SET_REGS, regs))
		return -errno;
	ret = vmig_kvm_run(kvm);
	if (ret)
		return ret;
	if (run->exit_reason != KVM_EXIT_IO ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return vmig_kvm_unexpected(kvm);
	if (run->io.port == PORT_DONE)
		return 0;
	return *((const uint8_t *)run + run->io.data_offset);
}

int vmig_x86_cpu_write(struct vmig_kvm *kvm, uint32_t address, uint32_t val)
{
	const struct kvm_regs regs = {
		.rip = WRITE, .rflags = RFLAGS_FIXED, .rbx = address, .rax = val,
	};

	return run(kvm, &regs);
}

/* Interrupts are enabled in RFLAGS, so KVM injects before the first instruction */
int vmig_x86_cpu_accept(struct vmig_kvm *kvm)
{
	const struct kvm_regs regs = {
		.rip = START, .rsp = STACK_TOP,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
	};

	return run(kvm, &regs);
}

#endif
