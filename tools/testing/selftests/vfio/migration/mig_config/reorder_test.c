// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy reorder: config space and data in any order and any pieces, config space more
 * than once, last or never, have the same result as the right order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio_mig_config.h>

#include "lib/mtty.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define PORTS		2
#define SEED		21
#define SNAPSHOTS	3
#define SHUFFLES	60
#define MANY		20000
#define MEMORY		0x800000
#define SLACK		0x100000

/* Config space of the source, between two parts of its data */
struct snapshot {
	uint64_t generation;
	uint8_t space[PCI_CFG_SPACE_SIZE];
};

FIXTURE(reorder) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_device *dev;
	struct snapshot snapshots[SNAPSHOTS];
	struct vmig_bytes data;
	size_t data_at[SNAPSHOTS + 1];
	struct vmig_dump right;
	struct vmig_dump seen;
	int fd;
};

static void take_snapshot(struct __test_metadata *_metadata,
			  FIXTURE_DATA(reorder) *self, unsigned int nr)
{
	struct vfio_device_feature_mig_config answer;
	struct snapshot *snapshot = &self->snapshots[nr];

	ASSERT_RET(0, vmig_mig_config_get(&self->src.dev, &answer), "GET");
	snapshot->generation = answer.generation;
	ASSERT_RET(0, vmig_region_read(&self->src.dev, CONFIG, 0,
				       snapshot->space,
				       sizeof(snapshot->space)), "config");
}

/* A source whose config space changes twice while it is pre-copied */
static void record_source(struct __test_metadata *_metadata,
			  FIXTURE_DATA(reorder) *self)
{
	static const enum vfio_device_mig_state states[SNAPSHOTS] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_STOP_COPY,
	};
	struct vmig_device *src = &self->src.dev;
	unsigned int i;
	int fd;

	ASSERT_RET(0, vmig_contents_set(src, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_PRE_COPY, &fd),
		   "PRE_COPY");
	for (i = 0; i < SNAPSHOTS; i++) {
		uint8_t byte = i;

		ASSERT_RET(0, vmig_config_write32(src, PCI_BASE_ADDRESS_0,
						  0x1000 * (i + 1)), "BAR0");
		ASSERT_RET(0, vmig_config_write8(src, PCI_INTERRUPT_LINE,
						 3 + i), "line");
		take_snapshot(_metadata, self, i);
		ASSERT_RET(0, vmig_region_write(src, VFIO_PCI_BAR2_REGION_INDEX,
						0x2000 * (i + 1), &byte, 1),
			   "memory");
		ASSERT_RET(0, vmig_mig_set_state(src, states[i], NULL), "%s",
			   vmig_state_name(states[i]));
		ASSERT_RET(i == SNAPSHOTS - 1 ? 0 : -ENOMSG,
			   vmig_transfer_read(fd, &self->data, 4096), "read");
		self->data_at[i + 1] = self->data.len;
	}
	close(fd);
}

/* The destination after reset, in RESUMING */
static void begin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(reorder) *self)
{
	if (self->fd >= 0)
		close(self->fd);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

static void load_snapshot(struct __test_metadata *_metadata,
			  FIXTURE_DATA(reorder) *self, unsigned int nr)
{
	struct snapshot *snapshot = &self->snapshots[nr];

	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, snapshot->space,
					sizeof(snapshot->space)), "config");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, snapshot->generation),
		   "snapshot %u", nr);
}

/* The data that follow snapshot @nr */
static void load_data(struct __test_metadata *_metadata,
		      FIXTURE_DATA(reorder) *self, unsigned int nr)
{
	size_t at = self->data_at[nr];

	EXPECT_RET(0, vmig_transfer_write(self->fd, self->data.data + at,
					  self->data_at[nr + 1] - at, 1000,
					  NULL), "data %u", nr);
}

static const char *compare(struct __test_metadata *_metadata,
			   FIXTURE_DATA(reorder) *self)
{
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	EXPECT_RET(0, vmig_dump_take(&self->seen, self->dev), "dump");
	return vmig_dump_compare(&self->right, &self->seen);
}

#define EXPECT_SAME() do { \
	const char *differs = compare(_metadata, self); \
	\
	EXPECT_EQ(NULL, differs) { \
		TH_LOG("differs: %s", differs); \
	} \
} while (0)

FIXTURE_SETUP(reorder)
{
	const struct vmig_attrs attrs = {
		.config_policy = "reorder", .capture_size = "64K",
	};
	unsigned int i;

	self->fd = -1;
	self->dev = &self->dst.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	record_source(_metadata, self);

	begin(_metadata, self);
	for (i = 0; i < SNAPSHOTS; i++) {
		load_snapshot(_metadata, self, i);
		load_data(_metadata, self, i);
	}
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL), "STOP");
	ASSERT_RET(0, vmig_dump_take(&self->right, self->dev), "dump");
	ASSERT_EQ(0, memcmp(self->right.config,
			    self->snapshots[SNAPSHOTS - 1].space,
			    sizeof(self->right.config)));
}

