// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes of a VMM with config space and data: each has an errno and a message, and the
 * migration continues once the mistake is corrected. For mistakes with interrupts see
 * irq_restore_test.c, for those of a stream vmstream_test.c.
 */
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>
#include <linux/vfio_mig_config.h>

#include "lib/vmm.h"

#define SEED	5

FIXTURE(mistake) {
	PAIR_MEMBERS;
	struct vmig_section config;
	uint8_t space[VMIG_CONFIG_SIZE];
};

/*
 * Errors. @early: data before config space. @stale: data, when a snapshot of another
 * generation is loaded. @stale_end: the same at the change to RUNNING.
 */
FIXTURE_VARIANT(mistake) {
	const char *policy;
	int early;
	int stale;
	int stale_end;
};

/* The VMM declares no early snapshot complete, as data of a newer one may follow */
FIXTURE_VARIANT_ADD(mistake, independent) {
	.policy = "independent", .stale_end = -ESTALE,
};

FIXTURE_VARIANT_ADD(mistake, before_data) {
	.policy = "before-data", .early = -EPROTO, .stale = -ESTALE,
	.stale_end = -ESTALE,
};

/* The device has the snapshot of its data's generation, and ignores others */
FIXTURE_VARIANT_ADD(mistake, reorder) {
	.policy = "reorder",
};

FIXTURE_VARIANT_ADD(mistake, embedded) {
	.policy = "embedded",
};

/* A whole stream, and the section with its config space */
FIXTURE_SETUP(mistake)
{
	struct vfio_device_feature_mig_config answer;

	BOOT_PAIR(SEED, .config_policy = variant->policy);
	ASSERT_EQ(0, vmig_mig_config_get(self->src->dev, &answer));
	ASSERT_EQ(0, vmig_region_read(self->src->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0,
				      self->space, sizeof(self->space)));
	self->config = (struct vmig_section) {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS,
		.generation = answer.generation,
		.data = self->space,
		.len = sizeof(self->space),
	};
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
}

FIXTURE_TEARDOWN(mistake)
{
	vmig_pair_close(&self->pair);
}

/* Load the setup section, and read up to the first section with data */
static void go_to_data(struct __test_metadata *_metadata,
		       FIXTURE_DATA(mistake) *self,
		       struct vmig_section *section)
{
	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, section));
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, section));
	do {
		ASSERT_EQ(0, vmig_pair_read_section(&self->pair, section));
	} while (section->marker != VFIO_MIG_FLAG_DEV_DATA_STATE);
}

static void expect_migrated(struct __test_metadata *_metadata,
			    FIXTURE_DATA(mistake) *self)
{
	EXPECT_SAME_DEVICES(SEED);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
}

/* Proposal: data before config space: EPROTO under before-data; then continues */
TEST_F(mistake, data_before_config)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	EXPECT_RET(variant->early, vmig_vmm_load_section(self->dst, &section),
		   "%s", self->dst->why);
	if (variant->early) {
		EXPECT_STREQ("data before config space, which this device needs first",
			     self->dst->why);
		EXPECT_RET(variant->early, vmig_vmm_retry_data(self->dst),
			   "again");
	}

	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &self->config));
	EXPECT_RET(0, vmig_vmm_retry_data(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	expect_migrated(_metadata, self);
}

/* Proposal: data of another generation: ESTALE under before-data; then continues */
TEST_F(mistake, data_of_another_generation)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	self->config.generation++;
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &self->config));
	EXPECT_RET(variant->stale, vmig_vmm_load_section(self->dst, &section),
		   "%s", self->dst->why);
	if (variant->stale) {
		EXPECT_NE(NULL, strstr(self->dst->why,
				       "data of another generation"));
		EXPECT_RET(variant->stale, vmig_vmm_retry_data(self->dst),
			   "again");
	}

	self->config.generation--;
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &self->config));
	EXPECT_RET(0, vmig_vmm_retry_data(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	expect_migrated(_metadata, self);
}

/* Proposal: config space of another generation at the end: ESTALE; then continues */
TEST_F(mistake, config_of_another_generation_at_the_end)
{
	int ret;

	do {
		ret = vmig_pair_load(&self->pair);
	} while (!ret);
	ASSERT_RET(1, ret, "%s", self->dst->why);
	self->config.subflags = VMIG_CONFIG_SETUP;
	self->config.generation++;
	ASSERT_RET(0, vmig_vmm_load_section(self->dst, &self->config), "%s",
		   self->dst->why);
	EXPECT_RET(variant->stale_end, vmig_vmm_load_start(self->dst), "%s",
		   self->dst->why);
	if (variant->stale_end) {
		EXPECT_NE(NULL, strstr(self->dst->why,
				       "data of another generation"));
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev,
			     "destination");
		self->config.generation--;
		ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &self->config));
		ASSERT_RET(0, vmig_vmm_load_start(self->dst), "%s",
			   self->dst->why);
	}
	expect_migrated(_metadata, self);
}

