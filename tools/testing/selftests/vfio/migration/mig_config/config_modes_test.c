// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a VMM sends config space: asking the driver, always, at last, or never,
 * under each policy; what that costs, and what becomes of it.
 */
#include <errno.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define SEED	7
#define VECTOR	0x42

/* Two rounds of pre-copy, the stop, the end */
#define CHANCES	4

FIXTURE(config_modes) {
	struct vmig_pair pair;
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
};

/*
 * @sections: with config space, when nothing changes.  @repeats: how many of them
 * were for nothing.  @load: 0, or why the destination gives up.  @same: it has the
 * source's config space in the end.
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

MODE(before_data, "before-data", AUTO, .sections = 1, .same = true);
MODE(before_data, "before-data", ALWAYS, EVERY_TIME, .same = true);
MODE(before_data, "before-data", LAST, .sections = 1, .load = -EPROTO);
MODE(before_data, "before-data", NEVER, .load = -EPROTO);

MODE(reorder, "reorder", AUTO, .sections = 1, .same = true);
MODE(reorder, "reorder", ALWAYS, EVERY_TIME, .same = true);
MODE(reorder, "reorder", LAST, .sections = 1, .same = true);
MODE(reorder, "reorder", NEVER);

MODE(embedded, "embedded", AUTO, .same = true);
MODE(embedded, "embedded", ALWAYS, EVERY_TIME, .same = true);
MODE(embedded, "embedded", LAST, .sections = 1, .same = true);
MODE(embedded, "embedded", NEVER, .same = true);

FIXTURE_SETUP(config_modes)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };

	ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs, VMIG_IRQCHIP_AUTO));
	self->src = &self->pair.src;
	self->dst = &self->pair.dst;
	self->src->config = variant->config;
	ASSERT_EQ(0, vmig_contents_set(self->src->dev, 2, SEED));
	ASSERT_EQ(0, vmig_vmm_boot(self->src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR));
}

FIXTURE_TEARDOWN(config_modes)
{
	vmig_pair_close(&self->pair);
}

static int save_in_two_rounds(struct vmig_pair *pair,
			      struct vmig_config_writer *churn)
{
	int ret;

	ret = vmig_vmm_save_setup(&pair->src, pair->fd);
	if (!ret)
		ret = vmig_vmm_save_iterate(&pair->src, pair->fd);
	if (ret >= 0 && churn)
		ret = vmig_config_writer_wait(churn, 10);
	if (ret >= 0)
		ret = vmig_vmm_save_iterate(&pair->src, pair->fd);
	if (churn)
		vmig_config_writer_pause(churn);
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
		EXPECT_NE(NULL, strstr(self->dst->why, "data before config"));
		return;
	}
	EXPECT_EQ(self->src->stats.config_sections,
		  self->dst->stats.config_sections);
	EXPECT_EQ(self->src->stats.config_bytes,
		  self->dst->stats.config_bytes);
	EXPECT_RET(variant->same ? 0 : -EUCLEAN,
		   vmig_dump_compare_config(self->src->dev, self->dst->dev,
					    &reg),
		   "register 0x%x", reg);
	EXPECT_RET(0, vmig_contents_check(self->dst->dev, 2, SEED, &what), "%s",
		   what);
}

/* Clause: workflow, config space unchanged: what is sent, and what for nothing */
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

/* Clause: workflow, config space changes all the time: nothing sent for nothing */
TEST_F(config_modes, busy)
{
	const struct vmig_vmm_stats *stats = &self->src->stats;
	struct vmig_config_writer *churn;
	unsigned int reg = 0;

	ASSERT_EQ(0, vmig_config_writer_start(&churn, self->src->dev));
	ASSERT_EQ(0, vmig_config_writer_wait(churn, 10));
	ASSERT_RET(0, save_in_two_rounds(&self->pair, churn), "%s",
		   self->src->why);
	EXPECT_LE(variant->sections, stats->config_sections);
	if (variant->config == VMIG_VMM_CONFIG_AUTO)
		EXPECT_EQ(0, stats->config_repeats);
	expect_outcome(_metadata, self, variant);
	if (variant->same)
		EXPECT_RET(0, vmig_config_writer_check(churn, self->dst->dev, &reg),
			   "register 0x%x", reg);
	vmig_config_writer_resume(churn, self->src->dev);
	EXPECT_EQ(0, vmig_config_writer_finish(churn));
}

TEST_HARNESS_MAIN
