// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes of a VMM with config space and data: each has an errno and a message, and the
 * migration continues once the mistake is corrected. For mistakes with interrupts see
 * irq_restore_test.c, for those of a stream vmstream_test.c.
 */
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define SEED	5

FIXTURE(mistake) {
	PAIR_MEMBERS;
	struct vmig_section config;
	uint8_t space[VMIG_CONFIG_SIZE];
};

/*
 * Errors. @early: data before config space. @stale: data, when the loaded snapshot is not
 * theirs. @other: a snapshot, or data, of another source than the first. @never: the
 * change to RUNNING without config space.
 */
FIXTURE_VARIANT(mistake) {
	const char *policy;
	int early;
	int stale;
	int other;
	int never;
	int opted_in;
};

FIXTURE_VARIANT_ADD(mistake, independent) {
	.policy = "independent",
};

FIXTURE_VARIANT_ADD(mistake, before_data) {
	.policy = "before-data", .early = -EPROTO, .stale = -ESTALE,
	.other = -ESTALE, .opted_in = -EPROTO,
};

FIXTURE_VARIANT_ADD(mistake, reorder) {
	.policy = "reorder", .other = -ESTALE, .never = -ESTALE,
	.opted_in = -EPROTO,
};

FIXTURE_VARIANT_ADD(mistake, embedded) {
	.policy = "embedded",
};

/* Keep a copy of the section with config space */
static void keep_config(void *opaque, const struct vmig_event *event)
{
	FIXTURE_DATA(mistake) *self = opaque;

	if (event->kind != VMIG_EVENT_SECTION ||
	    event->section->len != sizeof(self->space))
		return;
	self->config = *event->section;
	self->config.data = self->space;
	memcpy(self->space, event->section->data, sizeof(self->space));
}

/* A whole stream, with a section of config space before all data and at the end */
FIXTURE_SETUP(mistake)
{
	BOOT_PAIR(SEED, .config_policy = variant->policy);
	self->src->config = VMIG_VMM_CONFIG_ALWAYS;
	self->src->observe = keep_config;
	self->src->opaque = self;
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
	ASSERT_EQ(VFIO_MIG_FLAG_DEV_CONFIG_STATE, self->config.marker);
	self->config.subflags = VMIG_CONFIG_SETUP;
}

FIXTURE_TEARDOWN(mistake)
{
	vmig_pair_close(&self->pair);
}

#define LOAD_SECTION(_want, _section) \
	EXPECT_RET(_want, vmig_vmm_load_section(self->dst, _section), "%s", \
		   self->dst->why)
#define LOAD_START(_want) \
	EXPECT_RET(_want, vmig_vmm_load_start(self->dst), "%s", self->dst->why)
#define EXPECT_WHY(_text) \
	EXPECT_NE(NULL, strstr(self->dst->why, _text)) { \
		TH_LOG("reason: %s", self->dst->why); \
	}
#define EXPECT_MIGRATED() do { \
	EXPECT_SAME_DEVICES(SEED); \
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination"); \
} while (0)

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

/* Load the right config space and the refused data again; then continue to the end */
static void correct(struct __test_metadata *_metadata,
		    FIXTURE_DATA(mistake) *self)
{
	LOAD_SECTION(0, &self->config);
	EXPECT_RET(0, vmig_vmm_retry_data(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	EXPECT_MIGRATED();
}

/* Proposal: data before config space: EPROTO under before-data; then continues */
TEST_F(mistake, data_before_config)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	LOAD_SECTION(variant->early, &section);
	if (variant->early) {
		EXPECT_STREQ("data before config space, which this device needs first",
			     self->dst->why);
		EXPECT_RET(variant->early, vmig_vmm_retry_data(self->dst),
			   "again");
	}
	correct(_metadata, self);
}

/* Proposal: data of another snapshot: ESTALE under before-data; then continues */
TEST_F(mistake, data_of_another_snapshot)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	self->config.id[VFIO_MIG_CONFIG_ID_SIZE / 2]++;
	LOAD_SECTION(0, &self->config);
	self->config.id[VFIO_MIG_CONFIG_ID_SIZE / 2]--;
	LOAD_SECTION(variant->stale, &section);
	if (variant->stale) {
		EXPECT_WHY("data made under another config space");
		EXPECT_RET(variant->stale, vmig_vmm_retry_data(self->dst),
			   "again");
	}
	correct(_metadata, self);
}

/* Proposal: config space of another source, then data: ESTALE, and no way to continue */
TEST_F(mistake, data_of_another_source)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	self->config.id[0] ^= 1;
	LOAD_SECTION(0, &self->config);
	LOAD_SECTION(variant->other, &section);
	if (variant->other)
		EXPECT_WHY("data made under another config space");
	self->config.id[0] ^= 1;
	LOAD_SECTION(variant->other, &self->config);
	if (variant->other)
		EXPECT_WHY("does not belong to the data");
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev, "destination");
}

