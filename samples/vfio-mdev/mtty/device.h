/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_DEVICE_H
#define MTTY_DEVICE_H

#include "mtty.h"
#include "stream.h"

/* An offset on the device fd has the region index above these bits, as in vfio-pci */
#define MTTY_REGION_SHIFT	40
#define MTTY_REGION_MASK	(BIT_ULL(MTTY_REGION_SHIFT) - 1)

void mtty_device_init(struct mtty *mtty);
int mtty_device_open(struct mtty *mtty);
void mtty_device_close(struct mtty *mtty);
void mtty_device_reset(struct mtty *mtty);
void mtty_device_run(struct mtty *mtty);
void mtty_device_quiesce(struct mtty *mtty);
void mtty_device_update_irq(struct mtty *mtty);
void mtty_device_config_written(struct mtty *mtty, bool changed);
u64 mtty_device_region_size(const struct mtty *mtty, unsigned int index);
int mtty_device_read(struct mtty *mtty, unsigned int index, u64 offset, u8 *buf,
		     size_t len);
int mtty_device_write(struct mtty *mtty, unsigned int index, u64 offset,
		      const u8 *buf, size_t len);

void mtty_device_stream_id(const struct mtty *mtty, struct mtty_stream_id *id);
void mtty_device_save(struct mtty *mtty, struct mtty_stream_state *st);
void mtty_device_load(struct mtty *mtty, const struct mtty_stream_state *st);

#endif /* MTTY_DEVICE_H */
