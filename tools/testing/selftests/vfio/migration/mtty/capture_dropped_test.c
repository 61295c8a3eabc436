// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters of the log in capture memory: what a full log has dropped is counted, is
 * migrated, replaces the counters of the destination, and ends with a reset.
 */
#include "lib/mtty.h"
#include "lib/vfio/case.h"

/* Entries of the smallest log */
#define CAPACITY	2048
#define CAPTURE		"8K"
#define TYPE		"mtty-2"

FIXTURE(dropped) {
	DEVICE_MEMBERS;
	struct vmig_testdev dst;
};

/* Entries that the source has sent, and the destination before it loads */
FIXTURE_VARIANT(dropped) {
	unsigned int src;
	unsigned int dst;
};

FIXTURE_VARIANT_ADD(dropped, none_to_none) { .src = 7, .dst = 0 };
FIXTURE_VARIANT_ADD(dropped, full_to_none) { .src = CAPACITY, .dst = 0 };
FIXTURE_VARIANT_ADD(dropped, one_to_none) { .src = CAPACITY + 1, .dst = 0 };
FIXTURE_VARIANT_ADD(dropped, many_to_none) { .src = CAPACITY + 300, .dst = 0 };
FIXTURE_VARIANT_ADD(dropped, many_to_some) { .src = CAPACITY + 300, .dst = CAPACITY + 5 };
FIXTURE_VARIANT_ADD(dropped, none_to_many) { .src = 7, .dst = CAPACITY + 300 };

FIXTURE_SETUP(dropped)
{
	const struct vmig_attrs attrs = { .capture_size = CAPTURE };

	self->dst.dev = VMIG_DEVICE_CLOSED;
	OPEN_DEVICE(TYPE, .capture_size = CAPTURE);
	ASSERT_RET(0, vmig_testdev_open(&self->dst, TYPE, VMIG_PATH_ANY, &attrs), "second");
}

FIXTURE_TEARDOWN(dropped)
{
	vmig_testdev_close(&self->dst);
	CLOSE_DEVICE();
}

#define EXPECT_COUNTERS(_dev, _sent, _what) do { \
	struct vmig_capture_head seen_info = { 0 }; \
	uint64_t sent_bytes = (_sent); \
	EXPECT_RET(0, vmig_capture_info(_dev, &seen_info), _what); \
	EXPECT_EQ(sent_bytes < CAPACITY ? sent_bytes : CAPACITY, seen_info.logged) { \
		TH_LOG(_what); \
	} \
	EXPECT_EQ(sent_bytes < CAPACITY ? 0 : sent_bytes - CAPACITY, seen_info.dropped) { \
		TH_LOG(_what); \
	} \
} while (0)

/* Driver: capture memory: logged and dropped of the destination are those of the source */
TEST_F(dropped, are_migrated)
{
	ASSERT_RET(0, vmig_capture_transmit(self->dev, variant->src), "source");
	ASSERT_RET(0, vmig_capture_transmit(&self->dst.dev, variant->dst), "destination");
	EXPECT_COUNTERS(self->dev, variant->src, "source");
	EXPECT_COUNTERS(&self->dst.dev, variant->dst, "destination before");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_transfer_load(&self->dst.dev, &self->stream), "load");
	EXPECT_COUNTERS(&self->dst.dev, variant->src, "destination after");
	ASSERT_RET(0, vmig_mig_set_state(&self->dst.dev, RUNNING, NULL), "RUNNING");
	ASSERT_RET(0, vmig_capture_transmit(&self->dst.dev, 3), "more");
	EXPECT_COUNTERS(&self->dst.dev, variant->src + 3, "destination, and three more");
}

TEST_HARNESS_MAIN
