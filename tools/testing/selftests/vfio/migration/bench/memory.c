// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device is charged for; see bench.h.
 *
 * Counted is "kernel" in memory.stat of a control group of its own, over so many
 * devices that what the count lags behind does not matter.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/feature.h"

#define CGROUP	"/tmp/bench-cgroup"
#define OWN	CGROUP "/own"
#define MANY	64
#define EACH	(4 * BENCH_MIB)

static int write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	int ret;

	if (!file)
		return -errno;
	ret = fputs(text, file) < 0 ? -EIO : 0;
	return fclose(file) ? -errno : ret;
}

static void leave(void)
{
	write_file(CGROUP "/cgroup.procs", "0");
	rmdir(OWN);
	umount(CGROUP);
	rmdir(CGROUP);
}

static int enter(void)
{
	int ret;

	mkdir(CGROUP, 0700);
	if (mount("none", CGROUP, "cgroup2", 0, NULL)) {
		ret = -errno;
		rmdir(CGROUP);
		return ret;
	}
	ret = write_file(CGROUP "/cgroup.subtree_control", "+memory");
	if (!ret && mkdir(OWN, 0700))
		ret = -errno;
	if (!ret)
		ret = write_file(OWN "/cgroup.procs", "0");
	if (ret)
		leave();
	return ret;
}

static double charged(void)
{
	FILE *file = fopen(OWN "/memory.stat", "r");
	char line[128];
	double bytes = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "kernel %lf", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

static int measure(struct vmig_testdev *td, struct bench_out *out)
{
	unsigned int open, saving;
	int fd[MANY], ret = 0;
	double begin, idle, busy;
	char piece[4096];

	begin = charged();
	for (open = 0; !ret && open < MANY; open++) {
		ret = bench_open(&td[open], EACH, EACH - MTTY_CAP_LOG_OFFSET);
		if (ret)
			break;
	}
	idle = charged();
	for (saving = 0; !ret && saving < MANY; saving++) {
		ret = vmig_mig_set_state(&td[saving].dev,
					 VFIO_DEVICE_STATE_PRE_COPY,
					 &fd[saving]);
		if (ret)
			break;
		if (read(fd[saving], piece, sizeof(piece)) < 0)
			ret = -errno;
	}
	busy = charged();
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
	ret = enter();
	if (!ret) {
		ret = measure(td, out);
		leave();
	}
	free(td);
	return ret;
}
