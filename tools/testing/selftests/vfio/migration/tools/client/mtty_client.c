// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest client of VFIO migration: a text that one mtty has received moves to another.
 *
 *	mtty-client save UUID TEXT >STREAM
 *	mtty-client load UUID <STREAM
 *
 * For readers: it uses libc and linux/vfio.h only, and each call is where a VMM makes it.
 * Documentation/driver-api/vfio-migration-tutorial.rst explains it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Registers of a 16550A, in BAR0 */
#define PORT_DATA	0
#define PORT_FIFO	2
#define PORT_LINE	3
#define PORT_STATUS	5
#define FIFO_ON		0x01
#define LINE_8_BITS	0x03
#define STATUS_RECEIVED	0x01
#define FIFO_SIZE	16

static off_t bar0;

static void put_register(int dev, unsigned int reg, unsigned char value)
{
	if (pwrite(dev, &value, 1, bar0 + reg) != 1)
		err(1, "write of register %u", reg);
}

static unsigned char get_register(int dev, unsigned int reg)
{
	unsigned char value;

	if (pread(dev, &value, 1, bar0 + reg) != 1)
		err(1, "read of register %u", reg);
	return value;
}

/* A device is opened through its group, which needs a container. */
static int open_device(const char *uuid)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = 0 };
	char link[PATH_MAX], target[PATH_MAX] = "", node[PATH_MAX];
	int container, group, dev;

	snprintf(link, sizeof(link), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		err(1, "%s", link);
	snprintf(node, sizeof(node), "/dev/vfio%s", strrchr(target, '/'));

	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(node, O_RDWR);
	if (container < 0 || group < 0)
		err(1, "open of %s", node);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "container of %s", node);
	dev = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (dev < 0 || ioctl(dev, VFIO_DEVICE_GET_REGION_INFO, &region))
		err(1, "device %s", uuid);

	/* A region is a part of the device's file: pread() and pwrite() access it. */
	bar0 = region.offset;
	return dev;
}

/* All of migration, but the data, is one ioctl with different arguments. */
static void feature(int dev, __u32 flags, const char *name, void *data, size_t size)
{
	__u64 buf[8];
	struct vfio_device_feature *arg = (void *)buf;

	arg->argsz = sizeof(*arg) + size;
	arg->flags = flags;
	memcpy(arg->data, data, size);
	if (ioctl(dev, VFIO_DEVICE_FEATURE, arg))
		err(1, "%s", name);
	memcpy(data, arg->data, size);
}

/* Returns the data_fd of a session that begins, else -1. */
static int set_state(int dev, enum vfio_device_mig_state state, const char *name)
{
	struct vfio_device_feature_mig_state arg = { .device_state = state, .data_fd = -1 };

	feature(dev, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		name, &arg, sizeof(arg));
	fprintf(stderr, "%s\n", name);
	return arg.data_fd;
}

#define SET_STATE(_dev, _state)	set_state(_dev, VFIO_DEVICE_STATE_##_state, "to " #_state)

/* ENOMSG is the end for now: the device still runs, and may have more later. */
static void copy_to_stream(int data_fd)
{
	size_t total = 0;
	char buf[65536];
	ssize_t n;

	while ((n = read(data_fd, buf, sizeof(buf))) > 0) {
		if (fwrite(buf, 1, n, stdout) != (size_t)n)
			err(1, "write to the stream");
		total += n;
	}
	if (n < 0 && errno != ENOMSG)
		err(1, "read() of the data_fd");
	fprintf(stderr, "  %zu bytes, then %s\n", total, n ? "ENOMSG" : "the end");
}

static void save(int dev, const char *text)
{
	struct vfio_device_feature_migration has = { 0 };
	size_t half = strlen(text) / 2;
	int data_fd = -1;

	if (strlen(text) > FIFO_SIZE)
		errx(1, "the text has more than %d bytes", FIFO_SIZE);
	feature(dev, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION,
		"flags of migration", &has, sizeof(has));

	/* The port has a loopback plug: it receives what it transmits. */
	put_register(dev, PORT_LINE, LINE_8_BITS);
	put_register(dev, PORT_FIFO, FIFO_ON);
	for (size_t i = 0; i < half; i++)
		put_register(dev, PORT_DATA, text[i]);
	if (has.flags & VFIO_MIGRATION_PRE_COPY) {
		data_fd = SET_STATE(dev, PRE_COPY);
		copy_to_stream(data_fd);
	}
	/* In PRE_COPY the guest still uses the device. */
	for (const char *rest = text + half; *rest; rest++)
		put_register(dev, PORT_DATA, *rest);

	if (data_fd < 0)
		data_fd = SET_STATE(dev, STOP_COPY);
	else
		SET_STATE(dev, STOP_COPY);
	copy_to_stream(data_fd);
	SET_STATE(dev, STOP);
	if (fflush(stdout))
		err(1, "write to the stream");
}

static void load(int dev)
{
	int data_fd = SET_STATE(dev, RESUMING);
	char buf[65536];
	size_t size;

	while ((size = fread(buf, 1, sizeof(buf), stdin)) > 0)
		for (ssize_t done = 0, n; done < (ssize_t)size; done += n) {
			n = write(data_fd, buf + done, size - done);
			if (n < 0)
				err(1, "write() to the data_fd");
		}
	if (ferror(stdin))
		err(1, "read of the stream");

	/* Only here the driver knows that nothing is missing. */
	SET_STATE(dev, STOP);
	SET_STATE(dev, RUNNING);
	while (get_register(dev, PORT_STATUS) & STATUS_RECEIVED)
		putchar(get_register(dev, PORT_DATA));
	putchar('\n');
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "save"))
		save(open_device(argv[2]), argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "load"))
		load(open_device(argv[2]));
	else
		errx(2, "usage: mtty-client save UUID TEXT >STREAM, or load UUID <STREAM");
	return 0;
}
