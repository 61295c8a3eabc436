// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "util.h"

#define CGROUP		"/tmp/vmig-cgroup"
#define OWN		CGROUP "/own"

void vmig_cgroup_leave(void)
{
	vmig_write_file(CGROUP "/cgroup.procs", "0");
	rmdir(OWN);
	umount(CGROUP);
	rmdir(CGROUP);
}

static int make_own(void)
{
	int ret;

	ret = vmig_write_file(CGROUP "/cgroup.subtree_control", "+memory");
	if (!ret && mkdir(OWN, 0700))
		ret = -errno;
	if (!ret)
		ret = vmig_write_file(OWN "/cgroup.procs", "0");
	if (!ret && vmig_cgroup_charged() < 0)
		ret = -ENOENT;
	return ret;
}

int vmig_cgroup_enter(void)
{
	int ret;

	mkdir(CGROUP, 0700);
	if (mount("none", CGROUP, "cgroup2", 0, NULL)) {
		ret = -errno;
		rmdir(CGROUP);
		return ret;
	}
	ret = make_own();
	if (ret)
		vmig_cgroup_leave();
	return ret;
}

long long vmig_cgroup_charged(void)
{
	FILE *file = fopen(OWN "/memory.stat", "r");
	long long bytes = -ENOENT;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "kernel %lld", &bytes) == 1)
			break;
	}
	fclose(file);
	return bytes;
}
