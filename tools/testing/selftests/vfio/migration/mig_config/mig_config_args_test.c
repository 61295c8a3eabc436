// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_MIG_GET_CONFIG and VFIO_MIG_SET_CONFIG: bad arguments and memory, wrong sessions.
 * A call that fails changes nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define HEAD	sizeof(struct vfio_mig_config)
#define WHOLE	(HEAD + PCI_CFG_SPACE_SIZE)
#define RW	(PROT_READ | PROT_WRITE)

FIXTURE(args) {
	DEVICE_MEMBERS;
	struct vmig_snapshot snapshot;
};

/* Under before-data read() shows whether a snapshot counts as got */
FIXTURE_SETUP(args)
{
	OPEN_DEVICE("mtty-2", .config_policy = "before-data");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
}

FIXTURE_TEARDOWN(args)
{
	CLOSE_DEVICE();
}

/*
 * An argument. Memory that is not accessible follows after @inside bytes of it. @prot: of
 * the memory before. @get and @set: results.
 */
static const struct row {
	uint32_t argsz, flags, size, reserved;
	size_t inside;
	int prot, get, set;
} rows[] = {
#define ARGUMENT(_get, _set, _argsz, _size, _inside, _prot, ...) \
	{ .argsz = _argsz, .size = _size, .inside = _inside, .prot = _prot, \
	  .get = _get, .set = _set, ##__VA_ARGS__ }
#define ROW(_get, _set, _argsz, ...) \
	ARGUMENT(_get, _set, _argsz, PCI_CFG_SPACE_SIZE, WHOLE, RW, ##__VA_ARGS__)
#define ROW_SIZE(_size)		ARGUMENT(0, -EINVAL, WHOLE, _size, WHOLE, RW)
#define ROW_INSIDE(_inside) \
	ARGUMENT(-EFAULT, -EFAULT, WHOLE, PCI_CFG_SPACE_SIZE, _inside, RW)
	ROW(0, 0, WHOLE),
	ROW(0, 0, WHOLE + 16),
	ROW(0, 0, ~0U),
	ROW(-EINVAL, -EINVAL, 0),
	ROW(-EINVAL, -EINVAL, HEAD - 1),
	ROW(-EINVAL, -EINVAL, HEAD),
	ROW(-EINVAL, -EINVAL, WHOLE - 1),
	ROW(-EINVAL, -EINVAL, WHOLE, .flags = 1),
	ROW(-EINVAL, -EINVAL, WHOLE, .flags = 1U << 31),
	ROW(-EINVAL, -EINVAL, WHOLE, .reserved = 1),
	ROW(-EINVAL, -EINVAL, WHOLE, .reserved = ~0U),
	/* An output of GET_CONFIG */
	ROW_SIZE(0),
	ROW_SIZE(PCI_CFG_SPACE_SIZE - 1),
	ROW_SIZE(PCI_CFG_SPACE_SIZE + 1),
	ROW_SIZE(~0U),
	ROW_INSIDE(0),
	ROW_INSIDE(8),
	ROW_INSIDE(HEAD - 4),
	ROW_INSIDE(HEAD),
	ROW_INSIDE(HEAD + 100),
	ROW_INSIDE(WHOLE - 4),
	ARGUMENT(-EFAULT, 0, WHOLE, PCI_CFG_SPACE_SIZE, WHOLE, PROT_READ),
};

/* Issue an ioctl with this argument; @snapshot goes in, and comes back if it fits */
static int issue(int fd, unsigned long cmd, const struct row *row,
		 struct vmig_snapshot *snapshot)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_mig_config *arg;
	uint8_t *map;
	int ret;

	map = mmap(NULL, 2 * page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	arg = (void *)(map + page - row->inside);
	arg->argsz = row->argsz;
	arg->flags = row->flags;
	arg->size = row->size;
	arg->reserved = row->reserved;
	memcpy(arg->id, snapshot->id, sizeof(snapshot->id));
	memcpy(arg->data, snapshot->data, PCI_CFG_SPACE_SIZE);

	if (mprotect(map, page, row->prot) ||
	    mprotect(map + page, page, PROT_NONE))
		return -errno;
	ret = ioctl(fd, cmd, arg) ? -errno : 0;
	if (row->inside == WHOLE) {
		snapshot->size = arg->size;
		memcpy(snapshot->id, arg->id, sizeof(snapshot->id));
		memcpy(snapshot->data, arg->data, PCI_CFG_SPACE_SIZE);
	}
	munmap(map, 2 * page);

	return ret;
}

/* Proposal: GET_CONFIG: a snapshot that was not returned does not count as got */
TEST_F(args, get_config)
{
	const struct row *row;
	char byte;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		unsigned int i = row - rows;
		struct vmig_snapshot out;

		/* Each byte of an output must be written */
		memset(&out, 0xee, sizeof(out));
		ASSERT_RET(0, begin_after_reset(self->dev,
						VFIO_DEVICE_STATE_STOP_COPY,
						&self->fd), "STOP_COPY");
		EXPECT_RET(row->get, issue(self->fd, VFIO_MIG_GET_CONFIG, row,
					   &out), "row %u", i);
		EXPECT_EQ(row->get ? -1 : 1, read(self->fd, &byte, 1)) {
			TH_LOG("row %u", i);
		}
		if (row->get) {
			EXPECT_EQ(ESTALE, errno);
			/* The data may be written before the rest fails */
			EXPECT_EQ(0xee, out.id[0]);
			continue;
		}
		EXPECT_EQ(PCI_CFG_SPACE_SIZE, out.size);
		EXPECT_TRUE(same_id(&self->snapshot, &out));
		EXPECT_EQ(0, memcmp(self->snapshot.data, out.data, out.size));
	}
}

/* Proposal: SET_CONFIG: config space changes with the whole snapshot, or not at all */
TEST_F(args, set_config)
{
	struct vmig_snapshot next = self->snapshot;
	const struct row *row;

	RESUME();
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		next.data[PCI_INTERRUPT_LINE]++;
		EXPECT_RET(row->set, issue(self->fd, VFIO_MIG_SET_CONFIG, row,
					   &next), "row %u",
			   (unsigned int)(row - rows));
		EXPECT_CONTENT(row->set ? &self->snapshot : &next);
		if (!row->set)
			self->snapshot = next;
	}
}

/* Proposal: the ioctls of the other direction: ENOTTY */
TEST_F(args, other_direction_is_enotty)
{
	EXPECT_RET(-ENOTTY, vmig_config_set(self->fd, &self->snapshot), "SET");
	EXPECT_RET(-ENOTTY, vmig_check_data(self->fd), "CHECK_DATA");
	RESUME();
	EXPECT_RET(-ENOTTY, vmig_config_get(self->fd, &self->snapshot), "GET");
	EXPECT_EQ(-1, ioctl(self->fd, _IO(VFIO_TYPE, VFIO_BASE + 27), NULL));
	EXPECT_EQ(ENOTTY, errno);
}

/* Proposal: a session that has ended: ENODEV */
TEST_F(args, ended_session_is_enodev)
{
	struct vmig_snapshot other;

	GO(RUNNING, NULL);
	EXPECT_RET(-ENODEV, vmig_config_get(self->fd, &other), "GET");
	RESUME();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(-ENODEV, vmig_config_set(self->fd, &self->snapshot), "SET");
	EXPECT_RET(-ENODEV, vmig_check_data(self->fd), "CHECK_DATA");
}

TEST_HARNESS_MAIN
