// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "feature.h"
#include "util.h"

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

	if (vmig_call_ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature))
		ret = -errno;
	/* After a failure, too: what the kernel has written then is a part of its answer */
	if (size)
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
	if (!ret)
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
	if (!ret)
		*state = mig.device_state;

	return ret;
}

int vmig_mig_set_state(struct vmig_device *dev,
		       enum vfio_device_mig_state state, int *data_fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = state, .data_fd = VMIG_FD_UNWRITTEN,
	};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   &mig, sizeof(mig));
	if (!ret)
		vmig_calls_name(mig.data_fd, "data_fd");
	if (data_fd)
		*data_fd = mig.data_fd;
	else if (!ret && mig.data_fd >= 0)
		vmig_call_close(mig.data_fd);

	return ret;
}

int vmig_mig_data_size(struct vmig_device *dev, uint64_t *bytes)
{
	struct vfio_device_feature_mig_data_size size = {};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			   &size, sizeof(size));
	if (!ret)
		*bytes = size.stop_copy_length;

	return ret;
}

int vmig_precopy_info(int data_fd, struct vfio_precopy_info *info)
{
	struct vfio_precopy_info answer = { .argsz = sizeof(answer) };

	if (vmig_call_ioctl(data_fd, VFIO_MIG_GET_PRECOPY_INFO, &answer))
		return -errno;
	*info = answer;

	return 0;
}

int vmig_config_query(struct vmig_device *dev, struct vmig_config_answer *answer)
{
	struct vfio_device_feature_mig_config config = {};
	int ret;

	ret = vmig_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIG_CONFIG,
			   &config, sizeof(config));
	if (ret)
		return ret;
	answer->need = config.need;
	answer->size = config.size;

	return 0;
}

int vmig_config_opt_in(struct vmig_device *dev,
		       const struct vmig_config_answer *answer)
{
	struct vfio_device_feature_mig_config config = {
		.need = answer->need, .size = answer->size,
	};

	return vmig_feature(dev, VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_MIG_CONFIG,
			    &config, sizeof(config));
}

int vmig_config_opt_in_own(struct vmig_device *dev)
{
	struct vmig_config_answer answer;
	int ret;

	ret = vmig_config_query(dev, &answer);

	return ret ? ret : vmig_config_opt_in(dev, &answer);
}

/* The argument of GET_CONFIG and SET_CONFIG, with space for any snapshot */
union config_arg {
	struct vfio_mig_config config;
	uint8_t bytes[sizeof(struct vfio_mig_config) + VMIG_SNAPSHOT_MAX];
};

int vmig_config_get(int data_fd, struct vmig_snapshot *snapshot)
{
	union config_arg arg = { .config.argsz = sizeof(arg) };

	if (vmig_call_ioctl(data_fd, VFIO_MIG_GET_CONFIG, &arg))
		return -errno;
	if (arg.config.size > VMIG_SNAPSHOT_MAX)
		return -EMSGSIZE;

	memcpy(snapshot->id, arg.config.id, sizeof(snapshot->id));
	snapshot->size = arg.config.size;
	memcpy(snapshot->data, arg.config.data, snapshot->size);

	return 0;
}

int vmig_config_set(int data_fd, const struct vmig_snapshot *snapshot)
{
	union config_arg arg = { .config = {
		.argsz = sizeof(arg), .size = snapshot->size,
	} };

	if (snapshot->size > VMIG_SNAPSHOT_MAX)
		return -EMSGSIZE;
	memcpy(arg.config.id, snapshot->id, sizeof(snapshot->id));
	memcpy(arg.config.data, snapshot->data, snapshot->size);

	return vmig_call_ioctl(data_fd, VFIO_MIG_SET_CONFIG, &arg) ? -errno : 0;
}

int vmig_check_data(int data_fd)
{
	return vmig_call_ioctl(data_fd, VFIO_MIG_CHECK_DATA, NULL) ? -errno : 0;
}

const char *vmig_id_hex(const uint8_t id[VFIO_MIG_CONFIG_ID_SIZE],
			char hex[VMIG_ID_HEX_SIZE])
{
	unsigned int i;

	for (i = 0; i < VFIO_MIG_CONFIG_ID_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);

	return hex;
}

const char *vmig_need_name(uint64_t need)
{
	static const char *const names[] = {
		[VFIO_MIG_CONFIG_NOT_NEEDED] = "independent",
		[VFIO_MIG_CONFIG_BEFORE_DATA] = "before-data",
		[VFIO_MIG_CONFIG_ANY_ORDER] = "reorder",
		[VFIO_MIG_CONFIG_IN_DATA] = "embedded",
	};

	return need < ARRAY_SIZE(names) ? names[need] : "?";
}
