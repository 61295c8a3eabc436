// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model VMM: the last section of its stream, migration under signals, and the
 * descriptors that it closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/vmm.h"

static void open_pair(struct __test_metadata *_metadata, struct vmig_pair *pair)
{
	ASSERT_RET(0, vmig_pair_open(pair, NULL, VMIG_IRQCHIP_AUTO), "pair");
	ASSERT_RET(0, vmig_vmm_boot(&pair->src, VFIO_PCI_MSI_IRQ_INDEX,
				    VMIG_LATE_IRQ_MSI_VECTOR), "boot");
}

/* Library: signals do not make a migration fail */
TEST(migration_under_signals)
{
	struct vmig_pair pair;

	open_pair(_metadata, &pair);
	vmig_signals_start(500);
	EXPECT_RET(0, vmig_vmm_migrate(&pair.src, &pair.dst), "%s; %s",
		   pair.src.why, pair.dst.why);
	vmig_signals_stop();
	vmig_pair_close(&pair);
}

static void keep_last(void *opaque, const struct vmig_event *event)
{
	struct vmig_event *last = opaque;

	*last = *event;
	if (event->section)
		last->text = vmig_section_name(event->section->marker);
}

/* Library: END_OF_STREAM is the last event; no call that may fail follows */
TEST(end_of_stream_is_the_last)
{
	struct vmig_event last = { 0 };
	struct vmig_pair pair;

	open_pair(_metadata, &pair);
	pair.src.observe = keep_last;
	pair.src.opaque = &last;
	/* max_rounds of 0 means no round */
	pair.src.max_rounds = 0;
	ASSERT_RET(0, vmig_vmm_save(&pair.src, pair.fd), "%s", pair.src.why);
	EXPECT_EQ(VMIG_EVENT_SECTION, last.kind) TH_LOG("%s", last.call);
	EXPECT_STREQ("END_OF_STREAM", last.text);
	EXPECT_EQ(0, pair.src.stats.rounds);
	vmig_pair_close(&pair);
}

/* Library: a failed vmig_pair_open() does not close descriptor 0 */
TEST(closed_devices_have_no_descriptor)
{
	const struct vmig_attrs attrs = { .config_policy = "none-such" };
	struct vmig_pair pair;

	ASSERT_LE(0, dup2(open("/dev/null", O_RDONLY), STDIN_FILENO));
	EXPECT_RET(-EINVAL, vmig_pair_open(&pair, &attrs, VMIG_IRQCHIP_AUTO),
		   "pair");
	EXPECT_LE(0, fcntl(STDIN_FILENO, F_GETFD));
}

TEST_HARNESS_MAIN