/* Proposal: config space of another device: EINVAL; then continues */
TEST_F(mistake, config_of_another_device)
{
	uint8_t before[VMIG_CONFIG_SIZE], now[VMIG_CONFIG_SIZE];
	struct vmig_section section;

	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, before,
				      sizeof(before)));
	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &section));
	self->config.subflags = VMIG_CONFIG_SETUP;
	self->space[PCI_DEVICE_ID] ^= 1;
	EXPECT_RET(-EINVAL, vmig_vmm_load_section(self->dst, &self->config),
		   "%s", self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "config space of generation"));
	EXPECT_FALSE(self->dst->irq_enabled);

	self->space[PCI_DEVICE_ID] ^= 1;
	ASSERT_RET(0, vmig_vmm_load_section(self->dst, &self->config), "%s",
		   self->dst->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	expect_migrated(_metadata, self);
	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, now,
				      sizeof(now)));
	EXPECT_NE(0, memcmp(before, now, sizeof(now)));
}

/* Library: any section before the setup section: EPROTO, destination unchanged */
TEST_F(mistake, nothing_comes_before_the_setup_section)
{
	struct vmig_section section;
	unsigned int nr = 0;

	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
	do {
		ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
		if (section.marker == VFIO_MIG_FLAG_END_OF_STATE ||
		    section.marker == VMIG_FLAG_END_OF_STREAM)
			continue;
		nr++;
		EXPECT_RET(-EPROTO, vmig_vmm_load_section(self->dst, &section),
			   "%s", vmig_section_name(section.marker));
		EXPECT_NE(NULL, strstr(self->dst->why, "before the setup"));
	} while (section.marker != VMIG_FLAG_END_OF_STREAM);
	EXPECT_LE(4, nr);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
}

/* Driver: the stream ends before the device's data do: ENODATA, still RESUMING */
TEST_F(mistake, part_of_the_data_is_left_out)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &self->config));
	section.len--;
	ASSERT_RET(0, vmig_vmm_load_section(self->dst, &section), "%s",
		   self->dst->why);
	self->dst->irq_enabled = true;
	EXPECT_RET(-ENODATA, vmig_vmm_load_start(self->dst), "%s",
		   self->dst->why);
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev, "destination");
}

/* Library: GUEST_STATE without a receiver: EOPNOTSUPP */
TEST_F(mistake, guest_without_a_receiver)
{
	const struct vmig_section guest = {
		.marker = VMIG_FLAG_GUEST_STATE, .data = self->space, .len = 8,
	};
	struct vmig_section section;

	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &section));
	EXPECT_RET(-EOPNOTSUPP, vmig_vmm_load_section(self->dst, &guest), "%s",
		   self->dst->why);
	EXPECT_STREQ("the stream has a guest, which this VMM cannot load",
		     self->dst->why);
}

TEST_HARNESS_MAIN
