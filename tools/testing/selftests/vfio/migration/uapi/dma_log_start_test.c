// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_DMA_LOGGING_START and STOP: the ranges and page sizes that START
 * takes, those that it refuses, and when logging is on. No case needs DMA.
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "dma_log.h"

SUBJECT_FIXTURE(dma_log_start);

static const struct {
	const char *name;
	uint32_t flags;
} calls[] = {
	{ "START", VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START },
	{ "STOP", VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP },
	{ "REPORT", VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT },
};

CLAUSE_TEST_F(dma_log_start, probe, "dma.probe")
{
	unsigned int i;

	NEED(DMA_LOGGING);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_RET(0, vmig_feature(self->dev, VFIO_DEVICE_FEATURE_PROBE | calls[i].flags,
					   NULL, 0), "PROBE %s", calls[i].name);
}

CLAUSE_TEST_F(dma_log_start, absent, "dma.absent")
{
	unsigned int i;

	if (!vmig_subject_lacks(&self->subject, VMIG_HAS_DMA_LOGGING))
		SKIP(return, "not applicable: the device has DMA_LOGGING");
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_REFUSED("errno of PROBE without DMA logging",
			       vmig_feature(self->dev, VFIO_DEVICE_FEATURE_PROBE |
					    calls[i].flags, NULL, 0));
	EXPECT_REFUSED("errno of DMA_LOGGING_START without DMA logging", log_start(self->dev));
	EXPECT_REFUSED("errno of DMA_LOGGING_STOP without DMA logging", log_stop(self->dev));
	EXPECT_REFUSED("errno of DMA_LOGGING_REPORT without DMA logging",
		       log_report(self->dev));
}

CLAUSE_TEST_F(dma_log_start, start_stop_start, "dma.start-stop")
{
	NEED(DMA_LOGGING);
	START();
	EXPECT_RET(0, log_stop(self->dev), "STOP");
	EXPECT_RET(0, log_start(self->dev), "START again");
	EXPECT_RET(0, log_stop(self->dev), "STOP again");
}

CLAUSE_TEST_F(dma_log_start, start_twice, "dma.start-twice")
{
	NEED(DMA_LOGGING);
	START();
	EXPECT_REFUSED("errno of a second DMA_LOGGING_START", log_start(self->dev));
	EXPECT_RET(0, log_stop(self->dev), "it was on");
}

CLAUSE_TEST_F(dma_log_start, stop_without_start, "dma.stop-off")
{
	NEED(DMA_LOGGING);
	RECORD("DMA_LOGGING_STOP without START", "%s", vmig_errno_name(log_stop(self->dev)));
	/* Whatever it said, nothing is on */
	EXPECT_RET(0, log_start(self->dev), "START");
}

static const uint64_t hints[] = { 4096, 65536, 2ul << 20, 2048, 1, 3 };

/* START with a hint; @size: set to what the device chose */
static int start_by_hint(struct vmig_device *dev, uint64_t hint, uint64_t *size)
{
	const struct vfio_device_feature_dma_logging_range range = { .length = LOG_BYTES };

	*size = hint;
	return log_start_ranges(dev, size, &range, 1);
}

/* A hint that makes no sense may be refused; what is chosen for it is a power of two */
CLAUSE_TEST_F(dma_log_start, page_size, "dma.page-size")
{
	unsigned int i;
	uint64_t size;

	NEED(DMA_LOGGING);
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		if (start_by_hint(self->dev, hints[i], &size))
			continue;
		EXPECT_TRUE(size && !(size & (size - 1))) {
			TH_LOG("page size %#llx is no power of two", (unsigned long long)size);
		}
		ASSERT_RET(0, log_stop(self->dev), "STOP");
	}
}

