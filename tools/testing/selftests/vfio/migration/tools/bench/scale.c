// SPDX-License-Identifier: GPL-2.0-only
/* Time for 1000 devices compared with 100; see bench.h. */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/transfer.h"

#define FEW	100
#define MANY	1000

/* Save a device, and load it again */
static int migrate(struct vmig_device *dev, struct vmig_bytes *stream)
{
	int ret;

	stream->len = 0;
	ret = vmig_transfer_save(dev, stream);
	if (!ret)
		ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	if (!ret)
		ret = vmig_transfer_load(dev, stream);
	return ret ? ret : vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING,
					      NULL);
}

struct span {
	double life;
	double migration;
};

/* Create and open all; migrate all; close and remove all. In microseconds for each */
static int live(struct vmig_testdev *td, unsigned int nr, struct span *us)
{
	struct vmig_bytes stream = { 0 };
	double start = vmig_now_ns(), migration;
	unsigned int open, i;
	int ret = 0;

	for (open = 0; !ret && open < nr; open++) {
		ret = vmig_testdev_open(&td[open], "mtty-2", VMIG_PATH_GROUP,
					NULL);
		if (ret)
			break;
	}
	migration = vmig_now_ns();
	for (i = 0; !ret && i < nr; i++)
		ret = migrate(&td[i].dev, &stream);
	us->migration = (vmig_now_ns() - migration) / nr / 1000;
	while (open--)
		vmig_testdev_close(&td[open]);
	us->life = (vmig_now_ns() - start) / nr / 1000;
	vmig_bytes_free(&stream);
	return ret;
}

int bench_scale(struct bench_out *out)
{
	struct vmig_testdev *td = calloc(MANY, sizeof(*td));
	unsigned int first = out->turn % 2, nr[2] = { MANY, FEW };
	struct span us[2];
	int ret = td ? 0 : -ENOMEM;

	if (!ret)
		ret = live(td, nr[first], &us[first]);
	if (!ret)
		ret = live(td, nr[!first], &us[!first]);
	free(td);
	if (!ret)
		ret = bench_add(out, "scale", us[0].life, us[1].life);
	return ret ? ret : bench_add(out, "scale-migrate", us[0].migration,
				     us[1].migration);
}
