/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the demo. Each returns 0, or -1 with demo_fail(). */
#ifndef VMIG_DEMO_H
#define VMIG_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mtty/traffic.h"
#include "lib/vmm/vmm.h"

#define VECTOR		0x42

/**
 * struct journey - one migration of a busy guest
 * @policy:	of both devices
 * @note:	for the reader
 * @stats:	result: of the VMMs, source first
 * @irqs:	result: how often the pending interrupt has arrived
 * @report:	result: bytes sent, received and lost
 */
struct journey {
	const char *policy;
	const char *note;
	struct vmig_vmm_stats stats[2];
	int irqs;
	struct vmig_traffic_report report;
};

/** loss_show - an interrupt is lost, then each cure; 0 or -1 */
int loss_show(void);

/** journey_run - migrate, with a trace unless printing is off; 0 or -1 */
int journey_run(struct journey *journey);

/** tables_show - compare the journeys; 0 or -1 if one has lost something */
int tables_show(const struct journey *journeys, unsigned int nr);

#endif /* VMIG_DEMO_H */
