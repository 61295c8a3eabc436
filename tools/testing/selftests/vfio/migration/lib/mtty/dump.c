// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <linux/const.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/transfer.h"
#include "dump.h"
#include "stream.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

/* Members of the dump have the same, or any two streams differ there */
#define IGNORED	(_BITUL(MTTY_REC_START) | _BITUL(MTTY_REC_CAPTURE) | \
		 _BITUL(MTTY_REC_CONFIG) | _BITUL(MTTY_REC_REINIT) | \
		 _BITUL(MTTY_REC_END))

int vmig_dump_memory(struct vmig_bytes *memory, struct vmig_device *dev)
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

int vmig_dump_take(struct vmig_dump *dump, struct vmig_device *dev)
{
	int ret;

	dump->stream.len = 0;
	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	if (!ret)
		ret = vmig_region_read(dev, CONFIG, 0, dump->config,
				       sizeof(dump->config));
	if (!ret)
		ret = vmig_dump_memory(&dump->memory, dev);
	if (!ret)
		ret = vmig_transfer_save(dev, &dump->stream);
	if (ret)
		return ret;
	return vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
}

void vmig_dump_free(struct vmig_dump *dump)
{
	vmig_bytes_free(&dump->memory);
	vmig_bytes_free(&dump->stream);
}

const char *vmig_dump_compare(const struct vmig_dump *a,
			      const struct vmig_dump *b)
{
	if (memcmp(a->config, b->config, sizeof(a->config)))
		return "config space";
	if (a->memory.len != b->memory.len ||
	    memcmp(a->memory.data, b->memory.data, a->memory.len))
		return "capture memory";
	return vmig_dump_compare_streams(&a->stream, &b->stream, IGNORED);
}

int vmig_dump_compare_config(struct vmig_device *a, struct vmig_device *b,
			     unsigned int *reg)
{
	uint8_t of_a[PCI_CFG_SPACE_SIZE], of_b[PCI_CFG_SPACE_SIZE];
	int ret;

	ret = vmig_region_read(a, CONFIG, 0, of_a, sizeof(of_a));
	if (!ret)
		ret = vmig_region_read(b, CONFIG, 0, of_b, sizeof(of_b));
	for (*reg = 0; !ret && *reg < sizeof(of_a); ++*reg) {
		if (of_a[*reg] != of_b[*reg])
			return -EUCLEAN;
	}
	return ret;
}

/* The next record that is compared. Return: 0, -ENOENT at the end, -EBADMSG */
static int next_record(struct vmig_stream_iter *iter, struct vmig_rec *rec,
		       uint32_t ignored)
{
	int ret;

	do {
		ret = vmig_stream_next(iter, rec);
		if (!ret && !(rec->data_ok && rec->head_ok))
			ret = -EBADMSG;
	} while (!ret && rec->type < MTTY_REC_NR && ignored & _BITUL(rec->type));
	return ret;
}

const char *vmig_dump_compare_streams(const struct vmig_bytes *a,
				      const struct vmig_bytes *b,
				      uint32_t ignored)
{
	struct vmig_stream_iter at_a, at_b;
	struct vmig_rec of_a, of_b;
	unsigned int same = 0;
	int ret_a, ret_b;

	vmig_stream_start(&at_a, a->data, a->len);
	vmig_stream_start(&at_b, b->data, b->len);
	for (;;) {
		ret_a = next_record(&at_a, &of_a, ignored);
		ret_b = next_record(&at_b, &of_b, ignored);
		if (ret_a || ret_b)
			break;
		if (of_a.type != of_b.type || of_a.len != of_b.len ||
		    memcmp(of_a.payload, of_b.payload, of_a.len))
			return vmig_stream_type_name(of_a.type);
		same++;
	}
	if (ret_a != -ENOENT || ret_b != -ENOENT)
		return "checksum, or number of records";
	/* That two streams without records are equal says nothing */
	return same ? NULL : "nothing to compare";
}
