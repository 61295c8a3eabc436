// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's GICv3 and ITS in the kernel; see irqchip.h.
 *
 * A new ITS is disabled and has no tables, and a new distributor has all lines disabled.
 * KVM drops a message then: its work item ignores the error of vgic_its_inject_msi().  A
 * message raises an LPI.  A pending LPI is a bit in a table in the guest's memory, which
 * KVM writes on request.
 *
 * The tables are saved with the controller's state, as this guest has no other memory.
 */
#ifdef __aarch64__

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "kvm_arm64_cpu.h"

/* Addresses of the parts, and of their tables, which are aligned to 64 KiB */
#define DIST			0x08000000u
#define ITS			0x08080000u
#define REDIST			0x080a0000u
#define ITT			(VMIG_ARM64_MEMORY + 0x1000)
#define LPI_CONFIG		(VMIG_ARM64_MEMORY + 0x2000)
#define LPI_PENDING		(VMIG_ARM64_MEMORY + 0x10000)
#define COMMANDS		(VMIG_ARM64_MEMORY + 0x20000)
#define COMMANDS_SIZE		0x4000u
#define DEVICES			(VMIG_ARM64_MEMORY + 0x30000)
#define COLLECTIONS		(VMIG_ARM64_MEMORY + 0x40000)

/* Registers, as in the architecture's manual; the second word is for lines from 32 */
#define GICD_CTLR		0x0000
#define GICD_CTLR_GRP1_ARE	0x12u
#define GICD_IGROUPR1		0x0084
#define GICD_ISENABLER1		0x0104
#define GICD_ICENABLER1		0x0184
#define GICD_ISPENDR1		0x0204
#define GICD_IPRIORITYR8	0x0420
#define GICD_ICFGR2		0x0c08
#define GICD_IROUTER(_intid)	(0x6000 + 8 * (_intid))
#define GICR_CTLR		0x0000
#define GICR_PROPBASER		0x0070
#define GICR_PENDBASER		0x0078
#define GITS_CTLR		0x0000
#define GITS_IIDR		0x0004
#define GITS_CBASER		0x0080
#define GITS_CWRITER		0x0088
#define GITS_CREADR		0x0090
#define GITS_BASER(_nr)		(0x0100 + 8 * (_nr))
#define ENABLE			0x1u
#define VALID_HIGH		0x80000000u

/* Commands to the ITS */
#define CMD_MAPD		0x08
#define CMD_MAPC		0x09
#define CMD_MAPTI		0x0a
#define VALID			0x8000000000000000u

/* The line of INTx, and its index in the registers for lines from 32 */
#define INTID_INTX		35
#define LINE			(INTID_INTX - 32)
#define PRIORITY_INTX		0x80u

/* First LPI; a vector is an event, and its LPI is INTID_LPI + vector */
#define INTID_LPI		8192
#define INTID_BITS		14
#define LPI_CONFIG_ENABLED	0xa1	/* with a lower priority than INTx */
#define NR_VECTORS		256u
#define EVENT_BITS		8
#define DEVICE_ID		0x10u

/* KVM's numbers of the sources */
#define GSI_INTX		LINE
#define GSI_MSI			32

#define SYSREG(_op0, _op1, _crn, _crm, _op2) \
	((_op0) << 14 | (_op1) << 11 | (_crn) << 7 | (_crm) << 3 | (_op2))

/* Saved registers, in the order of restoring; the tables come before GITS_CTLR */
static const struct reg {
	bool its;
	uint32_t group;
	uint32_t attr;
} regs[] = {
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_CTLR },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IGROUPR1 },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISENABLER1 },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IPRIORITYR8 },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IROUTER(INTID_INTX) },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ICFGR2 },
	{ false, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, 32 },
	{ false, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISPENDR1 },
	{ false, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_PROPBASER },
	{ false, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_PENDBASER },
	{ false, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_CTLR },
	{ false, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, SYSREG(3, 0, 4, 6, 0) },
	{ false, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, SYSREG(3, 0, 12, 12, 7) },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_IIDR },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CBASER },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CREADR },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CWRITER },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_BASER(0) },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_BASER(1) },
	{ true, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CTLR },
};

/* The used part of the tables: one device and its vectors */
static const struct table {
	uint32_t address;
	uint32_t len;
} tables[] = {
	{ ITT, NR_VECTORS * sizeof(uint64_t) },
	{ LPI_CONFIG, NR_VECTORS },
	{ LPI_PENDING + INTID_LPI / 8, NR_VECTORS / 8 },
	{ DEVICES, (DEVICE_ID + 1) * sizeof(uint64_t) },
	{ COLLECTIONS, 2 * sizeof(uint64_t) },
};

