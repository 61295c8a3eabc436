// SPDX-License-Identifier: GPL-2.0-only
/* vfio-migrate save: the source. After any failure it runs again. */
#include <errno.h>
#include <string.h>

#include "lib/vfio/feature.h"
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
	migrate_guest_run(mig, options->guest_ms);
	return MIGRATE_DONE;
}

/* Resume the device and its guest */
static int resume(struct migrate *mig)
{
	int ret = vmig_vmm_save_cancel(&mig->vmm);

	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE,
				    "%s cannot be resumed: %s",
				    mig->options->device, strerror(-ret));
	return migrate_guest_finish(mig, MIGRATE_FAILED);
}

/* See lib/vmm/channel.h */
static int end(struct migrate *mig, bool is_all, int error)
{
	const char *stream = mig->options->stream;
	enum vmig_channel_end verdict;

	verdict = vmig_channel_verdict(&mig->channel, is_all, error);
	if (verdict == VMIG_CHANNEL_TAKEN)
		return MIGRATE_DONE;
	if (verdict == VMIG_CHANNEL_UNSURE && !mig->options->resume_if_unsure)
		return migrate_fail(mig, MIGRATE_UNSURE,
				    "%s: not confirmed that the destination runs (%s); the source is stopped",
				    stream, migrate_reason(mig, error));
	if (is_all)
		migrate_fail(mig, MIGRATE_FAILED, "%s: %s", stream,
			     error == -ECONNRESET ? "the other side has aborted" :
						    migrate_reason(mig, error));
	else
		migrate_fail(mig, MIGRATE_FAILED, "%s",
			     migrate_reason(mig, error));
	return resume(mig);
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
				VMIG_CHANNEL_WRITE, &mig->patience);
	if (ret == -EINVAL)
		return migrate_fail(mig, MIGRATE_USAGE,
				    "%s is not something to write to",
				    options->stream);
	if (ret == -ENOTTY)
		return migrate_fail(mig, MIGRATE_USAGE,
				    "%s is a terminal, and the stream is not text",
				    options->stream);
	if (ret) {
		migrate_fail(mig, MIGRATE_FAILED, "%s: %s", options->stream,
			     migrate_reason(mig, ret));
		return migrate_guest_finish(mig, MIGRATE_FAILED);
	}
	mig->is_out_taken = migrate_is_output(mig->channel.fd);

	migrate_progress_begin(&mig->vmm, options);
	ret = vmig_vmm_save(&mig->vmm, mig->channel.fd);
	migrate_progress_end();
	if (!ret)
		return end(mig, true, vmig_channel_finish(&mig->channel));
	vmig_channel_abort(&mig->channel);
	return end(mig, false, ret);
}
