// SPDX-License-Identifier: GPL-2.0-only
/* Measurements that the kernel's own mtty supports, too; see bench.h. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/irq.h"
#include "lib/vfio/transfer.h"
#include "lib/mtty/uart.h"

#define TIMES	200
#define TRIPS	10
/* A value is the median of so many batches */
#define BATCHES	21
/* The limit of the kernel's mtty, with one port each */
#define DEVICES	24
#define TURNS	3

static int arcs(struct vmig_testdev *td)
{
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_mig_set_state(&td->dev, i & 1 ?
					 VFIO_DEVICE_STATE_RUNNING :
					 VFIO_DEVICE_STATE_RUNNING_P2P, NULL);
	return ret;
}

static int reads(struct vmig_testdev *td)
{
	int i, ret = 0;
	uint8_t val;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_uart_in(&td->dev, 0, UART_LSR, &val);
	return ret;
}

static int writes(struct vmig_testdev *td)
{
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_uart_out(&td->dev, 0, UART_SCR, i);
	return ret;
}

/* From enabling to acknowledging */
static int interrupt(struct vmig_device *dev, int eventfd)
{
	uint8_t iir = 0;
	int ret;

	ret = vmig_uart_out(dev, 0, UART_IER, UART_IER_THRI);
	if (!ret && vmig_eventfd_take(eventfd) != 1)
		ret = -EIO;
	if (!ret)
		ret = vmig_uart_in(dev, 0, UART_IIR, &iir);
	if (!ret && (iir & UART_IIR_ID) != UART_IIR_THRI)
		ret = -EIO;
	return ret ? ret : vmig_uart_out(dev, 0, UART_IER, 0);
}

static int connect_msi(struct vmig_device *dev, int eventfd)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	/* The kernel's mtty sets up its interrupts in GET_INFO */
	if (ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info) ||
	    vmig_bus_master_enable(dev))
		return -errno;
	return vmig_irq_set_fd(dev, VFIO_PCI_MSI_IRQ_INDEX,
			       VFIO_IRQ_SET_ACTION_TRIGGER, eventfd);
}

static int interrupts(struct vmig_testdev *td)
{
	int eventfd = vmig_eventfd_create();
	int i, ret;

	if (eventfd < 0)
		return eventfd;
	ret = connect_msi(&td->dev, eventfd);
	for (i = 0; !ret && i < TIMES; i++)
		ret = interrupt(&td->dev, eventfd);
	if (!ret)
		ret = vmig_irq_disable(&td->dev, VFIO_PCI_MSI_IRQ_INDEX);
	close(eventfd);
	return ret;
}

static int trips(struct vmig_testdev *td)
{
	struct vmig_device *src = &td[0].dev, *dst = &td[1].dev;
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

static int infos(struct vmig_testdev *td)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	int fd, i, ret;

	ret = vmig_mig_set_state(&td->dev, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	if (ret)
		return ret;
	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_precopy_info(fd, &info);
	close(fd);
	return ret ? ret : vmig_mig_set_state(&td->dev,
					      VFIO_DEVICE_STATE_RUNNING, NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A batch is short, so that most are not disturbed */
static int measure_row(struct vmig_testdev *td, struct bench_out *out,
		       const char *row, int (*use)(struct vmig_testdev *td),
		       unsigned int times)
{
	double ns[BATCHES];
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < BATCHES; i++) {
		double start = vmig_now_ns();

		ret = use(td);
		ns[i] = (vmig_now_ns() - start) / times;
	}
	if (ret)
		return ret;
	qsort(ns, BATCHES, sizeof(*ns), compare);
	return bench_add(out, row, ns[BATCHES / 2], 0);
}

/* The kernel's mtty has no attribute capture_size */
static int open_bare(struct vmig_testdev *td, const char *type)
{
	const struct vmig_attrs attrs = { .capture_size = "0" };
	int ret;

	ret = vmig_testdev_open(td, type, VMIG_PATH_GROUP, &attrs);
	if (ret != -ENOENT)
		return ret;
	return vmig_testdev_open(td, type, VMIG_PATH_GROUP, NULL);
}

static int write_one(const char *path)
{
	FILE *file = fopen(path, "w");
	int ret;

	if (!file)
		return -errno;
	ret = fputs("1\n", file) < 0 ? -EIO : 0;
	return fclose(file) ? -errno : ret;
}

/* Return the objects in per-CPU caches, so that they are not counted */
static int flush_slabs(void)
{
	glob_t caches;
	size_t i;
	int ret = 0;

	/* Removed devices are freed with a delay */
	usleep(100000);
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		return -ENOENT;
	for (i = 0; !ret && i < caches.gl_pathc; i++)
		ret = write_one(caches.gl_pathv[i]);
	globfree(&caches);
	return ret;
}

/* Bytes of all objects that the kernel has allocated */
static int slab_memory(double *bytes)
{
	double active, size;
	char line[512];
	FILE *file;
	int ret;

	ret = flush_slabs();
	if (ret)
		return ret;
	file = fopen("/proc/slabinfo", "r");
	if (!file)
		return -errno;
	*bytes = 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %lf %*u %lf", &active, &size) == 2)
			*bytes += active * size;
	fclose(file);
	return 0;
}

/* Memory of one device, with all objects of the kernel */
static int measure_memory(struct bench_out *out)
{
	double before = 0, after = 0, used[TURNS];
	struct vmig_testdev td[DEVICES];
	unsigned int open, turn;
	int ret = 0;

	for (turn = 0; !ret && turn < TURNS; turn++) {
		ret = slab_memory(&before);
		for (open = 0; !ret && open < DEVICES; open++) {
			ret = open_bare(&td[open], "mtty-1");
			if (ret)
				break;
		}
		if (!ret)
			ret = slab_memory(&after);
		used[turn] = (after - before) / DEVICES;
		while (open--)
			vmig_testdev_close(&td[open]);
	}
	if (ret)
		return ret;
	qsort(used, TURNS, sizeof(*used), compare);
	return bench_add(out, "memory", used[TURNS / 2], 0);
}

static int measure(struct vmig_testdev *td, struct bench_out *out)
{
	static const struct {
		const char *row;
		int (*use)(struct vmig_testdev *td);
		unsigned int times;
	} rows[] = {
		{ "arc", arcs, TIMES },
		{ "info", infos, TIMES },
		{ "register-read", reads, TIMES },
		{ "register-write", writes, TIMES },
		{ "interrupt", interrupts, TIMES },
		{ "round-trip", trips, TRIPS },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(rows); i++)
		ret = measure_row(td, out, rows[i].row, rows[i].use,
				  rows[i].times);
	return ret;
}

int bench_small(struct bench_out *out)
{
	struct vmig_testdev td[2];
	int ret;

	ret = open_bare(&td[0], "mtty-2");
	if (ret)
		return ret;
	ret = open_bare(&td[1], "mtty-2");
	if (!ret) {
		ret = measure(td, out);
		vmig_testdev_close(&td[1]);
	}
	vmig_testdev_close(&td[0]);
	return ret ? ret : measure_memory(out);
}
