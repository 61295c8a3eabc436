// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that rewrites BARs, MSI address and data, and the command register all
 * the time, and uses both ports, is migrated under each policy: nothing is lost,
 * and it finds its config space as it wrote it last.
 */
#include <errno.h>
#include <string.h>
#include <linux/vfio_mig_config.h>

#include "lib/vmm.h"

#define VECTOR		0x42
#define MIGRATIONS	4

/* Changes that are made while each of the migrations goes on, at least */
#define CHANGES		500

/* Data come, and config space is out of date, so many times before it is not */
#define OUTDATED	3

FIXTURE(config_rewrite) {
	struct vmig_pair pair;
	struct vmig_config_writer *churn;
	struct vmig_traffic *traffic;
	struct vmig_traffic_report report;
	unsigned int outdated;
	unsigned int timeouts;
	bool paused;
};

FIXTURE_VARIANT(config_rewrite) {
	const char *policy;
	enum vmig_vmm_config config;
	uint64_t flag;
};

FIXTURE_VARIANT_ADD(config_rewrite, independent) {
	.policy = "independent",
};

FIXTURE_VARIANT_ADD(config_rewrite, independent_always) {
	.policy = "independent", .config = VMIG_VMM_CONFIG_ALWAYS,
};

FIXTURE_VARIANT_ADD(config_rewrite, before_data) {
	.policy = "before-data", .flag = VFIO_MIG_CONFIG_BEFORE_DATA,
};

FIXTURE_VARIANT_ADD(config_rewrite, before_data_always) {
	.policy = "before-data", .flag = VFIO_MIG_CONFIG_BEFORE_DATA,
	.config = VMIG_VMM_CONFIG_ALWAYS,
};

FIXTURE_VARIANT_ADD(config_rewrite, reorder) {
	.policy = "reorder",
};

FIXTURE_VARIANT_ADD(config_rewrite, reorder_always) {
	.policy = "reorder", .config = VMIG_VMM_CONFIG_ALWAYS,
};

FIXTURE_VARIANT_ADD(config_rewrite, embedded) {
	.policy = "embedded",
};

FIXTURE_VARIANT_ADD(config_rewrite, embedded_always) {
	.policy = "embedded", .config = VMIG_VMM_CONFIG_ALWAYS,
};

FIXTURE_SETUP(config_rewrite)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };

	ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs, VMIG_IRQCHIP_AUTO));
	ASSERT_EQ(0, vmig_vmm_boot(&self->pair.src, VFIO_PCI_INTX_IRQ_INDEX,
				   VECTOR));
	ASSERT_EQ(0, vmig_traffic_start(&self->traffic, self->pair.src.dev));
	ASSERT_EQ(0, vmig_config_writer_start(&self->churn, self->pair.src.dev));
}

FIXTURE_TEARDOWN(config_rewrite)
{
	if (self->paused) {
		vmig_traffic_resume(self->traffic, self->pair.src.dev);
		vmig_config_writer_resume(self->churn, self->pair.src.dev);
	}
	if (self->churn)
		EXPECT_EQ(0, vmig_config_writer_finish(self->churn));
	if (self->traffic)
		vmig_traffic_finish(self->traffic, &self->report);
	vmig_pair_close(&self->pair);
}

static void stop_guest(void *opaque)
{
	FIXTURE_DATA(config_rewrite) *self = opaque;

	vmig_traffic_pause(self->traffic);
	vmig_config_writer_pause(self->churn);
	self->paused = true;
}

static void resume_guest(FIXTURE_DATA(config_rewrite) *self,
			 struct vmig_device *dev)
{
	self->paused = false;
	vmig_config_writer_resume(self->churn, dev);
	vmig_traffic_resume(self->traffic, dev);
}

/* Config space is never the one that was just sent, the first few times */
static void outdate_config(void *opaque, const struct vmig_event *event)
{
	FIXTURE_DATA(config_rewrite) *self = opaque;

	if (event->kind == VMIG_EVENT_SECTION && !self->paused &&
	    event->section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE &&
	    self->outdated++ < OUTDATED)
		self->timeouts += !!vmig_config_writer_wait(self->churn, 2);
	if (event->kind == VMIG_EVENT_STEP && !self->paused &&
	    !strcmp(event->step, "save_live_iterate"))
		self->timeouts += !!vmig_config_writer_wait(self->churn, CHANGES);
}

