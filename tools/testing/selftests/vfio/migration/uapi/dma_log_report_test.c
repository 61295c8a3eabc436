// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: its argument, what it does to the bitmap, and the
 * migration states, which do not matter to logging. No case needs DMA: which pages are
 * reported is not judged.
 */
#include "dma_log.h"
#include "states.h"

SUBJECT_FIXTURE(dma_log_report);

CLAUSE_TEST_F(dma_log_report, not_while_off, "dma.report-off")
{
	int before;

	NEED(DMA_LOGGING);
	before = log_report(self->dev);
	START();
	NEED_REPORT();
	EXPECT_REFUSED("errno of DMA_LOGGING_REPORT without START", before);
	EXPECT_RET(0, log_stop(self->dev), "STOP");
	EXPECT_REFUSED("errno of DMA_LOGGING_REPORT after STOP", log_report(self->dev));
}

CLAUSE_TEST_F(dma_log_report, on_after_a_second_start, "dma.start-twice")
{
	NEED(DMA_LOGGING);
	START();
	NEED_REPORT();
	EXPECT_REFUSED("errno of a second DMA_LOGGING_START", log_start(self->dev));
	EXPECT_RET(0, log_report(self->dev), "REPORT");
}

CLAUSE_TEST_F(dma_log_report, off_after_a_refused_start, "dma.start-refused")
{
	int refused, report;

	NEED(DMA_LOGGING);
	refused = log_start_range(self->dev, 1, LOG_PAGE);
	report = log_report(self->dev);
	START();
	NEED_REPORT();
	EXPECT_REFUSED("errno of DMA_LOGGING_START with an unaligned range", refused);
	EXPECT_REFUSED("errno of DMA_LOGGING_REPORT without START", report);
}

/* Another size than that of START is formatted by the kernel */
CLAUSE_TEST_F(dma_log_report, page_sizes, "dma.report-page-size")
{
	static const uint64_t sizes[] = { 4096, 8192, 65536, 2ul << 20 };
	unsigned int i;

	NEED(DMA_LOGGING);
	START();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t bitmap[REPORT_WORDS] = { 0 };

		ASSERT_RET(0, log_report_of(self->dev, 0, REPORT_BYTES, sizes[i], bitmap),
			   "page size %llu", (unsigned long long)sizes[i]);
	}
}

CLAUSE_TEST_F(dma_log_report, a_part_of_the_range, "dma.report-page-size")
{
	uint64_t bitmap[REPORT_WORDS] = { 0 };

	NEED(DMA_LOGGING);
	START();
	ASSERT_RET(0, log_report_of(self->dev, LOG_BYTES / 2, REPORT_BYTES, LOG_PAGE, bitmap),
		   "from its middle");
	EXPECT_RET(0, log_report_of(self->dev, LOG_BYTES / 2, LOG_PAGE, LOG_PAGE, bitmap),
		   "a page");
}

CLAUSE_TEST_F(dma_log_report, bad_page_sizes, "dma.report-page-size-bad")
{
	static const uint64_t sizes[] = { 0, 1, 2048, 4097, 12288, UINT64_MAX };
	uint64_t bitmap[REPORT_WORDS] = { 0 };
	unsigned int i;

	NEED(DMA_LOGGING);
	START();
	NEED_REPORT();
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_REFUSED("errno of DMA_LOGGING_REPORT with a bad page size",
			       log_report_of(self->dev, 0, REPORT_BYTES, sizes[i], bitmap));
}

CLAUSE_TEST_F(dma_log_report, range_over_the_end, "dma.report-overflow")
{
	uint64_t bitmap[REPORT_WORDS] = { 0 };

	NEED(DMA_LOGGING);
	START();
	NEED_REPORT();
	EXPECT_REFUSED("errno of DMA_LOGGING_REPORT with a range over the end",
		       log_report_of(self->dev, -(REPORT_BYTES / 2), REPORT_BYTES, LOG_PAGE,
				     bitmap));
}

