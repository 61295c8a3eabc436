/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests with the model VMM: the harness, lib/vfio/, lib/mtty/ and lib/vmm/. */
#ifndef VMIG_ALL_VMM_H
#define VMIG_ALL_VMM_H

#include "mtty.h"
#include "vmm/channel.h"
#include "vmm/inspect.h"
#include "vmm/late_irq.h"
#include "vmm/pair.h"
#include "vmm/pair_fixture.h"
#include "vmm/peer.h"
#include "vmm/tool.h"
#include "vmm/vmm.h"
#include "vmm/vmstream.h"
#include "vmm/irqchip/irqchip.h"

#endif /* VMIG_ALL_VMM_H */