static void migrate(struct __test_metadata *_metadata,
		    FIXTURE_DATA(config_rewrite) *self,
		    const FIXTURE_VARIANT(config_rewrite) *variant)
{
	struct vfio_device_feature_mig_config answer;
	struct vmig_pair *pair = &self->pair;
	unsigned int reg = 0;
	uint64_t writes;

	ASSERT_EQ(0, vmig_traffic_wait(self->traffic, 100));
	writes = vmig_config_writer_writes(self->churn);
	self->outdated = 0;
	pair->src.config = variant->config;
	pair->src.stop_guest = stop_guest;
	pair->src.guest = self;
	pair->src.observe = outdate_config;
	pair->src.opaque = self;
	ASSERT_RET(0, vmig_vmm_migrate(&pair->src, &pair->dst),
		   "source: %s; destination: %s", pair->src.why, pair->dst.why);

	EXPECT_RET(0, vmig_config_writer_check(self->churn, pair->dst.dev, &reg),
		   "register 0x%x", reg);
	EXPECT_RET(0, vmig_dump_compare_config(pair->src.dev, pair->dst.dev, &reg),
		   "register 0x%x", reg);
	/* What the device is said to have, it has */
	EXPECT_EQ(0, vmig_mig_config_get(pair->src.dev, &answer));
	writes = answer.generation;
	EXPECT_EQ(0, vmig_mig_config_get(pair->dst.dev, &answer));
	EXPECT_EQ(writes, answer.generation);
	if (variant->config == VMIG_VMM_CONFIG_AUTO)
		EXPECT_EQ(0, pair->src.stats.config_repeats);
	if (variant->flag)
		EXPECT_LE(OUTDATED, pair->src.stats.config_sections);
	resume_guest(self, pair->dst.dev);
}

/* Clause: config space that changes in PRE_COPY: nothing is lost, back and forth */
TEST_F(config_rewrite, nothing_is_lost)
{
	struct vmig_traffic *traffic = self->traffic;
	unsigned int i, port;

	for (i = 0; i < MIGRATIONS; i++) {
		migrate(_metadata, self, variant);
		ASSERT_EQ(0, vmig_pair_swap(&self->pair));
	}
	ASSERT_EQ(0, vmig_traffic_wait(traffic, 100));
	EXPECT_LT(MIGRATIONS * CHANGES, vmig_config_writer_writes(self->churn));
	EXPECT_EQ(0, self->timeouts);
	self->traffic = NULL;
	ASSERT_EQ(0, vmig_traffic_finish(traffic, &self->report));
	EXPECT_EQ(0, self->report.lost);
	for (port = 0; port < VMIG_TRAFFIC_PORTS; port++) {
		EXPECT_LT(0, self->report.sent[port]);
		EXPECT_EQ(self->report.sent[port], self->report.logged[port]);
	}
}

/* Clause: cancelled while config space changes: the guest runs on, nothing lost */
TEST_F(config_rewrite, cancelled_migration_loses_nothing)
{
	struct vmig_pair *pair = &self->pair;
	struct vmig_traffic *traffic = self->traffic;
	unsigned int reg = 0;

	pair->src.config = variant->config;
	ASSERT_RET(0, vmig_vmm_save_setup(&pair->src, pair->fd), "%s",
		   pair->src.why);
	ASSERT_LE(0, vmig_vmm_save_iterate(&pair->src, pair->fd));
	ASSERT_EQ(0, vmig_config_writer_wait(self->churn, CHANGES));
	ASSERT_EQ(0, vmig_vmm_save_cancel(&pair->src));
	ASSERT_EQ(0, vmig_traffic_wait(traffic, 100));
	vmig_config_writer_pause(self->churn);
	EXPECT_RET(0, vmig_config_writer_check(self->churn, pair->src.dev, &reg),
		   "register 0x%x", reg);
	vmig_config_writer_resume(self->churn, pair->src.dev);
	self->traffic = NULL;
	ASSERT_EQ(0, vmig_traffic_finish(traffic, &self->report));
	EXPECT_EQ(0, self->report.lost);
}

TEST_HARNESS_MAIN
