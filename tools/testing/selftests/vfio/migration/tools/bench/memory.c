// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory charged for a device; see bench.h.
 *
 * The value is "kernel" in memory.stat of a separate control group. It is updated with a
 * delay, which does not matter for many devices.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/vfio/cgroup.h"
#include "lib/vfio/feature.h"

#define MANY	64
#define EACH	(4 * BENCH_MIB)

static int measure(struct vmig_testdev *td, struct bench_out *out)
{
	unsigned int open, saving;
	int fd[MANY], ret = 0;
	double begin, idle, busy;
	char piece[4096];

	begin = vmig_cgroup_charged();
	for (open = 0; !ret && open < MANY; open++) {
		ret = bench_open(&td[open], EACH, EACH - MTTY_CAP_LOG_OFFSET);
		if (ret)
			break;
	}
	idle = vmig_cgroup_charged();
	for (saving = 0; !ret && saving < MANY; saving++) {
		ret = vmig_mig_set_state(&td[saving].dev,
					 VFIO_DEVICE_STATE_PRE_COPY,
					 &fd[saving]);
		if (ret)
			break;
		if (read(fd[saving], piece, sizeof(piece)) < 0)
			ret = -errno;
	}
	busy = vmig_cgroup_charged();
	while (saving--)
		close(fd[saving]);
	while (open--)
		vmig_testdev_close(&td[open]);
	if (!ret)
		ret = bench_add(out, "memory-idle", (idle - begin) / MANY,
				EACH - MTTY_CAP_LOG_OFFSET);
	if (!ret)
		ret = bench_add(out, "memory-saving", (busy - idle) / MANY,
				EACH - MTTY_CAP_LOG_OFFSET);
	return ret;
}

int bench_memory(struct bench_out *out)
{
	struct vmig_testdev *td = calloc(MANY, sizeof(*td));
	int ret;

	if (!td)
		return -ENOMEM;
	ret = vmig_cgroup_enter();
	if (!ret) {
		ret = measure(td, out);
		vmig_cgroup_leave();
	}
	free(td);
	return ret;
}
