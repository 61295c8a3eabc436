// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate save: the source.  Whatever goes wrong, it can run on, and does.
 */
#include <errno.h>
#include <string.h>

#include "lib/feature.h"
#include "migrate.h"

#define VECTOR		0x42

static int begin(struct migrate *mig)
{
	struct vmig_vmm *vmm = &mig->vmm;
	const struct migrate_options *options = mig->options;
	int ret;

	vmm->config = options->config;
	vmm->max_rounds = options->max_rounds;
	if (options->no_precopy)
		vmm->options |= VMIG_VMM_NO_PRECOPY;
	ret = vmig_vmm_boot(vmm, VFIO_PCI_MSI_IRQ_INDEX, VECTOR);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "%s: %s",
				    options->device, vmm->why);
	vmm->guest = &mig->guest;
	vmm->stop_guest = migrate_guest_stop;
	if (options->dirty_kib) {
		ret = migrate_dirty_start(&mig->guest.dirty, &mig->dev, options);
		if (ret)
			return migrate_fail(mig, MIGRATE_DEVICE,
					    "cannot write to %u KiB of capture memory of %s: %s",
					    options->dirty_kib, options->device,
					    strerror(-ret));
	}
	if (!options->guest)
		return MIGRATE_DONE;

	ret = migrate_guest_start(&mig->guest, &mig->dev, options);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE, "no guest on %s: %s",
				    options->device, strerror(-ret));
	vmm->save_guest = migrate_guest_save;
	migrate_guest_run(options->guest_ms);
	return MIGRATE_DONE;
}

/* All was written; what the reader made of it decides who goes on */
static int hand_over(struct migrate *mig)
{
	const char *stream = mig->options->stream;
	int ret;

	ret = vmig_channel_finish(&mig->channel);
	if (!ret)
		return MIGRATE_DONE;
	if (ret == -ETIMEDOUT && !mig->options->resume_if_unsure)
		return migrate_fail(mig, MIGRATE_UNSURE,
				    "%s: nobody has confirmed that the device runs there; it stands still here",
				    stream);

	migrate_fail(mig, MIGRATE_FAILED, "%s: %s", stream,
		     ret == -ECONNRESET ? "the other side has given up" :
					  strerror(-ret));
	ret = vmig_vmm_save_cancel(&mig->vmm);
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE,
				    "%s cannot run on: %s",
				    mig->options->device, mig->vmm.why);
	return migrate_go_on(mig, MIGRATE_FAILED);
}

int migrate_save(struct migrate *mig)
{
	const struct migrate_options *options = mig->options;
	int ret;

	ret = migrate_open(mig, VMIG_VMM_SOURCE);
	if (!ret)
		ret = begin(mig);
	if (ret)
		return ret;

	ret = vmig_channel_open(&mig->channel, options->stream,
				VMIG_CHANNEL_WRITE, options->timeout_ms);
	if (ret == -EINVAL)
		return migrate_fail(mig, MIGRATE_USAGE,
				    "%s names no place to write to",
				    options->stream);
	if (ret == -ENOTTY)
		return migrate_fail(mig, MIGRATE_USAGE,
				    "%s is a terminal, and the stream is not text",
				    options->stream);
	if (ret) {
		migrate_fail(mig, MIGRATE_FAILED, "%s: %s", options->stream,
			     strerror(-ret));
		return migrate_go_on(mig, MIGRATE_FAILED);
	}

	migrate_progress_begin(&mig->vmm, options);
	ret = vmig_vmm_save(&mig->vmm, mig->channel.fd);
	migrate_progress_end();
	if (!ret)
		return hand_over(mig);

	vmig_channel_abort(&mig->channel);
	migrate_fail(mig, MIGRATE_FAILED, "%s", mig->vmm.why[0] ?
		     mig->vmm.why : strerror(-ret));
	return migrate_go_on(mig, MIGRATE_FAILED);
}
