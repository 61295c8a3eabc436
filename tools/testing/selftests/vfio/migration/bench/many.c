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
#include "lib/feature.h"

#define MANY	64
#define EACH	(1 * BENCH_MIB)

struct saver {
	struct vmig_testdev td;
	pthread_t thread;
	uint8_t buf[BENCH_CHUNK];
	size_t bytes;
	int fd;
	int ret;
};

static void *save(void *arg)
{
	struct saver *saver = arg;

	saver->ret = bench_drain(saver->fd, saver->buf, &saver->bytes);
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
	double start;
	int ret;

	ret = prepare(savers, nr);
	if (ret)
		return ret;
	start = bench_now();
	for (started = 0; started < nr; started++)
		if (pthread_create(&savers[started].thread, NULL, save,
				   &savers[started]))
			break;
	for (i = 0; i < started; i++)
		pthread_join(savers[i].thread, NULL);
	*ns += bench_now() - start;
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

/* MiB per second of all of them together; all numbers save as much in all */
static int measure_rate(struct saver *savers, unsigned int nr, double *rate)
{
	unsigned int i;
	size_t bytes = 0;
	double ns = 0;
	int ret = 0;

	for (i = 0; !ret && i < MANY / nr; i++)
		ret = save_at_once(savers, nr, &ns, &bytes);
	*rate = bytes / ns * 1e9 / BENCH_MIB;
	return ret;
}

static int measure(struct saver *savers, struct bench_out *out)
{
	double rate[16], best = 0;
	unsigned int nr, i;
	char row[32];
	int ret = 0;

	for (i = 0, nr = 1; !ret && nr <= MANY; nr *= 2, i++) {
		ret = measure_rate(savers, nr, &rate[i]);
		if (rate[i] > best)
			best = rate[i];
	}
	for (i = 0, nr = 1; !ret && nr <= MANY; nr *= 2, i++) {
		snprintf(row, sizeof(row), "many-%u", nr);
		ret = bench_add(out, row, rate[i], best);
	}
	return ret;
}

int bench_many(struct bench_out *out)
{
	struct saver *savers = malloc(MANY * sizeof(*savers));
	unsigned int open;
	int ret = savers ? 0 : -ENOMEM;

	/* Not to be counted as the first user's time */
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
