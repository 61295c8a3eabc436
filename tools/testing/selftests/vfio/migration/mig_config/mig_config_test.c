// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_CONFIG, GET: the answer under each policy, errors of the
 * call, and the generation of config space.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define MIG_CONFIG	VFIO_DEVICE_FEATURE_MIG_CONFIG
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE

FIXTURE_VARIANT(query) {
	const char *policy;
	uint64_t flags;
};

DEVICE_FIXTURE(query, "mtty-2", .capture_size = "8K",
	       .config_policy = variant->policy);

FIXTURE_VARIANT_ADD(query, independent) {
	.policy = "independent", .flags = 0,
};

FIXTURE_VARIANT_ADD(query, before_data) {
	.policy = "before-data", .flags = VFIO_MIG_CONFIG_BEFORE_DATA,
};

FIXTURE_VARIANT_ADD(query, reorder) {
	.policy = "reorder", .flags = VFIO_MIG_CONFIG_REORDER,
};

FIXTURE_VARIANT_ADD(query, embedded) {
	.policy = "embedded", .flags = VFIO_MIG_CONFIG_EMBEDDED,
};

/* Proposal: MIG_CONFIG has GET and SET, as PROBE reports */
TEST_F(query, probe_finds_get_and_set)
{
	static const uint32_t flags[] = { 0, GET, SET, GET | SET };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | PROBE |
					   flags[i], NULL, 0),
			   "PROBE with %#x", flags[i]);
}

/* Proposal: GET returns the flag of the policy, and a generation other than zero */
TEST_F(query, get_returns_the_policy)
{
	struct vfio_device_feature_mig_config config;

	memset(&config, 0x55, sizeof(config));
	EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | GET, &config,
				   sizeof(config)), "GET");
	EXPECT_EQ(variant->flags, config.flags);
	EXPECT_NE(0, config.generation);
}

/* Driver: the generation is 1 after open */
TEST_F(query, first_generation_is_1)
{
	struct vfio_device_feature_mig_config config = { 0 };

	EXPECT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	EXPECT_EQ(1, config.generation);
}

/* Proposal: GET returns the same in every state */
TEST_F(query, get_works_in_every_state)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING,
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING,
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	struct vfio_device_feature_mig_config config = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, vmig_transfer_reach(self->dev, states[i], NULL,
						  &self->fd), "%s",
			   vmig_state_name(states[i]));
		EXPECT_RET(0, vmig_mig_config_get(self->dev, &config), "in %s",
			   vmig_state_name(states[i]));
		EXPECT_EQ(variant->flags, config.flags);
		EXPECT_EQ(1, config.generation);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
	}
}

/* Clause: VFIO_DEVICE_FEATURE: GET and SET are mutually exclusive */
TEST_F(query, get_and_set_exclude_each_other)
{
	struct vfio_device_feature_mig_config config = { 0 };

	EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG | GET | SET,
					 &config, sizeof(config)), "both");
	EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG, &config,
					 sizeof(config)), "neither");
}

/* Proposal: GET, data area smaller than the structure: EINVAL */
TEST_F(query, short_get_is_refused)
{
	struct vfio_device_feature_mig_config config;
	size_t size;

	for (size = 0; size < sizeof(config); size++)
		EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG | GET,
						 &config, size),
			   "%zu bytes", size);
}

/* Driver: GET leaves what follows the structure in a larger data area */
TEST_F(query, long_get_is_accepted)
{
	struct {
		struct vfio_device_feature_mig_config config;
		uint64_t rest;
	} data = { .rest = 77 };

	EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | GET, &data,
				   sizeof(data)), "GET");
	EXPECT_EQ(1, data.config.generation);
	EXPECT_EQ(77, data.rest);
}

/* The structure behind the header is at an address that is not accessible */
static int feature_at_edge(struct vmig_device *dev, uint32_t flags)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_device_feature *feature;
	uint8_t *map;
	int ret;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	ret = mprotect(map + page, page, PROT_NONE);
	feature = (void *)(map + page - sizeof(*feature));
	feature->argsz = sizeof(*feature) +
			 sizeof(struct vfio_device_feature_mig_config);
	feature->flags = MIG_CONFIG | flags;
	if (!ret)
		ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature);
	ret = ret ? -errno : 0;
	munmap(map, 2 * page);
	return ret;
}

/* Proposal: a structure that cannot be read or written: EFAULT */
TEST_F(query, bad_address_is_efault)
{
	EXPECT_RET(-EFAULT, feature_at_edge(self->dev, GET), "GET");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(-EFAULT, feature_at_edge(self->dev, SET), "SET");
}

