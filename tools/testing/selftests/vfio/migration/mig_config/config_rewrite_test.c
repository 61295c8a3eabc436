// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration, under each policy, of a guest that uses both ports and rewrites BARs, MSI
 * address and data, and the command register all the time: no byte is lost, and config
 * space is what the guest wrote last.
 */
#include <errno.h>
#include <string.h>

#include "lib/vmm.h"

#define MIGRATIONS	2

/* Least number of changes during each migration */
#define CHANGES		150

/* In each migration, config space changes at once after so many of its sections */
#define OUTDATED	3

FIXTURE(config_rewrite) {
	PAIR_MEMBERS;
	struct vmig_config_writer *writer;
	struct vmig_traffic *traffic;
	struct vmig_traffic_report report;
	unsigned int outdated;
	unsigned int timeouts;
	bool paused;
};

FIXTURE_VARIANT(config_rewrite) {
	const char *policy;
	enum vmig_vmm_config config;
	bool is_before_data;
};

#define VARIANT(_name, ...) \
	FIXTURE_VARIANT_ADD(config_rewrite, _name) { __VA_ARGS__ }
#define ALWAYS	.config = VMIG_VMM_CONFIG_ALWAYS
#define PLAIN	.config = VMIG_VMM_CONFIG_PLAIN
#define BEFORE_DATA \
	.policy = "before-data", .is_before_data = true

VARIANT(independent, .policy = "independent");
VARIANT(independent_always, .policy = "independent", ALWAYS);
VARIANT(before_data, BEFORE_DATA);
VARIANT(before_data_always, BEFORE_DATA, ALWAYS);
VARIANT(before_data_plain, .policy = "before-data", PLAIN);
VARIANT(reorder, .policy = "reorder");
VARIANT(reorder_always, .policy = "reorder", ALWAYS);
VARIANT(embedded, .policy = "embedded");
VARIANT(embedded_always, .policy = "embedded", ALWAYS);
VARIANT(embedded_plain, .policy = "embedded", PLAIN);

FIXTURE_SETUP(config_rewrite)
{
	OPEN_PAIR(VMIG_IRQCHIP_AUTO, .config_policy = variant->policy);
	ASSERT_EQ(0, vmig_vmm_boot(self->src, VFIO_PCI_INTX_IRQ_INDEX,
				   VMIG_LATE_IRQ_MSI_VECTOR));
	ASSERT_EQ(0, vmig_traffic_start(&self->traffic, self->pair.src.dev));
	ASSERT_EQ(0, vmig_config_writer_start(&self->writer, self->pair.src.dev));
}

FIXTURE_TEARDOWN(config_rewrite)
{
	if (self->paused) {
		vmig_traffic_resume(self->traffic, self->pair.src.dev);
		vmig_config_writer_resume(self->writer, self->pair.src.dev);
	}
	if (self->writer)
		EXPECT_EQ(0, vmig_config_writer_finish(self->writer));
	if (self->traffic)
		vmig_traffic_finish(self->traffic, &self->report);
	vmig_pair_close(&self->pair);
}

static void stop_guest(void *opaque)
{
	FIXTURE_DATA(config_rewrite) *self = opaque;

	vmig_traffic_pause(self->traffic);
	vmig_config_writer_pause(self->writer);
	self->paused = true;
}

static void resume_guest(FIXTURE_DATA(config_rewrite) *self,
			 struct vmig_device *dev)
{
	self->paused = false;
	vmig_config_writer_resume(self->writer, dev);
	vmig_traffic_resume(self->traffic, dev);
}

/* Wait until config space has changed: after its sections, and in each round */
static void outdate_config(void *opaque, const struct vmig_event *event)
{
	FIXTURE_DATA(config_rewrite) *self = opaque;

	if (event->kind == VMIG_EVENT_SECTION && !self->paused &&
	    event->section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE &&
	    self->outdated++ < OUTDATED)
		self->timeouts += !!vmig_config_writer_wait(self->writer, 2);
	if (event->kind == VMIG_EVENT_STEP && !self->paused &&
	    !strcmp(event->step, "save_live_iterate"))
		self->timeouts += !!vmig_config_writer_wait(self->writer, CHANGES);
}