CLAUSE_TEST_F(dma_log_report, only_sets_bits, "dma.report-only-sets")
{
	uint64_t bitmap[REPORT_WORDS + 8];
	unsigned int i;

	NEED(DMA_LOGGING);
	memset(bitmap, 0xa5, sizeof(bitmap));
	START();
	NEED_REPORT();
	ASSERT_RET(0, log_report_of(self->dev, 0, REPORT_BYTES, LOG_PAGE, bitmap), "REPORT");
	for (i = 0; i < REPORT_WORDS; i++) {
		EXPECT_EQ(0xa5a5a5a5a5a5a5a5, bitmap[i] & 0xa5a5a5a5a5a5a5a5) {
			TH_LOG("bits of word %u were cleared", i);
		}
	}
	for (; i < ARRAY_SIZE(bitmap); i++) {
		EXPECT_EQ(0xa5a5a5a5a5a5a5a5, bitmap[i]) {
			TH_LOG("word %u, which is behind the bitmap, has changed", i);
		}
	}
}

/* The bits of a report follow one another: no page, and no word, is left out between them */
CLAUSE_TEST_F(dma_log_report, one_word_of_bits, "dma.report-only-sets")
{
	uint64_t bitmap[3] = { 0, 0, 0 };

	NEED(DMA_LOGGING);
	START();
	NEED_REPORT();
	ASSERT_RET(0, log_report_of(self->dev, LOG_BYTES / 2, 64 * LOG_PAGE, LOG_PAGE,
				    &bitmap[1]), "REPORT of 64 pages");
	EXPECT_EQ(0, bitmap[0]);
	EXPECT_EQ(0, bitmap[2]);
}

/* A variant for each state but ERROR, which a request cannot reach */
FIXTURE(dma_log_state) {
	SUBJECT_MEMBERS;
};

FIXTURE_VARIANT(dma_log_state) {
	enum vfio_device_mig_state state;
	uint32_t needs;
};

#define STATE(_name, _state, _needs) \
FIXTURE_VARIANT_ADD(dma_log_state, _name) { \
	.state = VFIO_DEVICE_STATE_##_state, .needs = VMIG_HAS_MIGRATION | (_needs), \
}

STATE(in_running, RUNNING, 0);
STATE(in_running_p2p, RUNNING_P2P, VMIG_HAS_P2P);
STATE(in_stop, STOP, 0);
STATE(in_stop_copy, STOP_COPY, 0);
STATE(in_resuming, RESUMING, 0);
STATE(in_pre_copy, PRE_COPY, VMIG_HAS_PRE_COPY);
STATE(in_pre_copy_p2p, PRE_COPY_P2P, VMIG_HAS_P2P | VMIG_HAS_PRE_COPY);

FIXTURE_SETUP(dma_log_state)
{
	OPEN_SUBJECT();
}

FIXTURE_TEARDOWN(dma_log_state)
{
	CLOSE_SUBJECT();
}

CLAUSE_TEST_F(dma_log_state, all_calls_work, "dma.states")
{
	NEED(DMA_LOGGING);
	NEED_MASK(variant->needs);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state, &self->fd), "to %s",
		   vmig_state_name(variant->state));
	START();
	NEED_REPORT();
	EXPECT_RET(0, log_stop(self->dev), "STOP");
}

/* Also over the arcs that leave the state: a driver may stop logging at the end of a session */
CLAUSE_TEST_F(dma_log_state, stays_on_over_arcs, "dma.states")
{
	NEED(DMA_LOGGING);
	NEED_MASK(variant->needs);
	if (variant->state == RESUMING)
		SAVE_STREAM();
	START();
	NEED_REPORT();
	REACH(variant->state);
	EXPECT_RET(0, log_report(self->dev), "REPORT in %s", vmig_state_name(variant->state));
	TRY_STATE(STOP, NULL);
	EXPECT_RET(0, log_report(self->dev), "REPORT in STOP");
	TRY_STATE(RUNNING, NULL);
	EXPECT_RET(0, log_report(self->dev), "REPORT in RUNNING");
	EXPECT_RET(0, log_stop(self->dev), "STOP");
}

SUBJECT_TEST_MAIN
