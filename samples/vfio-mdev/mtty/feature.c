// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_FEATURE_MIG_CONFIG */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device.h"
#include "feature.h"
#include "load.h"
#include "mtty_trace.h"

static int mtty_feature_set(struct mtty *mtty, u64 generation)
{
	int ret;

	guard(mutex)(&mtty->lock);

	if (mtty->state != VFIO_DEVICE_STATE_RESUMING)
		return -EINVAL;

	ret = mtty_pci_load_check(&mtty->pci);
	if (ret)
		return ret;

	if (mtty_policy_is_superseded(&mtty->policy, generation,
				      mtty_load_generation(mtty))) {
		mtty_pci_load_drop(&mtty->pci);
		trace_mtty_config(mtty->name, "superseded", generation);
		return 0;
	}

	mtty_pci_load_commit(&mtty->pci);
	mtty->policy.loaded = generation;
	trace_mtty_config(mtty->name, "committed", generation);
	mtty_device_update_irq(mtty);

	return 0;
}

static int mtty_feature_get(struct mtty *mtty, void __user *arg)
{
	struct vfio_device_feature_mig_config config = {};
	u64 generation;

	scoped_guard(mutex, &mtty->lock) {
		config.flags = mtty->policy.flag;
		generation = mtty->policy.generation;
		config.generation = generation;
		if (mtty->policy.loaded) {
			config.flags |= VFIO_MIG_CONFIG_LOADED;
			config.generation = mtty->policy.loaded;
		}
	}

	if (copy_to_user(arg, &config, sizeof(config)))
		return -EFAULT;

	/*
	 * After the copy, as a failed GET must not count.  Do not overwrite the current
	 * generation, which a concurrent GET may have returned.
	 */
	guard(mutex)(&mtty->lock);
	if (mtty->policy.queried != mtty->policy.generation)
		mtty->policy.queried = generation;

	return 0;
}

/**
 * mtty_feature - vfio_device_ops.device_feature
 * @vdev:	the device
 * @flags:	VFIO_DEVICE_FEATURE_*
 * @arg:	struct vfio_device_feature_mig_config of the user
 * @argsz:	bytes at @arg
 *
 * Return: 0 or one of the errors in uapi/linux/vfio_mig_config.h.
 */
int mtty_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		 size_t argsz)
{
	struct vfio_device_feature_mig_config config;
	int ret;

	if ((flags & VFIO_DEVICE_FEATURE_MASK) != VFIO_DEVICE_FEATURE_MIG_CONFIG)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_SET, sizeof(config));
	if (ret != 1)
		return ret;

	if (!(flags & VFIO_DEVICE_FEATURE_SET))
		return mtty_feature_get(to_mtty(vdev), arg);

	if (copy_from_user(&config, arg, sizeof(config)))
		return -EFAULT;
	if (config.flags != VFIO_MIG_CONFIG_LOADED || !config.generation)
		return -EINVAL;

	return mtty_feature_set(to_mtty(vdev), config.generation);
}