/* Proposal: data, then config space of another source: ESTALE; then continues */
TEST_F(mistake, config_of_another_source)
{
	struct vmig_section section;

	go_to_data(_metadata, self, &section);
	LOAD_SECTION(0, &self->config);
	LOAD_SECTION(0, &section);
	self->config.id[0] ^= 1;
	LOAD_SECTION(variant->other, &self->config);
	if (variant->other)
		EXPECT_WHY("does not belong to the data");
	self->config.id[0] ^= 1;
	correct(_metadata, self);
}

/* Load the rest of the stream, without config space */
static int load_without_config(FIXTURE_DATA(mistake) *self)
{
	struct vmig_section section;
	int ret;

	do {
		ret = vmig_pair_read_section(&self->pair, &section);
		section.subflags &= ~VMIG_CONFIG_SETUP;
		if (!ret)
			ret = vmig_vmm_load_section(self->dst, &section);
	} while (!ret && section.marker != VMIG_FLAG_END_OF_STREAM);

	return ret;
}

/* Proposal: objections A and E: config space is forgotten: the device does not run */
TEST_F(mistake, objection_a_e_config_is_forgotten)
{
	ASSERT_RET(variant->early, load_without_config(self), "%s",
		   self->dst->why);
	if (variant->early) {
		EXPECT_WHY("data before config space");
		self->dst->irq_enabled = true;
		LOAD_START(-ENODATA);
		self->dst->irq_enabled = false;
		correct(_metadata, self);
		return;
	}
	if (variant->never) {
		LOAD_START(variant->never);
		EXPECT_WHY("made under is not loaded");
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dst->dev,
			     "destination");
	}
	LOAD_SECTION(0, &self->config);
	LOAD_START(0);
	EXPECT_MIGRATED();
}

/* Proposal: config space that is newer than all data: ESTALE; then continues */
TEST_F(mistake, newer_config_at_the_end)
{
	int ret;

	do {
		ret = vmig_pair_load(&self->pair);
	} while (!ret);
	ASSERT_RET(1, ret, "%s", self->dst->why);
	self->config.id[VFIO_MIG_CONFIG_ID_SIZE / 2]++;
	LOAD_SECTION(variant->other, &self->config);
	if (variant->other)
		EXPECT_WHY("does not belong to the data");
	LOAD_START(0);
	EXPECT_MIGRATED();
}

/* Proposal: config space of another kind of device: EINVAL; then continues */
TEST_F(mistake, config_of_another_device)
{
	uint8_t before[VMIG_CONFIG_SIZE], now[VMIG_CONFIG_SIZE];
	struct vmig_section section;

	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, before,
				      sizeof(before)));
	go_to_data(_metadata, self, &section);
	self->space[PCI_DEVICE_ID] ^= 1;
	LOAD_SECTION(-EINVAL, &self->config);
	EXPECT_WHY("is that of another device");
	EXPECT_FALSE(self->dst->irq_enabled);
	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, now,
				      sizeof(now)));
	EXPECT_EQ(0, memcmp(before, now, sizeof(now)));

	self->space[PCI_DEVICE_ID] ^= 1;
	LOAD_SECTION(0, &self->config);
	LOAD_SECTION(0, &section);
	correct(_metadata, self);
}

/* Proposal: objection "late refusal": another answer: EOPNOTSUPP, and no change */
TEST_F(mistake, objection_late_refusal_other_answer_at_opt_in)
{
	struct vmig_section section, wrong;

	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
	wrong = section;
	wrong.need = (section.need + 1) % 4;
	LOAD_SECTION(-EOPNOTSUPP, &wrong);
	EXPECT_WHY(variant->policy);
	EXPECT_WHY(vmig_need_name(wrong.need));
	wrong = section;
	wrong.size--;
	LOAD_SECTION(-EOPNOTSUPP, &wrong);
	EXPECT_WHY("snapshots of 255 and 256 bytes");
	wrong = section;
	wrong.need = 4;
	LOAD_SECTION(-EINVAL, &wrong);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
	LOAD_SECTION(0, &section);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	EXPECT_MIGRATED();
}

/* Proposal: the destination has not opted in: EPROTO at the first data that depend */
TEST_F(mistake, only_the_source_has_opted_in)
{
	int ret;

	self->dst->config = VMIG_VMM_CONFIG_PLAIN;
	do {
		ret = vmig_pair_load(&self->pair);
	} while (!ret);
	EXPECT_RET(variant->opted_in ?: 1, ret, "%s", self->dst->why);
	if (variant->opted_in) {
		EXPECT_WHY("only one side has opted in");
		return;
	}
	LOAD_START(0);
	EXPECT_MIGRATED();
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
	LOAD_SECTION(0, &self->config);
	section.len--;
	LOAD_SECTION(0, &section);
	self->dst->irq_enabled = true;
	LOAD_START(-ENODATA);
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
