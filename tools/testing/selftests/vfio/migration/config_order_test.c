// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space in a migration: what a VMM sends when, under each policy, and
 * what becomes of one that gets the order wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio_mig_config.h>

#include "../../kselftest_harness.h"

#include "lib/expect.h"
#include "lib/feature.h"
#include "lib/pair.h"
#include "lib/scene.h"

#define SEED	3
#define VECTOR	0x42

FIXTURE(config_order) {
	struct vmig_pair pair;
	struct vmig_vmm *src;
	struct vmig_vmm *dst;
	char trace[1024];
};

/*
 * What passes in a migration, step by step: the table of the workflow.  @quiet:
 * config space never changes; @busy: it changes before the second round of
 * pre-copy, and again before the source stops.  @early: data before config space.
 */
FIXTURE_VARIANT(config_order) {
	const char *policy;
	uint64_t flag;
	int early;
	const char *quiet;
	const char *busy;
	unsigned int quiet_sections;
	unsigned int busy_sections;
};

FIXTURE_VARIANT_ADD(config_order, independent) {
	.policy = "independent",
	.quiet = " setup ; data ; ; data ; irqchip ;"
		 " config(set up config, enable interrupts) ;",
	.busy = " setup ; data ; ; data ; irqchip ;"
		" config(set up config, enable interrupts) ;",
	.quiet_sections = 1,
	.busy_sections = 1,
};

FIXTURE_VARIANT_ADD(config_order, before_data) {
	.policy = "before-data",
	.flag = VFIO_MIG_CONFIG_BEFORE_DATA,
	.early = -EPROTO,
	.quiet = " setup ;"
		 " config(set up config, keep interrupts off) data ; ; data ;"
		 " irqchip ; config(enable interrupts) ;",
	.busy = " setup ;"
		" config(set up config, keep interrupts off) data ;"
		" config(set up config, keep interrupts off) ;"
		" config(set up config, keep interrupts off) data ;"
		" irqchip ; config(enable interrupts) ;",
	.quiet_sections = 1,
	.busy_sections = 3,
};

FIXTURE_SETUP(config_order)
{
	const struct vmig_attrs attrs = { .config_policy = variant->policy };

	ASSERT_EQ(0, vmig_pair_open(&self->pair, &attrs, VMIG_IRQCHIP_AUTO));
	self->src = &self->pair.src;
	self->dst = &self->pair.dst;
	ASSERT_EQ(0, vmig_scene_set(self->src->dev, 2, SEED));
	ASSERT_EQ(0, vmig_vmm_boot(self->src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR));
}

FIXTURE_TEARDOWN(config_order)
{
	vmig_pair_close(&self->pair);
}

/* NULL for what ends the stream, as it ends the step as well */
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

/* Sections as words, each step ends with ";"; how data are cut does not matter */
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

static int change_config(struct vmig_device *dev)
{
	uint8_t line;
	int ret;

	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line + 1);
}

static int write_same_config(struct vmig_device *dev)
{
	uint8_t line;
	int ret;

	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line);
}

/* All of a save, with something done to config space before two of its steps */
static int save_with(FIXTURE_DATA(config_order) *self,
		     int (*touch)(struct vmig_device *dev))
{
	int fd = self->pair.fd;
	int ret;

	ret = vmig_vmm_save_setup(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_iterate(self->src, fd);
	if (ret == 1)
		ret = touch(self->src->dev);
	if (!ret)
		ret = vmig_vmm_save_iterate(self->src, fd);
	if (ret == 1)
		ret = touch(self->src->dev);
	if (!ret)
		ret = vmig_vmm_save_complete_precopy(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_irqchip(self->src, fd);
	if (!ret)
		ret = vmig_vmm_save_state(self->src, fd);
	return ret ? ret : vmig_vmm_save_end(self->src, fd);
}

static int load_all(FIXTURE_DATA(config_order) *self)
{
	int ret;

	do {
		ret = vmig_pair_load(&self->pair);
	} while (!ret);
	return ret < 0 ? ret : vmig_vmm_load_start(self->dst);
}

static void check_same(struct __test_metadata *_metadata,
		       FIXTURE_DATA(config_order) *self)
{
	uint8_t src[VMIG_CONFIG_SIZE], dst[VMIG_CONFIG_SIZE];
	const char *what = "";

	ASSERT_EQ(0, vmig_region_read(self->src->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, src,
				      sizeof(src)));
	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, dst,
				      sizeof(dst)));
	EXPECT_EQ(0, memcmp(src, dst, sizeof(src)));
	EXPECT_RET(0, vmig_scene_check(self->dst->dev, 2, SEED, &what), "%s",
		   what);
}

/* Clause: workflow, config space unchanged: the sections of the table */
TEST_F(config_order, quiet_config_is_sent_once)
{
	self->src->observe = trace_sections;
	self->src->opaque = self;
	ASSERT_RET(0, save_with(self, write_same_config), "%s", self->src->why);
	EXPECT_STREQ(variant->quiet, self->trace);
	EXPECT_EQ(variant->quiet_sections, self->src->stats.config_sections);

	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	EXPECT_EQ(variant->quiet_sections * VMIG_CONFIG_SIZE / 4,
		  self->dst->stats.config_writes);
	EXPECT_EQ(0, self->dst->stats.violations);
	check_same(_metadata, self);
}

