// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space of the card, as this guest sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "guest.h"

/* PCI Express has this much, other PCI 256 bytes */
#define CONFIG_MAX	4096

static int open_config(const struct guest *guest, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/config", guest->pci);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

int guest_config_write(const struct guest *guest, unsigned int offset,
		       uint8_t value)
{
	int fd = open_config(guest, O_WRONLY), ret;

	if (fd < 0)
		return fd;
	ret = pwrite(fd, &value, 1, offset) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/* One write(): the virtio port takes a line as a whole */
void guest_config_answer(const struct guest *guest)
{
	uint8_t bytes[CONFIG_MAX];
	char line[32 + 2 * CONFIG_MAX];
	int fd = open_config(guest, O_RDONLY), len;
	ssize_t size = 0, i;

	if (fd >= 0) {
		size = pread(fd, bytes, sizeof(bytes), 0);
		close(fd);
	}
	len = sprintf(line, "config bytes=");
	for (i = 0; i < size; i++)
		len += sprintf(line + len, "%02" PRIx8, bytes[i]);
	line[len++] = '\n';
	if (write(guest->control, line, len) != len)
		printf("guest: the answer to \"config\" was lost\n");
}
