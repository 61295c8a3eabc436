// SPDX-License-Identifier: GPL-2.0-only
/* The number of writes so far determines all values, so it is the whole state */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/pci_regs.h>

#include "lib/vfio/util.h"
#include "config_writer.h"

/* For vmig_config_writer_wait() */
#define DEADLINE_MS	10000

/**
 * struct vmig_config_writer - the guest
 * @lock:	protects all but @thread and @msi; held while the guest is paused
 * @thread:	the writing thread
 * @dev:	the device
 * @msi:	offset of the MSI capability
 * @writes:	registers written so far
 * @quit:	ends the thread
 * @error:	-errno of the access that has ended the thread
 */
struct vmig_config_writer {
	pthread_mutex_t lock;
	pthread_t thread;
	struct vmig_device *dev;
	unsigned int msi;
	uint64_t writes;
	bool quit;
	int error;
};

/*
 * The registers, which are written in turn: bits of @mask change, the others are
 * @fixed. A @reg of 0x40 and above is an offset in the MSI capability, plus 0x40.
 */
static const struct row {
	unsigned int reg;
	unsigned int width;
	uint32_t fixed;
	uint32_t mask;
} rows[] = {
	{ PCI_BASE_ADDRESS_0, 4, PCI_BASE_ADDRESS_SPACE_IO, 0xfff8 },
	{ PCI_BASE_ADDRESS_1, 4, PCI_BASE_ADDRESS_SPACE_IO, 0xfff8 },
	{ PCI_BASE_ADDRESS_2, 4, 0, 0xf0000000 },
	{ PCI_COMMAND, 2, PCI_COMMAND_IO,
	  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER },
	{ 0x40 + PCI_MSI_ADDRESS_LO, 4, 0xfee00000, 0x000ff000 },
	{ 0x40 + PCI_MSI_DATA_64, 2, 0x4000, 0x00ff },
};

#define NR_ROWS		ARRAY_SIZE(rows)

static unsigned int offset_of(const struct vmig_config_writer *writer,
			      const struct row *row)
{
	return row->reg < 0x40 ? row->reg : row->reg - 0x40 + writer->msi;
}

/* Value of the nth write; the multiplier is odd, so that all bits change */
static uint32_t nth_value(uint64_t n)
{
	const struct row *row = &rows[n % NR_ROWS];

	return row->fixed | ((uint32_t)(n / NR_ROWS * 2654435761u +
					0x9e3779b9u) & row->mask);
}

static int write_next(struct vmig_config_writer *writer)
{
	const struct row *row = &rows[writer->writes % NR_ROWS];
	uint32_t value = nth_value(writer->writes);
	unsigned int reg = offset_of(writer, row);
	int ret;

	if (row->width == 4)
		ret = vmig_config_write32(writer->dev, reg, value);
	else
		ret = vmig_config_write16(writer->dev, reg, value);
	if (!ret)
		writer->writes++;
	return ret;
}

static void *run(void *opaque)
{
	/* Leaves CPU time for the migration */
	const struct timespec interval = { .tv_nsec = 50000 };
	struct vmig_config_writer *writer = opaque;
	bool done = false;

	while (!done) {
		pthread_mutex_lock(&writer->lock);
		if (!writer->quit)
			writer->error = write_next(writer);
		done = writer->quit || writer->error;
		pthread_mutex_unlock(&writer->lock);
		nanosleep(&interval, NULL);
	}
	return NULL;
}

static int create(struct vmig_config_writer **writer, struct vmig_device *dev)
{
	struct vmig_config_writer *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	new->dev = dev;
	ret = vmig_config_find_cap(dev, PCI_CAP_ID_MSI, &new->msi);
	if (ret) {
		free(new);
		return ret;
	}
	pthread_mutex_init(&new->lock, NULL);
	*writer = new;
	return 0;
}

static void destroy(struct vmig_config_writer *writer)
{
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

int vmig_config_writer_start(struct vmig_config_writer **writer,
			     struct vmig_device *dev)
{
	int ret;

	ret = create(writer, dev);
	if (ret)
		return ret;
	ret = -pthread_create(&(*writer)->thread, NULL, run, *writer);
	if (ret)
		destroy(*writer);
	return ret;
}

void vmig_config_writer_pause(struct vmig_config_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
}

void vmig_config_writer_resume(struct vmig_config_writer *writer,
			       struct vmig_device *dev)
{
	writer->dev = dev;
	pthread_mutex_unlock(&writer->lock);
}

uint64_t vmig_config_writer_writes(struct vmig_config_writer *writer)
{
	uint64_t writes;

	pthread_mutex_lock(&writer->lock);
	writes = writer->writes;
	pthread_mutex_unlock(&writer->lock);
	return writes;
}

int vmig_config_writer_wait(struct vmig_config_writer *writer, uint64_t writes)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	uint64_t goal = vmig_config_writer_writes(writer) + writes;
	unsigned int ms;

	for (ms = 0; ms < DEADLINE_MS; ms++) {
		if (vmig_config_writer_writes(writer) >= goal)
			return 0;
		nanosleep(&tick, NULL);
	}
	return -ETIMEDOUT;
}

int vmig_config_writer_check(const struct vmig_config_writer *writer,
			     struct vmig_device *dev, unsigned int *reg)
{
	uint64_t first = writer->writes > NR_ROWS ? writer->writes - NR_ROWS : 0;
	uint64_t n;

	for (n = first; n < writer->writes; n++) {
		const struct row *row = &rows[n % NR_ROWS];
		unsigned int at = offset_of(writer, row);
		uint32_t seen = 0;
		int ret;

		ret = vmig_region_read(dev, VFIO_PCI_CONFIG_REGION_INDEX, at,
				       &seen, row->width);
		if (ret)
			return ret;
		if (le32toh(seen) == nth_value(n))
			continue;
		if (reg)
			*reg = at;
		return -EUCLEAN;
	}
	return 0;
}

int vmig_config_writer_save(const struct vmig_config_writer *writer,
			    struct vmig_bytes *state)
{
	const uint64_t writes = htole64(writer->writes);

	return writer->error ? writer->error :
	       vmig_bytes_add(state, &writes, sizeof(writes));
}

int vmig_config_writer_load(struct vmig_config_writer **writer,
			    struct vmig_device *dev, const uint8_t *state,
			    size_t len)
{
	uint64_t writes;
	int ret;

	if (len != sizeof(writes))
		return -EBADMSG;
	ret = create(writer, dev);
	if (ret)
		return ret;
	memcpy(&writes, state, sizeof(writes));
	(*writer)->writes = le64toh(writes);

	pthread_mutex_lock(&(*writer)->lock);
	ret = -pthread_create(&(*writer)->thread, NULL, run, *writer);
	if (ret) {
		pthread_mutex_unlock(&(*writer)->lock);
		destroy(*writer);
	}
	return ret;
}

int vmig_config_writer_finish(struct vmig_config_writer *writer)
{
	int ret;

	pthread_mutex_lock(&writer->lock);
	writer->quit = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	ret = writer->error;
	destroy(writer);
	return ret;
}
