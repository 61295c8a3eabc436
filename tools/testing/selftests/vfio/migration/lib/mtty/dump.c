// SPDX-License-Identifier: GPL-2.0-only
/* All that a device has, as bytes; see picture.h. */
#include <string.h>
#include <linux/vfio_mig_config.h>

#include "lib/vfio/feature.h"
#include "dump.h"
#include "stream.h"
#include "lib/vfio/transfer.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX

static int take_memory(struct vmig_bytes *memory, struct vmig_device *dev)
{
	size_t size = dev->region[BAR2].size;
	int ret;

	memory->len = 0;
	ret = vmig_bytes_reserve(memory, size);
	if (!ret && size)
		ret = vmig_region_read(dev, BAR2, 0, memory->data, size);
	if (!ret)
		memory->len = size;
	return ret;
}

/* What is compared otherwise, or differs between any two streams */
static int is_left_out(uint32_t type)
{
	return type == MTTY_REC_START || type == MTTY_REC_CAPTURE ||
	       type == MTTY_REC_CONFIG || type == MTTY_REC_REINIT ||
	       type == MTTY_REC_END;
}

static int take_state(struct vmig_bytes *state, struct vmig_device *dev)
{
	struct vmig_bytes stream = {};
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	int ret;

	state->len = 0;
	ret = vmig_transfer_save(dev, &stream);
	vmig_stream_start(&iter, stream.data, stream.len);
	while (!ret && !vmig_stream_next(&iter, &rec)) {
		if (!is_left_out(rec.type))
			ret = vmig_bytes_add(state, rec.payload, rec.len);
	}
	vmig_bytes_free(&stream);
	return ret;
}

int vmig_dump_take(struct vmig_dump *picture, struct vmig_device *dev)
{
	struct vfio_device_feature_mig_config answer;
	int ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	if (!ret)
		ret = vmig_region_read(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				       picture->config,
				       sizeof(picture->config));
	if (!ret)
		ret = vmig_mig_config_get(dev, &answer);
	if (!ret)
		ret = take_memory(&picture->memory, dev);
	if (!ret)
		ret = take_state(&picture->state, dev);
	if (ret)
		return ret;
	picture->generation = answer.generation;
	return vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
}

void vmig_dump_free(struct vmig_dump *picture)
{
	vmig_bytes_free(&picture->memory);
	vmig_bytes_free(&picture->state);
}

static int differs(const struct vmig_bytes *a, const struct vmig_bytes *b)
{
	return a->len != b->len || memcmp(a->data, b->data, a->len);
}

const char *vmig_dump_compare(const struct vmig_dump *a,
				 const struct vmig_dump *b)
{
	if (memcmp(a->config, b->config, sizeof(a->config)))
		return "config space";
	if (a->generation != b->generation)
		return "generation of config space";
	if (differs(&a->memory, &b->memory))
		return "capture memory";
	if (differs(&a->state, &b->state))
		return "ports or interrupts";
	return NULL;
}
