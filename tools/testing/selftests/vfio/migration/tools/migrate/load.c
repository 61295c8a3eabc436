// SPDX-License-Identifier: GPL-2.0-only
/* vfio-migrate load: the destination. The device runs when the whole stream is valid. */
#include <errno.h>
#include <string.h>

#include "lib/vfio/feature.h"
#include "migrate.h"

int migrate_load(struct migrate *mig)
{
	const struct migrate_options *options = mig->options;
	struct vmig_vmm *vmm = &mig->vmm;
	int ret;

	ret = migrate_open(mig, VMIG_VMM_DESTINATION);
	if (ret)
		return ret;
	mig->guest.dev = &mig->dev;
	mig->guest.wanted = options->guest;
	vmm->guest = &mig->guest;
	vmm->load_guest = migrate_guest_load;

	ret = vmig_channel_open(&mig->channel, options->stream,
				VMIG_CHANNEL_READ, &mig->patience);
	if (ret == -EINVAL || ret == -ENOTTY)
		return migrate_fail(mig, MIGRATE_USAGE, "%s %s",
				    options->stream, ret == -EINVAL ?
				    "is not something to read from" :
				    "is a terminal");
	if (ret)
		return migrate_fail(mig, MIGRATE_FAILED, "%s: %s",
				    options->stream, migrate_reason(mig, ret));

	migrate_progress_begin(vmm, options);
	ret = vmig_vmm_load(vmm, mig->channel.fd);
	migrate_progress_end();
	if (ret) {
		vmig_channel_abort(&mig->channel);
		/* A stream that could not be read need not be broken */
		return migrate_fail(mig, vmm->read_error ? MIGRATE_FAILED :
				    MIGRATE_BROKEN, "%s",
				    migrate_reason(mig, ret));
	}
	/* An error means that the source has exited */
	vmig_channel_finish(&mig->channel);
	return migrate_guest_finish(mig, MIGRATE_DONE);
}
