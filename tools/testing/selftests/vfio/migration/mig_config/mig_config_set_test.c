// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_CONFIG, SET: when a snapshot of config space is accepted,
 * its checks, and that it is applied as a whole or not at all.
 */
#include <errno.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define LOADED		VFIO_MIG_CONFIG_LOADED
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define CONFIG_SET \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_CONFIG)
/* A generation of a source, higher than any generation of the devices here */
#define GENERATION	4711

FIXTURE(snapshot) {
	DEVICE_MEMBERS;
	uint8_t space[PCI_CFG_SPACE_SIZE];
};

FIXTURE_SETUP(snapshot)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(snapshot)
{
	CLOSE_DEVICE();
}

/* RESUMING; keeps a stream, and config space from before */
static void resume(struct __test_metadata *_metadata,
		   FIXTURE_DATA(snapshot) *self)
{
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, self->space,
				       sizeof(self->space)), "read");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

static void expect_config(struct __test_metadata *_metadata,
			  FIXTURE_DATA(snapshot) *self, uint64_t flags,
			  uint64_t generation)
{
	struct vfio_device_feature_mig_config config = { 0 };

	EXPECT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	EXPECT_EQ(flags, config.flags);
	EXPECT_EQ(generation, config.generation);
}

/* The command register in effect; a read of it may return what was staged */
static bool decodes_io(struct vmig_device *dev)
{
	uint8_t val = 0;

	vmig_uart_out(dev, 0, UART_SCR, 0x5a);
	vmig_uart_in(dev, 0, UART_SCR, &val);
	return val == 0x5a;
}

/* Proposal: SET in any state but RESUMING: EINVAL */
TEST_F(snapshot, is_taken_in_resuming_only)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_ERROR, VFIO_DEVICE_STATE_STOP,
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, vmig_transfer_reach(self->dev, states[i], NULL,
						  &self->fd), "%s",
			   vmig_state_name(states[i]));
		EXPECT_RET(-EINVAL, vmig_mig_config_loaded(self->dev,
							   GENERATION),
			   "in %s", vmig_state_name(states[i]));
		expect_config(_metadata, self, 0, 1);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
	}
}

/* Proposal: SET, flags other than LOADED: EINVAL */
TEST_F(snapshot, other_flags_are_refused)
{
	static const uint64_t flags[] = {
		0, VFIO_MIG_CONFIG_BEFORE_DATA, VFIO_MIG_CONFIG_REORDER,
		VFIO_MIG_CONFIG_EMBEDDED, LOADED | VFIO_MIG_CONFIG_BEFORE_DATA,
		LOADED | VFIO_MIG_CONFIG_REORDER,
		LOADED | VFIO_MIG_CONFIG_EMBEDDED, LOADED | 1 << 4, 1 << 4,
		LOADED | 1ULL << 63, (uint64_t)LOADED << 32, ~0ULL,
	};
	unsigned int i;

	resume(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct vfio_device_feature_mig_config config = {
			.flags = flags[i], .generation = GENERATION,
		};

		EXPECT_RET(-EINVAL, vmig_feature(self->dev, CONFIG_SET, &config,
						 sizeof(config)),
			   "flags %#llx", (unsigned long long)flags[i]);
		expect_config(_metadata, self, 0, 1);
	}
}

/* Proposal: SET, generation zero: EINVAL */
TEST_F(snapshot, generation_zero_is_refused)
{
	resume(_metadata, self);
	EXPECT_RET(-EINVAL, vmig_mig_config_loaded(self->dev, 0), "SET");
	expect_config(_metadata, self, 0, 1);
}

/* Proposal: SET, data area smaller than the structure: EINVAL */
TEST_F(snapshot, short_set_is_refused)
{
	struct vfio_device_feature_mig_config config = {
		.flags = LOADED, .generation = GENERATION,
	};
	size_t size;

	resume(_metadata, self);
	for (size = 0; size < sizeof(config); size++)
		EXPECT_RET(-EINVAL, vmig_feature(self->dev, CONFIG_SET, &config,
						 size),
			   "%zu bytes", size);
	expect_config(_metadata, self, 0, 1);
}

/* Proposal: after SET, GET returns LOADED and the source's generation */
TEST_F(snapshot, is_reported_when_loaded)
{
	resume(_metadata, self);
	expect_config(_metadata, self, 0, 1);
	EXPECT_RET(0, vmig_region_write(self->dev, CONFIG, 0, self->space,
					sizeof(self->space)), "write");
	expect_config(_metadata, self, 0, 1);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	expect_config(_metadata, self, LOADED, GENERATION);
}