/* Clause: workflow, config space changed in PRE_COPY: sent again if needed */
TEST_F(config_order, changed_config_is_sent_again)
{
	self->src->observe = trace_sections;
	self->src->opaque = self;
	ASSERT_RET(0, save_with(self, change_config), "%s", self->src->why);
	EXPECT_STREQ(variant->busy, self->trace);
	EXPECT_EQ(variant->busy_sections, self->src->stats.config_sections);

	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	EXPECT_EQ(variant->busy_sections * VMIG_CONFIG_SIZE / 4,
		  self->dst->stats.config_writes);
	check_same(_metadata, self);
}

/* Clause: setup section: carries the source's answer and its generation */
TEST_F(config_order, answer_travels_in_the_setup_section)
{
	struct vfio_device_feature_mig_config answer;
	struct vmig_section section;

	ASSERT_EQ(0, vmig_mig_config_get(self->src->dev, &answer));
	ASSERT_EQ(0, vmig_vmm_save_setup(self->src, self->pair.fd));
	ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	EXPECT_EQ(VFIO_MIG_FLAG_DEV_SETUP_STATE, section.marker);
	EXPECT_EQ(variant->flag, section.policy);
	EXPECT_EQ(answer.generation, section.generation);
}

/* Clause: setup section, other policy: EXDEV, and the destination is untouched */
TEST_F(config_order, other_policy_is_found_before_anything_changes)
{
	struct vmig_section section;

	ASSERT_EQ(0, vmig_vmm_save_setup(self->src, self->pair.fd));
	ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	section.policy ^= VFIO_MIG_CONFIG_BEFORE_DATA;
	EXPECT_RET(-EXDEV, vmig_vmm_load_section(self->dst, &section), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "before-data"));
	EXPECT_NE(NULL, strstr(self->dst->why, "independent"));
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
}

/* Loads what comes before the first section of a kind, which is read only */
static int load_up_to(FIXTURE_DATA(config_order) *self, uint64_t marker,
		      struct vmig_section *section)
{
	int ret;

	for (;;) {
		ret = vmig_pair_next(&self->pair, section);
		if (ret || section->marker == marker)
			return ret;
		ret = vmig_vmm_load_section(self->dst, section);
		if (ret)
			return ret;
	}
}

/* The first config space in the stream, wherever it is; reading starts anew */
static int find_config(FIXTURE_DATA(config_order) *self,
		       struct vmig_section *section, uint8_t *config)
{
	int fd = self->pair.reader.fd;
	int ret;

	do {
		ret = vmig_pair_next(&self->pair, section);
	} while (!ret && section->marker != VFIO_MIG_FLAG_DEV_CONFIG_STATE);
	if (ret || section->len != VMIG_CONFIG_SIZE)
		return ret ? ret : -ENOENT;

	memcpy(config, section->data, VMIG_CONFIG_SIZE);
	section->data = config;
	section->subflags = VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS;
	vmig_reader_exit(&self->pair.reader);
	vmig_reader_init(&self->pair.reader, fd);
	return lseek(fd, 0, SEEK_SET) ? -errno : 0;
}

/* Clause: write() before config space: EPROTO under before-data, and it goes on */
TEST_F(config_order, data_before_config)
{
	uint8_t config[VMIG_CONFIG_SIZE];
	struct vmig_section section, kept;

	ASSERT_EQ(0, vmig_vmm_save(self->src, self->pair.fd));
	ASSERT_EQ(0, find_config(self, &kept, config));
	ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &section));
	do {
		ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	} while (section.marker != VFIO_MIG_FLAG_DEV_DATA_STATE);
	EXPECT_RET(variant->early, vmig_vmm_load_section(self->dst, &section),
		   "%s", self->dst->why);
	if (variant->early) {
		EXPECT_NE(NULL, strstr(self->dst->why, "data before config"));
		EXPECT_RET(variant->early, vmig_vmm_load_held(self->dst),
			   "again");
	}

	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &kept));
	EXPECT_RET(0, vmig_vmm_load_held(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	check_same(_metadata, self);
}

/* Clause: write(), another generation loaded: ESTALE, and it goes on */
TEST_F(config_order, data_of_another_generation)
{
	uint8_t config[VMIG_CONFIG_SIZE];
	struct vmig_section section, kept;

	ASSERT_EQ(0, vmig_vmm_save(self->src, self->pair.fd));
	ASSERT_EQ(0, find_config(self, &kept, config));
	ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &section));
	kept.generation++;
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &kept));
	do {
		ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	} while (section.marker != VFIO_MIG_FLAG_DEV_DATA_STATE);
	EXPECT_RET(-ESTALE, vmig_vmm_load_section(self->dst, &section), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "another generation"));
	EXPECT_RET(-ESTALE, vmig_vmm_load_held(self->dst), "again");

	kept.generation--;
	ASSERT_EQ(0, vmig_vmm_load_section(self->dst, &kept));
	EXPECT_RET(0, vmig_vmm_load_held(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	check_same(_metadata, self);
}

/* Clause: SET MIG_CONFIG, another device's config space: EINVAL, and it goes on */
TEST_F(config_order, config_of_another_device)
{
	uint8_t config[VMIG_CONFIG_SIZE], now[VMIG_CONFIG_SIZE];
	uint8_t before[VMIG_CONFIG_SIZE];
	struct vmig_section section, kept;

	ASSERT_EQ(0, vmig_vmm_save(self->src, self->pair.fd));
	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, before,
				      sizeof(before)));
	ASSERT_EQ(0, load_up_to(self, VFIO_MIG_FLAG_DEV_CONFIG_STATE,
				&section));
	memcpy(config, section.data, sizeof(config));
	kept = section;
	kept.data = config;
	config[PCI_DEVICE_ID] ^= 1;
	EXPECT_RET(-EINVAL, vmig_vmm_load_section(self->dst, &kept), "%s",
		   self->dst->why);
	EXPECT_NE(NULL, strstr(self->dst->why, "config space of generation"));
	EXPECT_FALSE(self->dst->irq_enabled);

	config[PCI_DEVICE_ID] ^= 1;
	ASSERT_RET(0, vmig_vmm_load_section(self->dst, &kept), "%s",
		   self->dst->why);
	ASSERT_RET(0, load_all(self), "%s", self->dst->why);
	check_same(_metadata, self);
	ASSERT_EQ(0, vmig_region_read(self->dst->dev,
				      VFIO_PCI_CONFIG_REGION_INDEX, 0, now,
				      sizeof(now)));
	EXPECT_NE(0, memcmp(before, now, sizeof(now)));
}

