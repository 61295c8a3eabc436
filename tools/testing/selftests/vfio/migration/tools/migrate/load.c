// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate load: the destination.  Its device runs when all has been loaded
 * and found right, and not before.
 */
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
				    "names no place to read from" :
				    "is a terminal");
	if (ret)
		return migrate_fail(mig, MIGRATE_FAILED, "%s: %s",
				    options->stream, migrate_reason(mig, ret));

	migrate_progress_begin(vmm, options);
	ret = vmig_vmm_load(vmm, mig->channel.fd);
	migrate_progress_end();
	if (ret) {
		vmig_channel_abort(&mig->channel);
		/* A stream that did not come may be right */
		return migrate_fail(mig, vmm->read_error ? MIGRATE_FAILED :
				    MIGRATE_BROKEN, "%s",
				    migrate_reason(mig, ret));
	}
	/* The source has been waiting for this, or is no longer there */
	vmig_channel_finish(&mig->channel);
	return migrate_go_on(mig, MIGRATE_DONE);
}
