// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/calls.h"
#include "lib/vfio/lacking.h"
#include "has.h"
#include "subject.h"

#define DEFAULT_DEVICE	"mtty/mtty-1"
#define NAME_SIZE	256

/* One device of VFIO_DEVICE */
static int get_name(bool second, char *name)
{
	const char *text = getenv("VFIO_DEVICE") ?: DEFAULT_DEVICE;
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);

	if (second && comma) {
		text = comma + 1;
		len = strlen(text);
	}
	if (!len || len >= NAME_SIZE)
		return -EINVAL;
	memcpy(name, text, len);
	name[len] = '\0';
	return second && !comma && !strchr(name, '/') ? -ENODEV : 0;
}

/* For messages of vmig_subject_missing() */
#define HOW_TO_NAME \
	"set VFIO_DEVICE to a UUID, a PCI address, a file of /dev/vfio/devices or PARENT/TYPE"

static bool is_cdev(const char *name)
{
	return name[0] == '/';
}

static bool is_created(const char *name)
{
	return !is_cdev(name) && strchr(name, '/');
}

const char *vmig_subject_missing(void)
{
	static char text[PATH_MAX];
	const char *lacking = vmig_lacking_root();
	char name[NAME_SIZE];

	if (lacking)
		return lacking;
	if (get_name(false, name))
		return "VFIO_DEVICE names no device: " HOW_TO_NAME;
	if (is_cdev(name))
		return NULL;
	if (!is_created(name))
		return vmig_lacking_path();
	name[strcspn(name, "/")] = '\0';
	lacking = vmig_lacking_parent(name, strcmp(name, "mtty") ? NULL : getenv("MTTY_KO"));
	if (!lacking)
		return vmig_lacking_path();
	snprintf(text, sizeof(text), "%s, or " HOW_TO_NAME, lacking);
	return text;
}

bool vmig_subject_given(void)
{
	char name[NAME_SIZE];

	return !get_name(false, name) && !is_created(name);
}

/* PARENT/TYPE:ATTR=VALUE:... */
static int create(struct vmig_mdev *mdev, char *name)
{
	char *attr = strchr(name, ':'), *type, *next, *value;
	int ret;

	if (attr)
		*attr++ = '\0';
	type = strchr(name, '/');
	*type++ = '\0';
	ret = vmig_mdev_create(mdev, name, type);
	for (; !ret && attr; attr = next) {
		next = strchr(attr, ':');
		if (next)
			*next++ = '\0';
		value = strchr(attr, '=');
		if (value) {
			*value++ = '\0';
			ret = vmig_mdev_set_attr(mdev, attr, value);
		} else {
			ret = -EINVAL;
		}
	}
	if (ret)
		vmig_mdev_remove(mdev);
	return ret;
}

/* The directory of a device that exists */
static int locate(struct vmig_subject *subject, const char *name)
{
	char link[PATH_MAX], full[PATH_MAX];

	if (is_cdev(name)) {
		subject->path = VMIG_PATH_CDEV;
		snprintf(link, sizeof(link), "/sys/class/vfio-dev/%s/device",
			 strrchr(name, '/') + 1);
	} else if (strlen(name) == VMIG_UUID_LEN) {
		snprintf(link, sizeof(link), "/sys/bus/mdev/devices/%s", name);
	} else {
		snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", name);
	}
	if (!realpath(link, full))
		return errno == ENOENT ? -ENODEV : -errno;
	if (snprintf(subject->sysfs, sizeof(subject->sysfs), "%s", full) >=
	    (int)sizeof(subject->sysfs))
		return -ENAMETOOLONG;
	return 0;
}

static int open_untouched(struct vmig_subject *subject, const char *name)
{
	int ret;

	ret = vmig_device_open_untouched(&subject->dev, subject->sysfs, subject->path);
	if (ret)
		return ret;
	vmig_calls_name(subject->dev.fd, name);
	vmig_calls_restart("%s was opened", name);
	return 0;
}

