// SPDX-License-Identifier: GPL-2.0-only
/*
 * The name of a device, and its entry in sysfs. The test programs open the device; this finds
 * out beforehand that they cannot, and what would help.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "conformance.h"

static bool exists(const char *fmt, const char *name)
{
	char *path = conf_text(fmt, name);
	bool ret = !access(path, F_OK);

	free(path);
	return ret;
}

/* @shape: 'x' stands for a hexadecimal digit */
static bool has_shape(const char *name, const char *shape)
{
	for (; *name && *shape; name++, shape++) {
		if (*shape == 'x' ? !strchr("0123456789abcdefABCDEF", *name) : *name != *shape)
			return false;
	}
	return *name == *shape;
}

static enum conf_exit check_created(struct conf_suite *suite, const char *name)
{
	char *parent = conf_text("%.*s", (int)strcspn(name, "/"), name);
	char *type = conf_text("%.*s", (int)strcspn(name + strlen(parent) + 1, ":"),
			       name + strlen(parent) + 1);
	enum conf_exit ret = CONF_GO_ON;

	suite->is_created = true;
	suite->device_text = conf_text("an mdev of type %s, created for each case", type);
	if (!exists("/sys/class/mdev_bus/%s", parent))
		ret = conf_error("%s: no mdev parent %s; load its module or give another device",
				 name, parent);
	free(parent);
	free(type);
	return ret;
}

static enum conf_exit check_mdev(struct conf_suite *suite, const char *name)
{
	suite->device_text = conf_text("an mdev");
	if (!exists("/sys/bus/mdev/devices/%s", name))
		return conf_error("%s: no such mdev; create it, or give PARENT/TYPE", name);
	return CONF_GO_ON;
}

static enum conf_exit check_pci(struct conf_suite *suite, const char *name)
{
	char *path = conf_text("/sys/bus/pci/devices/%s/driver", name);
	char driver[PATH_MAX];
	ssize_t len;

	if (!exists("/sys/bus/pci/devices/%s", name))
		return conf_error("%s: there is no such PCI function; see lspci -D", name);
	len = readlink(path, driver, sizeof(driver) - 1);
	free(path);
	driver[len < 0 ? 0 : len] = '\0';
	if (len < 0)
		return conf_error("%s: no driver is bound to it; bind its vfio driver first",
				  name);
	/* Which drivers serve VFIO: the device has a directory vfio-dev then */
	if (!exists("/sys/bus/pci/devices/%s/vfio-dev", name) &&
	    !strstr(strrchr(driver, '/'), "vfio"))
		return conf_error("%s: it is bound to %s; unbind it and bind its vfio driver first",
				  name, strrchr(driver, '/') + 1);
	suite->device_text = conf_text("a PCI function, bound to %s", strrchr(driver, '/') + 1);
	return CONF_GO_ON;
}

static enum conf_exit check_cdev(struct conf_suite *suite, const char *name)
{
	struct stat st;

	suite->device_text = conf_text("a VFIO character device");
	if (suite->options.path && strcmp(suite->options.path, "iommufd"))
		return conf_error("%s: it is opened by iommufd; omit --path group", name);
	suite->path = "iommufd";
	if (stat(name, &st) || !S_ISCHR(st.st_mode))
		return conf_error("%s: no character device; see ls /dev/vfio/devices", name);
	return CONF_GO_ON;
}

static enum conf_exit check_one(struct conf_suite *suite, const char *name)
{
	free(suite->device_text);
	suite->device_text = NULL;
	if (*name == '/')
		return check_cdev(suite, name);
	if (has_shape(name, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
		return check_mdev(suite, name);
	if (has_shape(name, "xxxx:xx:xx.x"))
		return check_pci(suite, name);
	if (strchr(name, '/') && *name != ':')
		return check_created(suite, name);
	return conf_error("\"%s\" does not name a device; see --help", name);
}

static enum conf_exit no_device(void)
{
	printf("1..0 # SKIP no mdev parent mtty: modprobe mtty, or give --device (see --help)\n");
	return CONF_NO_DEVICE;
}

enum conf_exit conf_device_check(struct conf_suite *suite)
{
	const char *path = suite->options.path ?: getenv("VMIG_PATH");
	const char *second = strchr(suite->options.device, ',');
	enum conf_exit ret = CONF_GO_ON;
	char *first;

	suite->path = path && (!strcmp(path, "iommufd") || !strcmp(path, "cdev")) ? "iommufd" :
		      "group";
	if (!suite->options.is_given && !exists("/sys/class/mdev_bus/%s", "mtty"))
		return no_device();
	first = conf_text("%.*s", second ? (int)(second - suite->options.device) : INT_MAX,
			  suite->options.device);
	if (second && !strcmp(first, second + 1) && (*first == '/' || !strchr(first, '/')))
		ret = conf_error("%s: the second device is the first one; omit it", first);
	else if (second)
		ret = check_one(suite, second + 1);
	if (ret == CONF_GO_ON)
		ret = check_one(suite, first);
	free(first);
	return ret;
}
