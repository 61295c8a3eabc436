// SPDX-License-Identifier: GPL-2.0-only
/* Shared by all measurements; see bench.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"

uint8_t bench_buf[BENCH_CHUNK];

int bench_add(struct bench_out *out, const char *row, double ours, double ref)
{
	struct bench_sample *sample = &out->sample[out->nr];

	if (out->nr == BENCH_MAX)
		return -ENOSPC;
	snprintf(sample->row, sizeof(sample->row), "%s", row);
	sample->ours = ours;
	sample->ref = ref;
	out->nr++;
	return 0;
}

static int fill(struct vmig_testdev *td, size_t len)
{
	size_t done, chunk = BENCH_CHUNK;
	uint8_t *bytes = malloc(chunk);
	int ret = bytes ? 0 : -ENOMEM;

	for (done = 0; !ret && done < len; done += chunk) {
		if (chunk > len - done)
			chunk = len - done;
		memset(bytes, 1 + done / chunk, chunk);
		ret = vmig_region_write(&td->dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET + done, bytes,
					chunk);
	}
	free(bytes);
	return ret;
}

int bench_open(struct vmig_testdev *td, size_t size, size_t filled)
{
	char text[32];
	const struct vmig_attrs attrs = { .capture_size = text };
	int ret;

	snprintf(text, sizeof(text), "%zu", size);
	ret = vmig_testdev_open(td, "mtty-2", VMIG_PATH_GROUP, &attrs);
	if (ret)
		return ret;
	ret = fill(td, filled);
	if (ret)
		vmig_testdev_close(td);
	return ret;
}

int bench_drain(int data_fd, uint8_t *buf, size_t size, size_t *bytes)
{
	size_t sum = 0;
	ssize_t got;

	do {
		got = read(data_fd, buf, size);
		if (got > 0)
			sum += got;
	} while (got > 0);
	if (bytes)
		*bytes = sum;
	return got ? -errno : 0;
}