#define TABLES_SIZE	(NR_VECTORS * sizeof(uint64_t) + NR_VECTORS + NR_VECTORS / 8 + \
			 (DEVICE_ID + 1) * sizeof(uint64_t) + 2 * sizeof(uint64_t))

struct gic_state {
	uint64_t reg[ARRAY_SIZE(regs)];
	uint8_t table[TABLES_SIZE];
};

/**
 * struct gic_chip - the controller
 * @kvm:	the machine
 * @gic:	distributor, and redistributor of the processor
 * @its:	ITS
 * @writer:	offset of the next command to the ITS
 */
struct gic_chip {
	struct vmig_kvm kvm;
	int gic;
	int its;
	uint32_t writer;
};

static int set_attr(int fd, uint32_t group, uint64_t attr, uint64_t val)
{
	struct kvm_device_attr arg = {
		.group = group, .attr = attr, .addr = (uintptr_t)&val,
	};

	return vmig_kvm_call(fd, KVM_SET_DEVICE_ATTR, &arg);
}

/* Little-endian, so this works where KVM writes 32 bits, too */
static int get_attr(int fd, uint32_t group, uint64_t attr, uint64_t *val)
{
	struct kvm_device_attr arg = {
		.group = group, .attr = attr, .addr = (uintptr_t)val,
	};

	*val = 0;
	return vmig_kvm_call(fd, KVM_GET_DEVICE_ATTR, &arg);
}

static int control(int fd, uint64_t what)
{
	return set_attr(fd, KVM_DEV_ARM_VGIC_GRP_CTRL, what, 0);
}

static void *memory(struct gic_chip *gic, uint32_t address)
{
	return gic->kvm.memory + (address - VMIG_ARM64_MEMORY);
}

static int create_device(struct gic_chip *gic, uint32_t type, int *fd)
{
	struct kvm_create_device arg = { .type = type };
	int ret = vmig_kvm_call(gic->kvm.vm, KVM_CREATE_DEVICE, &arg);

	*fd = ret ? -1 : (int)arg.fd;
	return ret;
}

static int create_devices(struct gic_chip *gic)
{
	int ret;

	ret = create_device(gic, KVM_DEV_TYPE_ARM_VGIC_V3, &gic->gic);
	if (!ret)
		ret = set_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, 64);
	if (!ret)
		ret = set_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V3_ADDR_TYPE_DIST, DIST);
	if (!ret)
		ret = set_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V3_ADDR_TYPE_REDIST, REDIST);
	if (!ret)
		ret = control(gic->gic, KVM_DEV_ARM_VGIC_CTRL_INIT);
	if (!ret)
		ret = create_device(gic, KVM_DEV_TYPE_ARM_VGIC_ITS, &gic->its);
	if (!ret)
		ret = set_attr(gic->its, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_ITS_ADDR_TYPE, ITS);
	if (!ret)
		ret = control(gic->its, KVM_DEV_ARM_VGIC_CTRL_INIT);
	return ret;
}

static void gic_destroy(struct vmig_irqchip *chip)
{
	struct gic_chip *gic = chip->priv;

	if (gic->its >= 0)
		close(gic->its);
	if (gic->gic >= 0)
		close(gic->gic);
	vmig_kvm_destroy(&gic->kvm);
	free(gic);
}

static int gic_create(struct vmig_irqchip *chip)
{
	struct gic_chip *gic = calloc(1, sizeof(*gic));
	int ret;

	if (!gic)
		return -ENOMEM;
	chip->priv = gic;
	gic->gic = -1;
	gic->its = -1;

	ret = vmig_kvm_create_vm(&gic->kvm);
	if (!ret)
		ret = vmig_arm64_cpu_create(&gic->kvm);
	if (!ret)
		ret = create_devices(gic);
	if (ret) {
		gic_destroy(chip);
		return ret;
	}
	gic->kvm.gsi[VMIG_IRQ_MSI] = GSI_MSI;
	gic->kvm.gsi[VMIG_IRQ_INTX] = GSI_INTX;
	gic->kvm.msi_flags = KVM_MSI_VALID_DEVID;
	gic->kvm.devid = DEVICE_ID;
	return 0;
}

struct write {
	uint32_t address;
	uint32_t val;
};

