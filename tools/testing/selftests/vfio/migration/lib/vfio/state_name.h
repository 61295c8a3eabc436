/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the migration states. */
#ifndef VMIG_STATE_NAME_H
#define VMIG_STATE_NAME_H

#include <linux/vfio.h>

/** vmig_state_name - "RUNNING", "PRE_COPY", ... or "?" */
const char *vmig_state_name(enum vfio_device_mig_state state);

#endif /* VMIG_STATE_NAME_H */
