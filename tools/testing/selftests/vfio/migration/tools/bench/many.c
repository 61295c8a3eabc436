// SPDX-License-Identifier: GPL-2.0-only
/* Many devices that save at once; see bench.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mtty_format.h"

#include "bench.h"
#include "lib/vfio/feature.h"

#define MANY	256
#define EACH	(256 * 1024)
/* The best try counts, because other processes disturb some */
#define TRIES	2
/* Small, so that the CPU caches are not measured */
#define PIECE	(64 * 1024)

/* Small, so that the stacks of all threads stay in the C library's cache */
#define STACK	(64 * 1024)

static const unsigned int numbers[] = { 1, 2, 4, 16, 64, MANY };

struct saver {
	struct vmig_testdev td;
	pthread_t thread;
	uint8_t buf[PIECE];
	size_t bytes;
	int fd;
	int ret;
};

static void *save(void *arg)
{
	struct saver *saver = arg;

	saver->ret = bench_drain(saver->fd, saver->buf, PIECE,
				 &saver->bytes);
	return NULL;
}

static int prepare(struct saver *savers, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++)
		ret = vmig_mig_set_state(&savers[i].td.dev,
					 VFIO_DEVICE_STATE_STOP_COPY,
					 &savers[i].fd);
	return ret;
}

static int save_at_once(struct saver *savers, unsigned int nr, double *ns,
			size_t *bytes)
{
	unsigned int i, started;
	pthread_attr_t attr;
	double start;
	int ret;

	ret = prepare(savers, nr);
	if (ret)
		return ret;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	start = vmig_now_ns();
	for (started = 0; started < nr; started++)
		if (pthread_create(&savers[started].thread, &attr, save,
				   &savers[started]))
			break;
	for (i = 0; i < started; i++)
		pthread_join(savers[i].thread, NULL);
	*ns += vmig_now_ns() - start;
	pthread_attr_destroy(&attr);
	ret = started < nr ? -EAGAIN : 0;
	for (i = 0; i < nr; i++) {
		if (!ret && i < started)
			ret = savers[i].ret;
		*bytes += savers[i].bytes;
		close(savers[i].fd);
		vmig_mig_set_state(&savers[i].td.dev,
				   VFIO_DEVICE_STATE_RUNNING, NULL);
	}
	return ret;
}

/* Total MiB per second; the total amount does not depend on @nr */
static int measure_rate(struct saver *savers, unsigned int nr, double *rate)
{
	unsigned int i;
	size_t bytes = 0;
	double ns = 0;
	int ret = 0;

	for (i = 0; !ret && i < MANY / nr; i++)
		ret = save_at_once(savers, nr, &ns, &bytes);
	if (!ret && bytes / ns * 1e9 / BENCH_MIB > *rate)
		*rate = bytes / ns * 1e9 / BENCH_MIB;
	return ret;
}

static int measure(struct saver *savers, struct bench_out *out)
{
	double rate[ARRAY_SIZE(numbers)] = {}, best = 0;
	unsigned int i, try;
	char row[32];
	int ret = 0;

	for (try = 0; try < TRIES; try++)
		for (i = 0; !ret && i < ARRAY_SIZE(numbers); i++)
			ret = measure_rate(savers, numbers[i], &rate[i]);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (rate[i] > best)
			best = rate[i];
	for (i = 0; !ret && i < ARRAY_SIZE(numbers); i++) {
		snprintf(row, sizeof(row), "many-%u", numbers[i]);
		ret = bench_add(out, row, rate[i], best);
	}
	return ret;
}

int bench_many(struct bench_out *out)
{
	struct saver *savers = malloc(MANY * sizeof(*savers));
	unsigned int open;
	int ret = savers ? 0 : -ENOMEM;

	/* Fault in the pages before time is measured */
	if (savers)
		memset(savers, 0xff, MANY * sizeof(*savers));
	for (open = 0; !ret && open < MANY; open++) {
		ret = bench_open(&savers[open].td, EACH,
				 EACH - MTTY_CAP_LOG_OFFSET);
		if (ret)
			break;
	}
	if (!ret)
		ret = measure(savers, out);
	while (open--)
		vmig_testdev_close(&savers[open].td);
	free(savers);
	return ret;
}
