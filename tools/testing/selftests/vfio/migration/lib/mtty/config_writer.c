// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that rewrites its config space; see churn.h.
 *
 * What is written follows from how often it was done, so that is all that has to
 * be remembered.
 */
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

/* How long a wait may take before something must be wrong */
#define DEADLINE_MS	10000

/**
 * struct vmig_config_writer - the guest
 * @gate:	protects the rest but @thread
 * @thread:	writes
 * @dev:	where the guest is
 * @msi:	offset of the MSI capability
 * @writes:	registers written so far
 * @quit:	the thread shall end
 * @error:	why it has ended by itself
 */
struct vmig_config_writer {
	pthread_mutex_t gate;
	pthread_t thread;
	struct vmig_device *dev;
	unsigned int msi;
	uint64_t writes;
	bool quit;
	int error;
};

/*
 * A row is a register that is rewritten in its turn: the bits of @mask change,
 * the others are @fixed.  One below 0x40 is where it says, one above is in the
 * MSI capability.
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

static unsigned int offset_of(const struct vmig_config_writer *churn,
			      const struct row *row)
{
	return row->reg < 0x40 ? row->reg : row->reg - 0x40 + churn->msi;
}

/* What the nth write of all writes; the multiplier is odd, so all bits change */
static uint32_t nth_value(uint64_t n)
{
	const struct row *row = &rows[n % NR_ROWS];

	return row->fixed | ((uint32_t)(n / NR_ROWS * 2654435761u +
					0x9e3779b9u) & row->mask);
}

static int write_next(struct vmig_config_writer *churn)
{
	const struct row *row = &rows[churn->writes % NR_ROWS];
	uint32_t value = nth_value(churn->writes);
	unsigned int reg = offset_of(churn, row);
	int ret;

	if (row->width == 4)
		ret = vmig_config_write32(churn->dev, reg, value);
	else
		ret = vmig_config_write16(churn->dev, reg, value);
	if (!ret)
		churn->writes++;
	return ret;
}

static void *run(void *opaque)
{
	/* Leaves room on the processors for those who migrate */
	const struct timespec breath = { .tv_nsec = 50000 };
	struct vmig_config_writer *churn = opaque;
	bool done = false;

	while (!done) {
		pthread_mutex_lock(&churn->gate);
		if (!churn->quit)
			churn->error = write_next(churn);
		done = churn->quit || churn->error;
		pthread_mutex_unlock(&churn->gate);
		nanosleep(&breath, NULL);
	}
	return NULL;
}

static int create(struct vmig_config_writer **churn, struct vmig_device *dev)
{
	struct vmig_config_writer *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->dev = dev;
	new->msi = vmig_config_find_cap(dev, PCI_CAP_ID_MSI);
	if (!new->msi) {
		free(new);
		return -ENODEV;
	}
	pthread_mutex_init(&new->gate, NULL);
	*churn = new;
	return 0;
}

static void destroy(struct vmig_config_writer *churn)
{
	pthread_mutex_destroy(&churn->gate);
	free(churn);
}

int vmig_config_writer_start(struct vmig_config_writer **churn, struct vmig_device *dev)
{
	int ret;

	ret = create(churn, dev);
	if (ret)
		return ret;
	ret = -pthread_create(&(*churn)->thread, NULL, run, *churn);
	if (ret)
		destroy(*churn);
	return ret;
}

void vmig_config_writer_pause(struct vmig_config_writer *churn)
{
	pthread_mutex_lock(&churn->gate);
}

void vmig_config_writer_resume(struct vmig_config_writer *churn, struct vmig_device *dev)
{
	churn->dev = dev;
	pthread_mutex_unlock(&churn->gate);
}

uint64_t vmig_config_writer_writes(struct vmig_config_writer *churn)
{
	uint64_t writes;

	pthread_mutex_lock(&churn->gate);
	writes = churn->writes;
	pthread_mutex_unlock(&churn->gate);
	return writes;
}

int vmig_config_writer_wait(struct vmig_config_writer *churn, uint64_t writes)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	uint64_t goal = vmig_config_writer_writes(churn) + writes;
	unsigned int ms;

	for (ms = 0; ms < DEADLINE_MS; ms++) {
		if (vmig_config_writer_writes(churn) >= goal)
			return 0;
		nanosleep(&tick, NULL);
	}
	return -ETIMEDOUT;
}

int vmig_config_writer_check(const struct vmig_config_writer *churn, struct vmig_device *dev,
		     unsigned int *reg)
{
	uint64_t first = churn->writes > NR_ROWS ? churn->writes - NR_ROWS : 0;
	uint64_t n;

	for (n = first; n < churn->writes; n++) {
		const struct row *row = &rows[n % NR_ROWS];
		unsigned int at = offset_of(churn, row);
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

int vmig_config_writer_save(const struct vmig_config_writer *churn, struct vmig_bytes *state)
{
	const uint64_t writes = htole64(churn->writes);

	return churn->error ? churn->error :
	       vmig_bytes_add(state, &writes, sizeof(writes));
}

int vmig_config_writer_load(struct vmig_config_writer **churn, struct vmig_device *dev,
		    const uint8_t *state, size_t len)
{
	uint64_t writes;
	int ret;

	if (len != sizeof(writes))
		return -EBADMSG;
	ret = create(churn, dev);
	if (ret)
		return ret;
	memcpy(&writes, state, sizeof(writes));
	(*churn)->writes = le64toh(writes);

	pthread_mutex_lock(&(*churn)->gate);
	ret = -pthread_create(&(*churn)->thread, NULL, run, *churn);
	if (ret) {
		pthread_mutex_unlock(&(*churn)->gate);
		destroy(*churn);
	}
	return ret;
}

int vmig_config_writer_finish(struct vmig_config_writer *churn)
{
	int ret;

	pthread_mutex_lock(&churn->gate);
	churn->quit = true;
	pthread_mutex_unlock(&churn->gate);
	pthread_join(churn->thread, NULL);
	ret = churn->error;
	destroy(churn);
	return ret;
}
