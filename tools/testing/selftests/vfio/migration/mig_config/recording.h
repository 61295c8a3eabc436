/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source and destination without a VMM, and a migration stream in parts: the config space
 * of the source changes before each part.
 *
 * For tests only: include lib/mtty.h first. Functions return 0 or -errno.
 */
#ifndef VMIG_RECORDING_H
#define VMIG_RECORDING_H

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define PORTS	2
#define SEED	21
#define PARTS	3
#define LAST	(PARTS - 1)

/**
 * struct recording - a migration stream
 * @snapshot:	config space of each part
 * @data:	all data
 * @at:		offset of each part in @data, and the end of the last one
 */
struct recording {
	struct vmig_snapshot snapshot[PARTS];
	struct vmig_bytes data;
	size_t at[PARTS + 1];
};

static inline int open_device(struct vmig_testdev *td, const char *policy)
{
	const struct vmig_attrs attrs = {
		.config_policy = policy, .capture_size = "64K",
	};

	return vmig_testdev_open(td, "mtty-2", VMIG_PATH_ANY, &attrs);
}

static inline int set_state(struct vmig_device *dev,
			    enum vfio_device_mig_state state)
{
	return vmig_mig_set_state(dev, state, NULL);
}

/* Close the old session, if any, and begin one after a reset */
static inline int begin_after_reset(struct vmig_device *dev,
				    enum vfio_device_mig_state state, int *fd)
{
	int ret;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	ret = vmig_device_reset(dev);

	return ret ? ret : vmig_mig_set_state(dev, state, fd);
}

static inline int resume(struct vmig_device *dev, int *fd)
{
	return begin_after_reset(dev, VFIO_DEVICE_STATE_RESUMING, fd);
}

/* Config space as in a snapshot: without the bit that only reports a state */
static inline int read_content(struct vmig_device *dev, uint8_t *space)
{
	int ret;

	ret = vmig_region_read(dev, CONFIG, 0, space, PCI_CFG_SPACE_SIZE);
	space[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;

	return ret;
}

/* -EUCLEAN if the device does not have this content */
static inline int check_content(struct vmig_device *dev,
				const struct vmig_snapshot *snapshot)
{
	uint8_t space[PCI_CFG_SPACE_SIZE];
	int ret;

	ret = read_content(dev, space);
	if (ret)
		return ret;

	return memcmp(space, snapshot->data, sizeof(space)) ? -EUCLEAN : 0;
}

static inline bool same_id(const struct vmig_snapshot *a,
			   const struct vmig_snapshot *b)
{
	return !memcmp(a->id, b->id, sizeof(a->id));
}

static inline int record_part(struct recording *rec, struct vmig_device *src,
			      int fd, unsigned int i)
{
	static const enum vfio_device_mig_state states[PARTS] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_STOP_COPY,
	};
	uint8_t byte = i;
	int ret;

	ret = vmig_config_change(src);
	if (!ret)
		ret = vmig_config_write32(src, PCI_BASE_ADDRESS_0,
					  0x1000 * (i + 1));
	if (!ret)
		ret = vmig_region_write(src, VFIO_PCI_BAR2_REGION_INDEX,
					0x2000 * (i + 1), &byte, 1);
	if (!ret)
		ret = set_state(src, states[i]);
	if (!ret)
		ret = vmig_config_get(fd, &rec->snapshot[i]);
	if (!ret)
		ret = vmig_transfer_read(fd, &rec->data, 4096);
	rec->at[i + 1] = rec->data.len;

	return i < LAST && ret == -ENOMSG ? 0 : ret;
}

/**
 * recording_make - migrate with pre-copy
 * @rec:	zeroed
 * @src:	opted in, RUNNING, after a reset; STOP_COPY afterwards
 */
static inline int recording_make(struct recording *rec, struct vmig_device *src)
{
	unsigned int i;
	int fd, ret;

	ret = vmig_contents_set(src, PORTS, SEED);
	if (!ret)
		ret = vmig_mig_set_state(src, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	if (ret)
		return ret;
	for (i = 0; i < PARTS && !ret; i++)
		ret = record_part(rec, src, fd, i);
	close(fd);

	return ret;
}

/* Write some bytes of the data */
static inline int load_bytes(const struct recording *rec, int fd, size_t from,
			     size_t to)
{
	return vmig_transfer_write(fd, rec->data.data + from, to - from, 1000,
				   NULL);
}

/* Members of a fixture; "dev" is the destination */
#define TWO_DEVICES \
	struct vmig_testdev src; \
	struct vmig_testdev dst; \
	struct vmig_device *dev; \
	struct recording rec; \
	struct vmig_snapshot other; \
	int fd

#define OPEN_TWO_DEVICES(_policy) do { \
	self->fd = -1; \
	self->dev = &self->dst.dev; \
	ASSERT_RET(0, open_device(&self->src, _policy), "source"); \
	ASSERT_RET(0, open_device(&self->dst, _policy), "destination"); \
} while (0)

