// SPDX-License-Identifier: GPL-2.0-only
/* When the source sends config space; see enum vmig_vmm_config in vmm.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <linux/vfio_mig_config.h>

#include "lib/vfio/feature.h"
#include "vmm_int.h"

/* How often config space may change while it is being read */
#define RETRIES		64

/* Read config space while its generation does not change */
static int take_snapshot(struct vmig_vmm *vmm, uint8_t *config,
			 uint64_t *generation)
{
	unsigned int tries;
	uint64_t now;
	int ret;

	ret = vmig_vmm_query(vmm, &vmm->policy, generation);
	for (tries = 0; !ret && tries < RETRIES; tries++) {
		ret = vmig_region_read(vmm->dev, VFIO_PCI_CONFIG_REGION_INDEX,
				       0, config, VMIG_CONFIG_SIZE);
		if (ret)
			return vmig_vmm_fail(vmm, ret, "config space: %s",
					     strerror(-ret));
		ret = vmig_vmm_query(vmm, &vmm->policy, &now);
		if (ret || now == *generation)
			return ret;
		*generation = now;
	}
	return ret ? ret : -EAGAIN;
}

int vmig_vmm_save_config(struct vmig_vmm *vmm, int fd, uint64_t subflags)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = subflags,
	};
	uint8_t config[VMIG_CONFIG_SIZE];
	int ret;

	if (!(subflags & VMIG_CONFIG_SETUP)) {
		vmm->stats.flag_sections++;
		return vmig_vmm_write_section(vmm, fd, &section);
	}

	ret = take_snapshot(vmm, config, &section.generation);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "config space: %s",
				     strerror(-ret));
	section.data = config;
	section.len = sizeof(config);
	ret = vmig_vmm_write_section(vmm, fd, &section);
	if (ret)
		return ret;

	if (section.generation && section.generation == vmm->generation)
		vmm->stats.config_repeats++;
	vmm->stats.config_sections++;
	vmm->stats.config_bytes += sizeof(config);
	vmm->generation = section.generation;
	return 0;
}

static bool is_needed_first(const struct vmig_vmm *vmm)
{
	return vmm->policy & VFIO_MIG_CONFIG_BEFORE_DATA;
}

static int save_early(struct vmig_vmm *vmm, int fd)
{
	return vmig_vmm_save_config(vmm, fd, VMIG_CONFIG_SETUP |
				    VMIG_CONFIG_NO_INTERRUPTS);
}

static int save_early_if_new(struct vmig_vmm *vmm, int fd)
{
	uint64_t generation;
	int ret;

	ret = vmig_vmm_query(vmm, &vmm->policy, &generation);
	if (ret || generation == vmm->generation)
		return ret;
	return save_early(vmm, fd);
}

int vmig_vmm_config_before_data(struct vmig_vmm *vmm, int fd)
{
	if (vmm->config == VMIG_VMM_CONFIG_ALWAYS)
		return save_early(vmm, fd);
	if (vmm->config == VMIG_VMM_CONFIG_AUTO && is_needed_first(vmm))
		return save_early_if_new(vmm, fd);
	return 0;
}

int vmig_vmm_config_stale(struct vmig_vmm *vmm, int fd)
{
	uint64_t generation;

	if (vmm->config == VMIG_VMM_CONFIG_ALWAYS ||
	    vmm->config == VMIG_VMM_CONFIG_AUTO)
		return save_early_if_new(vmm, fd);
	return vmig_vmm_query(vmm, &vmm->policy, &generation);
}

static bool is_sent_last(const struct vmig_vmm *vmm)
{
	switch (vmm->config) {
	case VMIG_VMM_CONFIG_AUTO:
		return !is_needed_first(vmm) &&
		       !(vmm->policy & VFIO_MIG_CONFIG_EMBEDDED);
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
