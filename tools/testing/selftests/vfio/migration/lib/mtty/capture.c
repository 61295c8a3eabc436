// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "capture.h"
#include "mtty_format.h"

int vmig_capture_info(struct vmig_device *dev, struct vmig_capture_info *info)
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

	*info = (struct vmig_capture_info) {
		.size = le64toh(header.size),
		.capacity = le64toh(header.capacity),
		.logged = le64toh(header.logged),
		.dropped = le64toh(header.dropped),
	};

	return 0;
}

int vmig_capture_port(struct vmig_device *dev, unsigned int port,
		      uint8_t **buf, size_t *len)
{
	struct vmig_capture_info info;
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