/* Clause: any section before the setup section: EPROTO, destination untouched */
TEST_F(config_order, nothing_comes_before_the_setup_section)
{
	struct vmig_section section;
	unsigned int nr = 0;

	ASSERT_EQ(0, vmig_vmm_save(self->src, self->pair.fd));
	ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
	do {
		ASSERT_EQ(0, vmig_pair_next(&self->pair, &section));
		if (section.marker == VFIO_MIG_FLAG_END_OF_STATE ||
		    section.marker == VMIG_FLAG_END_OF_STREAM)
			continue;
		nr++;
		EXPECT_RET(-EPROTO, vmig_vmm_load_section(self->dst, &section),
			   "%s", vmig_section_name(section.marker));
	} while (section.marker != VMIG_FLAG_END_OF_STREAM);
	EXPECT_LE(4, nr);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dst->dev, "destination");
}

/* So many of the first config sections are out of date before data can follow */
#define OUTDATED	3

struct hammer {
	struct vmig_device *dev;
	atomic_uint writes;
	atomic_bool stop;
	bool joined;
	unsigned int outdated;
	pthread_t thread;
};

static const struct timespec breath = { .tv_nsec = 50000 };

static void *change_all_the_time(void *opaque)
{
	struct hammer *hammer = opaque;

	while (!atomic_load(&hammer->stop) && !change_config(hammer->dev)) {
		atomic_fetch_add(&hammer->writes, 1);
		nanosleep(&breath, NULL);
	}
	return NULL;
}

static void await_change(struct hammer *hammer)
{
	unsigned int before = atomic_load(&hammer->writes);
	unsigned int tries;

	for (tries = 0; tries < 100000; tries++) {
		if (atomic_load(&hammer->writes) > before + 1)
			return;
		nanosleep(&breath, NULL);
	}
}

static void outdate_config(void *opaque, const struct vmig_event *event)
{
	struct hammer *hammer = opaque;

	if (event->kind == VMIG_EVENT_SECTION && !hammer->joined &&
	    event->section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE &&
	    hammer->outdated++ < OUTDATED)
		await_change(hammer);
}

static void stop_hammer(void *opaque)
{
	struct hammer *hammer = opaque;

	if (!hammer->joined) {
		atomic_store(&hammer->stop, true);
		pthread_join(hammer->thread, NULL);
	}
	hammer->joined = true;
}

/* Clause: read(), config space has changed since GET: ESTALE, and nothing is lost */
TEST_F(config_order, config_that_changes_all_the_time)
{
	struct hammer hammer = { .dev = self->src->dev };

	self->src->stop_guest = stop_hammer;
	self->src->observe = outdate_config;
	self->src->opaque = &hammer;
	ASSERT_EQ(0, pthread_create(&hammer.thread, NULL, change_all_the_time,
				    &hammer));
	await_change(&hammer);
	EXPECT_RET(0, vmig_vmm_migrate(self->src, self->dst),
		   "source: %s; destination: %s", self->src->why,
		   self->dst->why);
	stop_hammer(&hammer);
	EXPECT_LT(1, atomic_load(&hammer.writes));
	EXPECT_LE(variant->flag ? OUTDATED + 1 : 1,
		  self->src->stats.config_sections);
	EXPECT_EQ(self->src->stats.config_sections,
		  self->dst->stats.config_sections);
	check_same(_metadata, self);
}

TEST_HARNESS_MAIN