/* LOADED is cleared, also in the next session */
static void expect_cleared(struct __test_metadata *_metadata,
			   FIXTURE_DATA(snapshot) *self)
{
	expect_config(_metadata, self, 0, 1);
	close(self->fd);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	expect_config(_metadata, self, 0, 1);
}

/* Proposal: LOADED is cleared when the RESUMING session ends */
TEST_F(snapshot, is_forgotten_when_resuming_ends)
{
	resume(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 4096, NULL), "data");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	expect_cleared(_metadata, self);
}

/* Proposal: LOADED is cleared by VFIO_DEVICE_RESET in RESUMING */
TEST_F(snapshot, is_forgotten_by_reset)
{
	resume(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_cleared(_metadata, self);
}

/* Proposal: writes in RESUMING are staged; a read returns what will take effect */
TEST_F(snapshot, staged_writes_read_back)
{
	uint32_t bar;
	uint16_t val;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0xffff),
		   "command");
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_COMMAND, &val), "read");
	EXPECT_EQ(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_INTX_DISABLE, val);
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_VENDOR_ID, 0x1234),
		   "vendor");
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_VENDOR_ID, &val),
		   "read");
	EXPECT_EQ(0x4348, val);
	EXPECT_RET(0, vmig_config_write32(self->dev, PCI_BASE_ADDRESS_2,
					  0xfeb12345), "BAR2");
	EXPECT_RET(0, vmig_config_read32(self->dev, PCI_BASE_ADDRESS_2, &bar),
		   "read");
	EXPECT_EQ(0xfeb10000, bar);
}

/* Proposal: writes in RESUMING take effect with SET, not before */
TEST_F(snapshot, takes_effect_when_set)
{
	resume(_metadata, self);
	EXPECT_TRUE(decodes_io(self->dev));
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0), "command");
	EXPECT_TRUE(decodes_io(self->dev));
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	EXPECT_FALSE(decodes_io(self->dev));
}

/* Proposal: SET may be repeated with a newer snapshot */
TEST_F(snapshot, may_be_replaced)
{
	uint16_t val;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0), "command");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO), "command");
	EXPECT_FALSE(decodes_io(self->dev));
	expect_config(_metadata, self, LOADED, GENERATION);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION + 1), "SET");
	EXPECT_TRUE(decodes_io(self->dev));
	expect_config(_metadata, self, LOADED, GENERATION + 1);
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_COMMAND, &val), "read");
	EXPECT_EQ(PCI_COMMAND_IO, val);
}

/* Proposal: what a snapshot leaves out is as it was when RESUMING was entered */
TEST_F(snapshot, replaces_all_of_the_one_before)
{
	uint8_t line;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 9),
		   "line");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0), "command");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION), "SET");
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
		   "read");
	EXPECT_EQ(self->space[PCI_INTERRUPT_LINE], line);
	EXPECT_FALSE(decodes_io(self->dev));
}

/* Proposal: writes without SET take effect at RESUMING -> STOP, as ordinary writes */
TEST_F(snapshot, staged_writes_apply_without_set)
{
	uint16_t val;
	uint8_t line;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 9),
		   "line");
	/* Ignored, not refused: without SET this is not a snapshot */
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_VENDOR_ID, 0x1234),
		   "vendor");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 4096, NULL), "data");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
		   "read");
	EXPECT_EQ(9, line);
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_VENDOR_ID, &val),
		   "read");
	EXPECT_EQ(0x4348, val);
	expect_config(_metadata, self, 0, 2);
}

/* Proposal: writes in RESUMING never take effect after VFIO_DEVICE_RESET */
TEST_F(snapshot, staged_writes_are_forgotten_by_reset)
{
	uint8_t space[PCI_CFG_SPACE_SIZE];

	resume(_metadata, self);
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0), "command");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_TRUE(decodes_io(self->dev));
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, space,
				       sizeof(space)), "read");
	EXPECT_EQ(0, memcmp(space, self->space, sizeof(space)));
	expect_config(_metadata, self, 0, 1);
}

/* The byte at @reg of the snapshot differs by @flip from this device's */
FIXTURE_VARIANT(contradiction) {
	unsigned int reg;
	uint8_t flip;
	int ret;
};

DEVICE_FIXTURE(contradiction, "mtty-2", .capture_size = "64K");

