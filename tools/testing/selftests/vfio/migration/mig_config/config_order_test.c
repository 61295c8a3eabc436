// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sections that a VMM sends which asks the driver about config space, under each
 * policy.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define SEED	3

static const char once[] = " setup ; data ; ; data ; irqchip ;"
			   " config(set up config, enable interrupts) ;";

FIXTURE(config_order) {
	PAIR_MEMBERS;
	char trace[1024];
};

/*
 * The sections of a migration, step by step: the table of the workflow. @quiet:
 * config space never changes. @busy: it changes before the second round of pre-copy,
 * and again before the source stops.
 */
FIXTURE_VARIANT(config_order) {
	const char *policy;
	uint32_t need;
	const char *quiet;
	const char *busy;
	unsigned int quiet_sections;
	unsigned int busy_sections;
};

FIXTURE_VARIANT_ADD(config_order, independent) {
	.policy = "independent",
	.quiet = once, .quiet_sections = 1,
	.busy = once, .busy_sections = 1,
};

FIXTURE_VARIANT_ADD(config_order, before_data) {
	.policy = "before-data",
	.need = VFIO_MIG_CONFIG_BEFORE_DATA,
	.quiet = " setup ;"
		 " config(set up config, keep interrupts off) data ; ; data ;"
		 " irqchip ; config(enable interrupts) ;",
	.busy = " setup ;"
		" config(set up config, keep interrupts off) data ;"
		" config(set up config, keep interrupts off) data ;"
		" config(set up config, keep interrupts off) data ;"
		" irqchip ; config(enable interrupts) ;",
	.quiet_sections = 1,
	.busy_sections = 3,
};

FIXTURE_VARIANT_ADD(config_order, reorder) {
	.policy = "reorder",
	.need = VFIO_MIG_CONFIG_ANY_ORDER,
	.quiet = once, .quiet_sections = 1,
	.busy = " setup ; data ; data ; data ; irqchip ;"
		" config(set up config, enable interrupts) ;",
	.busy_sections = 1,
};

/* A change is in the device's own data */
FIXTURE_VARIANT_ADD(config_order, embedded) {
	.policy = "embedded",
	.need = VFIO_MIG_CONFIG_IN_DATA,
	.quiet = " setup ; data ; ; data ; irqchip ;"
		 " config(enable interrupts) ;",
	.busy = " setup ; data ; data ; data ; irqchip ;"
		" config(enable interrupts) ;",
};

FIXTURE_SETUP(config_order)
{
	BOOT_PAIR(SEED, .config_policy = variant->policy);
}

FIXTURE_TEARDOWN(config_order)
{
	vmig_pair_close(&self->pair);
}

/* NULL for END_OF_STREAM, which follows the end of a step */
static const char *short_name(uint64_t marker)
{
	switch (marker) {
	case VFIO_MIG_FLAG_DEV_SETUP_STATE:
		return "setup";
	case VFIO_MIG_FLAG_DEV_DATA_STATE:
		return "data";
	case VMIG_FLAG_IRQCHIP_STATE:
		return "irqchip";
	case VFIO_MIG_FLAG_END_OF_STATE:
		return ";";
	default:
		return NULL;
	}
}

/* A word for each section, ";" for the end of a step; adjacent data are one word */
static void trace_sections(void *opaque, const struct vmig_event *event)
{
	FIXTURE_DATA(config_order) *self = opaque;
	const struct vmig_section *section = event->section;
	size_t len = strlen(self->trace);
	char *end = self->trace + len;
	size_t room = sizeof(self->trace) - len;
	char names[96];

	if (event->kind != VMIG_EVENT_SECTION)
		return;
	if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE) {
		snprintf(end, room, " config(%s)",
			 vmig_subflags_name(section->subflags, names,
					    sizeof(names)));
		return;
	}
	if (section->marker == VFIO_MIG_FLAG_DEV_DATA_STATE && len > 5 &&
	    !strcmp(end - 5, " data"))
		return;
	if (short_name(section->marker))
		snprintf(end, room, " %s", short_name(section->marker));
}

static int add_to_line(struct vmig_device *dev, uint8_t n)
{
	uint8_t line;
	int ret;

	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line + n);
}

/* A whole save; config space is written before two of its steps, and changes by @n */
static int save_with(FIXTURE_DATA(config_order) *self, uint8_t n)
{
	int fd = self->pair.fd;
	int ret;

	self->src->observe = trace_sections;
	self->src->opaque = self;
	ret = vmig_vmm_save_setup(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_iterate(self->src, fd);
	if (ret == 1)
		ret = add_to_line(self->src->dev, n);
	if (!ret)
		ret = vmig_vmm_save_iterate(self->src, fd);
	if (ret == 1)
		ret = add_to_line(self->src->dev, n);
	if (!ret)
		ret = vmig_vmm_save_complete_precopy(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_irqchip(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_state(self->src, fd);
	return ret ? ret : vmig_vmm_save_end(self->src, fd);
}

static void expect_sections(struct __test_metadata *_metadata,
			    FIXTURE_DATA(config_order) *self,
			    const char *trace, unsigned int configs)
{
	EXPECT_STREQ(trace, self->trace);
	EXPECT_EQ(configs, self->src->stats.config_sections);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	EXPECT_EQ(configs, self->dst->stats.config_writes);
	EXPECT_SAME_DEVICES(SEED);
}

/* Proposal: the workflow, config space unchanged: the sections of the table */
TEST_F(config_order, unchanged_config_is_sent_once)
{
	ASSERT_RET(0, save_with(self, 0), "%s", self->src->why);
	expect_sections(_metadata, self, variant->quiet,
			variant->quiet_sections);
	EXPECT_EQ(0, self->dst->stats.violations);
}

/* Proposal: the workflow, config space changed in PRE_COPY: sent again if needed */
TEST_F(config_order, changed_config_is_sent_again)
{
	ASSERT_RET(0, save_with(self, 1), "%s", self->src->why);
	expect_sections(_metadata, self, variant->busy, variant->busy_sections);
}

/* Proposal: the answer is sent in the stream */
TEST_F(config_order, answer_is_in_the_setup_section)
{
	struct vmig_section section;

	ASSERT_EQ(0, vmig_vmm_save_setup(self->src, self->pair.fd));
	ASSERT_EQ(0, vmig_pair_read_section(&self->pair, &section));
	EXPECT_EQ(VFIO_MIG_FLAG_DEV_SETUP_STATE, section.marker);
	EXPECT_EQ(variant->need, section.need);
	EXPECT_EQ(VMIG_CONFIG_SIZE, section.size);
}

TEST_HARNESS_MAIN
