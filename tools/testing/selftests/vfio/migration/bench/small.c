// SPDX-License-Identifier: GPL-2.0-only
/* What can be asked of any mtty, also of the kernel's own; see bench.h. */
#include <errno.h>
#include <unistd.h>

#include "bench.h"
#include "lib/feature.h"
#include "lib/transfer.h"
#include "lib/uart.h"

#define TIMES	2000
#define TRIPS	100

static int arcs(struct vmig_device *dev)
{
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_mig_set_state(dev, i & 1 ?
					 VFIO_DEVICE_STATE_RUNNING :
					 VFIO_DEVICE_STATE_RUNNING_P2P, NULL);
	return ret;
}

static int reads(struct vmig_device *dev)
{
	int i, ret = 0;
	uint8_t val;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_uart_in(dev, 0, UART_LSR, &val);
	return ret;
}

static int writes(struct vmig_device *dev)
{
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_uart_out(dev, 0, UART_SCR, i);
	return ret;
}

static int trips(struct vmig_device *src, struct vmig_device *dst)
{
	struct vmig_bytes stream = { 0 };
	int i, ret = vmig_bytes_reserve(&stream, 2 * VMIG_TRANSFER_CHUNK);

	for (i = 0; !ret && i < TRIPS; i++) {
		stream.len = 0;
		ret = vmig_transfer_save(src, &stream);
		if (!ret)
			ret = vmig_transfer_load(dst, &stream);
		if (!ret)
			ret = vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RUNNING,
						 NULL);
		if (!ret)
			ret = vmig_mig_set_state(src, VFIO_DEVICE_STATE_RUNNING,
						 NULL);
	}
	vmig_bytes_free(&stream);
	return ret;
}

static int infos(struct vmig_device *dev)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	int fd, i, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	if (ret)
		return ret;
	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_precopy_info(fd, &info);
	close(fd);
	return ret ? ret : vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING,
					      NULL);
}

static int measure(struct vmig_testdev *td, struct bench_out *out)
{
	static const struct {
		const char *row;
		int (*use)(struct vmig_device *dev);
	} rows[] = {
		{ "arc", arcs }, { "register-read", reads },
		{ "register-write", writes }, { "info", infos },
	};
	unsigned int i;
	double start;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(rows); i++) {
		/* Once more, as the first one pays for what is slow once only */
		ret = rows[i].use(&td[0].dev);
		start = bench_now();
		if (!ret)
			ret = rows[i].use(&td[0].dev);
		if (!ret)
			ret = bench_add(out, rows[i].row,
					(bench_now() - start) / TIMES, 0);
	}
	if (!ret)
		ret = trips(&td[0].dev, &td[1].dev);
	start = bench_now();
	if (!ret)
		ret = trips(&td[0].dev, &td[1].dev);
	if (!ret)
		ret = bench_add(out, "round-trip",
				(bench_now() - start) / TRIPS, 0);
	return ret;
}

/* The kernel's mtty has no capture memory, and nothing to say so by */
static int open_bare(struct vmig_testdev *td)
{
	const struct vmig_attrs attrs = { .capture_size = "0" };
	int ret;

	ret = vmig_testdev_open(td, "mtty-2", VMIG_PATH_GROUP, &attrs);
	if (ret != -ENOENT)
		return ret;
	return vmig_testdev_open(td, "mtty-2", VMIG_PATH_GROUP, NULL);
}

int bench_small(struct bench_out *out)
{
	struct vmig_testdev td[2];
	int ret;

	ret = open_bare(&td[0]);
	if (ret)
		return ret;
	ret = open_bare(&td[1]);
	if (!ret) {
		ret = measure(td, out);
		vmig_testdev_close(&td[1]);
	}
	vmig_testdev_close(&td[0]);
	return ret;
}
