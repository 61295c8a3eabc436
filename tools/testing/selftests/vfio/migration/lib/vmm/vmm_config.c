// SPDX-License-Identifier: GPL-2.0-only
/* When the source sends config space; see enum vmig_vmm_config in vmm.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/vfio/feature.h"
#include "vmm_int.h"

static int get_snapshot(struct vmig_vmm *vmm, struct vmig_snapshot *snapshot)
{
	char hex[VMIG_ID_HEX_SIZE];
	int ret;

	ret = vmig_config_get(vmm->data_fd, snapshot);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "VFIO_MIG_GET_CONFIG: %s",
				     strerror(-ret));
	vmig_vmm_report_call(vmm, "VFIO_MIG_GET_CONFIG", "%s",
			     vmig_id_hex(snapshot->id, hex));
	return 0;
}

/* As a VMM that does not know snapshots */
static int read_region(struct vmig_vmm *vmm, struct vmig_snapshot *snapshot)
{
	int ret;

	memset(snapshot->id, 0, sizeof(snapshot->id));
	snapshot->size = VMIG_CONFIG_SIZE;
	ret = vmig_region_read(vmm->dev, VFIO_PCI_CONFIG_REGION_INDEX, 0,
			       snapshot->data, snapshot->size);
	return ret ? vmig_vmm_fail(vmm, ret, "config space: %s",
				   strerror(-ret)) : 0;
}

int vmig_vmm_save_config(struct vmig_vmm *vmm, int fd, uint64_t subflags)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = subflags,
	};
	struct vmig_snapshot snapshot;
	int ret;

	if (!(subflags & VMIG_CONFIG_SETUP)) {
		vmm->stats.flag_sections++;
		return vmig_vmm_write_section(vmm, fd, &section);
	}

	ret = vmm->opted_in ? get_snapshot(vmm, &snapshot) :
			      read_region(vmm, &snapshot);
	if (ret)
		return ret;
	memcpy(section.id, snapshot.id, sizeof(section.id));
	section.data = snapshot.data;
	section.len = snapshot.size;
	ret = vmig_vmm_write_section(vmm, fd, &section);
	if (ret)
		return ret;

	if (vmm->opted_in && vmm->has_config &&
	    !memcmp(snapshot.id, vmm->id, sizeof(vmm->id)))
		vmm->stats.config_repeats++;
	vmm->stats.config_sections++;
	vmm->stats.config_bytes += snapshot.size;
	vmm->has_config = true;
	memcpy(vmm->id, snapshot.id, sizeof(vmm->id));
	return 0;
}

static bool is_needed_first(const struct vmig_vmm *vmm)
{
	return vmm->answer.need == VFIO_MIG_CONFIG_BEFORE_DATA;
}

static int save_early(struct vmig_vmm *vmm, int fd)
{
	return vmig_vmm_save_config(vmm, fd, VMIG_CONFIG_SETUP |
				    VMIG_CONFIG_NO_INTERRUPTS);
}

int vmig_vmm_config_before_data(struct vmig_vmm *vmm, int fd)
{
	if (vmm->config == VMIG_VMM_CONFIG_ALWAYS)
		return save_early(vmm, fd);
	/* Later ones are sent when read() returns ESTALE */
	if (vmm->config == VMIG_VMM_CONFIG_AUTO && is_needed_first(vmm) &&
	    !vmm->has_config)
		return save_early(vmm, fd);
	return 0;
}

int vmig_vmm_config_stale(struct vmig_vmm *vmm, int fd)
{
	struct vmig_snapshot snapshot;

	if (vmm->config == VMIG_VMM_CONFIG_ALWAYS ||
	    vmm->config == VMIG_VMM_CONFIG_AUTO)
		return save_early(vmm, fd);
	/* A mistake that the destination must find */
	return get_snapshot(vmm, &snapshot);
}

static bool is_sent_last(const struct vmig_vmm *vmm)
{
	switch (vmm->config) {
	case VMIG_VMM_CONFIG_AUTO:
		return !is_needed_first(vmm) &&
		       vmm->answer.need != VFIO_MIG_CONFIG_IN_DATA;
	case VMIG_VMM_CONFIG_NEVER:
		return false;
	default:
		return true;
	}
}

int vmig_vmm_config_last(struct vmig_vmm *vmm, int fd)
{
	uint64_t subflags = VMIG_CONFIG_ENABLE_INTERRUPTS;

	if (is_sent_last(vmm))
		subflags |= VMIG_CONFIG_SETUP;
	return vmig_vmm_save_config(vmm, fd, subflags);
}
