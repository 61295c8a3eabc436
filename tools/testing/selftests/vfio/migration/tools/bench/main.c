// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints one line for each sample, for lab/report/bench.py:
 *
 *   sample ROW OURS REFERENCE
 *
 * Usage: mig_bench [REPETITIONS [PART]]     (5, all parts)
 *        mig_bench --small SIDE
 *
 * --small measures what the kernel's own mtty supports, too, and prints
 *
 *   side SIDE ROW VALUE
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "bench.h"

static const struct {
	const char *name;
	int (*measure)(struct bench_out *out);
} parts[] = {
	{ "transfer", bench_transfer },
	{ "dirty", bench_dirty },
	{ "tracked", bench_tracked },
	{ "many", bench_many },
	{ "memory", bench_memory },
	{ "scale", bench_scale },
};

static void print_about(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	struct utsname name;
	unsigned int nr = 0;
	char line[256], model[256] = "unknown";

	while (file && fgets(line, sizeof(line), file))
		nr += sscanf(line, "model name : %255[^\n]", model) == 1;
	if (file)
		fclose(file);
	uname(&name);
	printf("kernel %s\n", name.release);
	printf("cpu %s, %u of them\n", model, nr);
}

/* Up to 1000 open devices with three descriptors each */
static int get_fds(void)
{
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };

	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	printf("error: no file descriptors: %s\n", strerror(errno));
	return -errno;
}

static int run(unsigned int part, unsigned int turn)
{
	struct bench_out out = { .turn = turn };
	unsigned int i;
	int ret;

	ret = parts[part].measure(&out);
	if (ret) {
		printf("error: %s: %s\n", parts[part].name, strerror(-ret));
		return ret;
	}
	/* The first repetition is slower, and not printed */
	for (i = 0; turn && i < out.nr; i++)
		printf("sample %s %.3f %.3f\n", out.sample[i].row,
		       out.sample[i].ours, out.sample[i].ref);
	return 0;
}

static int run_small(const char *side)
{
	struct bench_out out = { 0 };
	unsigned int i;
	int ret;

	ret = bench_small(&out);
	if (ret) {
		printf("error: %s: %s\n", side, strerror(-ret));
		return ret;
	}
	for (i = 0; i < out.nr; i++)
		printf("side %s %s %.3f\n", side, out.sample[i].row,
		       out.sample[i].ours);
	return 0;
}

int main(int argc, char **argv)
{
	int i, repetitions = argc > 1 ? atoi(argv[1]) : 5;
	const char *only = argc > 2 ? argv[2] : NULL;
	unsigned int part;

	setlinebuf(stdout);
	if (get_fds())
		return 1;
	if (argc == 3 && !strcmp(argv[1], "--small"))
		return run_small(argv[2]) ? 1 : 0;
	print_about();
	for (i = 0; i <= repetitions; i++)
		for (part = 0; part < ARRAY_SIZE(parts); part++) {
			if (only && strcmp(parts[part].name, only))
				continue;
			if (run(part, i))
				return 1;
		}
	return 0;
}
