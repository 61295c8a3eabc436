// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that gets config space and data wrong: each mistake has an errno and says
 * in words what it was, and the migration goes on once it is put right.  Mistakes
 * with interrupts are in irq_restore_test, those of a stream in vmstream_test.
 */
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>
#include <linux/vfio_mig_config.h>

#include "lib/vmm.h"

#define SEED	5
#define VECTOR	0x42

FIXTURE(mistake) {
	struct vmig_pair pair;
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
	struct vmig_section config;
	uint8_t space[VMIG_CONFIG_SIZE];
};

/*
 * @early: data before config space.  @stale: data, when a snapshot of another
 * generation is loaded.  @stale_end: the same, noticed when the device shall run.
 */
FIXTURE_VARIANT(mistake) {
	const char *policy;
	int early;
	int stale;
	int stale_end;
};

/* An early snapshot is not declared complete, as newer data may follow it */
FIXTURE_VARIANT_ADD(mistake, independent) {
	.policy = "independent", .stale_end = -ESTALE,
};

FIXTURE_VARIANT_ADD(mistake, before_data) {
	.policy = "before-data", .early = -EPROTO, .stale = -ESTALE,
	.stale_end = -ESTALE,
};

/* It has the right snapshot, and so does not take another one */
FIXTURE_VARIANT_ADD(mistake, reorder) {
	.policy = "reorder",
};

FIXTURE_VARIANT_ADD(mistake, embedded) {
	.policy = "embedded",
};

/* A whole stream lies there, and the config space that goes with it at hand */
FIXTURE_SETUP(mistake)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };
	struct vfio_device_feature_mig_config answer;

	ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs, VMIG_IRQCHIP_AUTO));
	self->src = &self->pair.src;
	self->dst = &self->pair.dst;
	ASSERT_EQ(0, vmig_contents_set(self->src->dev, 2, SEED));
	ASSERT_EQ(0, vmig_vmm_boot(self->src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR));
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

/* The setup section is loaded, and the next one with data is at hand */
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
	const char *what = "";
	unsigned int reg = 0;

	EXPECT_RET(0, vmig_dump_compare_config(self->src->dev,
					       self->dst->dev, &reg),
		   "register 0x%x", reg);
	EXPECT_RET(0, vmig_contents_check(self->dst->dev, 2, SEED, &what), "%s",
		   what);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
}

/* Clause: write() before config space: EPROTO under before-data, and it goes on */
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

/* Clause: write(), another generation loaded: ESTALE if the device needs the order */
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

/* Clause: RESUMING -> STOP, another generation loaded: ESTALE, and it goes on */
TEST_F(mistake, config_of_another_generation_at_last)
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

/* Clause: SET MIG_CONFIG, another device's config space: EINVAL, and it goes on */
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

/* Clause: any section before the setup section: EPROTO, destination untouched */
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

/* Clause: the stream ends before the device's data do: ENODATA, nothing runs */
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

/* Clause: GUEST_STATE, nobody to take it over: EOPNOTSUPP */
TEST_F(mistake, guest_that_nobody_expects)
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