static int write_all(struct gic_chip *gic, const struct write *writes, size_t nr)
{
	int ret = 0;

	while (!ret && nr--) {
		ret = vmig_arm64_cpu_write(&gic->kvm, writes->address, writes->val);
		writes++;
	}
	return ret;
}

static int gic_guest_intx(struct vmig_irqchip *chip, unsigned int mode)
{
	const struct write writes[] = {
		{ DIST + GICD_ICENABLER1, 1u << LINE },
		{ DIST + GICD_IGROUPR1, 1u << LINE },
		{ DIST + GICD_ICFGR2, mode & VMIG_INTX_EDGE ? 2u << 2 * LINE : 0 },
		{ DIST + GICD_IPRIORITYR8, PRIORITY_INTX << 8 * LINE },
		{ DIST + GICD_IROUTER(INTID_INTX), 0 },
		{ DIST + GICD_ISENABLER1,
		  mode & VMIG_INTX_MASKED ? 0 : 1u << LINE },
	};
	int ret;

	/* Earlier signals see the old settings */
	ret = vmig_kvm_flush(chip);
	return ret ? ret : write_all(chip->priv, writes, ARRAY_SIZE(writes));
}

static void add_command(struct gic_chip *gic, uint64_t dw0, uint64_t dw1,
			uint64_t dw2)
{
	const uint64_t cmd[4] = { htole64(dw0), htole64(dw1), htole64(dw2) };

	memcpy(memory(gic, COMMANDS + gic->writer), cmd, sizeof(cmd));
	gic->writer = (gic->writer + sizeof(cmd)) % COMMANDS_SIZE;
}

/* Map each message of the device to one LPI, for processor 0 */
static int map_messages(struct gic_chip *gic)
{
	const uint64_t device = (uint64_t)DEVICE_ID << 32;
	unsigned int i;

	memset(memory(gic, LPI_CONFIG), LPI_CONFIG_ENABLED, NR_VECTORS);
	gic->writer = 0;
	add_command(gic, CMD_MAPC, 0, VALID);
	add_command(gic, CMD_MAPD | device, EVENT_BITS - 1, ITT | VALID);
	for (i = 0; i < NR_VECTORS; i++)
		add_command(gic, CMD_MAPTI | device,
			    (uint64_t)(INTID_LPI + i) << 32 | i, 0);
	return vmig_arm64_cpu_write(&gic->kvm, ITS + GITS_CWRITER, gic->writer);
}

static int gic_guest_setup(struct vmig_irqchip *chip)
{
	static const struct write writes[] = {
		{ DIST + GICD_CTLR, GICD_CTLR_GRP1_ARE },
		{ REDIST + GICR_PROPBASER, LPI_CONFIG | (INTID_BITS - 1) },
		{ REDIST + GICR_PROPBASER + 4, 0 },
		{ REDIST + GICR_PENDBASER, LPI_PENDING },
		{ REDIST + GICR_PENDBASER + 4, 0 },
		{ REDIST + GICR_CTLR, ENABLE },
		{ ITS + GITS_CBASER, COMMANDS | (COMMANDS_SIZE / 0x1000 - 1) },
		{ ITS + GITS_CBASER + 4, VALID_HIGH },
		{ ITS + GITS_BASER(0), DEVICES },
		{ ITS + GITS_BASER(0) + 4, VALID_HIGH },
		{ ITS + GITS_BASER(1), COLLECTIONS },
		{ ITS + GITS_BASER(1) + 4, VALID_HIGH },
		{ ITS + GITS_CTLR, ENABLE },
	};
	struct gic_chip *gic = chip->priv;
	int ret;

	ret = write_all(gic, writes, ARRAY_SIZE(writes));
	if (!ret)
		ret = map_messages(gic);
	if (!ret)
		ret = vmig_arm64_cpu_enable(&gic->kvm);
	return ret ? ret : gic_guest_intx(chip, 0);
}

static int gic_is_ready(struct vmig_irqchip *chip)
{
	struct gic_chip *gic = chip->priv;
	uint64_t dist, redist = 0, its = 0;
	int ret;

	ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_CTLR, &dist);
	if (!ret)
		ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
			       GICR_CTLR, &redist);
	if (!ret)
		ret = get_attr(gic->its, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, GITS_CTLR,
			       &its);
	if (ret)
		return ret;
	return (dist & GICD_CTLR_GRP1_ARE) == GICD_CTLR_GRP1_ARE &&
	       (redist & ENABLE) && (its & ENABLE);
}

