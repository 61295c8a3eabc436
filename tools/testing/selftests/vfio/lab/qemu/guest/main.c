// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first and only process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define VIRTIO_PORTS	"/sys/class/virtio-ports"

/* The guest has one port */
static int open_control(void)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;
	int fd;

	dir = opendir(VIRTIO_PORTS);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_NONBLOCK);
		if (fd >= 0) {
			closedir(dir);
			return fd;
		}
	}
	if (dir)
		closedir(dir);
	return -ENODEV;
}

static void fail(const struct guest *guest, const char *what, int error)
{
	printf("guest: %s: %s\n", what, strerror(-error));
	if (guest->control >= 0)
		dprintf(guest->control, "failed %s: %s\n", what,
			strerror(-error));
	sleep(2);
	reboot(RB_POWER_OFF);
	exit(1);
}

int main(void)
{
	struct guest guest = { .control = -1 };
	int tries, ret;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);

	for (tries = 0; tries < 500 && guest.control < 0; tries++) {
		guest.control = open_control();
		usleep(20000);
	}
	if (guest.control < 0)
		fail(&guest, "virtio port", guest.control);

	ret = guest_card_find(&guest);
	if (ret)
		fail(&guest, "the card and its driver", ret);

	guest_serve(&guest);
	return 0;
}
