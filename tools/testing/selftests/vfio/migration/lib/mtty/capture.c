// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "mtty_format.h"
#include "stream.h"
#include "uart.h"

int vmig_capture_info(struct vmig_device *dev, struct vmig_capture_head *info)
{
	struct mtty_cap_header header;
	int ret;

	if (!dev->region[VFIO_PCI_BAR2_REGION_INDEX].size)
		return -ENODEV;

	ret = vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX, 0, &header,
			       sizeof(header));
	if (ret)
		return ret;

	if (le32toh(header.magic) != MTTY_CAP_MAGIC ||
	    le32toh(header.version) != MTTY_CAP_VERSION)
		return -EBADMSG;

	*info = (struct vmig_capture_head) {
		.size = le64toh(header.size),
		.capacity = le64toh(header.capacity),
		.logged = le64toh(header.logged),
		.dropped = le64toh(header.dropped),
	};

	return 0;
}

uint64_t vmig_capture_map_start(void)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	/* The header, which is computed, has a page of its own */
	return page > MTTY_CAP_LOG_OFFSET ? page : MTTY_CAP_LOG_OFFSET;
}

int vmig_capture_transmit(struct vmig_device *dev, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		ret = vmig_uart_out(dev, i, UART_LCR, UART_LCR_WLEN8);
	for (i = 0; i < nr && !ret; i++)
		ret = vmig_uart_out(dev, i % 2, UART_TX, 'a' + i % 26);
	return ret;
}

int vmig_capture_port(struct vmig_device *dev, unsigned int port,
		      uint8_t **buf, size_t *len)
{
	struct vmig_capture_head info;
	struct mtty_cap_entry *log;
	uint8_t *bytes;
	size_t i;
	int ret;

	*buf = NULL;
	*len = 0;
	ret = vmig_capture_info(dev, &info);
	if (ret)
		return ret;

	/* calloc(0) may return NULL */
	log = calloc(info.logged + 1, sizeof(*log));
	bytes = malloc(info.logged + 1);
	if (!log || !bytes)
		ret = -ENOMEM;
	if (!ret)
		ret = vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX,
				       MTTY_CAP_LOG_OFFSET, log,
				       info.logged * sizeof(*log));
	for (i = 0; !ret && i < info.logged; i++)
		if (log[i].port == port)
			bytes[(*len)++] = log[i].data;
	free(log);
	if (ret) {
		free(bytes);
		return ret;
	}

	*buf = bytes;

	return 0;
}

static int apply_record(const struct vmig_rec *rec, uint8_t *image, uint64_t size)
{
	struct mtty_rec_capture capture;
	uint64_t offset, len;

	if (!rec->data_ok || rec->len < sizeof(capture))
		return -EBADMSG;
	memcpy(&capture, rec->payload, sizeof(capture));
	offset = le64toh(capture.offset);
	len = rec->len - sizeof(capture);
	if (offset > size || len > size - offset)
		return -ERANGE;
	memcpy(image + offset, rec->payload + sizeof(capture), len);
	return 0;
}

int vmig_capture_apply(const struct vmig_bytes *stream, uint8_t *image, uint64_t size)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	int ret;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!(ret = vmig_stream_next(&iter, &rec))) {
		if (rec.type == MTTY_REC_CAPTURE)
			ret = apply_record(&rec, image, size);
		if (ret)
			return ret;
	}
	return ret == -ENOENT ? 0 : ret;
}
