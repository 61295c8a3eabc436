// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/lacking.h"
#include "lib/vfio/module.h"
#include "testdev.h"

static int set_attr(const struct vmig_mdev *mdev, const char *attr,
		    const char *value)
{
	return value ? vmig_mdev_set_attr(mdev, attr, value) : 0;
}

static int set_attrs(const struct vmig_mdev *mdev,
		     const struct vmig_attrs *attrs)
{
	int ret;

	ret = set_attr(mdev, "migration/config_policy", attrs->config_policy);
	if (!ret)
		ret = set_attr(mdev, "migration/features", attrs->features);
	if (!ret)
		ret = set_attr(mdev, "migration/capture_size",
			       attrs->capture_size);
	if (!ret)
		ret = set_attr(mdev, "migration/defect_early_irq",
			       attrs->defect_early_irq);

	return ret;
}

/* The kernel's older sample has the same name. If no device can be created, the test says so */
static bool is_other_driver(void)
{
	struct vmig_mdev mdev;
	char policy[32];
	bool other;

	if (vmig_testdev_create(&mdev, "mtty-1"))
		return false;
	other = vmig_mdev_get_attr(&mdev, "migration/config_policy", policy,
				   sizeof(policy)) == -ENOENT;
	vmig_mdev_remove(&mdev);
	return other;
}

const char *vmig_testdev_missing(void)
{
	const char *lacking = vmig_lacking_root();

	if (!lacking)
		lacking = vmig_lacking_parent("mtty", getenv("MTTY_KO"));
	if (!lacking)
		lacking = vmig_lacking_path();
	if (!lacking && is_other_driver())
		lacking = "the module mtty is another one: its devices have no migration/";

	return lacking;
}

int vmig_testdev_create(struct vmig_mdev *mdev, const char *type)
{
	return vmig_mdev_create(mdev, "mtty", type);
}

int vmig_testdev_number(const struct vmig_mdev *mdev)
{
	struct dirent *entry;
	int number = -ENOENT;
	char path[128];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/vfio-dev", mdev->uuid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "vfio%d", &number) == 1)
			break;
	closedir(dir);

	return number;
}

int vmig_testdev_next_number(void)
{
	struct vmig_mdev mdev;
	int ret, number;

	ret = vmig_testdev_create(&mdev, "mtty-1");
	if (ret)
		return ret;
	number = vmig_testdev_number(&mdev);
	ret = vmig_mdev_remove(&mdev);

	return ret ?: number;
}

/* sysfs took the word. A test of a policy tests nothing unless the driver has it, too. */
static int check_policy(struct vmig_device *dev, const struct vmig_attrs *attrs)
{
	struct vmig_config_answer answer;
	int ret;

	if (!attrs || !attrs->config_policy)
		return 0;
	ret = vmig_config_query(dev, &answer);
	if (ret)
		return ret;
	return strcmp(vmig_need_name(answer.need), attrs->config_policy) ? -EPROTO : 0;
}

int vmig_testdev_open(struct vmig_testdev *td, const char *type,
		      enum vmig_path path, const struct vmig_attrs *attrs)
{
	int ret;

	td->dev = VMIG_DEVICE_CLOSED;

	ret = vmig_testdev_create(&td->mdev, type);
	if (ret)
		return ret;

	if (attrs)
		ret = set_attrs(&td->mdev, attrs);
	if (!ret)
		ret = vmig_device_open(&td->dev, &td->mdev, path);
	if (!ret)
		ret = check_policy(&td->dev, attrs);
	if (ret)
		vmig_testdev_close(td);

	return ret;
}

int vmig_testdev_signals(const struct vmig_testdev *td, struct vmig_trace *trace)
{
	char event[64];

	snprintf(event, sizeof(event), "mtty_signal: %s ", td->mdev.uuid);
	return vmig_trace_count(trace, event);
}

const char *vmig_testdev_module_stays(void)
{
	if (access("/sys/module/mtty/initstate", F_OK))
		return "mtty is not a module here";
	if (!vmig_module_can_load("mtty", getenv("MTTY_KO")))
		return "modprobe does not find mtty: MTTY_KO names its file";
	return vmig_module_use_alone() ? "another program uses the module" : NULL;
}

int vmig_testdev_reopen(struct vmig_testdev *td)
{
	vmig_device_close(&td->dev);
	return vmig_device_open(&td->dev, &td->mdev, VMIG_PATH_ANY);
}

void vmig_testdev_close(struct vmig_testdev *td)
{
	vmig_device_close(&td->dev);
	vmig_mdev_remove(&td->mdev);
}
