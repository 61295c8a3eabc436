// SPDX-License-Identifier: GPL-2.0-only
/* Cost of dirty tracking, large device compared with a small one; see bench.h. */
#include <errno.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/transfer.h"

#define LARGE	(256 * BENCH_MIB)
#define SMALL	(1 * BENCH_MIB)
#define PAGE	4096
#define TIMES	2000

struct migration {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	int from;
	int to;
};

/* Copy all data that the source has now */
static int pump(struct migration *m)
{
	ssize_t got;
	int ret = 0;

	while (!ret) {
		got = read(m->from, bench_buf, BENCH_CHUNK);
		if (got < 0)
			ret = -errno;
		if (got <= 0)
			break;
		ret = vmig_transfer_write(m->to, bench_buf, got, got, NULL);
	}
	return ret;
}

static void end(struct migration *m)
{
	if (m->from >= 0)
		close(m->from);
	if (m->to >= 0)
		close(m->to);
	vmig_testdev_close(&m->src);
	vmig_testdev_close(&m->dst);
}

/* Pre-copy everything */
static int begin(struct migration *m, size_t size)
{
	int ret;

	*m = (struct migration) { .from = -1, .to = -1 };
	ret = bench_open(&m->src, size, size - MTTY_CAP_LOG_OFFSET);
	if (ret)
		return ret;
	ret = bench_open(&m->dst, size, 0);
	if (ret) {
		vmig_testdev_close(&m->src);
		return ret;
	}
	ret = vmig_mig_set_state(&m->dst.dev, VFIO_DEVICE_STATE_RESUMING,
				 &m->to);
	if (!ret)
		ret = vmig_mig_set_state(&m->src.dev,
					 VFIO_DEVICE_STATE_PRE_COPY, &m->from);
	if (!ret)
		ret = pump(m);
	if (ret == -ENOMSG)
		return 0;
	end(m);
	return ret ? ret : -EPROTO;
}

static int time_info(struct migration *m, double *ns)
{
	struct vfio_precopy_info info;
	double start = vmig_now_ns();
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_precopy_info(m->from, &info);
	*ns = (vmig_now_ns() - start) / TIMES;
	return ret;
}

/* The same number of pages for both sizes */
static int time_writes(struct migration *m, double *ns)
{
	double start = vmig_now_ns();
	uint8_t byte = 0;
	int i, ret = 0;

	for (i = 0; !ret && i < TIMES; i++)
		ret = vmig_region_write(&m->src.dev, VFIO_PCI_BAR2_REGION_INDEX,
					(1 + i % 255) * PAGE, &byte, 1);
	*ns = (vmig_now_ns() - start) / TIMES;
	if (!ret)
		ret = pump(m);
	return ret == -ENOMSG ? 0 : ret;
}

static int time_stop(struct migration *m, double *ns)
{
	double start = vmig_now_ns();
	int ret;

	ret = vmig_mig_set_state(&m->src.dev, VFIO_DEVICE_STATE_STOP_COPY,
				 NULL);
	if (!ret)
		ret = pump(m);
	if (!ret)
		ret = vmig_mig_set_state(&m->dst.dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL);
	*ns = vmig_now_ns() - start;
	return ret;
}

static int measure(struct migration *large, struct migration *small,
		   struct migration *spare, struct bench_out *out)
{
	static const struct {
		const char *row;
		int (*measure)(struct migration *m, double *ns);
	} rows[] = {
		{ "info-tracked", time_info },
		{ "write-tracked", time_writes },
		{ "stop-time", time_stop },
	};
	struct migration *m[2] = { large, small };
	unsigned int i, first = out->turn % 2;
	double ns[2];
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(rows); i++) {
		/* The first one is slower, and not counted */
		ret = rows[i].measure(spare, &ns[0]);
		if (!ret)
			ret = rows[i].measure(m[first], &ns[first]);
		if (!ret)
			ret = rows[i].measure(m[!first], &ns[!first]);
		if (!ret)
			ret = bench_add(out, rows[i].row, ns[0], ns[1]);
	}
	return ret;
}

int bench_tracked(struct bench_out *out)
{
	struct migration m[3];
	unsigned int open;
	int ret = 0;

	for (open = 0; !ret && open < ARRAY_SIZE(m); open++) {
		ret = begin(&m[open], open ? SMALL : LARGE);
		if (ret)
			break;
	}
	if (!ret)
		ret = measure(&m[0], &m[1], &m[2], out);
	while (open--)
		end(&m[open]);
	return ret;
}
