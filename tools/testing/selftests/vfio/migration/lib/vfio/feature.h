/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO_DEVICE_FEATURE: migration state (linux/vfio.h) and MIG_CONFIG, the proposal
 * (linux/vfio_mig_config.h).
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_FEATURE_H
#define VMIG_FEATURE_H

#include <stdint.h>
#include <linux/vfio.h>
#include <linux/vfio_mig_config.h>

#include "device.h"

/**
 * vmig_feature - VFIO_DEVICE_FEATURE
 * @dev:	the device
 * @flags:	feature index and VFIO_DEVICE_FEATURE_GET, SET or PROBE
 * @data:	structure of the feature; written back on success
 * @size:	bytes of @data
 */
int vmig_feature(struct vmig_device *dev, uint32_t flags, void *data,
		 size_t size);

/**
 * vmig_mig_get_flags - VFIO_DEVICE_FEATURE_MIGRATION
 * @dev:	the device
 * @flags:	VFIO_MIGRATION_*
 */
int vmig_mig_get_flags(struct vmig_device *dev, uint64_t *flags);

/**
 * vmig_mig_get_state - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, GET
 * @dev:	the device
 * @state:	set to the state of the device
 */
int vmig_mig_get_state(struct vmig_device *dev,
		       enum vfio_device_mig_state *state);

/**
 * vmig_mig_set_state - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, SET
 * @dev:	the device
 * @state:	new state
 * @data_fd:	set to the fd of a new data transfer session, or -1; NULL: close it
 */
int vmig_mig_set_state(struct vmig_device *dev,
		       enum vfio_device_mig_state state, int *data_fd);

/**
 * vmig_mig_data_size - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @dev:	the device
 * @bytes:	set to stop_copy_length, an estimate
 */
int vmig_mig_data_size(struct vmig_device *dev, uint64_t *bytes);

/**
 * vmig_precopy_info - VFIO_MIG_GET_PRECOPY_INFO
 * @data_fd:	of a device in PRE_COPY or PRE_COPY_P2P
 * @info:	filled in
 */
int vmig_precopy_info(int data_fd, struct vfio_precopy_info *info);

/**
 * vmig_mig_config_get - VFIO_DEVICE_FEATURE_MIG_CONFIG, GET
 * @dev:	the device
 * @config:	filled in; -ENOTTY if the driver does not have the feature
 */
int vmig_mig_config_get(struct vmig_device *dev,
			struct vfio_device_feature_mig_config *config);

/**
 * vmig_mig_config_loaded - VFIO_DEVICE_FEATURE_MIG_CONFIG, SET
 * @dev:	the device, in RESUMING
 * @generation:	generation of the snapshot that was written to config space
 */
int vmig_mig_config_loaded(struct vmig_device *dev, uint64_t generation);

/** vmig_state_name - "RUNNING", "PRE_COPY", ... or "?" */
const char *vmig_state_name(enum vfio_device_mig_state state);

/** vmig_policy_name - "independent", "before-data", ... of VFIO_MIG_CONFIG_* */
const char *vmig_policy_name(uint64_t flags);

#endif /* VMIG_FEATURE_H */