FIXTURE_TEARDOWN(reorder)
{
	if (self->fd >= 0)
		close(self->fd);
	vmig_dump_free(&self->right);
	vmig_dump_free(&self->seen);
	vmig_bytes_free(&self->data);
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

static void load_all_data(struct __test_metadata *_metadata,
			  FIXTURE_DATA(reorder) *self)
{
	unsigned int i;

	for (i = 0; i < SNAPSHOTS; i++)
		load_data(_metadata, self, i);
}

/* Proposal: config space after all data: the same device */
TEST_F(reorder, config_last)
{
	begin(_metadata, self);
	load_all_data(_metadata, self);
	load_snapshot(_metadata, self, SNAPSHOTS - 1);
	EXPECT_SAME();
}

/* Proposal: the last config space before all data: the same device */
TEST_F(reorder, config_first)
{
	begin(_metadata, self);
	load_snapshot(_metadata, self, SNAPSHOTS - 1);
	load_all_data(_metadata, self);
	EXPECT_SAME();
}

/* Proposal: snapshots in reverse order, and repeated: the newest counts */
TEST_F(reorder, older_config_late)
{
	struct vfio_device_feature_mig_config answer;
	int i;

	begin(_metadata, self);
	for (i = SNAPSHOTS - 1; i >= 0; i--) {
		load_snapshot(_metadata, self, i);
		load_snapshot(_metadata, self, i);
		EXPECT_RET(0, vmig_mig_config_get(self->dev, &answer), "GET");
		EXPECT_EQ(self->snapshots[SNAPSHOTS - 1].generation,
			  answer.generation);
		EXPECT_EQ(VFIO_MIG_CONFIG_REORDER | VFIO_MIG_CONFIG_LOADED,
			  answer.flags);
	}
	load_all_data(_metadata, self);
	for (i = 0; i < SNAPSHOTS; i++)
		load_snapshot(_metadata, self, i);
	EXPECT_SAME();
}

/* Proposal: data without a snapshot: config space does not change, all else is loaded */
TEST_F(reorder, config_never)
{
	uint8_t own[PCI_CFG_SPACE_SIZE];

	begin(_metadata, self);
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, own, sizeof(own)),
		   "config");
	load_all_data(_metadata, self);
	EXPECT_NE(NULL, compare(_metadata, self));
	/* The interrupt status depends on the ports, which have been loaded */
	own[PCI_STATUS] = self->seen.config[PCI_STATUS];
	EXPECT_EQ(0, memcmp(own, self->seen.config, sizeof(own)));

	memcpy(self->seen.config, self->right.config,
	       sizeof(self->seen.config));
	self->seen.generation = self->right.generation;
	EXPECT_EQ(NULL, vmig_dump_compare(&self->right, &self->seen));
}

/*
 * The snapshots come in any order, each in pieces of any size and from either end,
 * with any amount of data between two pieces.
 */
static void shuffle(struct __test_metadata *_metadata,
		    FIXTURE_DATA(reorder) *self, unsigned int seed)
{
	unsigned int from = 0, to = PCI_CFG_SPACE_SIZE, at;
	unsigned int nr = rand_r(&seed) % SNAPSHOTS;
	unsigned int rounds = SNAPSHOTS;
	size_t done = 0;

	while (rounds || done < self->data.len) {
		struct snapshot *snapshot = &self->snapshots[nr];
		size_t n = rand_r(&seed) % 700;

		if (n > self->data.len - done)
			n = self->data.len - done;
		ASSERT_RET(0, vmig_transfer_write(self->fd,
						  self->data.data + done, n,
						  1 + rand_r(&seed) % 300,
						  NULL), "seed %u", seed);
		done += n;
		if (!rounds)
			continue;

		n = 1 + rand_r(&seed) % (to - from);
		at = rand_r(&seed) % 2 ? from : to - n;
		ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, at,
						snapshot->space + at, n),
			   "config");
		if (at == from)
			from += n;
		else
			to -= n;
		if (from < to)
			continue;
		ASSERT_RET(0, vmig_mig_config_loaded(self->dev,
						     snapshot->generation),
			   "SET");
		from = 0;
		to = PCI_CFG_SPACE_SIZE;
		nr = (nr + 1) % SNAPSHOTS;
		rounds--;
	}
}

/* Proposal: config space and data, cut anywhere and mixed: the same device */
TEST_F(reorder, any_interleaving)
{
	const char *differs;
	unsigned int seed;

	for (seed = 1; seed <= SHUFFLES; seed++) {
		begin(_metadata, self);
		shuffle(_metadata, self, seed);
		differs = compare(_metadata, self);
		EXPECT_EQ(NULL, differs) {
			TH_LOG("seed %u, differs: %s", seed, differs);
		}
	}
}

