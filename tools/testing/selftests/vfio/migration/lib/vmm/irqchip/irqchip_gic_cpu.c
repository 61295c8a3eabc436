// SPDX-License-Identifier: GPL-2.0-only
/*
 * A processor that takes interrupts; see irqchip_gic_cpu.h.
 *
 * It runs a few instructions at EL1 with its MMU off and no exception unmasked: it asks
 * the controller what is due, and whatever it did it ends with a store to where there is
 * nothing, which takes KVM back to us.
 */
#ifdef __aarch64__

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "lib/vfio/util.h"
#include "irqchip_gic_cpu.h"

#define EXIT_ADDRESS		0x0a000000u
#define INTID_NONE		1023

/* What each of them ends with */
#define STORE_W0_TO_X2		0xb9000040	/* str w0, [x2] */
#define FOREVER			0x14000000	/* b . */
#define NOP			0xd503201f

/*
 * Each begins with an instruction that does nothing: KVM counts the store that ended
 * the run before as done when the next one begins, and steps over one instruction.
 */
static const uint32_t write_code[] = {
	NOP,
	0xb9000020,				/* str w0, [x1] */
	STORE_W0_TO_X2, FOREVER,
};

static const uint32_t enable_code[] = {
	NOP,
	0xd2801e00,				/* mov x0, #0xf0: all priorities */
	0xd5184600,				/* msr ICC_PMR_EL1, x0 */
	0xd2800020,				/* mov x0, #1 */
	0xd518cce0,				/* msr ICC_IGRPEN1_EL1, x0 */
	0xd5033fdf,				/* isb */
	STORE_W0_TO_X2, FOREVER,
};

static const uint32_t accept_code[] = {
	NOP,
	0xd538cc00,				/* mrs x0, ICC_IAR1_EL1 */
	0xd5033f9f,				/* dsb sy */
	0xf10ffc1f,				/* cmp x0, #INTID_NONE */
	0x54000060,				/* b.eq to the store */
	0xd518cc20,				/* msr ICC_EOIR1_EL1, x0 */
	0xd5033fdf,				/* isb */
	STORE_W0_TO_X2, FOREVER,
};

/* Where they are in memory */
#define WRITE			0x000
#define ENABLE			0x100
#define ACCEPT			0x200

static int add_memory(struct vmig_gic_cpu *cpu, int vm)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = VMIG_GIC_MEMORY,
		.memory_size = VMIG_GIC_MEMORY_SIZE,
	};
	void *memory;

	memory = mmap(NULL, VMIG_GIC_MEMORY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	cpu->memory = memory;
	memcpy(cpu->memory + WRITE, write_code, sizeof(write_code));
	memcpy(cpu->memory + ENABLE, enable_code, sizeof(enable_code));
	memcpy(cpu->memory + ACCEPT, accept_code, sizeof(accept_code));
	slot.userspace_addr = (uintptr_t)memory;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) ? -errno : 0;
}

int vmig_gic_cpu_create(struct vmig_gic_cpu *cpu, int kvm, int vm)
{
	struct kvm_vcpu_init init;
	void *run;
	int ret;

	*cpu = (struct vmig_gic_cpu) { .fd = -1 };
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
	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init))
		return -errno;
	return 0;
}

void vmig_gic_cpu_destroy(struct vmig_gic_cpu *cpu)
{
	if (cpu->run)
		munmap(cpu->run, cpu->run_size);
	if (cpu->memory)
		munmap(cpu->memory, VMIG_GIC_MEMORY_SIZE);
	if (cpu->fd >= 0)
		close(cpu->fd);
	*cpu = (struct vmig_gic_cpu) { .fd = -1 };
}

/* Registers are counted in words of 32 bits from the start of the structure */
static int set_reg(struct vmig_gic_cpu *cpu, size_t offset, uint64_t val)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      offset / sizeof(uint32_t),
		.addr = (uintptr_t)&val,
	};

	return ioctl(cpu->fd, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

/* Up to the store that ends it; 0 or more, what was stored, or -errno */
static int run(struct vmig_gic_cpu *cpu, uint64_t code, uint64_t x0, uint64_t x1)
{
	const struct {
		size_t offset;
		uint64_t val;
	} regs[] = {
		{ offsetof(struct kvm_regs, regs.pc), VMIG_GIC_MEMORY + code },
		{ offsetof(struct kvm_regs, regs.regs[0]), x0 },
		{ offsetof(struct kvm_regs, regs.regs[1]), x1 },
		{ offsetof(struct kvm_regs, regs.regs[2]), EXIT_ADDRESS },
	};
	const struct kvm_run *state = cpu->run;
	unsigned int i;
	uint32_t val;
	int ret;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		ret = set_reg(cpu, regs[i].offset, regs[i].val);
		if (ret)
			return ret;
	}
	do {
		ret = ioctl(cpu->fd, KVM_RUN, 0);
	} while (ret && errno == EINTR);
	if (ret)
		return -errno;
	if (state->exit_reason != KVM_EXIT_MMIO || !state->mmio.is_write ||
	    state->mmio.phys_addr != EXIT_ADDRESS)
		return -EIO;
	memcpy(&val, state->mmio.data, sizeof(val));
	return val & 0xffffff;
}

int vmig_gic_cpu_write(struct vmig_gic_cpu *cpu, uint32_t address, uint32_t val)
{
	int ret = run(cpu, WRITE, val, address);

	return ret < 0 ? ret : 0;
}

int vmig_gic_cpu_enable(struct vmig_gic_cpu *cpu)
{
	int ret = run(cpu, ENABLE, 0, 0);

	return ret < 0 ? ret : 0;
}

int vmig_gic_cpu_accept(struct vmig_gic_cpu *cpu)
{
	int ret = run(cpu, ACCEPT, 0, 0);

	return ret == INTID_NONE ? 0 : ret;
}

#endif
