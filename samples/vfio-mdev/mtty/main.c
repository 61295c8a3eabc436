// SPDX-License-Identifier: GPL-2.0-only
/*
 * mtty: a PCI serial card in software, as a mediated device with migration.
 *
 * The module, the mdev parent and its types, and the calls of vfio_device_ops, with
 * all copies from and to user memory.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"
#include "dma_log.h"
#include "migration.h"
#include "mmap.h"
#include "mtty_trace.h"
#include "session.h"
#include "sysfs.h"

#define MTTY_NAME		"mtty"
/* An arbitrary limit, as each device takes an entry in several kernel tables */
#define MTTY_MAX_DEVICES	4096

#define MTTY_CAP_DEFAULT_SIZE	SZ_1M

/*
 * Data are copied through a buffer on the stack, with no lock held.  The buffer for
 * register accesses, the most frequent ones, is small because the compiler may
 * initialise it.
 */
#define MTTY_BOUNCE_SIZE	256
#define MTTY_REG_MAX		sizeof(u64)

struct mtty_type {
	struct mdev_type type;
	unsigned int nr_ports;
};

static struct mtty_type mtty_types[] = {
	{ .nr_ports = 1, .type = { .sysfs_name = "1",
				   .pretty_name = "Single port serial" } },
	{ .nr_ports = 2, .type = { .sysfs_name = "2",
				   .pretty_name = "Dual port serial" } },
};

static struct mdev_type *mtty_mdev_types[] = {
	&mtty_types[0].type,
	&mtty_types[1].type,
};

static struct mdev_parent mtty_parent;
static struct device *mtty_parent_dev;

static int mtty_open_device(struct vfio_device *vdev)
{
	return mtty_device_open(to_mtty(vdev));
}

static void mtty_close_device(struct vfio_device *vdev)
{
	struct mtty *mtty = to_mtty(vdev);

	scoped_guard(mutex, &mtty->lock) {
		trace_mtty_close(mtty->name, mtty->state);
		mtty_session_end(mtty);
	}
	mtty_device_close(mtty);
}

/* An access that exceeds a region must have no effect at all */
static int mtty_check_access(struct mtty *mtty, loff_t pos, size_t count)
{
	u64 size = mtty_device_region_size(mtty, pos >> MTTY_REGION_SHIFT);
	u64 offset = pos & MTTY_REGION_MASK;

	return offset <= size && count <= size - offset ? 0 : -EINVAL;
}

/* Most accesses are of one byte, and a constant size is checked at build time */
static unsigned long mtty_copy_out(char __user *buf, const u8 *bounce, size_t n)
{
	return n == 1 ? copy_to_user(buf, bounce, 1) :
			copy_to_user(buf, bounce, n);
}

static unsigned long mtty_copy_in(u8 *bounce, const char __user *buf, size_t n)
{
	return n == 1 ? copy_from_user(bounce, buf, 1) :
			copy_from_user(bounce, buf, n);
}

static int mtty_read_part(struct mtty *mtty, char __user *buf, size_t n,
			  loff_t pos, u8 *bounce)
{
	int ret;

	scoped_guard(mutex, &mtty->lock)
		ret = mtty_device_read(mtty, pos >> MTTY_REGION_SHIFT,
				       pos & MTTY_REGION_MASK, bounce, n);
	if (!ret && mtty_copy_out(buf, bounce, n))
		ret = -EFAULT;

	return ret;
}

static int mtty_write_part(struct mtty *mtty, char __user *buf, size_t n,
			   loff_t pos, u8 *bounce)
{
	if (mtty_copy_in(bounce, buf, n))
		return -EFAULT;

	guard(mutex)(&mtty->lock);

	return mtty_device_write(mtty, pos >> MTTY_REGION_SHIFT,
				 pos & MTTY_REGION_MASK, bounce, n);
}

static noinline ssize_t mtty_access_long(struct mtty *mtty, char __user *buf,
					 size_t count, loff_t pos,
					 int (*access)(struct mtty *mtty,
						       char __user *buf,
						       size_t n, loff_t pos,
						       u8 *bounce))
{
	u8 bounce[MTTY_BOUNCE_SIZE];
	size_t done, n;
	int ret;

	ret = mtty_check_access(mtty, pos, count);
	if (ret)
		return ret;

	/* Only a fatal signal may cause a short count: VMMs do not expect one */
	for (done = 0; done < count && !fatal_signal_pending(current);
	     done += n) {
		n = min(count - done, sizeof(bounce));
		ret = access(mtty, buf + done, n, pos + done, bounce);
		if (ret)
			break;
	}

	return done ?: ret;
}

