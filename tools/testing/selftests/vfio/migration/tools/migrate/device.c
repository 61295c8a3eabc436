// SPDX-License-Identifier: GPL-2.0-only
/* Device, interrupt controller and VMM of a save or a load, and why it failed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmm/irqchip/irqchip.h"
#include "migrate.h"

int migrate_fail(struct migrate *mig, enum migrate_exit status,
		 const char *fmt, ...)
{
	char *text, *all = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return status;
	if (!mig->error) {
		mig->error = text;
		return status;
	}
	if (asprintf(&all, "%s; %s", mig->error, text) >= 0) {
		free(mig->error);
		mig->error = all;
	}
	free(text);
	return status;
}

int migrate_open(struct migrate *mig, enum vmig_vmm_side side)
{
	const char *name = mig->options->device;
	struct vmig_mdev mdev;
	enum vmig_path path;
	int ret;

	memcpy(mdev.uuid, name, sizeof(mdev.uuid));
	path = vmig_path_available(VMIG_PATH_CDEV) ? VMIG_PATH_CDEV :
						     VMIG_PATH_GROUP;
	ret = vmig_device_open(&mig->dev, &mdev, path);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "cannot open %s: %s",
				    name, strerror(-ret));
	ret = vmig_irqchip_create(&mig->chip, VMIG_IRQCHIP_AUTO);
	if (!ret)
		ret = vmig_vmm_init(&mig->vmm, side, &mig->dev, mig->chip);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "no VMM: %s",
				    strerror(-ret));
	mig->vmm.patience = &mig->patience;
	return MIGRATE_DONE;
}

void migrate_close(struct migrate *mig)
{
	vmig_channel_abort(&mig->channel);
	if (mig->vmm.buf)
		vmig_vmm_exit(&mig->vmm);
	vmig_irqchip_destroy(mig->chip);
	vmig_device_close(&mig->dev);
}
