// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that asks the driver when to send config space, VMMs that send it every time, at
 * the end, or never, and one that has not opted in, under each policy: cost and result.
 */
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define SEED	7

/* When config space can be sent: two rounds of pre-copy, the stop, the end */
#define CHANCES	4

FIXTURE(config_modes) {
	PAIR_MEMBERS;
};

/*
 * @sections: with config space, when nothing changes. @repeats: of these, sections
 * that were not needed. @load: 0, or the error of the destination. @same: the
 * destination has the source's config space in the end.
 */
FIXTURE_VARIANT(config_modes) {
	const char *policy;
	enum vmig_vmm_config config;
	unsigned int sections;
	unsigned int repeats;
	int load;
	bool same;
};

#define MODE(_policy, _word, _config, ...) \
	FIXTURE_VARIANT_ADD(config_modes, _policy##_##_config) { \
		.policy = _word, .config = VMIG_VMM_CONFIG_##_config, \
		__VA_ARGS__ \
	}

#define EVERY_TIME	.sections = CHANCES, .repeats = CHANCES - 1

MODE(independent, "independent", AUTO, .sections = 1, .same = true);
MODE(independent, "independent", ALWAYS, EVERY_TIME, .same = true);
MODE(independent, "independent", LAST, .sections = 1, .same = true);
MODE(independent, "independent", NEVER);
MODE(independent, "independent", PLAIN, .sections = 1, .same = true);

MODE(before_data, "before-data", AUTO, .sections = 1, .same = true);
MODE(before_data, "before-data", ALWAYS, EVERY_TIME, .same = true);
MODE(before_data, "before-data", LAST, .sections = 1, .load = -EPROTO);
MODE(before_data, "before-data", NEVER, .load = -EPROTO);
MODE(before_data, "before-data", PLAIN, .sections = 1, .same = true);

MODE(reorder, "reorder", AUTO, .sections = 1, .same = true);
MODE(reorder, "reorder", ALWAYS, EVERY_TIME, .same = true);
MODE(reorder, "reorder", LAST, .sections = 1, .same = true);
MODE(reorder, "reorder", NEVER, .load = -ESTALE);
MODE(reorder, "reorder", PLAIN, .sections = 1, .same = true);

MODE(embedded, "embedded", AUTO, .same = true);
MODE(embedded, "embedded", ALWAYS, EVERY_TIME, .same = true);
MODE(embedded, "embedded", LAST, .sections = 1, .same = true);
MODE(embedded, "embedded", NEVER, .same = true);
MODE(embedded, "embedded", PLAIN, .sections = 1, .same = true);

FIXTURE_SETUP(config_modes)
{
	BOOT_PAIR(SEED, .config_policy = variant->policy);
	self->src->config = variant->config;
	self->dst->config = variant->config;
}

FIXTURE_TEARDOWN(config_modes)
{
	vmig_pair_close(&self->pair);
}

static int save_in_two_rounds(struct vmig_pair *pair,
			      struct vmig_config_writer *writer)
{
	int ret;

	ret = vmig_vmm_save_setup(&pair->src, pair->fd);
	if (!ret)
		ret = vmig_vmm_save_iterate(&pair->src, pair->fd);
	if (ret >= 0 && writer)
		ret = vmig_config_writer_wait(writer, 10);
	if (ret >= 0)
		ret = vmig_vmm_save_iterate(&pair->src, pair->fd);
	if (writer)
		vmig_config_writer_pause(writer);
	if (ret >= 0)
		ret = vmig_vmm_save_complete_precopy(&pair->src, pair->fd);
	if (!ret)
		ret = vmig_vmm_save_irqchip(&pair->src, pair->fd);
	if (!ret)
		ret = vmig_vmm_save_state(&pair->src, pair->fd);
	return ret ? ret : vmig_vmm_save_end(&pair->src, pair->fd);
}

static void expect_outcome(struct __test_metadata *_metadata,
			   FIXTURE_DATA(config_modes) *self,
			   const FIXTURE_VARIANT(config_modes) *variant)
{
	const char *what = "";
	unsigned int reg = 0;

	ASSERT_RET(variant->load, vmig_pair_load_all(&self->pair), "%s",
		   self->dst->why);
	if (variant->load) {
		EXPECT_NE(NULL, strstr(self->dst->why, variant->load == -EPROTO ?
				       "data before config" :
				       "made under is not loaded"));
		return;
	}
	EXPECT_EQ(self->src->stats.config_sections,
		  self->dst->stats.config_sections);
	EXPECT_EQ(self->src->stats.config_bytes, self->dst->stats.config_bytes);
	EXPECT_RET(variant->same ? 0 : -EUCLEAN,
		   vmig_dump_compare_config(self->src->dev, self->dst->dev,
					    &reg),
		   "register 0x%x", reg);
	EXPECT_RET(0, vmig_contents_check(self->dst->dev, 2, SEED, &what), "%s",
		   what);
}

/* Proposal: the workflow, config space unchanged: sections, and those not needed */
TEST_F(config_modes, quiet)
{
	const struct vmig_vmm_stats *stats = &self->src->stats;

	ASSERT_RET(0, save_in_two_rounds(&self->pair, NULL), "%s",
		   self->src->why);
	EXPECT_EQ(variant->sections, stats->config_sections);
	EXPECT_EQ(variant->repeats, stats->config_repeats);
	EXPECT_EQ(variant->sections * VMIG_CONFIG_SIZE, stats->config_bytes);
	expect_outcome(_metadata, self, variant);
}

/* Proposal: a VMM that asks never sends the same config space twice */
TEST_F(config_modes, busy)
{
	const struct vmig_vmm_stats *stats = &self->src->stats;
	struct vmig_config_writer *writer;
	unsigned int reg = 0;

	ASSERT_EQ(0, vmig_config_writer_start(&writer, self->src->dev));
	ASSERT_EQ(0, vmig_config_writer_wait(writer, 10));
	ASSERT_RET(0, save_in_two_rounds(&self->pair, writer), "%s",
		   self->src->why);
	EXPECT_LE(variant->sections, stats->config_sections);
	if (variant->config == VMIG_VMM_CONFIG_AUTO)
		EXPECT_EQ(0, stats->config_repeats);
	expect_outcome(_metadata, self, variant);
	if (variant->same)
		EXPECT_RET(0, vmig_config_writer_check(writer, self->dst->dev, &reg),
			   "register 0x%x", reg);
	vmig_config_writer_resume(writer, self->src->dev);
	EXPECT_EQ(0, vmig_config_writer_finish(writer));
}

TEST_HARNESS_MAIN
