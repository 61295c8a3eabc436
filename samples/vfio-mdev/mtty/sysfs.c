// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sysfs attributes in "migration".  They set properties of the device, so they
 * cannot be written while it is open.
 */
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "mtty.h"
#include "sysfs.h"

/* Indexed by enum vfio_mig_config_need */
static const char * const policies[] = {
	[VFIO_MIG_CONFIG_NOT_NEEDED] = "independent",
	[VFIO_MIG_CONFIG_BEFORE_DATA] = "before-data",
	[VFIO_MIG_CONFIG_ANY_ORDER] = "reorder",
	[VFIO_MIG_CONFIG_IN_DATA] = "embedded",
};

static const struct {
	const char *name;
	unsigned int flag;
} features[] = {
	{ "stop_copy", VFIO_MIGRATION_STOP_COPY },
	{ "p2p", VFIO_MIGRATION_P2P },
	{ "pre_copy", VFIO_MIGRATION_PRE_COPY },
};

/* show and set functions are called with mtty.lock held */
static ssize_t mtty_sysfs_show(struct device *dev, char *buf,
			       ssize_t (*show)(struct mtty *mtty, char *buf))
{
	struct mtty *mtty = dev_get_drvdata(dev);

	guard(mutex)(&mtty->lock);

	return show(mtty, buf);
}

static ssize_t mtty_sysfs_store(struct device *dev, const char *buf,
				size_t count,
				int (*set)(struct mtty *mtty, const char *buf))
{
	struct mtty *mtty = dev_get_drvdata(dev);
	int ret;

	guard(mutex)(&mtty->lock);

	if (mtty->is_open)
		return -EBUSY;

	ret = set(mtty, buf);

	return ret ?: count;
}

#define MTTY_SYSFS_ATTR(name) \
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, \
			   char *buf) \
{ \
	return mtty_sysfs_show(dev, buf, mtty_sysfs_show_##name); \
} \
static ssize_t name##_store(struct device *dev, struct device_attribute *attr, \
			    const char *buf, size_t count) \
{ \
	return mtty_sysfs_store(dev, buf, count, mtty_sysfs_set_##name); \
} \
static DEVICE_ATTR_RW(name)

static int mtty_sysfs_set_config_policy(struct mtty *mtty, const char *buf)
{
	int need = sysfs_match_string(policies, buf);

	if (need < 0)
		return need;

	mtty->config.need = need;

	return 0;
}

static ssize_t mtty_sysfs_show_config_policy(struct mtty *mtty, char *buf)
{
	return sysfs_emit(buf, "%s\n", policies[mtty->config.need]);
}
MTTY_SYSFS_ATTR(config_policy);

static int mtty_sysfs_feature_flag(const char *word, size_t len,
				   unsigned int *flags)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (strlen(features[i].name) != len ||
		    strncmp(features[i].name, word, len))
			continue;
		*flags |= features[i].flag;
		return 0;
	}

	return -EINVAL;
}

static int mtty_sysfs_set_features(struct mtty *mtty, const char *buf)
{
	/* Always set, as the other features depend on it */
	unsigned int flags = VFIO_MIGRATION_STOP_COPY;
	const char *blanks = "\n ";
	int ret;

	for (buf += strspn(buf, blanks); *buf; buf += strspn(buf, blanks)) {
		size_t len = strcspn(buf, blanks);

		ret = mtty_sysfs_feature_flag(buf, len, &flags);
		if (ret)
			return ret;
		buf += len;
	}

	mtty->vdev.migration_flags = flags;

	return 0;
}

static ssize_t mtty_sysfs_show_features(struct mtty *mtty, char *buf)
{
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (mtty->vdev.migration_flags & features[i].flag)
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
					     features[i].name);

	return len + sysfs_emit_at(buf, len, "\n");
}
MTTY_SYSFS_ATTR(features);

/* Like memparse(), but fails on overflow */
static int mtty_sysfs_parse_size(const char *buf, u64 *size)
{
	size_t len = strcspn(buf, "\n");
	unsigned int shift = 0;
	char digits[24];
	int ret;

	if (!len || len >= sizeof(digits))
		return -EINVAL;

	strscpy(digits, buf, len + 1);
	if (toupper(digits[len - 1]) == 'K')
		shift = 10;
	else if (toupper(digits[len - 1]) == 'M')
		shift = 20;
	if (shift)
		digits[len - 1] = '\0';

	ret = kstrtou64(digits, 0, size);
	if (ret || *size > U64_MAX >> shift)
		return -EINVAL;
	*size <<= shift;

	return 0;
}

static int mtty_sysfs_set_capture_size(struct mtty *mtty, const char *buf)
{
	u64 size;
	int ret;

	ret = mtty_sysfs_parse_size(buf, &size);
	if (ret)
		return ret;

	/* The size of a BAR is a power of two */
	if (size && (size < MTTY_CAP_MIN_SIZE || size > MTTY_CAP_MAX_SIZE ||
		     !is_power_of_2(size)))
		return -EINVAL;

	mtty->cap.size = size;

	return 0;
}

static ssize_t mtty_sysfs_show_capture_size(struct mtty *mtty, char *buf)
{
	return sysfs_emit(buf, "%llu\n", mtty->cap.size);
}
MTTY_SYSFS_ATTR(capture_size);

static int mtty_sysfs_set_defect_early_irq(struct mtty *mtty, const char *buf)
{
	return kstrtobool(buf, &mtty->defect_early_irq);
}

static ssize_t mtty_sysfs_show_defect_early_irq(struct mtty *mtty, char *buf)
{
	return sysfs_emit(buf, "%u\n", mtty->defect_early_irq);
}
MTTY_SYSFS_ATTR(defect_early_irq);

static struct attribute *migration_attrs[] = {
	&dev_attr_config_policy.attr,
	&dev_attr_features.attr,
	&dev_attr_capture_size.attr,
	&dev_attr_defect_early_irq.attr,
	NULL
};

static const struct attribute_group migration_group = {
	.name = "migration",
	.attrs = migration_attrs,
};

const struct attribute_group *mtty_sysfs_groups[] = {
	&migration_group,
	NULL
};