static ssize_t mtty_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct mtty *mtty = to_mtty(vdev);
	u8 bounce[MTTY_REG_MAX];
	ssize_t ret;

	if (count && count <= sizeof(bounce))
		ret = mtty_read_part(mtty, buf, count, *ppos, bounce) ?: count;
	else
		ret = mtty_access_long(mtty, buf, count, *ppos, mtty_read_part);
	if (ret > 0)
		*ppos += ret;

	return ret;
}

static ssize_t mtty_write(struct vfio_device *vdev, const char __user *ubuf,
			  size_t count, loff_t *ppos)
{
	struct mtty *mtty = to_mtty(vdev);
	char __user *buf = (char __user *)ubuf;
	u8 bounce[MTTY_REG_MAX];
	ssize_t ret;

	if (count && count <= sizeof(bounce))
		ret = mtty_write_part(mtty, buf, count, *ppos, bounce) ?: count;
	else
		ret = mtty_access_long(mtty, buf, count, *ppos,
				       mtty_write_part);
	if (ret > 0)
		*ppos += ret;

	return ret;
}

static int mtty_get_info(struct mtty *mtty, void *arg)
{
	struct vfio_device_info *info = arg;

	info->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;

	return 0;
}

static int mtty_get_region_info(struct vfio_device *vdev,
				struct vfio_region_info *info,
				struct vfio_info_cap *caps)
{
	struct mtty *mtty = to_mtty(vdev);

	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;

	info->size = mtty_device_region_size(mtty, info->index);
	info->offset = (u64)info->index << MTTY_REGION_SHIFT;
	info->cap_offset = 0;
	info->flags = 0;
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ |
			      VFIO_REGION_INFO_FLAG_WRITE;

	return mtty_mmap_info(mtty, info, caps);
}

static int mtty_get_irq_info(struct mtty *mtty, void *arg)
{
	return mtty_irq_get_info(arg);
}

/*
 * All info structures begin with argsz.  @minsz is the size of the first version, and
 * no more than that is copied.
 */
static long mtty_ioctl_info(struct mtty *mtty, void __user *arg, size_t minsz,
			    int (*get)(struct mtty *mtty, void *info))
{
	union {
		u32 argsz;
		struct vfio_device_info device;
		struct vfio_irq_info irq;
	} info = {};
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = get(mtty, &info);
	if (ret)
		return ret;

	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int mtty_check_set_irqs(struct vfio_irq_set *set, void __user *arg,
			       s32 *data)
{
	struct vfio_irq_info info = { .index = set->index };
	size_t size;
	int ret;

	ret = mtty_irq_get_info(&info);
	if (ret)
		return ret;

	ret = vfio_set_irqs_validate_and_prepare(set, info.count,
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;

	/* Each index has one interrupt */
	if (WARN_ON_ONCE(size > sizeof(*data)))
		return -EINVAL;

	return copy_from_user(data, arg, size) ? -EFAULT : 0;
}

static long mtty_ioctl_set_irqs(struct mtty *mtty, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;
	s32 data = 0;
	int ret;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;

	ret = mtty_check_set_irqs(&set, arg + minsz, &data);

	guard(mutex)(&mtty->lock);

	if (!ret)
		ret = mtty_irq_set(&mtty->irq, &set, &data);
	trace_mtty_set_irqs(mtty->name, &set, data, ret);

	return ret;
}

static long mtty_ioctl_reset(struct mtty *mtty)
{
	guard(mutex)(&mtty->lock);

	trace_mtty_reset(mtty->name, mtty->state);
	mtty_session_end(mtty);
	mtty_device_reset(mtty);

	return 0;
}

static long mtty_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	struct mtty *mtty = to_mtty(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return mtty_ioctl_info(mtty, uarg,
				       offsetofend(struct vfio_device_info,
						   num_irqs), mtty_get_info);
#if !MTTY_HAS_REGION_INFO_OP
	case VFIO_DEVICE_GET_REGION_INFO:
		return mtty_region_info_ioctl(vdev, uarg, mtty_get_region_info);
#endif
	case VFIO_DEVICE_GET_IRQ_INFO:
		return mtty_ioctl_info(mtty, uarg,
				       offsetofend(struct vfio_irq_info, count),
				       mtty_get_irq_info);
	case VFIO_DEVICE_SET_IRQS:
		return mtty_ioctl_set_irqs(mtty, uarg);
	case VFIO_DEVICE_RESET:
		return mtty_ioctl_reset(mtty);
	default:
		return -ENOTTY;
	}
}

static int mtty_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
			size_t argsz)
{
	struct vfio_device_feature_mig_config answer;
	struct mtty *mtty = to_mtty(vdev);
	int ret;

	ret = mig_config_feature(&mtty->config, flags, arg, argsz, &answer);
	if (ret != 1)
		return ret;

	guard(mutex)(&mtty->lock);

	return mig_config_opt_in(&mtty->config, &answer, mtty->session);
}