/* Driver: a feature that does not exist: ENOTTY */
TEST_F(query, unknown_features_are_enotty)
{
	static const uint32_t indexes[] = {
		MIG_CONFIG - 1, MIG_CONFIG + 1, 0x7777, 0xffff,
	};
	char data[64] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		EXPECT_RET(-ENOTTY, vmig_feature(self->dev, indexes[i] | GET,
						 data, sizeof(data)),
			   "GET %#x", indexes[i]);
		EXPECT_RET(-ENOTTY, vmig_feature(self->dev, indexes[i] | PROBE,
						 NULL, 0),
			   "PROBE %#x", indexes[i]);
	}
}

FIXTURE_VARIANT(generation) {
	const char *policy;
};

DEVICE_FIXTURE(generation, "mtty-2", .capture_size = "8K",
	       .config_policy = variant->policy);
POLICY_VARIANTS(generation);

/* 0, which no generation is, if GET fails */
static uint64_t generation(struct vmig_device *dev)
{
	struct vfio_device_feature_mig_config config = { 0 };

	return vmig_mig_config_get(dev, &config) ? 0 : config.generation;
}

/* Proposal: the generation changes when a register that a guest can write does */
TEST_F(generation, changes_with_every_writable_register)
{
	unsigned int msi = vmig_config_find_cap(self->dev, PCI_CAP_ID_MSI);
	const struct {
		unsigned int reg;
		uint16_t val;
	} row[] = {
		{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER },
		{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE },
		{ PCI_COMMAND, PCI_COMMAND_MEMORY },
		{ PCI_CACHE_LINE_SIZE, 0x0010 },
		{ PCI_CACHE_LINE_SIZE, 0x4010 },
		{ PCI_BASE_ADDRESS_0, 0x1000 },
		{ PCI_BASE_ADDRESS_0 + 2, 0x0001 },
		{ PCI_BASE_ADDRESS_1, 0x1008 },
		{ PCI_BASE_ADDRESS_2, 0xe000 },
		{ PCI_INTERRUPT_LINE, 0x000b },
		{ msi + PCI_MSI_ADDRESS_LO, 0x1000 },
		{ msi + PCI_MSI_ADDRESS_HI, 0x0001 },
		{ msi + PCI_MSI_DATA_64, 0x4021 },
		{ msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE },
	};
	uint64_t before = generation(self->dev), after;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_RET(0, vmig_config_write16(self->dev, row[i].reg,
						  row[i].val), "write");
		after = generation(self->dev);
		EXPECT_NE(0, after);
		EXPECT_NE(before, after) {
			TH_LOG("register %#x = %#x", row[i].reg, row[i].val);
		}
		EXPECT_RET(0, vmig_config_write16(self->dev, row[i].reg,
						  row[i].val), "once more");
		EXPECT_EQ(after, generation(self->dev)) {
			TH_LOG("register %#x = %#x once more", row[i].reg,
			       row[i].val);
		}
		before = after;
	}
}

/* Proposal: a write of the same value does not change the generation */
TEST_F(generation, stays_when_nothing_changes)
{
	uint64_t before = generation(self->dev);
	uint8_t space[PCI_CFG_SPACE_SIZE];
	unsigned int i;

	ASSERT_RET(0, vmig_region_read(self->dev, VFIO_PCI_CONFIG_REGION_INDEX,
				       0, space, sizeof(space)), "read");
	EXPECT_EQ(before, generation(self->dev));
	EXPECT_RET(0, vmig_region_write(self->dev, VFIO_PCI_CONFIG_REGION_INDEX,
					0, space, sizeof(space)), "write");
	EXPECT_EQ(before, generation(self->dev));
	for (i = 0; i < sizeof(space); i++) {
		EXPECT_RET(0, vmig_config_write8(self->dev, i, space[i]),
			   "byte %#x", i);
		EXPECT_EQ(before, generation(self->dev)) {
			TH_LOG("byte %#x", i);
		}
	}
}

