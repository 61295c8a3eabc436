// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging.  The device has no DMA, so its log is always empty.  Without the log, a
 * VMM must assume that all memory is dirty.
 *
 * Built only if the kernel supports reports (CONFIG_IOMMUFD_DRIVER).  Otherwise
 * reports fail, and so would the migration.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "dma_log.h"
#include "mtty.h"

static int mtty_dma_log_start(struct vfio_device *vdev,
			      struct rb_root_cached *ranges, u32 nnodes,
			      u64 *page_size)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);

	if (mtty->logging)
		return -EINVAL;
	mtty->logging = true;
	/* An empty log has any granularity that the bitmap supports */
	if (!is_power_of_2(*page_size) || *page_size < PAGE_SIZE)
		*page_size = PAGE_SIZE;

	return 0;
}

static int mtty_dma_log_stop(struct vfio_device *vdev)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);

	if (!mtty->logging)
		return -EINVAL;
	mtty->logging = false;

	return 0;
}

static int mtty_dma_log_read_and_clear(struct vfio_device *vdev,
				       unsigned long iova, unsigned long length,
				       struct iova_bitmap *dirty)
{
	struct mtty *mtty = to_mtty(vdev);

	guard(mutex)(&mtty->lock);

	return mtty->logging ? 0 : -EINVAL;
}

const struct vfio_log_ops mtty_dma_log_ops = {
	.log_start = mtty_dma_log_start,
	.log_stop = mtty_dma_log_stop,
	.log_read_and_clear = mtty_dma_log_read_and_clear,
};