static int mtty_init_device(struct vfio_device *vdev)
{
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct mtty *mtty = to_mtty(vdev);

	mtty->nr_ports = container_of(mdev->type, struct mtty_type,
				      type)->nr_ports;
	mtty->cap.size = MTTY_CAP_DEFAULT_SIZE;
	/* Users that do not know the proposal must not lose config space */
	mtty->config.need = VFIO_MIG_CONFIG_IN_DATA;
	mtty->config.size = PCI_CFG_SPACE_SIZE;
	strscpy(mtty->name, dev_name(vdev->dev), sizeof(mtty->name));
	mtty_device_init(mtty);

	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				VFIO_MIGRATION_PRE_COPY;
	vdev->mig_ops = &mtty_mig_ops;
	if (IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		vdev->log_ops = &mtty_dma_log_ops;

	return 0;
}

static void mtty_release_device(struct vfio_device *vdev)
{
	mutex_destroy(&to_mtty(vdev)->lock);
}

static const struct vfio_device_ops mtty_device_ops = {
	.name = "vfio-mtty",
	.init = mtty_init_device,
	.release = mtty_release_device,
	.open_device = mtty_open_device,
	.close_device = mtty_close_device,
	.read = mtty_read,
	.write = mtty_write,
	.mmap = mtty_mmap,
	.ioctl = mtty_ioctl,
#if MTTY_HAS_REGION_INFO_OP
	.get_region_info_caps = mtty_get_region_info,
#endif
	.device_feature = mtty_feature,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static int mtty_probe(struct mdev_device *mdev)
{
	struct mtty *mtty;
	int ret;

	mtty = vfio_alloc_device(mtty, vdev, &mdev->dev, &mtty_device_ops);
	if (IS_ERR(mtty))
		return PTR_ERR(mtty);

	dev_set_drvdata(&mdev->dev, mtty);
	ret = vfio_register_emulated_iommu_dev(&mtty->vdev);
	if (ret)
		vfio_put_device(&mtty->vdev);

	return ret;
}

static void mtty_remove(struct mdev_device *mdev)
{
	struct mtty *mtty = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&mtty->vdev);
	vfio_put_device(&mtty->vdev);
}

static struct mdev_driver mtty_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = MTTY_MAX_DEVICES,
	.probe = mtty_probe,
	.remove = mtty_remove,
	.driver = {
		.name = MTTY_NAME,
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = mtty_sysfs_groups,
	},
};

static const struct class mtty_class = {
	.name = MTTY_NAME,
};

static int __init mtty_init(void)
{
	int ret;

	ret = mdev_register_driver(&mtty_driver);
	if (ret)
		return ret;

	ret = class_register(&mtty_class);
	if (ret)
		goto err_driver;

	/* Scripts use the path .../virtual/mtty/mtty */
	mtty_parent_dev = device_create(&mtty_class, NULL, 0, NULL, MTTY_NAME);
	if (IS_ERR(mtty_parent_dev)) {
		ret = PTR_ERR(mtty_parent_dev);
		goto err_class;
	}

	ret = mdev_register_parent(&mtty_parent, mtty_parent_dev, &mtty_driver,
				   mtty_mdev_types,
				   ARRAY_SIZE(mtty_mdev_types));
	if (ret)
		goto err_device;

	return 0;

err_device:
	device_unregister(mtty_parent_dev);
err_class:
	class_unregister(&mtty_class);
err_driver:
	mdev_unregister_driver(&mtty_driver);
	return ret;
}

static void __exit mtty_exit(void)
{
	mdev_unregister_parent(&mtty_parent);
	device_unregister(mtty_parent_dev);
	class_unregister(&mtty_class);
	mdev_unregister_driver(&mtty_driver);
}

module_init(mtty_init);
module_exit(mtty_exit);

MODULE_DESCRIPTION("PCI serial card as a mediated device that can be migrated");
MODULE_LICENSE("GPL");
