// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "mdev.h"
#include "util.h"

#define MDEV_PARENTS	"/sys/class/mdev_bus"
#define MDEV_DEVICES	"/sys/bus/mdev/devices"

static int random_uuid(char *uuid)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -errno;

	/* Version 4, variant 1 */
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;

	snprintf(uuid, VMIG_UUID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
		 b[10], b[11], b[12], b[13], b[14], b[15]);

	return 0;
}

int vmig_mdev_create(struct vmig_mdev *mdev, const char *parent, const char *type)
{
	char path[PATH_MAX];
	int ret;

	mdev->uuid[0] = '\0';
	snprintf(path, sizeof(path),
		 MDEV_PARENTS "/%s/mdev_supported_types/%s/create", parent,
		 type);
	if (access(path, F_OK))
		return errno == ENOENT ? -ENODEV : -errno;

	ret = random_uuid(mdev->uuid);
	if (!ret)
		ret = vmig_write_file(path, mdev->uuid);
	if (ret)
		mdev->uuid[0] = '\0';

	return ret;
}

int vmig_mdev_remove(struct vmig_mdev *mdev)
{
	char path[PATH_MAX];
	int ret;

	if (!mdev->uuid[0])
		return 0;

	snprintf(path, sizeof(path), MDEV_DEVICES "/%s/remove", mdev->uuid);
	ret = vmig_write_file(path, "1");
	if (!ret)
		mdev->uuid[0] = '\0';

	return ret;
}

int vmig_mdev_set_attr(const struct vmig_mdev *mdev, const char *attr,
		       const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MDEV_DEVICES "/%s/%s", mdev->uuid, attr);

	return vmig_write_file(path, value);
}

int vmig_mdev_get_attr(const struct vmig_mdev *mdev, const char *attr,
		       char *value, size_t size)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), MDEV_DEVICES "/%s/%s", mdev->uuid, attr);
	ret = vmig_read_file(path, value, size);
	if (ret)
		return ret;

	value[strcspn(value, "\n")] = '\0';

	return 0;
}