static void migrate(struct __test_metadata *_metadata,
		    FIXTURE_DATA(config_rewrite) *self,
		    const FIXTURE_VARIANT(config_rewrite) *variant)
{
	struct vmig_pair *pair = &self->pair;
	unsigned int reg = 0;

	ASSERT_EQ(0, vmig_traffic_wait(self->traffic, 100));
	self->outdated = 0;
	pair->src.config = variant->config;
	pair->dst.config = variant->config;
	pair->src.stop_guest = stop_guest;
	pair->src.guest = self;
	pair->src.observe = outdate_config;
	pair->src.opaque = self;
	ASSERT_RET(0, vmig_vmm_migrate(&pair->src, &pair->dst),
		   "source: %s; destination: %s", pair->src.why, pair->dst.why);

	EXPECT_RET(0, vmig_config_writer_check(self->writer, pair->dst.dev, &reg),
		   "register 0x%x", reg);
	EXPECT_RET(0, vmig_dump_compare_config(pair->src.dev, pair->dst.dev, &reg), "register 0x%x",
		   reg);
	if (variant->config == VMIG_VMM_CONFIG_AUTO)
		EXPECT_EQ(0, pair->src.stats.config_repeats);
	if (variant->is_before_data)
		EXPECT_LE(OUTDATED, pair->src.stats.config_sections);
	resume_guest(self, pair->dst.dev);
}

/* Proposal: config space that changes in PRE_COPY is migrated, there and back */
TEST_F(config_rewrite, nothing_is_lost)
{
	struct vmig_traffic *traffic = self->traffic;
	unsigned int i, port;

	for (i = 0; i < MIGRATIONS; i++) {
		migrate(_metadata, self, variant);
		ASSERT_EQ(0, vmig_pair_swap(&self->pair));
	}
	ASSERT_EQ(0, vmig_traffic_wait(traffic, 100));
	EXPECT_LT(MIGRATIONS * CHANGES, vmig_config_writer_writes(self->writer));
	EXPECT_EQ(0, self->timeouts);
	self->traffic = NULL;
	ASSERT_EQ(0, vmig_traffic_finish(traffic, &self->report));
	EXPECT_EQ(0, self->report.lost);
	for (port = 0; port < VMIG_TRAFFIC_PORTS; port++) {
		EXPECT_LT(0, self->report.sent[port]);
		EXPECT_EQ(self->report.sent[port], self->report.logged[port]);
	}
}

/* Library: a migration cancelled while config space changes loses no byte */
TEST_F(config_rewrite, cancelled_migration_loses_nothing)
{
	struct vmig_pair *pair = &self->pair;
	struct vmig_traffic *traffic = self->traffic;
	unsigned int reg = 0;

	pair->src.config = variant->config;
	ASSERT_RET(0, vmig_vmm_save_setup(&pair->src, pair->fd), "%s",
		   pair->src.why);
	ASSERT_LE(0, vmig_vmm_save_iterate(&pair->src, pair->fd));
	ASSERT_EQ(0, vmig_config_writer_wait(self->writer, CHANGES));
	ASSERT_EQ(0, vmig_vmm_save_cancel(&pair->src));
	ASSERT_EQ(0, vmig_traffic_wait(traffic, 100));
	vmig_config_writer_pause(self->writer);
	EXPECT_RET(0, vmig_config_writer_check(self->writer, pair->src.dev, &reg),
		   "register 0x%x", reg);
	vmig_config_writer_resume(self->writer, pair->src.dev);
	self->traffic = NULL;
	ASSERT_EQ(0, vmig_traffic_finish(traffic, &self->report));
	EXPECT_EQ(0, self->report.lost);
}

TEST_HARNESS_MAIN
