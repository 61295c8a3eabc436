/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by dma_log_*_test.c: VFIO_DEVICE_FEATURE_DMA_LOGGING_START, STOP and REPORT, each
 * with the arguments that a case wants.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_DMA_LOG_H
#define VMIG_DMA_LOG_H

#include <errno.h>

#include "uapi.h"

/*
 * The range that most cases log begins at address 0, and is as large as the memory of a
 * small guest: a device may not log less. The range of reports is smaller, so that the list
 * of bits is short, but fits large pages.
 */
#define LOG_PAGE	4096ul
#define LOG_BYTES	(1024ul * 1024 * 1024)
#define REPORT_BYTES	(2048ul * 1024)
#define REPORT_WORDS	(REPORT_BYTES / LOG_PAGE / 64)

/* As many as every kernel must take */
#define RANGES_IN_A_PAGE \
	((size_t)sysconf(_SC_PAGESIZE) / sizeof(struct vfio_device_feature_dma_logging_range))

/* @page_size: the hint; set to what the device chose */
static inline int
log_start_ranges(struct vmig_device *dev, uint64_t *page_size,
		 const struct vfio_device_feature_dma_logging_range *ranges, uint32_t nr)
{
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = *page_size, .num_ranges = nr, .ranges = (uintptr_t)ranges,
	};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			   &control, sizeof(control));
	*page_size = control.page_size;
	return ret;
}

/* One range, in pages of the usual size */
static inline int log_start_range(struct vmig_device *dev, uint64_t iova, uint64_t length)
{
	struct vfio_device_feature_dma_logging_range range = { .iova = iova, .length = length };
	uint64_t page_size = LOG_PAGE;

	return log_start_ranges(dev, &page_size, &range, 1);
}

static inline int log_start(struct vmig_device *dev)
{
	return log_start_range(dev, 0, LOG_BYTES);
}

static inline int log_stop(struct vmig_device *dev)
{
	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
}

static inline int log_report_of(struct vmig_device *dev, uint64_t iova, uint64_t length,
				uint64_t page_size, uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report report = {
		.iova = iova, .length = length, .page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report, sizeof(report));
}

/* Report the first part of the range; the bits are dropped */
static inline int log_report(struct vmig_device *dev)
{
	uint64_t bitmap[REPORT_WORDS] = { 0 };

	return log_report_of(dev, 0, REPORT_BYTES, LOG_PAGE, bitmap);
}

#define START()	ASSERT_RET(0, log_start(self->dev), "DMA_LOGGING_START")

/*
 * NEED_REPORT - logging is on, and can be reported. A kernel without
 * CONFIG_IOMMUFD_DRIVER refuses all reports, also of a driver that offers them.
 */
#define NEED_REPORT() do { \
	int can_report = log_report(self->dev); \
	if (can_report == -EOPNOTSUPP) \
		SKIP(return, "not checked: this kernel has no DMA_LOGGING_REPORT"); \
	ASSERT_RET(0, can_report, "DMA_LOGGING_REPORT"); \
} while (0)

#endif /* VMIG_DMA_LOG_H */
