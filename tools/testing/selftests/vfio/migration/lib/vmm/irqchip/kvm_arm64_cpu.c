// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor of kvm_arm64.c. It runs a few instructions at EL1 with the MMU off and
 * all exceptions masked. The code ends with a store to an address without memory, which
 * makes KVM exit.
 */
#ifdef __aarch64__

#include <errno.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "kvm_arm64_cpu.h"

#define EXIT_ADDRESS		0x0a000000u
#define INTID_NONE		1023

/* Each ends with these two */
#define STORE_W0_TO_X2		0xb9000040	/* str w0, [x2] */
#define FOREVER			0x14000000	/* b . */
#define NOP			0xd503201f

/*
 * Each begins with a NOP: KVM skips one instruction, because it completes the store that
 * ended the previous run.
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

/* Their offsets in memory */
#define WRITE			0x000
#define ENABLE			0x100
#define ACCEPT			0x200

int vmig_arm64_cpu_create(struct vmig_kvm *kvm)
{
	struct kvm_vcpu_init init;
	int ret;

	ret = vmig_kvm_create_cpu(kvm, VMIG_ARM64_MEMORY,
				  VMIG_ARM64_MEMORY_SIZE);
	if (ret)
		return ret;
	memcpy(kvm->memory + WRITE, write_code, sizeof(write_code));
	memcpy(kvm->memory + ENABLE, enable_code, sizeof(enable_code));
	memcpy(kvm->memory + ACCEPT, accept_code, sizeof(accept_code));
	ret = vmig_kvm_call(kvm->vm, KVM_ARM_PREFERRED_TARGET, &init);
	return ret ? ret : vmig_kvm_call(kvm->cpu, KVM_ARM_VCPU_INIT, &init);
}

/* KVM counts registers in words of 32 bits from the start of the structure */
static int set_reg(struct vmig_kvm *kvm, size_t offset, uint64_t val)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      offset / sizeof(uint32_t),
		.addr = (uintptr_t)&val,
	};

	return vmig_kvm_call(kvm->cpu, KVM_SET_ONE_REG, &reg);
}

/* Run up to the last store; the value stored, or -errno */
static int run(struct vmig_kvm *kvm, uint64_t code, uint64_t x0, uint64_t x1)
{
	const struct {
		size_t offset;
		uint64_t val;
	} regs[] = {
		{ offsetof(struct kvm_regs, regs.pc), VMIG_ARM64_MEMORY + code },
		{ offsetof(struct kvm_regs, regs.regs[0]), x0 },
		{ offsetof(struct kvm_regs, regs.regs[1]), x1 },
		{ offsetof(struct kvm_regs, regs.regs[2]), EXIT_ADDRESS },
	};
	const struct kvm_run *state = kvm->run;
	unsigned int i;
	uint32_t val;
	int ret;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		ret = set_reg(kvm, regs[i].offset, regs[i].val);
		if (ret)
			return ret;
	}
	ret = vmig_kvm_run(kvm);
	if (ret)
		return ret;
	if (state->exit_reason != KVM_EXIT_MMIO || !state->mmio.is_write ||
	    state->mmio.phys_addr != EXIT_ADDRESS)
		return vmig_kvm_unexpected(kvm);
	memcpy(&val, state->mmio.data, sizeof(val));
	return val & 0xffffff;
}

int vmig_arm64_cpu_write(struct vmig_kvm *kvm, uint32_t address, uint32_t val)
{
	int ret = run(kvm, WRITE, val, address);

	return ret < 0 ? ret : 0;
}

int vmig_arm64_cpu_enable(struct vmig_kvm *kvm)
{
	int ret = run(kvm, ENABLE, 0, 0);

	return ret < 0 ? ret : 0;
}

int vmig_arm64_cpu_accept(struct vmig_kvm *kvm)
{
	int ret = run(kvm, ACCEPT, 0, 0);

	return ret == INTID_NONE ? 0 : ret;
}

#endif