/* Each size that a page may have is accepted as a hint, whatever is chosen */
CLAUSE_TEST_F(dma_log_start, page_size_hint, "dma.page-size-hint")
{
	unsigned int i;
	uint64_t size;
	int ret;

	NEED(DMA_LOGGING);
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		ret = start_by_hint(self->dev, hints[i], &size);
		if (hints[i] >= LOG_PAGE)
			EXPECT_RET(0, ret, "hint %llu", (unsigned long long)hints[i]);
		RECORD("page size of DMA logging", "%llu for %llu: %s", (unsigned long long)size,
		       (unsigned long long)hints[i], vmig_errno_name(ret));
		if (!ret)
			ASSERT_RET(0, log_stop(self->dev), "STOP");
	}
}

/* So much each, and between them: 256 of them have as much as the usual range */
#define MANY_BYTES	(4096ul * 1024)

static int start_many(struct vmig_device *dev, uint32_t nr)
{
	struct vfio_device_feature_dma_logging_range *ranges = calloc(nr, sizeof(*ranges));
	uint64_t page_size = LOG_PAGE;
	uint32_t i;
	int ret;

	if (!ranges)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		ranges[i].iova = 2 * i * MANY_BYTES;
		ranges[i].length = MANY_BYTES;
	}
	ret = log_start_ranges(dev, &page_size, ranges, nr);
	free(ranges);
	return ret;
}

CLAUSE_TEST_F(dma_log_start, a_page_of_ranges, "dma.ranges-page")
{
	NEED(DMA_LOGGING);
	EXPECT_RET(0, start_many(self->dev, RANGES_IN_A_PAGE), "%zu ranges", RANGES_IN_A_PAGE);
}

CLAUSE_TEST_F(dma_log_start, more_ranges, "dma.ranges-more")
{
	int ret;

	NEED(DMA_LOGGING);
	ret = start_many(self->dev, RANGES_IN_A_PAGE + 1);
	RECORD("DMA_LOGGING_START with more ranges than fit into a page", "%s",
	       vmig_errno_name(ret));
	if (ret)
		EXPECT_RET(0, log_start(self->dev), "START with fewer ranges");
	else
		EXPECT_RET(0, log_stop(self->dev), "STOP");
}

/* Each must be refused, and leave logging off, so that the next one is judged alone */
static const struct bad_ranges {
	const char *name;
	uint32_t nr;
	struct vfio_device_feature_dma_logging_range ranges[2];
} bad_start[] = { {
	"address off by one byte", 1, { { .iova = 1, .length = LOG_PAGE } },
}, {
	"length off by one byte", 1, { { .length = LOG_PAGE + 1 } },
} }, bad_end[] = { {
	"over the last address", 1, { { .iova = -2 * LOG_PAGE, .length = 4 * LOG_PAGE } },
}, {
	"longer than all addresses", 1, { { .iova = LOG_PAGE, .length = -LOG_PAGE } },
} }, bad_pair[] = { {
	"the same twice", 2, { { .length = LOG_PAGE }, { .length = LOG_PAGE } },
}, {
	"one page in common", 2, { { .length = 2 * LOG_PAGE },
				   { .iova = LOG_PAGE, .length = 2 * LOG_PAGE } },
}, {
	"one in the other, which comes last", 2, { { .iova = LOG_PAGE, .length = LOG_PAGE },
						   { .length = 4 * LOG_PAGE } },
} };

#define EXPECT_BAD(_table, _key) do { \
	unsigned int bad_row; \
	for (bad_row = 0; bad_row < ARRAY_SIZE(_table); bad_row++) { \
		uint64_t bad_size = LOG_PAGE; \
		int bad_ret = log_start_ranges(self->dev, &bad_size, _table[bad_row].ranges, \
					       _table[bad_row].nr); \
		EXPECT_GT(0, bad_ret) { \
			TH_LOG("START succeeded with a range: %s", _table[bad_row].name); \
		} \
		RECORD(_key, "%s", vmig_errno_name(bad_ret)); \
		if (!bad_ret) \
			log_stop(self->dev); \
	} \
} while (0)

CLAUSE_TEST_F(dma_log_start, no_range, "dma.ranges-none")
{
	const struct vfio_device_feature_dma_logging_range range = { .length = LOG_BYTES };
	uint64_t size = LOG_PAGE;

	NEED(DMA_LOGGING);
	EXPECT_REFUSED("errno of DMA_LOGGING_START without a range",
		       log_start_ranges(self->dev, &size, &range, 0));
}

