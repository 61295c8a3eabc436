// SPDX-License-Identifier: GPL-2.0-only
/* Rate of save and load, compared with a memfd; see bench.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/transfer.h"

#define SIZE	(64 * BENCH_MIB)

static double rate(size_t bytes, double ns)
{
	return bytes / ns * 1e9 / BENCH_MIB;
}

static int save_device(struct vmig_device *dev, double *result)
{
	double begin;
	size_t bytes;
	int fd, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	begin = vmig_now_ns();
	ret = bench_drain(fd, bench_buf, BENCH_CHUNK, &bytes);
	*result = rate(bytes, vmig_now_ns() - begin);
	close(fd);
	return ret;
}

static int load_device(struct vmig_device *dev, const struct vmig_bytes *stream,
		       double *result)
{
	double begin;
	int fd, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &fd);
	if (ret)
		return ret;
	begin = vmig_now_ns();
	ret = vmig_transfer_write(fd, stream->data, stream->len,
				  VMIG_TRANSFER_CHUNK, NULL);
	*result = rate(stream->len, vmig_now_ns() - begin);
	/* The device checks the data */
	if (!ret)
		ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	close(fd);
	return ret;
}

static int use_memfd(const struct vmig_bytes *stream, double *load, double *save)
{
	double begin;
	size_t bytes;
	int fd, ret;

	fd = memfd_create("bench", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	begin = vmig_now_ns();
	ret = vmig_transfer_write(fd, stream->data, stream->len,
				  VMIG_TRANSFER_CHUNK, NULL);
	*load = rate(stream->len, vmig_now_ns() - begin);
	lseek(fd, 0, SEEK_SET);
	begin = vmig_now_ns();
	if (!ret)
		ret = bench_drain(fd, bench_buf, BENCH_CHUNK, &bytes);
	*save = rate(stream->len, vmig_now_ns() - begin);
	close(fd);
	return ret;
}

int bench_transfer(struct bench_out *out)
{
	double save = 0, load = 0, memfd_save = 0, memfd_load = 0;
	struct vmig_bytes stream = { 0 };
	struct vmig_testdev td;
	int ret;

	ret = bench_open(&td, SIZE, SIZE - MTTY_CAP_LOG_OFFSET);
	if (ret)
		return ret;
	ret = vmig_bytes_reserve(&stream, SIZE + BENCH_MIB);
	if (!ret)
		ret = vmig_transfer_save(&td.dev, &stream);
	if (!ret)
		ret = vmig_mig_set_state(&td.dev, VFIO_DEVICE_STATE_STOP, NULL);
	if (!ret)
		ret = save_device(&td.dev, &save);
	if (!ret)
		ret = use_memfd(&stream, &memfd_load, &memfd_save);
	vmig_testdev_close(&td);
	if (!ret)
		ret = bench_open(&td, SIZE, 0);
	if (!ret) {
		ret = load_device(&td.dev, &stream, &load);
		vmig_testdev_close(&td);
	}
	vmig_bytes_free(&stream);
	if (ret)
		return ret;
	ret = bench_add(out, "save", save, memfd_save);
	return ret ? ret : bench_add(out, "load", load, memfd_load);
}
