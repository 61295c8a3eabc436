// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of the structures in uapi/linux/vfio_mig_config.h from and to the user.
 *
 * No function changes anything but its output arguments.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/vfio.h>

#include "mig_config.h"

/**
 * mig_config_feature - VFIO_DEVICE_FEATURE_MIG_CONFIG
 * @config:	of the device
 * @flags:	VFIO_DEVICE_FEATURE_*
 * @arg:	struct vfio_device_feature_mig_config of the user
 * @argsz:	bytes at @arg
 * @answer:	filled in with that of a SET
 *
 * Return: 0 or an error; 1 if the caller must pass @answer to mig_config_opt_in().
 */
int mig_config_feature(const struct mig_config *config, u32 flags,
		       void __user *arg, size_t argsz,
		       struct vfio_device_feature_mig_config *answer)
{
	int ret;

	if ((flags & VFIO_DEVICE_FEATURE_MASK) != VFIO_DEVICE_FEATURE_MIG_CONFIG)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_SET, sizeof(*answer));
	if (ret != 1)
		return ret;

	if (flags & VFIO_DEVICE_FEATURE_SET)
		return copy_from_user(answer, arg, sizeof(*answer)) ? -EFAULT : 1;

	answer->need = config->need;
	answer->size = config->size;

	return copy_to_user(arg, answer, sizeof(*answer)) ? -EFAULT : 0;
}

static int mig_config_copy_head(struct vfio_mig_config *head, u32 size,
				const void __user *arg)
{
	if (copy_from_user(head, arg, sizeof(*head)))
		return -EFAULT;
	if (head->argsz < sizeof(*head) + size || head->flags || head->reserved)
		return -EINVAL;

	return 0;
}

/**
 * mig_config_copy_to_user - the result of VFIO_MIG_GET_CONFIG
 * @arg:	struct vfio_mig_config of the user
 * @id:		of the snapshot
 * @snapshot:	its bytes
 * @size:	their number
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int mig_config_copy_to_user(void __user *arg, const struct mig_config_id *id,
			    const u8 *snapshot, u32 size)
{
	struct vfio_mig_config head;
	int ret;

	ret = mig_config_copy_head(&head, size, arg);
	if (ret)
		return ret;

	head.size = size;
	put_unaligned_le64(id->source, head.id);
	put_unaligned_le64(id->version, head.id + sizeof(u64));

	if (copy_to_user(arg + sizeof(head), snapshot, size) ||
	    copy_to_user(arg, &head, sizeof(head)))
		return -EFAULT;

	return 0;
}

/**
 * mig_config_copy_from_user - the argument of VFIO_MIG_SET_CONFIG
 * @id:		set to that of the snapshot
 * @snapshot:	filled in
 * @size:	its bytes
 * @arg:	struct vfio_mig_config of the user
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int mig_config_copy_from_user(struct mig_config_id *id, u8 *snapshot, u32 size,
			      void __user *arg)
{
	struct vfio_mig_config head;
	int ret;

	ret = mig_config_copy_head(&head, size, arg);
	if (ret)
		return ret;
	if (head.size != size)
		return -EINVAL;

	id->source = get_unaligned_le64(head.id);
	id->version = get_unaligned_le64(head.id + sizeof(u64));

	return copy_from_user(snapshot, arg + sizeof(head), size) ? -EFAULT : 0;
}