static int open_again(struct vmig_subject *subject, const char *name)
{
	int ret = open_untouched(subject, name);

	if (!ret)
		ret = vmig_device_learn(&subject->dev);
	if (ret)
		vmig_device_close(&subject->dev);
	return ret;
}

static const char *label(bool second)
{
	return second ? "device 2" : "device";
}

/* Create the device if it has to be, and open it without a call */
static int open_first(struct vmig_subject *subject, bool second)
{
	char name[NAME_SIZE];
	int ret;

	memset(subject, 0, sizeof(*subject));
	subject->dev = VMIG_DEVICE_CLOSED;
	subject->path = VMIG_PATH_ANY;
	subject->ops = &vmig_ops_none;
	ret = get_name(second, name);
	if (ret)
		return ret;
	if (is_created(name)) {
		ret = create(&subject->mdev, name);
		if (!ret)
			ret = locate(subject, subject->mdev.uuid);
	} else {
		ret = locate(subject, name);
	}
	if (!ret)
		ret = open_untouched(subject, label(second));
	if (ret)
		vmig_mdev_remove(&subject->mdev);
	return ret;
}

static int learn(struct vmig_subject *subject)
{
	int ret = vmig_device_learn(&subject->dev);

	if (ret)
		return ret;
	subject->ops = vmig_ops_find(&subject->dev);
	subject->has = vmig_has(&subject->dev, subject->sysfs);
	if (!subject->ops->no_dma)
		subject->has |= VMIG_HAS_DMA;
	return 0;
}

static int open_named(struct vmig_subject *subject, bool second)
{
	int ret = open_first(subject, second);

	if (ret)
		return ret;
	ret = learn(subject);
	if (ret)
		vmig_subject_close(subject);
	else
		vmig_calls_restart("%s was opened", label(second));
	return ret;
}

int vmig_subject_open(struct vmig_subject *subject)
{
	return open_named(subject, false);
}

/* The end of a call that is shown as one */
static int end_call(int ret)
{
	vmig_calls_pause(false);
	errno = -ret;
	vmig_call_result(ret ? -1 : 0);
	return ret;
}

int vmig_subject_learn(struct vmig_subject *subject)
{
	vmig_call_text("VFIO_DEVICE_GET_INFO, and the info of each region, IRQ and feature");
	vmig_calls_pause(true);
	return end_call(learn(subject));
}

int vmig_subject_open_second(struct vmig_subject *subject)
{
	char name[NAME_SIZE];
	int ret = get_name(true, name);

	if (ret)
		return ret;
	vmig_call_text("open device 2");
	vmig_calls_pause(true);
	return end_call(open_named(subject, true));
}

int vmig_subject_open_untouched(struct vmig_subject *subject)
{
	return open_first(subject, false);
}

int vmig_subject_reopen(struct vmig_subject *subject)
{
	vmig_device_close(&subject->dev);
	return open_again(subject, "device");
}

/*
 * A device that was given is left as after a reset; without one the driver decides. The
 * next case must not see a level that this one has raised. A reset may leave it: e1000e of
 * QEMU 7.2 says that it has a soft reset, and does nothing.
 */
static void restore_given(struct vmig_subject *subject)
{
	if (subject->dev.fd < 0 || subject->mdev.uuid[0])
		return;
	vmig_device_reset(&subject->dev);
	if (subject->ops && subject->ops->irq_lower)
		subject->ops->irq_lower(&subject->dev, VFIO_PCI_INTX_IRQ_INDEX, 0);
}

void vmig_subject_close(struct vmig_subject *subject)
{
	restore_given(subject);
	vmig_device_close(&subject->dev);
	vmig_mdev_remove(&subject->mdev);
}

const char *vmig_subject_lacks(const struct vmig_subject *subject, uint32_t needs)
{
	return vmig_has_name(needs & ~subject->has);
}
