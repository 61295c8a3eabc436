// SPDX-License-Identifier: GPL-2.0-only
/* Bytes left for STOP_COPY after pages were written; see bench.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/vfio/feature.h"

#define PAGE	4096
#define SIZE	(16 * BENCH_MIB)

/* Writes one byte of every @step-th page */
static int dirty(struct vmig_device *dev, unsigned int pages, unsigned int step)
{
	unsigned int i;
	uint8_t byte = 0x55;
	int ret = 0;

	for (i = 0; !ret && i < pages; i++)
		ret = vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
					(1 + i * (uint64_t)step) * PAGE, &byte,
					1);
	return ret;
}

static int left_for_stop_copy(unsigned int pages, unsigned int step,
			      size_t *bytes)
{
	struct vmig_testdev td;
	int fd, ret;

	ret = bench_open(&td, SIZE, SIZE - MTTY_CAP_LOG_OFFSET);
	if (ret)
		return ret;
	ret = vmig_mig_set_state(&td.dev, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	if (ret)
		goto close_device;
	ret = bench_drain(fd, bench_buf, BENCH_CHUNK, NULL);
	if (ret == -ENOMSG)
		ret = dirty(&td.dev, pages, step);
	if (!ret)
		ret = vmig_mig_set_state(&td.dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL);
	if (!ret)
		ret = bench_drain(fd, bench_buf, BENCH_CHUNK, bytes);
	close(fd);
close_device:
	vmig_testdev_close(&td);
	return ret;
}

int bench_dirty(struct bench_out *out)
{
	static const unsigned int pages[] = { 1, 64, 1024 };
	unsigned int i, step;
	char row[32];
	size_t bytes;
	int ret = 0;

	for (i = 0; !ret && i < 6; i++) {
		/* Adjacent pages, then every second page */
		step = 1 + i / 3;
		snprintf(row, sizeof(row), "%s-%u",
			 step == 1 ? "dirty" : "dirty-apart", pages[i % 3]);
		ret = left_for_stop_copy(pages[i % 3], step, &bytes);
		if (!ret)
			ret = bench_add(out, row, bytes,
					(double)pages[i % 3] * PAGE);
	}
	return ret;
}
