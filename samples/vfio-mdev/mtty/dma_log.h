/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_DMA_LOG_H
#define MTTY_DMA_LOG_H

struct vfio_log_ops;

extern const struct vfio_log_ops mtty_dma_log_ops;

#endif /* MTTY_DMA_LOG_H */
