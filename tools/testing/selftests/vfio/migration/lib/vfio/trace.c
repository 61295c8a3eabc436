// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "trace.h"
#include "util.h"

#define TRACEFS		"/sys/kernel/tracing"

static int set_option(const struct vmig_trace *trace, const char *name,
		      const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", trace->dir, name);
	return vmig_write_file(path, value);
}

static int mount_tracefs(struct vmig_trace *trace)
{
	if (!access(TRACEFS "/instances", F_OK))
		return 0;
	/* A kernel without tracefs does not have the mount point */
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		return errno == ENOENT ? -ENODEV : -errno;
	trace->mounted = true;
	return 0;
}

int vmig_trace_start(struct vmig_trace *trace, const char *system)
{
	char enable[64];
	int ret;

	memset(trace, 0, sizeof(*trace));
	ret = mount_tracefs(trace);
	if (ret)
		return ret;

	snprintf(trace->dir, sizeof(trace->dir), TRACEFS "/instances/vmig-%d",
		 getpid());
	if (mkdir(trace->dir, 0700)) {
		ret = -errno;
		trace->dir[0] = '\0';
		vmig_trace_stop(trace);
		return ret;
	}

	/* Sort by a counter: clocks of two CPUs may be equal */
	ret = set_option(trace, "trace_clock", "counter");
	if (!ret)
		ret = set_option(trace, "trace_options", "nocontext-info");
	snprintf(enable, sizeof(enable), "events/%s/enable", system);
	if (!ret)
		ret = set_option(trace, enable, "1");
	if (ret)
		vmig_trace_stop(trace);
	return ret;
}

/* Remove the lines that begin with "#" */
static int cut_heading(struct vmig_bytes *text, size_t at)
{
	int ret = 0;

	while (!ret && at < text->len && text->data[at] == '#') {
		size_t len = 1;

		while (at + len < text->len && text->data[at + len - 1] != '\n')
			len++;
		ret = vmig_bytes_cut(text, at, len);
	}
	return ret;
}

int vmig_trace_read(struct vmig_trace *trace, struct vmig_bytes *text)
{
	char path[160], buf[4096];
	size_t start = text->len;
	ssize_t n;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/trace", trace->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
		ret = n < 0 ? -errno : vmig_bytes_add(text, buf, n);
	} while (!ret && n);
	close(fd);
	if (!ret)
		ret = cut_heading(text, start);
	return ret ? ret : vmig_bytes_add(text, "", 1);
}

int vmig_trace_count(struct vmig_trace *trace, const char *text)
{
	struct vmig_bytes log = {};
	const char *at;
	int ret;

	ret = vmig_trace_read(trace, &log);
	if (!ret)
		for (at = (char *)log.data; (at = strstr(at, text)); at++)
			ret++;
	vmig_bytes_free(&log);
	return ret;
}

void vmig_trace_stop(struct vmig_trace *trace)
{
	if (trace->dir[0])
		rmdir(trace->dir);
	if (trace->mounted)
		umount(TRACEFS);
	memset(trace, 0, sizeof(*trace));
}