#define CONTRADICTION(_name, _reg, _flip, _ret) \
	FIXTURE_VARIANT_ADD(contradiction, _name) { \
		.reg = _reg, .flip = _flip, .ret = _ret, \
	}

/* Offset of the MSI capability, the only one */
#define MSI	0x50

CONTRADICTION(vendor, PCI_VENDOR_ID, 0x01, -EINVAL);
CONTRADICTION(device, PCI_DEVICE_ID + 1, 0x80, -EINVAL);
CONTRADICTION(command_reserved, PCI_COMMAND + 1, 0x01, -EINVAL);
CONTRADICTION(status_cap_list, PCI_STATUS, PCI_STATUS_CAP_LIST, -EINVAL);
CONTRADICTION(status_interrupt, PCI_STATUS, PCI_STATUS_INTERRUPT, 0);
CONTRADICTION(revision, PCI_REVISION_ID, 0x10, -EINVAL);
CONTRADICTION(class, PCI_CLASS_DEVICE, 0x01, -EINVAL);
CONTRADICTION(header_type, PCI_HEADER_TYPE, 0x80, -EINVAL);
CONTRADICTION(bar0_type, PCI_BASE_ADDRESS_0, 0x01, -EINVAL);
CONTRADICTION(bar0_alignment, PCI_BASE_ADDRESS_0, 0x04, -EINVAL);
CONTRADICTION(bar0_address, PCI_BASE_ADDRESS_0, 0x08, 0);
CONTRADICTION(bar1_alignment, PCI_BASE_ADDRESS_1, 0x04, -EINVAL);
CONTRADICTION(bar2_type, PCI_BASE_ADDRESS_2, 0x04, -EINVAL);
CONTRADICTION(bar2_alignment, PCI_BASE_ADDRESS_2 + 1, 0x80, -EINVAL);
CONTRADICTION(bar2_address, PCI_BASE_ADDRESS_2 + 2, 0x01, 0);
CONTRADICTION(bar3, PCI_BASE_ADDRESS_3 + 3, 0x01, -EINVAL);
CONTRADICTION(subsystem, PCI_SUBSYSTEM_ID, 0x01, -EINVAL);
CONTRADICTION(capabilities, PCI_CAPABILITY_LIST, 0x04, -EINVAL);
CONTRADICTION(line, PCI_INTERRUPT_LINE, 0xff, 0);
CONTRADICTION(pin, PCI_INTERRUPT_PIN, 0x03, -EINVAL);
CONTRADICTION(msi_id, MSI, 0x01, -EINVAL);
CONTRADICTION(msi_vectors, MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_QSIZE, -EINVAL);
CONTRADICTION(msi_enable, MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 0);
CONTRADICTION(msi_address, MSI + PCI_MSI_ADDRESS_LO, 0x01, -EINVAL);
CONTRADICTION(nowhere, 0xff, 0x01, -EINVAL);

/*
 * Proposal: SET, a snapshot that contradicts this device: EINVAL, and config space
 * does not change; corrected, the snapshot is applied as a whole
 */
TEST_F(contradiction, snapshot_is_applied_as_a_whole_or_not_at_all)
{
	struct vfio_device_feature_mig_config config = { 0 };
	uint8_t space[PCI_CFG_SPACE_SIZE], good;

	ASSERT_EQ(MSI, vmig_config_find_cap(self->dev, PCI_CAP_ID_MSI));
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, space,
				       sizeof(space)), "read");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");

	/* decodes_io() shows whether the snapshot is in effect */
	space[PCI_COMMAND] &= ~PCI_COMMAND_IO;
	good = space[variant->reg];
	space[variant->reg] ^= variant->flip;
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, space,
					sizeof(space)), "snapshot");
	EXPECT_RET(variant->ret, vmig_mig_config_loaded(self->dev, GENERATION),
		   "register %#x ^ %#x", variant->reg, variant->flip);
	EXPECT_EQ(variant->ret != 0, decodes_io(self->dev));
	EXPECT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	EXPECT_EQ(variant->ret ? 0 : LOADED, config.flags);
	EXPECT_EQ(variant->ret ? 1 : GENERATION, config.generation);

	/* A snapshot is complete, so all of it is written again */
	space[variant->reg] = good;
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, space,
					sizeof(space)), "correction");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, GENERATION),
		   "corrected");
	EXPECT_FALSE(decodes_io(self->dev));
}

TEST_HARNESS_MAIN
