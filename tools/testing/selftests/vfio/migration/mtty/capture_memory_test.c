// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the kernel that a device takes for capture memory, mappings and sessions: all of
 * it is freed at close, and that of a session at its end.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"
#include "mtty_format.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
/* The kernel's count lags; what leaks in each round must be more in all rounds */
#define LAG		0x100000
/* By what a round takes: a page, two pages, ten pages or more */
#define ROUNDS		300
#define HALF_ROUNDS	250
#define FEW_ROUNDS	60

FIXTURE(memory) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	size_t page;
};

FIXTURE_VARIANT(memory) {
	const char *capture_size;
	unsigned int rounds;
	int (*round)(struct vmig_testdev *td);
};

/* Maps BAR2, reads a page that was never written, writes @pages of them; -errno or 0 */
static int use_mapping(struct vmig_device *dev, unsigned int pages)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	uint64_t start = vmig_capture_map_start();
	size_t len = dev->region[BAR2].size - start;
	unsigned int i;
	uint8_t *mem, last;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		   dev->region[BAR2].offset + start);
	if (mem == MAP_FAILED)
		return -errno;
	/* The compiler must not leave accesses out */
	for (i = 0; i < pages; i++)
		__atomic_store_n(mem + i * page, 1, __ATOMIC_SEQ_CST);
	last = __atomic_load_n(mem + len - 1, __ATOMIC_SEQ_CST);
	munmap(mem, len);
	return last ? -EUCLEAN : 0;
}

static int open_read_mapping_close(struct vmig_testdev *td)
{
	return use_mapping(&td->dev, 0) ?: vmig_testdev_reopen(td);
}

static int open_write_mapping_close(struct vmig_testdev *td)
{
	return use_mapping(&td->dev, 10) ?: vmig_testdev_reopen(td);
}

static int write_reset(struct vmig_testdev *td)
{
	return use_mapping(&td->dev, 10) ?: vmig_device_reset(&td->dev);
}

/* A session that is cancelled within a record, of which pages were copied */
static int session(struct vmig_testdev *td)
{
	struct vmig_device *dev = &td->dev;
	char buf[5000];
	int fd, ret;

	ret = use_mapping(dev, 10) ?: vmig_mig_set_state(dev, PRE_COPY, &fd);
	if (ret)
		return ret;
	ret = read(fd, buf, sizeof(buf)) == sizeof(buf) ? use_mapping(dev, 10) : -EIO;
	ret = ret ?: vmig_mig_set_state(dev, RUNNING, NULL);
	close(fd);
	return ret;
}

static int session_reset(struct vmig_testdev *td)
{
	return session(td) ?: vmig_device_reset(&td->dev);
}

static int session_close(struct vmig_testdev *td)
{
	return session(td) ?: vmig_testdev_reopen(td);
}

static int bitmaps(struct vmig_testdev *td)
{
	return vmig_mig_set_state(&td->dev, PRE_COPY, NULL) ?:
	       vmig_mig_set_state(&td->dev, RUNNING, NULL);
}

static int loading_session(struct vmig_testdev *td)
{
	return vmig_mig_set_state(&td->dev, RESUMING, NULL) ?: vmig_device_reset(&td->dev);
}

#define FREED(_name, _size, _rounds) \
	FIXTURE_VARIANT_ADD(memory, _name) { \
		.capture_size = _size, .rounds = _rounds, .round = _name, \
	}

FREED(open_read_mapping_close, "64K", ROUNDS);
FREED(open_write_mapping_close, "64K", FEW_ROUNDS);
FREED(write_reset, "64K", FEW_ROUNDS);
FREED(session, "64K", FEW_ROUNDS);
FREED(session_reset, "64K", FEW_ROUNDS);
FREED(session_close, "64K", FEW_ROUNDS);
/* A bitmap has two pages */
FREED(bitmaps, "256M", HALF_ROUNDS);
FREED(loading_session, "64K", FEW_ROUNDS);

FIXTURE_SETUP(memory)
{
	const struct vmig_attrs attrs = { .capture_size = variant->capture_size };

	self->dev = &self->td.dev;
	ASSERT_RET(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY, &attrs), "open");
}

FIXTURE_TEARDOWN(memory)
{
	vmig_testdev_close(&self->td);
}

/* Driver: close, reset, the end of a session: the memory is freed, each time */
TEST_F(memory, is_freed)
{
	long long before, after;
	unsigned int i;
	int ret = 0;

	if (vmig_cgroup_enter())
		SKIP(return, "no memory controller of cgroup2 here");
	before = vmig_cgroup_charged();
	for (i = 0; i < variant->rounds && !ret; i++)
		ret = variant->round(&self->td);
	after = vmig_cgroup_charged();
	vmig_cgroup_leave();
	EXPECT_RET(0, ret, "round %u", i);
	EXPECT_LE(0, before);
	EXPECT_LE(0, after);
	EXPECT_GT(before + LAG, after);
}

TEST_HARNESS_MAIN
