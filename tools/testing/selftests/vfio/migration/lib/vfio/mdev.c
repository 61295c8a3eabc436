// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "mdev.h"

#define MDEV_PARENTS	"/sys/class/mdev_bus"
#define MDEV_DEVICES	"/sys/bus/mdev/devices"

static int write_file(const char *path, const char *value)
{
	size_t len = strlen(value);
	ssize_t n;
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	n = write(fd, value, len);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != len)
		ret = -EIO;
	close(fd);

	return ret;
}

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
		ret = write_file(path, mdev->uuid);
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
	ret = write_file(path, "1");
	if (!ret)
		mdev->uuid[0] = '\0';

	return ret;
}

int vmig_mdev_set_attr(const struct vmig_mdev *mdev, const char *attr,
		       const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MDEV_DEVICES "/%s/%s", mdev->uuid, attr);

	return write_file(path, value);
}

int vmig_mdev_get_attr(const struct vmig_mdev *mdev, const char *attr,
		       char *value, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), MDEV_DEVICES "/%s/%s", mdev->uuid, attr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	n = read(fd, value, size);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EOVERFLOW;

	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';

	return 0;
}
