// SPDX-License-Identifier: GPL-2.0-only
/* Write to random pages of capture memory at a given rate, to measure the downtime. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lib/vfio/util.h"
#include "mtty_format.h"

#include "migrate.h"

#define PAGE		4096u
#define NSEC_PER_SEC	1000000000ull
/* Short, so that the rate is even */
#define TICK_NS		1000000
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX

static int write_page(struct migrate_dirty *dirty, uint64_t page, uint8_t value)
{
	return vmig_region_write(dirty->dev, BAR2, dirty->start + page * PAGE,
				 &value, 1);
}

static void *write_at_rate(void *opaque)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	struct migrate_dirty *dirty = opaque;
	uint64_t begin = vmig_now_ns();
	uint64_t written = 0;
	unsigned int seed = 1;

	while (!dirty->ret && !__atomic_load_n(&dirty->stop, __ATOMIC_ACQUIRE)) {
		double seconds = (double)(vmig_now_ns() - begin) / NSEC_PER_SEC;
		uint64_t due = seconds * dirty->rate / PAGE;

		for (; !dirty->ret && written < due; written++)
			dirty->ret = write_page(dirty,
						rand_r(&seed) % dirty->pages,
						written);
		nanosleep(&tick, NULL);
	}
	return NULL;
}

int migrate_dirty_start(struct migrate_dirty *dirty, struct vmig_device *dev,
			const struct migrate_options *options)
{
	uint64_t size = options->dirty_kib * 1024ull;
	uint64_t i;
	int ret = 0;

	if (size < PAGE || size + MTTY_CAP_LOG_OFFSET > dev->region[BAR2].size)
		return -ENOSPC;

	*dirty = (struct migrate_dirty) {
		.dev = dev,
		.start = dev->region[BAR2].size - size,
		.pages = size / PAGE,
		.rate = options->dirty_rate_kib * 1024ull,
	};
	for (i = 0; !ret && i < dirty->pages; i++)
		ret = write_page(dirty, i, 1);
	if (!ret)
		ret = -pthread_create(&dirty->thread, NULL, write_at_rate,
				      dirty);
	dirty->is_started = !ret;
	return ret;
}

int migrate_dirty_stop(struct migrate_dirty *dirty)
{
	if (!dirty->is_started)
		return 0;
	dirty->is_started = false;
	__atomic_store_n(&dirty->stop, true, __ATOMIC_RELEASE);
	pthread_join(dirty->thread, NULL);
	return dirty->ret;
}