/* Opt in on both sides, and record the migration of the source */
#define RECORD() do { \
	ASSERT_RET(0, vmig_config_opt_in_own(&self->src.dev), "opt in"); \
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in"); \
	ASSERT_RET(0, recording_make(&self->rec, &self->src.dev), "record"); \
} while (0)

#define CLOSE_TWO_DEVICES() do { \
	if (self->fd >= 0) \
		close(self->fd); \
	vmig_bytes_free(&self->rec.data); \
	vmig_testdev_close(&self->src); \
	vmig_testdev_close(&self->dst); \
} while (0)

/* A fixture with nothing else; the statement @_begin comes after OPEN_TWO_DEVICES() */
#define TWO_DEVICES_FIXTURE(_name, _policy, _begin) \
FIXTURE(_name) { \
	TWO_DEVICES; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_TWO_DEVICES(_policy); \
	_begin; \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_TWO_DEVICES(); \
} \
struct _name##_needs_a_semicolon

/* In a test of POLICY_VARIANTS(): is it this policy? */
#define IS(_policy)	(!strcmp(variant->policy, _policy))
#define DEPENDS		(IS("before-data") || IS("reorder"))

/* Steps of a test with the members dev and fd */
#define GO(_state, _fd) \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_##_state, \
					 _fd), #_state)
#define GET_CONFIG(_snapshot) \
	ASSERT_RET(0, vmig_config_get(self->fd, _snapshot), "GET_CONFIG")
#define CHANGE_CONFIG() \
	ASSERT_RET(0, vmig_config_change(self->dev), "change config space")
#define READ(_want, _out) \
	EXPECT_RET(_want, vmig_transfer_read(self->fd, _out, 4096), "read")
#define RESUME() \
	ASSERT_RET(0, resume(self->dev, &self->fd), "RESUMING")
#define CHECK(_want) \
	EXPECT_RET(_want, vmig_check_data(self->fd), "CHECK_DATA")
#define STOP(_want) \
	EXPECT_RET(_want, set_state(self->dev, VFIO_DEVICE_STATE_STOP), "STOP")
#define EXPECT_CONTENT(_snapshot) \
	EXPECT_RET(0, check_content(self->dev, _snapshot), "config space")

/* With a recording: snapshot and data of part @_i, data between two offsets */
#define SET_CONFIG(_want, _i) \
	EXPECT_RET(_want, vmig_config_set(self->fd, &self->rec.snapshot[_i]), \
		   "snapshot %u", _i)
#define LOAD(_want, _i) \
	EXPECT_RET(_want, load_bytes(&self->rec, self->fd, self->rec.at[_i], \
				     self->rec.at[(_i) + 1]), "data %u", _i)
#define LOAD_BYTES(_want, _from, _to) \
	EXPECT_RET(_want, load_bytes(&self->rec, self->fd, _from, _to), "data")

#define SET_OTHER(_want) \
	EXPECT_RET(_want, vmig_config_set(self->fd, &self->other), "snapshot")
/* All data in one write(), of which so many bytes are consumed */
#define LOAD_ALL(_want, _taken) do { \
	size_t len = self->rec.data.len, taken = ~0UL; \
\
	EXPECT_RET(_want, vmig_transfer_write(self->fd, self->rec.data.data, \
					      len, len, &taken), "all data"); \
	EXPECT_EQ(_taken, taken); \
} while (0)
/* Each part after its snapshot, from part @_from on */
#define LOAD_PARTS(_from) do { \
	unsigned int part; \
\
	for (part = _from; part < PARTS; part++) { \
		SET_CONFIG(0, part); \
		LOAD(0, part); \
	} \
} while (0)

#define SAVE() \
	ASSERT_RET(0, vmig_transfer_save(&self->src.dev, &self->rec.data), "save")

/* The destination has the source's contents, and this config space */
#define EXPECT_MIGRATED(_snapshot) do { \
	GO(RUNNING, NULL); \
	EXPECT_CONTENT(_snapshot); \
	EXPECT_CONTENTS(self->dev, PORTS, SEED); \
} while (0)

/* Load the parts from @_from on; then the device runs with all of them */
#define FINISH(_from) do { \
	LOAD_PARTS(_from); \
	CHECK(0); \
	STOP(0); \
	EXPECT_MIGRATED(&self->rec.snapshot[LAST]); \
} while (0)

#endif /* VMIG_RECORDING_H */
