// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card in the guest's kernel: its ttys and their counters.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define TTYS		"/sys/class/tty"

/* The only serial card in this guest */
static bool is_card(const char *pci)
{
	char path[128], class[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/class", pci);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(class, sizeof(class), file))
		class[0] = '\0';
	fclose(file);
	return !strncmp(class, "0x0700", 6);
}

static int find_pci(struct guest *guest)
{
	struct dirent *entry;
	DIR *dir = opendir(PCI_DEVICES);
	int ret = -ENODEV;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) > 16)
			continue;
		snprintf(guest->pci, sizeof(guest->pci), PCI_DEVICES "/%.16s",
			 entry->d_name);
		if (is_card(guest->pci)) {
			ret = 0;
			break;
		}
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* Raw: echo or line ends would change the bytes. The device has no line speed. */
static int open_tty(int line)
{
	struct termios tio;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/ttyS%d", line);
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &tio))
		return -errno;
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&tio, B115200);
	if (tcsetattr(fd, TCSANOW, &tio) || tcflush(fd, TCIOFLUSH))
		return -errno;
	return fd;
}

static bool is_of_card(const struct guest *guest, int line)
{
	char link[64], where[512];
	const char *address = strrchr(guest->pci, '/') + 1;
	ssize_t len;

	snprintf(link, sizeof(link), TTYS "/ttyS%d", line);
	len = readlink(link, where, sizeof(where) - 1);
	if (len < 0)
		return false;
	where[len] = '\0';
	return strstr(where, address);
}

int guest_card_find(struct guest *guest)
{
	int ret, line;

	ret = find_pci(guest);
	if (ret)
		return ret;

	for (line = 0; line < 32 && guest->nr_ports < GUEST_PORTS; line++) {
		struct guest_port *port = &guest->port[guest->nr_ports];

		if (!is_of_card(guest, line))
			continue;
		port->line = line;
		port->fd = open_tty(line);
		if (port->fd < 0)
			return port->fd;
		guest->nr_ports++;
	}
	return guest->nr_ports ? 0 : -ENXIO;
}

int guest_card_describe(const struct guest_port *port, char *text, size_t size)
{
	FILE *file = fopen("/proc/tty/driver/serial", "r");
	int ret = -ENOENT;
	char *end;

	if (!file)
		return -errno;
	while (ret && fgets(text, size, file)) {
		if (strtol(text, &end, 10) == port->line && end != text &&
		    *end == ':') {
			text[strcspn(text, "\n")] = '\0';
			ret = 0;
		}
	}
	fclose(file);
	return ret;
}

static int read_number(const char *dir, const char *name)
{
	char path[128];
	int number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &number) != 1)
		number = -EIO;
	fclose(file);
	return number;
}

/* With MSI the attribute has the number of the MSI */
int64_t guest_card_interrupts(const struct guest *guest)
{
	int irq = read_number(guest->pci, "irq");
	char line[256], *end;
	int64_t count = -ENOENT;
	FILE *file;

	if (irq < 0)
		return irq;
	file = fopen("/proc/interrupts", "r");
	if (!file)
		return -errno;
	while (count < 0 && fgets(line, sizeof(line), file)) {
		if (strtol(line, &end, 10) == irq && *end == ':')
			count = strtoll(end + 1, NULL, 10);
	}
	fclose(file);
	return count;
}
