// SPDX-License-Identifier: GPL-2.0-only
/*
 * A processor that takes interrupts; see irqchip_cpu.h.
 *
 * It runs a few bytes of 32-bit code without paging: interrupts are enabled, and
 * either a handler says its number on one port or nothing was due and that is said
 * on another one, as is the end of a write.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#if __has_include("asm/kvm.h")
#include <linux/kvm.h>
#endif

#include "irqchip_cpu.h"

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

/* Flat: all of the address space, for code and for data */
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

static int add_memory(struct vmig_cpu *cpu, int vm)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY_SIZE };
	unsigned int vector;
	uint8_t *memory;

	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	cpu->memory = memory;

	memcpy(memory + GDT, gdt, sizeof(gdt));
	memcpy(memory + COMMON, common_code, sizeof(common_code));
	memcpy(memory + START, start_code, sizeof(start_code));
	memcpy(memory + WRITE, write_code, sizeof(write_code));
	for (vector = 0; vector < NR_VECTORS; vector++)
		put_stub(memory, vector);

	slot.userspace_addr = (uintptr_t)memory;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) ? -errno : 0;
}

static int enter_protected_mode(struct vmig_cpu *cpu)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = CODE_SELECTOR, .type = 11,
		.present = 1, .db = 1, .s = 1, .g = 1,
	};
	struct kvm_segment data = code;
	struct kvm_sregs sregs;

	if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs))
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
	return ioctl(cpu->fd, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

int vmig_cpu_create(struct vmig_cpu *cpu, int kvm, int vm)
{
	void *run;
	int ret;

	*cpu = (struct vmig_cpu) { .fd = -1 };
	ret = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < 0)
		return -errno;
	cpu->run_size = ret;

	ret = add_memory(cpu, vm);
	if (ret)
		return ret;
	cpu->fd = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (cpu->fd < 0)
		return -errno;
	run = mmap(NULL, cpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   cpu->fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	cpu->run = run;
	return enter_protected_mode(cpu);
}

void vmig_cpu_destroy(struct vmig_cpu *cpu)
{
	if (cpu->run)
		munmap(cpu->run, cpu->run_size);
	if (cpu->memory)
		munmap(cpu->memory, MEMORY_SIZE);
	if (cpu->fd >= 0)
		close(cpu->fd);
	*cpu = (struct vmig_cpu) { .fd = -1 };
}

/* Up to the next word on a port; 0, or what it says on PORT_TAKEN, or -errno */
static int run(struct vmig_cpu *cpu, const struct kvm_regs *regs)
{
	const struct kvm_run *run = cpu->run;
	int ret;

	if (ioctl(cpu->fd, KVM_SET_REGS, regs))
		return -errno;
	do {
		ret = ioctl(cpu->fd, KVM_RUN, 0);
	} while (ret && errno == EINTR);
	if (ret)
		return -errno;
	if (run->exit_reason != KVM_EXIT_IO ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return -EIO;
	if (run->io.port == PORT_DONE)
		return 0;
	return *((const uint8_t *)run + run->io.data_offset);
}

int vmig_cpu_write(struct vmig_cpu *cpu, uint32_t address, uint32_t val)
{
	const struct kvm_regs regs = {
		.rip = WRITE, .rflags = RFLAGS_FIXED, .rbx = address, .rax = val,
	};

	return run(cpu, &regs);
}

/*
 * Each time anew: what a handler would return to is of no interest.  Interrupts are
 * enabled from the start, and not by an instruction, so KVM injects what is due
 * before the first one.
 */
int vmig_cpu_accept(struct vmig_cpu *cpu)
{
	const struct kvm_regs regs = {
		.rip = START, .rsp = STACK_TOP,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
	};

	return run(cpu, &regs);
}

#endif
