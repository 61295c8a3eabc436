// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "util.h"

enum kind { SLAB, USERCOPY, PAGE, };
enum knob { VERBOSE, NO_WAIT, MIN_ORDER, REJECT_START, REJECT_END, };

static const char * const kinds[VMIG_FAULT_KINDS] = {
	[SLAB] = "failslab",
	[USERCOPY] = "fail_usercopy",
	[PAGE] = "fail_page_alloc",
};

static const char * const knobs[VMIG_FAULT_KNOBS] = {
	[VERBOSE] = "verbose",
	[NO_WAIT] = "ignore-gfp-wait",
	[MIN_ORDER] = "min-order",
	[REJECT_START] = "reject-start",
	[REJECT_END] = "reject-end",
};

static void knob_path(char *path, size_t size, enum kind kind, enum knob knob)
{
	snprintf(path, size, "/sys/kernel/debug/%s/%s", kinds[kind], knobs[knob]);
}

/* Change a file in debugfs; vmig_fault_exit() restores its value */
static int set_knob(struct vmig_fault *fault, enum kind kind, enum knob knob,
		    const char *value)
{
	char *was = fault->was[kind][knob];
	char path[80];
	int ret;

	knob_path(path, sizeof(path), kind, knob);
	ret = vmig_read_file(path, was, sizeof(fault->was[kind][knob]));
	return ret ? ret : vmig_write_file(path, value);
}

static int let_all_fail(struct vmig_fault *fault)
{
	/* By default, allocations that may sleep never fail: that is all of them here */
	static const struct {
		enum kind kind;
		enum knob knob;
		const char *value;
	} row[] = {
		{ SLAB, NO_WAIT, "N" }, { SLAB, VERBOSE, "0" },
		{ USERCOPY, VERBOSE, "0" },
		{ PAGE, NO_WAIT, "N" }, { PAGE, MIN_ORDER, "0" },
		{ PAGE, VERBOSE, "0" },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(row) && !ret; i++)
		ret = set_knob(fault, row[i].kind, row[i].knob, row[i].value);
	/* Not every kernel can let pages fail */
	return ret == -ENOENT && row[i - 1].kind == PAGE ? 0 : ret;
}

int vmig_fault_init(struct vmig_fault *fault)
{
	int ret;

	memset(fault, 0, sizeof(*fault));
	fault->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault->fd < 0)
		return -errno;
	ret = let_all_fail(fault);
	if (ret)
		vmig_fault_exit(fault);
	return ret;
}

void vmig_fault_exit(struct vmig_fault *fault)
{
	enum kind kind;
	enum knob knob;
	char path[80];

	if (fault->fd < 0)
		return;
	for (kind = 0; kind < VMIG_FAULT_KINDS; kind++) {
		for (knob = 0; knob < VMIG_FAULT_KNOBS; knob++) {
			knob_path(path, sizeof(path), kind, knob);
			if (fault->was[kind][knob][0])
				vmig_write_file(path, fault->was[kind][knob]);
		}
	}
	close(fault->fd);
	fault->fd = -1;
}

/* Start of a function, and start of the next one in its module or the kernel */
static int find_function(const char *module, const char *function,
			 unsigned long long *start, unsigned long long *end)
{
	char line[256], name[128], in[80], want[80];
	unsigned long long at;
	FILE *file;
	int pass;

	if (module)
		snprintf(want, sizeof(want), "[%s]", module);
	else
		want[0] = '\0';
	*start = 0;
	*end = 0;
	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return -errno;
	/* The symbols of a module are not sorted */
	for (pass = 0; pass < 2; pass++) {
		rewind(file);
		while (fgets(line, sizeof(line), file)) {
			in[0] = '\0';
			if (sscanf(line, "%llx %*c %127s %79s", &at, name,
				   in) < 2 || strcmp(in, want))
				continue;
			if (!pass && !strcmp(name, function))
				*start = at;
			if (pass && at > *start && (!*end || at < *end))
				*end = at;
		}
	}
	fclose(file);
	return *start && *end ? 0 : -ENOENT;
}

int vmig_fault_exclude(struct vmig_fault *fault, const char *module,
		       const char *function)
{
	unsigned long long start, end;
	char from[24], to[24];
	enum kind kind;
	int ret;

	ret = find_function(module, function, &start, &end);
	if (ret)
		return ret;
	snprintf(from, sizeof(from), "%#llx", start);
	snprintf(to, sizeof(to), "%#llx", end);
	for (kind = 0; kind < VMIG_FAULT_KINDS && !ret; kind++) {
		ret = set_knob(fault, kind, REJECT_START, from);
		if (!ret)
			ret = set_knob(fault, kind, REJECT_END, to);
	}
	return ret;
}

int vmig_fault_arm(struct vmig_fault *fault, unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	return pwrite(fault->fd, text, len, 0) == len ? 0 : -errno;
}

int vmig_fault_disarm(struct vmig_fault *fault)
{
	char left[16] = "";
	ssize_t n;

	n = pread(fault->fd, left, sizeof(left) - 1, 0);
	/* The fault was the copy of this answer */
	if (n < 0 && errno == EFAULT)
		return 0;
	if (n < 0)
		return -errno;
	if (left[0] == '0')
		return 1;

	/* The fault may be this copy. Then nothing is armed any more. */
	if (pwrite(fault->fd, "0", 1, 0) < 0 && errno != EFAULT)
		return -errno;
	return 0;
}