/* Proposal: an old snapshot that contradicts the device: EINVAL */
TEST_F(reorder, older_config_is_checked)
{
	struct snapshot *old = &self->snapshots[0];

	begin(_metadata, self);
	load_snapshot(_metadata, self, SNAPSHOTS - 1);
	old->space[PCI_VENDOR_ID] ^= 1;
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, old->space,
					sizeof(old->space)), "config");
	EXPECT_RET(-EINVAL, vmig_mig_config_loaded(self->dev, old->generation),
		   "SET");
	old->space[PCI_VENDOR_ID] ^= 1;
	load_snapshot(_metadata, self, 0);
	load_all_data(_metadata, self);
	EXPECT_SAME();
}

/* Proposal: RESUMING -> STOP with a snapshot of another generation than the data: ESTALE */
TEST_F(reorder, wrong_config_can_be_replaced)
{
	struct snapshot *last = &self->snapshots[SNAPSHOTS - 1];
	struct snapshot *wrong = &self->snapshots[0];

	begin(_metadata, self);
	wrong->generation = last->generation + 7;
	load_snapshot(_metadata, self, 0);
	/* Until the data are complete, the wrong one is the newest */
	load_snapshot(_metadata, self, SNAPSHOTS - 1);
	load_all_data(_metadata, self);
	EXPECT_RET(-ESTALE, vmig_mig_set_state(self->dev,
					       VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dev, "STOP refused");
	load_snapshot(_metadata, self, SNAPSHOTS - 1);
	load_snapshot(_metadata, self, 0);
	EXPECT_SAME();
}

/* Driver: RESUMING -> STOP, incomplete data and the wrong snapshot: ENODATA, not ESTALE */
TEST_F(reorder, enodata_before_estale)
{
	begin(_metadata, self);
	load_snapshot(_metadata, self, 0);
	load_data(_metadata, self, 0);
	EXPECT_RET(-ENODATA, vmig_mig_set_state(self->dev,
						VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	load_data(_metadata, self, 1);
	load_data(_metadata, self, 2);
	EXPECT_RET(-ESTALE, vmig_mig_set_state(self->dev,
					       VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	load_snapshot(_metadata, self, 2);
	EXPECT_SAME();
}

/* A stream with @bytes of capture memory */
static int save_much(struct vmig_bytes *stream, const struct vmig_attrs *attrs,
		     size_t bytes)
{
	struct vmig_testdev td;
	uint8_t *fill = calloc(1, bytes);
	int ret;

	if (!fill)
		return -ENOMEM;
	ret = vmig_testdev_open(&td, "mtty-2", VMIG_PATH_ANY, attrs);
	if (!ret)
		ret = vmig_region_write(&td.dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET, fill, bytes);
	if (!ret)
		ret = vmig_transfer_save(&td.dev, stream);
	vmig_testdev_close(&td);
	free(fill);
	return ret;
}

/* Load MEMORY in a cgroup; @charged: before and after. False without cgroup2 */
static bool load_charged(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reorder) *self, long long charged[2])
{
	const struct vmig_attrs attrs = {
		.config_policy = "reorder", .capture_size = "16M",
	};
	struct vmig_bytes stream = { 0 };
	int ret;

	ASSERT_RET(0, save_much(&stream, &attrs, MEMORY), "stream");
	vmig_testdev_close(&self->dst);
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ret = vmig_cgroup_enter();
	if (!ret) {
		charged[0] = vmig_cgroup_charged();
		begin(_metadata, self);
		EXPECT_RET(0, vmig_transfer_write(self->fd, stream.data,
						  stream.len,
						  VMIG_TRANSFER_CHUNK, NULL),
			   "data");
		charged[1] = vmig_cgroup_charged();
	}
	vmig_bytes_free(&stream);
	return !ret;
}

/* Driver: the capture memory of the data is charged to the user */
TEST_F(reorder, data_are_charged)
{
	long long charged[2];

	if (!load_charged(_metadata, self, charged))
		SKIP(return, "no memory controller of cgroup2 here");
	vmig_cgroup_leave();
	EXPECT_LE(charged[0] + MEMORY - SLACK, charged[1]);
	EXPECT_GE(charged[0] + MEMORY + SLACK, charged[1]);
}

/*
 * Proposal: the driver's memory does not grow with the number of snapshots
 *
 * The kernel's count may be SLACK behind; MANY snapshots of 256 bytes would be several
 * times as much.
 */
TEST_F(reorder, snapshots_take_no_more_memory)
{
	long long charged[2], after;
	unsigned int i;

	if (!load_charged(_metadata, self, charged))
		SKIP(return, "no memory controller of cgroup2 here");
	for (i = 0; i < MANY; i++) {
		vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, i);
		vmig_mig_config_loaded(self->dev, 1 + i % 3);
	}
	after = vmig_cgroup_charged();
	vmig_cgroup_leave();
	EXPECT_GE(charged[1] + SLACK, after);
}

TEST_HARNESS_MAIN
