/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the model VMM share; for nobody else.
 */
#ifndef VMIG_VMM_INT_H
#define VMIG_VMM_INT_H

#include "vmm.h"

/* A step begins; the reason of an older failure is forgotten */
void vmig_vmm_begin(struct vmig_vmm *vmm, const char *step);

/* Tell the observer of a call; @fmt is what was asked or answered */
void vmig_vmm_called(struct vmig_vmm *vmm, const char *call, const char *fmt,
		     ...);

/* Tell the observer of a section */
void vmig_vmm_passed(struct vmig_vmm *vmm, const struct vmig_section *section);

/* Keep the reason of a failure, unless there is one already; returns @error */
int vmig_vmm_fail(struct vmig_vmm *vmm, int error, const char *fmt, ...);

/* Ask the driver; one without the query has policy 0 and generation 0 */
int vmig_vmm_query(struct vmig_vmm *vmm, uint64_t *policy,
		   uint64_t *generation);

/* Change the state of the device, and keep the data_fd that comes */
int vmig_vmm_set_state(struct vmig_vmm *vmm, enum vfio_device_mig_state state);

/* Write a section, and tell the observer */
int vmig_vmm_put(struct vmig_vmm *vmm, int fd,
		 const struct vmig_section *section);

/* Before data: config space, if it is to be sent now */
int vmig_vmm_config_before_data(struct vmig_vmm *vmm, int fd);

/* read() wants the VMM to look at config space again */
int vmig_vmm_config_stale(struct vmig_vmm *vmm, int fd);

/* At last: config space, if it is to be sent now, and "enable interrupts" */
int vmig_vmm_config_at_last(struct vmig_vmm *vmm, int fd);

/* The session is over, or never was */
void vmig_vmm_close_data(struct vmig_vmm *vmm);

#endif /* VMIG_VMM_INT_H */
