/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO_DEVICE_FEATURE: migration state (linux/vfio.h) and MIG_CONFIG, the proposal
 * (linux/vfio_mig_config.h).
 *
 * Functions return 0 or -errno. On failure they leave their output as it was, so that no
 * value of the library is taken for an answer; exceptions are documented.
 */
#ifndef VMIG_FEATURE_H
#define VMIG_FEATURE_H

#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>
#include <linux/vfio_mig_config.h>

#include "device.h"
#include "state_name.h"

/**
 * vmig_feature - VFIO_DEVICE_FEATURE
 * @dev:	the device
 * @flags:	feature index and VFIO_DEVICE_FEATURE_GET, SET or PROBE
 * @data:	structure of the feature; as the kernel leaves it, also on failure
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

/* The data_fd that vmig_mig_set_state() sends. The kernel has to replace it. */
#define VMIG_FD_UNWRITTEN	(-2)

/**
 * vmig_mig_set_state - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, SET
 * @dev:	the device
 * @state:	new state
 * @data_fd:	set to what the kernel has written, also on failure: the fd of a new data
 *		transfer session, or -1; VMIG_FD_UNWRITTEN if it has written nothing.
 *		NULL: a new session is closed
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
 * struct vmig_config_answer - answer of VFIO_DEVICE_FEATURE_MIG_CONFIG
 * @need:	enum vfio_mig_config_need
 * @size:	bytes of a snapshot
 */
struct vmig_config_answer {
	uint32_t need;
	uint32_t size;
};

/** vmig_config_query - GET; -ENOTTY if the driver has no such feature */
int vmig_config_query(struct vmig_device *dev, struct vmig_config_answer *answer);

/**
 * vmig_config_opt_in - SET
 * @dev:	the device, without a data transfer session
 * @answer:	of the source
 */
int vmig_config_opt_in(struct vmig_device *dev,
		       const struct vmig_config_answer *answer);

/** vmig_config_opt_in_own - query a device, and opt in with its own answer */
int vmig_config_opt_in_own(struct vmig_device *dev);

/* A snapshot of conventional config space has 256 bytes, an extended one 4096 */
#define VMIG_SNAPSHOT_MAX	4096u

/**
 * struct vmig_snapshot - config space and its identity
 * @id:		identity
 * @size:	bytes used at @data
 * @data:	content of config space
 */
struct vmig_snapshot {
	uint8_t id[VFIO_MIG_CONFIG_ID_SIZE];
	uint32_t size;
	uint8_t data[VMIG_SNAPSHOT_MAX];
};

/**
 * vmig_config_get - VFIO_MIG_GET_CONFIG
 * @data_fd:	of a saving session
 * @snapshot:	filled in
 */
int vmig_config_get(int data_fd, struct vmig_snapshot *snapshot);

/**
 * vmig_config_set - VFIO_MIG_SET_CONFIG
 * @data_fd:	of a resuming session
 * @snapshot:	to load
 */
int vmig_config_set(int data_fd, const struct vmig_snapshot *snapshot);

/** vmig_check_data - VFIO_MIG_CHECK_DATA on the data_fd of a resuming session */
int vmig_check_data(int data_fd);

#define VMIG_ID_HEX_SIZE	(2 * VFIO_MIG_CONFIG_ID_SIZE + 1)

/** vmig_id_hex - an identity as text, in @hex; returns @hex */
const char *vmig_id_hex(const uint8_t id[VFIO_MIG_CONFIG_ID_SIZE],
			char hex[VMIG_ID_HEX_SIZE]);

/** vmig_need_name - the device's word for a need: "before-data", ... or "?" */
const char *vmig_need_name(uint64_t need);

#endif /* VMIG_FEATURE_H */