CLAUSE_TEST_F(dma_log_start, unaligned_range, "dma.range-unaligned")
{
	NEED(DMA_LOGGING);
	EXPECT_BAD(bad_start, "errno of DMA_LOGGING_START with an unaligned range");
}

CLAUSE_TEST_F(dma_log_start, range_over_the_end, "dma.range-overflow")
{
	NEED(DMA_LOGGING);
	EXPECT_BAD(bad_end, "errno of DMA_LOGGING_START with a range over the end");
}

CLAUSE_TEST_F(dma_log_start, ranges_that_overlap, "dma.range-overlap")
{
	NEED(DMA_LOGGING);
	EXPECT_BAD(bad_pair, "errno of DMA_LOGGING_START with ranges that overlap");
}

/* The second range is on a page that cannot be read */
CLAUSE_TEST_F(dma_log_start, ranges_that_cannot_be_read, "dma.ranges-fault")
{
	uint8_t *end = guarded_page_map();
	uint64_t size = LOG_PAGE;
	struct vfio_device_feature_dma_logging_range *last;

	ASSERT_NE(NULL, end);
	last = (void *)(end - sizeof(*last));
	last->iova = 0;
	last->length = LOG_PAGE;
	NEED(DMA_LOGGING);
	EXPECT_REFUSED("errno of DMA_LOGGING_START with ranges at a bad address",
		       log_start_ranges(self->dev, &size, (void *)end, 1));
	EXPECT_REFUSED("errno of DMA_LOGGING_START with the second range at a bad address",
		       log_start_ranges(self->dev, &size, last, 2));
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(dma_log_start, refused_means_off, "dma.start-refused")
{
	uint64_t size = LOG_PAGE;

	NEED(DMA_LOGGING);
	EXPECT_REFUSED("errno of DMA_LOGGING_START with ranges that overlap",
		       log_start_ranges(self->dev, &size, bad_pair[0].ranges, 2));
	EXPECT_RET(0, log_start(self->dev), "a good START");
}

/* The chosen page size cannot be returned: the user does not know that logging is on */
CLAUSE_TEST_F(dma_log_start, unanswered_means_off, "dma.start-refused")
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const struct vfio_device_feature_dma_logging_range range = { .length = LOG_BYTES };
	struct vfio_device_feature *feature;
	struct vfio_device_feature_dma_logging_control *control;

	NEED(DMA_LOGGING);
	feature = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, feature);
	feature->argsz = sizeof(*feature) + sizeof(*control);
	feature->flags = calls[0].flags;
	control = (void *)feature->data;
	*control = (struct vfio_device_feature_dma_logging_control) {
		.page_size = LOG_PAGE, .num_ranges = 1, .ranges = (uintptr_t)&range,
	};
	ASSERT_EQ(0, mprotect(feature, page, PROT_READ));
	EXPECT_REFUSED("errno of DMA_LOGGING_START with a read-only argument",
		       vmig_call_ioctl(self->dev->fd, VFIO_DEVICE_FEATURE, feature) ? -errno : 0);
	EXPECT_RET(0, log_start(self->dev), "a good START");
	munmap(feature, page);
}

CLAUSE_TEST_F(dma_log_start, close_ends_it, "dma.close")
{
	NEED(DMA_LOGGING);
	START();
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "close and open");
	EXPECT_RET(0, log_start(self->dev), "START after close");
}

/* Whatever a reset did, STOP and START get the log back into a known state */
CLAUSE_TEST_F(dma_log_start, reset_may_end_it, "reset.dma-log")
{
	int ret;

	NEED2(DMA_LOGGING, RESET);
	START();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ret = log_start(self->dev);
	RECORD("DMA logging after a reset", ret ? "on" : "off");
	EXPECT_RET(0, log_stop(self->dev), "STOP");
	EXPECT_RET(0, log_start(self->dev), "START after STOP");
}

SUBJECT_TEST_MAIN
