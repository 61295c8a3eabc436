/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a test of any VFIO device includes: the harness, and lib/vfio/.
 */
#ifndef VMIG_ALL_VFIO_H
#define VMIG_ALL_VFIO_H

#include "../../../kselftest_harness.h"

#include "vfio/expect.h"
#include "vfio/bytes.h"
#include "vfio/calls.h"
#include "vfio/cgroup.h"
#include "vfio/denied.h"
#include "vfio/device.h"
#include "vfio/fail_each.h"
#include "vfio/fault.h"
#include "vfio/feature.h"
#include "vfio/io.h"
#include "vfio/irq.h"
#include "vfio/lacking.h"
#include "vfio/mdev.h"
#include "vfio/module.h"
#include "vfio/state_name.h"
#include "vfio/util.h"
#include "vfio/poll_thread.h"
#include "vfio/signals.h"
#include "vfio/trace.h"
#include "vfio/transfer.h"

#endif /* VMIG_ALL_VFIO_H */