/* Proposal: a write to read-only bits does not change the generation */
TEST_F(generation, stays_when_read_only_bits_are_written)
{
	static const unsigned int regs[] = {
		PCI_VENDOR_ID, PCI_DEVICE_ID, PCI_STATUS, PCI_CLASS_DEVICE,
		PCI_BASE_ADDRESS_3, PCI_BASE_ADDRESS_4, PCI_BASE_ADDRESS_5,
		PCI_SUBSYSTEM_ID, PCI_CAPABILITY_LIST, PCI_ROM_ADDRESS, 0xfe,
	};
	uint64_t before = generation(self->dev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		EXPECT_RET(0, vmig_config_write16(self->dev, regs[i], 0xffff),
			   "register %#x", regs[i]);
		EXPECT_EQ(before, generation(self->dev)) {
			TH_LOG("register %#x", regs[i]);
		}
	}
}

/* Proposal: PCI_STATUS_INTERRUPT is not content of config space */
TEST_F(generation, stays_when_an_interrupt_is_pending)
{
	uint64_t before = generation(self->dev);
	uint16_t status;

	ASSERT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1,
				     UART_IER_RDI), "UART");
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 'i'), "byte");
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_STATUS, &status),
		   "status");
	EXPECT_EQ(PCI_STATUS_INTERRUPT, status & PCI_STATUS_INTERRUPT);
	EXPECT_EQ(before, generation(self->dev));
}

/* Proposal: ports, capture memory and the state are not content of config space */
TEST_F(generation, stays_when_the_rest_of_the_device_changes)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING,
	};
	uint64_t before = generation(self->dev);
	unsigned int i;

	ASSERT_RET(0, vmig_contents_set(self->dev, 2, 1), "contents");
	EXPECT_EQ(before, generation(self->dev));
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		int fd = -1;

		ASSERT_RET(0, vmig_mig_set_state(self->dev, states[i], &fd),
			   "%s", vmig_state_name(states[i]));
		EXPECT_EQ(before, generation(self->dev));
		if (fd >= 0)
			close(fd);
	}
}

/* Proposal: VFIO_DEVICE_RESET changes the generation only if it changes content */
TEST_F(generation, changes_at_reset_only_with_the_content)
{
	uint64_t before = generation(self->dev);

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(before, generation(self->dev));
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 5),
		   "line");
	before = generation(self->dev);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_NE(before, generation(self->dev));
}

/* Driver: the generation is 1 after each open */
TEST_F(generation, is_1_when_the_device_is_opened_again)
{
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 5),
		   "line");
	EXPECT_NE(1, generation(self->dev));
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	EXPECT_EQ(1, generation(self->dev));
}

/* A stream of this device with another generation in each record */
static int make_stream(struct vmig_device *dev, struct vmig_bytes *stream,
		       uint64_t generation)
{
	const uint64_t word = htole64(generation);
	struct vmig_rec rec;
	unsigned int nr;
	int ret;

	ret = vmig_transfer_save(dev, stream);
	for (nr = 0; !ret && !vmig_stream_at(stream, nr, &rec); nr++)
		ret = vmig_stream_poke_head(stream, &rec,
					    offsetof(struct mtty_rec_head,
						     generation),
					    &word, sizeof(word));
	return ret ? ret : vmig_stream_fix_sums(stream);
}

/* Proposal: the source's generation after a migration; when it wraps, never zero */
TEST_F(generation, is_the_sources_and_never_zero)
{
	ASSERT_RET(0, make_stream(self->dev, &self->stream, UINT64_MAX),
		   "stream");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, UINT64_MAX), "SET");
	EXPECT_EQ(UINT64_MAX, generation(self->dev));
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 4096, NULL), "data");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	EXPECT_EQ(UINT64_MAX, generation(self->dev));
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 5),
		   "line");
	EXPECT_EQ(1, generation(self->dev));
}

/* Proposal: VFIO_DEVICE_RESET after SET restores the generation from before SET */
TEST_F(generation, is_restored_by_reset_after_set)
{
	uint64_t before = generation(self->dev);

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 77), "SET");
	EXPECT_EQ(77, generation(self->dev));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(before, generation(self->dev));
}

/* Proposal: writes without SET change the generation at RESUMING -> STOP */
TEST_F(generation, changes_at_stop_with_writes_without_set)
{
	uint64_t before = generation(self->dev);

	ASSERT_RET(0, make_stream(self->dev, &self->stream, before), "stream");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	/* An empty snapshot, because data need one; the write below is not in it */
	if (!strcmp(variant->policy, "before-data"))
		ASSERT_RET(0, vmig_mig_config_loaded(self->dev, before), "SET");
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 5),
		   "line");
	EXPECT_EQ(before, generation(self->dev));
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 4096, NULL), "data");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	EXPECT_EQ(before + 1, generation(self->dev));
}

TEST_HARNESS_MAIN