/* Make KVM write the tables to the guest's memory */
static int save_tables(struct gic_chip *gic)
{
	int ret;

	ret = control(gic->its, KVM_DEV_ARM_ITS_SAVE_TABLES);
	return ret ? ret : control(gic->gic, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES);
}

static int gic_save(struct vmig_irqchip *chip, struct vmig_bytes *blob)
{
	struct gic_chip *gic = chip->priv;
	struct gic_state state;
	uint8_t *to = state.table;
	unsigned int i;
	int ret;

	ret = vmig_kvm_flush(chip);
	if (!ret)
		ret = save_tables(gic);
	for (i = 0; !ret && i < ARRAY_SIZE(regs); i++)
		ret = get_attr(regs[i].its ? gic->its : gic->gic, regs[i].group,
			       regs[i].attr, &state.reg[i]);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		memcpy(to, memory(gic, tables[i].address), tables[i].len);
		to += tables[i].len;
	}
	return vmig_bytes_add(blob, &state, sizeof(state));
}

/* Registers that can only be set, or not be changed while in use */
static int clear(struct gic_chip *gic)
{
	int ret;

	ret = control(gic->its, KVM_DEV_ARM_ITS_CTRL_RESET);
	if (!ret)
		ret = set_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
			       GICR_CTLR, 0);
	if (!ret)
		ret = set_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
			       GICD_ICENABLER1, UINT32_MAX);
	return ret;
}

static int set_state(struct gic_chip *gic, const struct gic_state *state)
{
	const uint8_t *from = state->table;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		memcpy(memory(gic, tables[i].address), from, tables[i].len);
		from += tables[i].len;
	}
	ret = clear(gic);
	for (i = 0; !ret && i < ARRAY_SIZE(regs); i++) {
		if (regs[i].its && regs[i].attr == GITS_CTLR)
			ret = control(gic->its, KVM_DEV_ARM_ITS_RESTORE_TABLES);
		if (regs[i].its && regs[i].attr == GITS_CWRITER)
			gic->writer = state->reg[i];
		if (!ret)
			ret = set_attr(regs[i].its ? gic->its : gic->gic,
				       regs[i].group, regs[i].attr,
				       state->reg[i]);
	}
	return ret;
}

static int gic_restore(struct vmig_irqchip *chip, const void *blob, size_t len)
{
	struct gic_state state;
	int ret;

	if (len != sizeof(state))
		return -EBADMSG;
	memcpy(&state, blob, sizeof(state));
	ret = vmig_kvm_flush(chip);
	return ret ? ret : set_state(chip->priv, &state);
}

/* The line is enabled, and its latch is set or its level is high */
static int line_is_pending(struct gic_chip *gic)
{
	uint64_t enabled, latch = 0, level = 0, config = 0;
	int ret;

	ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_ISENABLER1,
		       &enabled);
	if (!ret)
		ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
			       GICD_ISPENDR1, &latch);
	if (!ret)
		ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, 32,
			       &level);
	if (!ret)
		ret = get_attr(gic->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
			       GICD_ICFGR2, &config);
	if (ret)
		return ret;
	if (!(config >> 2 * LINE & 2))
		latch |= level;
	return enabled & latch & 1u << LINE ? 1 : 0;
}

static int gic_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	struct gic_chip *gic = chip->priv;
	const uint8_t *bits;
	int ret;

	ret = vmig_kvm_flush(chip);
	if (ret)
		return ret;
	if (vector == VMIG_IRQCHIP_INTX_VECTOR)
		return line_is_pending(gic);
	ret = control(gic->gic, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES);
	if (ret)
		return ret;
	bits = memory(gic, LPI_PENDING + INTID_LPI / 8);
	return bits[vector / 8] >> vector % 8 & 1;
}

static int gic_take(struct vmig_irqchip *chip, uint8_t vector)
{
	return vmig_kvm_take(chip, vector, vector == VMIG_IRQCHIP_INTX_VECTOR ?
			     INTID_INTX : INTID_LPI + vector,
			     vmig_arm64_cpu_accept);
}

const struct vmig_irqchip_ops vmig_irqchip_kvm = {
	.name = "KVM (GICv3 and ITS in the kernel)",
	.id = 0x4b564d47,	/* "KVMG" */
	.create = gic_create,
	.destroy = gic_destroy,
	.guest_setup = gic_guest_setup,
	.guest_intx = gic_guest_intx,
	.is_ready = gic_is_ready,
	.save = gic_save,
	.restore = gic_restore,
	.connect = vmig_kvm_connect,
	.pending = gic_pending,
	.take = gic_take,
};

#endif
