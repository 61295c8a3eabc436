/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the vmm*.c files. */
#ifndef VMIG_VMM_INT_H
#define VMIG_VMM_INT_H

#include "vmm.h"

/* Begin a step, and clear the reason of an older failure */
void vmig_vmm_begin_step(struct vmig_vmm *vmm, const char *step);

/* Report a call to the observer; @fmt is the argument or the answer */
void vmig_vmm_report_call(struct vmig_vmm *vmm, const char *call,
			  const char *fmt, ...);

/* Report a section to the observer */
void vmig_vmm_report_section(struct vmig_vmm *vmm,
			     const struct vmig_section *section);

/* Keep the reason of a failure, unless there is one already; returns @error */
int vmig_vmm_fail(struct vmig_vmm *vmm, int error, const char *fmt, ...);

/* Query the driver; zeroes if it does not have VFIO_DEVICE_FEATURE_MIG_CONFIG */
int vmig_vmm_query(struct vmig_vmm *vmm, struct vmig_config_answer *answer);

/* Opt in with @vmm->answer, unless that is zeroes */
int vmig_vmm_opt_in(struct vmig_vmm *vmm);

/* Change the state of the device, and keep the data_fd if there is a new one */
int vmig_vmm_set_state(struct vmig_vmm *vmm, enum vfio_device_mig_state state);

/* Write a section, and report it */
int vmig_vmm_write_section(struct vmig_vmm *vmm, int fd,
			   const struct vmig_section *section);

/* Before data: send config space if it has to be sent now */
int vmig_vmm_config_before_data(struct vmig_vmm *vmm, int fd);

/* read() returned ESTALE: get config space again, and send it if @config says so */
int vmig_vmm_config_stale(struct vmig_vmm *vmm, int fd);

/* At the end: config space if it has to be sent now, and "enable interrupts" */
int vmig_vmm_config_last(struct vmig_vmm *vmm, int fd);

/* Close the data_fd, if any */
void vmig_vmm_close_data(struct vmig_vmm *vmm);

#endif /* VMIG_VMM_INT_H */
