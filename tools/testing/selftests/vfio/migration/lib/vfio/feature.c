// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "feature.h"

int vmig_feature(struct vmig_device *dev, uint32_t flags, void *data,
		 size_t size)
{
	struct vfio_device_feature *feature;
	int ret = 0;

	feature = calloc(1, sizeof(*feature) + size);
	if (!feature)
		return -ENOMEM;

	feature->argsz = sizeof(*feature) + size;
	feature->flags = flags;
	if (size)
		memcpy(feature->data, data, size);

	if (ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature))
		ret = -errno;
	else if (size)
		memcpy(data, feature->data, size);
	free(feature);

	return ret;
}

int vmig_mig_get_flags(struct vmig_device *dev, uint64_t *flags)
{
	struct vfio_device_feature_migration mig = {};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIGRATION, &mig, sizeof(mig));
	*flags = mig.flags;

	return ret;
}

int vmig_mig_get_state(struct vmig_device *dev,
		       enum vfio_device_mig_state *state)
{
	struct vfio_device_feature_mig_state mig = {};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   &mig, sizeof(mig));
	*state = mig.device_state;

	return ret;
}

int vmig_mig_set_state(struct vmig_device *dev,
		       enum vfio_device_mig_state state, int *data_fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = state, .data_fd = -1,
	};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   &mig, sizeof(mig));
	if (data_fd)
		*data_fd = ret ? -1 : mig.data_fd;
	else if (!ret && mig.data_fd >= 0)
		close(mig.data_fd);

	return ret;
}

int vmig_mig_data_size(struct vmig_device *dev, uint64_t *bytes)
{
	struct vfio_device_feature_mig_data_size size = {};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			   &size, sizeof(size));
	*bytes = size.stop_copy_length;

	return ret;
}

int vmig_precopy_info(int data_fd, struct vfio_precopy_info *info)
{
	*info = (struct vfio_precopy_info) { .argsz = sizeof(*info) };

	return ioctl(data_fd, VFIO_MIG_GET_PRECOPY_INFO, info) ? -errno : 0;
}

int vmig_mig_config_get(struct vmig_device *dev,
			struct vfio_device_feature_mig_config *config)
{
	*config = (struct vfio_device_feature_mig_config) {};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_MIG_CONFIG,
			    config, sizeof(*config));
}

int vmig_mig_config_loaded(struct vmig_device *dev, uint64_t generation)
{
	struct vfio_device_feature_mig_config config = {
		.flags = VFIO_MIG_CONFIG_LOADED, .generation = generation,
	};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_MIG_CONFIG,
			    &config, sizeof(config));
}

const char *vmig_state_name(enum vfio_device_mig_state state)
{
	static const char *const names[VFIO_DEVICE_STATE_NR] = {
		[VFIO_DEVICE_STATE_ERROR] = "ERROR",
		[VFIO_DEVICE_STATE_STOP] = "STOP",
		[VFIO_DEVICE_STATE_RUNNING] = "RUNNING",
		[VFIO_DEVICE_STATE_STOP_COPY] = "STOP_COPY",
		[VFIO_DEVICE_STATE_RESUMING] = "RESUMING",
		[VFIO_DEVICE_STATE_RUNNING_P2P] = "RUNNING_P2P",
		[VFIO_DEVICE_STATE_PRE_COPY] = "PRE_COPY",
		[VFIO_DEVICE_STATE_PRE_COPY_P2P] = "PRE_COPY_P2P",
	};

	if ((unsigned int)state >= VFIO_DEVICE_STATE_NR)
		return "?";

	return names[state];
}

const char *vmig_policy_name(uint64_t flags)
{
	switch (flags & ~(uint64_t)VFIO_MIG_CONFIG_LOADED) {
	case 0:
		return "independent";
	case VFIO_MIG_CONFIG_BEFORE_DATA:
		return "before-data";
	case VFIO_MIG_CONFIG_REORDER:
		return "reorder";
	case VFIO_MIG_CONFIG_EMBEDDED:
		return "embedded";
	default:
		return "?";
	}
}
