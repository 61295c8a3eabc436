// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_DMA_LOGGING_*: the device has no DMA, so its log is offered,
 * and empty, where the kernel can carry a report (CONFIG_IOMMUFD_DRIVER).
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/mtty.h"

#define LENGTH	0x100000u
#define PAGE	4096u

FIXTURE(dma_log) {
	DEVICE_MEMBERS;
};

FIXTURE_SETUP(dma_log)
{
	OPEN_DEVICE("mtty-1");
	if (vmig_feature(self->dev, VFIO_DEVICE_FEATURE_PROBE |
			 VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0)) {
		CLOSE_DEVICE();
		SKIP(return, "no DMA logging on this kernel");
	}
}

FIXTURE_TEARDOWN(dma_log)
{
	CLOSE_DEVICE();
}

static int start(struct vmig_device *dev)
{
	struct vfio_device_feature_dma_logging_range range = {
		.length = LENGTH,
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = PAGE, .num_ranges = 1,
		.ranges = (uintptr_t)&range,
	};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
			    sizeof(control));
}

static int stop(struct vmig_device *dev)
{
	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
}

static int report(struct vmig_device *dev, uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report report = {
		.length = LENGTH, .page_size = PAGE,
		.bitmap = (uintptr_t)bitmap,
	};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
			    sizeof(report));
}

/* Driver: DMA_LOGGING_REPORT: the device has no DMA, so no bit is set */
TEST_F(dma_log, report_is_empty)
{
	uint64_t bitmap[LENGTH / PAGE / 64] = { 0 };
	unsigned int i;

	ASSERT_RET(0, start(self->dev), "START");
	EXPECT_RET(0, report(self->dev, bitmap), "REPORT");
	for (i = 0; i < ARRAY_SIZE(bitmap); i++)
		EXPECT_EQ(0, bitmap[i]);
	EXPECT_RET(0, stop(self->dev), "STOP");
}

/* Driver: DMA_LOGGING_START while it is started, STOP and REPORT if it is not: EINVAL */
TEST_F(dma_log, one_log_at_a_time)
{
	struct vmig_device *dev = self->dev;
	uint64_t bitmap[LENGTH / PAGE / 64] = { 0 };

	EXPECT_RET(-EINVAL, stop(dev), "STOP, never started");
	EXPECT_RET(-EINVAL, report(dev, bitmap), "REPORT, never started");
	ASSERT_RET(0, start(dev), "START");
	EXPECT_RET(-EINVAL, start(dev), "START, again");
	EXPECT_RET(0, stop(dev), "STOP");
	EXPECT_RET(-EINVAL, stop(dev), "STOP, again");
	EXPECT_RET(0, start(dev), "START, after STOP");
}

/*
 * Driver: vfio_device_feature_dma_logging_control.page_size: the hint if it is a power of
 * two and at least a page, else a page
 */
TEST_F(dma_log, page_size_is_the_hint_or_a_page)
{
	static const struct {
		uint64_t hint;
		uint64_t length;
		uint64_t selected;
	} row[] = {
		{ PAGE, LENGTH, PAGE },
		{ 16 * PAGE, LENGTH, 16 * PAGE },
		{ 1ULL << 40, 1ULL << 40, 1ULL << 40 },
		{ 1, LENGTH, PAGE },
		{ PAGE / 2, LENGTH, PAGE },
		{ 3, LENGTH, PAGE },
		{ PAGE + 1, LENGTH, PAGE },
		{ 3 * PAGE, LENGTH, PAGE },
		/* No range but an empty one is aligned to it */
		{ 0, 0, PAGE },
	};
	unsigned int i;

	if (sysconf(_SC_PAGESIZE) != PAGE)
		SKIP(return, "for pages of %u bytes", PAGE);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		struct vfio_device_feature_dma_logging_range range = {
			.length = row[i].length,
		};
		struct vfio_device_feature_dma_logging_control control = {
			.page_size = row[i].hint, .num_ranges = 1,
			.ranges = (uintptr_t)&range,
		};

		ASSERT_RET(0, vmig_feature(self->dev,
					   VFIO_DEVICE_FEATURE_SET |
					   VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
					   &control, sizeof(control)),
			   "row %u", i);
		EXPECT_EQ(row[i].selected, control.page_size) {
			TH_LOG("row %u", i);
		}
		ASSERT_RET(0, stop(self->dev), "STOP");
	}
}

/* Driver: VFIO_DEVICE_RESET and close end the log */
TEST_F(dma_log, reset_and_close_end_it)
{
	struct vmig_device *dev = self->dev;

	ASSERT_RET(0, start(dev), "START");
	ASSERT_RET(0, vmig_device_reset(dev), "reset");
	EXPECT_RET(-EINVAL, stop(dev), "STOP, after a reset");

	ASSERT_RET(0, start(dev), "START");
	vmig_device_close(dev);
	ASSERT_RET(0, vmig_device_open(dev, &self->td.mdev, VMIG_PATH_ANY),
		   "open");
	EXPECT_RET(-EINVAL, stop(dev), "STOP, after close");
}

TEST_HARNESS_MAIN
