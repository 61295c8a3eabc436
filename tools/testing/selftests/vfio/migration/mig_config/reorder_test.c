// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy reorder: config space and data in any order, config space repeated or last,
 * give the same device as the right order; without it RESUMING is not left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define SHUFFLES	60
#define MANY		20000
#define MEMORY		0x800000
#define SLACK		0x100000

FIXTURE(reorder) {
	TWO_DEVICES;
	struct vmig_dump right;
	struct vmig_dump seen;
};

static const char *compare(FIXTURE_DATA(reorder) *self)
{
	if (vmig_dump_take(&self->seen, self->dev))
		return "dump";

	return vmig_dump_compare(&self->right, &self->seen);
}

#define EXPECT_SAME() do { \
	const char *differs; \
\
	CHECK(0); \
	STOP(0); \
	differs = compare(self); \
	EXPECT_EQ(NULL, differs) { \
		TH_LOG("differs: %s", differs); \
	} \
} while (0)

/* The right order: each part after its snapshot */
FIXTURE_SETUP(reorder)
{
	OPEN_TWO_DEVICES("reorder");
	RECORD();
	RESUME();
	LOAD_PARTS(0);
	STOP(0);
	ASSERT_RET(0, vmig_dump_take(&self->right, self->dev), "dump");
	EXPECT_MIGRATED(&self->rec.snapshot[LAST]);
	RESUME();
}

FIXTURE_TEARDOWN(reorder)
{
	vmig_dump_free(&self->right);
	vmig_dump_free(&self->seen);
	CLOSE_TWO_DEVICES();
}

static void load_all_data(struct __test_metadata *_metadata,
			  FIXTURE_DATA(reorder) *self)
{
	unsigned int i;

	for (i = 0; i < PARTS; i++)
		LOAD(0, i);
}

/* Proposal: config space after all data: the same device */
TEST_F(reorder, config_last)
{
	load_all_data(_metadata, self);
	SET_CONFIG(0, LAST);
	EXPECT_SAME();
}

/* Proposal: the last config space before all data: the same device */
TEST_F(reorder, config_first)
{
	SET_CONFIG(0, LAST);
	load_all_data(_metadata, self);
	EXPECT_SAME();
}

/* Proposal: snapshots in reverse order, and repeated: the newest counts */
TEST_F(reorder, older_config_is_ignored)
{
	int i;

	for (i = LAST; i >= 0; i--) {
		SET_CONFIG(0, i);
		SET_CONFIG(0, i);
		EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	}
	load_all_data(_metadata, self);
	for (i = 0; i < PARTS; i++) {
		SET_CONFIG(0, i);
		EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	}
	EXPECT_SAME();
}

/* Proposal: objection E: data without a snapshot: ESTALE, and still RESUMING */
TEST_F(reorder, objection_e_config_never)
{
	struct vmig_snapshot own = self->rec.snapshot[0];

	ASSERT_RET(0, read_content(self->dev, own.data), "content");
	CHECK(-ENODATA);
	load_all_data(_metadata, self);
	CHECK(-ESTALE);
	STOP(-ESTALE);
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dev, "STOP");
	EXPECT_CONTENT(&own);
	SET_CONFIG(0, LAST);
	EXPECT_SAME();
}

/* Proposal: objection "late ESTALE": an older snapshot only: CHECK_DATA says ESTALE */
TEST_F(reorder, objection_late_estale_older_config_only)
{
	unsigned int i;

	for (i = 0; i < LAST; i++) {
		SET_CONFIG(0, i);
		EXPECT_CONTENT(&self->rec.snapshot[i]);
	}
	load_all_data(_metadata, self);
	CHECK(-ESTALE);
	STOP(-ESTALE);
	SET_CONFIG(0, LAST);
	EXPECT_SAME();
}

/* Proposal: objection C: writes to the config region in RESUMING: EBUSY, no effect */
TEST_F(reorder, objection_c_writes_to_the_region_are_refused)
{
	EXPECT_RET(-EBUSY, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE,
					      0x99), "before");
	load_all_data(_metadata, self);
	SET_CONFIG(0, LAST);
	EXPECT_RET(-EBUSY, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE,
					      0x99), "after");
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	EXPECT_SAME();
}

/* The snapshots come in any order, at any place between or in records */
static void shuffle(struct __test_metadata *_metadata,
		    FIXTURE_DATA(reorder) *self, unsigned int seed)
{
	unsigned int nr = rand_r(&seed) % PARTS, rounds = PARTS;
	size_t len = self->rec.data.len, done = 0;

	while (rounds || done < len) {
		size_t n = rand_r(&seed) % 700;

		if (n > len - done)
			n = len - done;
		ASSERT_RET(0, vmig_transfer_write(self->fd,
						  self->rec.data.data + done,
						  n, 1 + rand_r(&seed) % 300,
						  NULL), "seed %u", seed);
		done += n;
		if (!rounds || rand_r(&seed) % 3)
			continue;
		SET_CONFIG(0, nr);
		nr = (nr + 1) % PARTS;
		rounds--;
	}
}

/* Proposal: config space and data, cut anywhere and mixed: the same device */
TEST_F(reorder, any_interleaving)
{
	unsigned int seed;

	for (seed = 1; seed <= SHUFFLES; seed++) {
		RESUME();
		shuffle(_metadata, self, seed);
		EXPECT_SAME();
	}
}

/* Proposal: an old snapshot that contradicts the device: EINVAL */
TEST_F(reorder, older_config_is_checked)
{
	struct vmig_snapshot *old = &self->rec.snapshot[0];

	SET_CONFIG(0, LAST);
	old->data[PCI_VENDOR_ID] ^= 1;
	SET_CONFIG(-EINVAL, 0);
	old->data[PCI_VENDOR_ID] ^= 1;
	SET_CONFIG(0, 0);
	load_all_data(_metadata, self);
	EXPECT_SAME();
}

/* A snapshot of the same source that is newer than all data, with other content */
static void make_newer(struct vmig_snapshot *snapshot)
{
	snapshot->id[VFIO_MIG_CONFIG_ID_SIZE - 1] = 0x7f;
	snapshot->data[PCI_INTERRUPT_LINE] ^= 0x55;
}

/* Proposal: after all data, a snapshot that is newer than they are: ESTALE */
TEST_F(reorder, newer_config_after_the_end)
{
	load_all_data(_metadata, self);
	SET_CONFIG(0, LAST);
	make_newer(&self->rec.snapshot[0]);
	SET_CONFIG(-ESTALE, 0);
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	EXPECT_SAME();
}

/* Proposal: after all data, the snapshot of the last record replaces a newer one */
TEST_F(reorder, newer_config_before_the_end_is_replaced)
{
	make_newer(&self->rec.snapshot[0]);
	SET_CONFIG(0, 0);
	/* Until the data are complete, the newest counts */
	SET_CONFIG(0, LAST);
	EXPECT_CONTENT(&self->rec.snapshot[0]);
	load_all_data(_metadata, self);
	CHECK(-ESTALE);
	STOP(-ESTALE);
	SET_CONFIG(0, LAST);
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	EXPECT_SAME();
}

/* Proposal: objection J: data without a snapshot yet have a source: another one is ESTALE */
TEST_F(reorder, objection_j_other_source_after_data)
{
	ASSERT_RET(0, begin_after_reset(self->dev, VFIO_DEVICE_STATE_STOP_COPY, &self->fd),
		   "STOP_COPY");
	GET_CONFIG(&self->other);
	RESUME();
	LOAD_BYTES(0, 0, sizeof(struct mtty_rec_head));
	SET_OTHER(-ESTALE);
	LOAD_BYTES(0, sizeof(struct mtty_rec_head), self->rec.at[1]);
	SET_OTHER(-ESTALE);
	LOAD(0, 1);
	LOAD(0, 2);
	SET_OTHER(-ESTALE);
	CHECK(-ESTALE);
	SET_CONFIG(0, LAST);
	EXPECT_SAME();
}

/* Driver: incomplete data and the wrong snapshot: ENODATA, not ESTALE */
TEST_F(reorder, enodata_before_estale)
{
	SET_CONFIG(0, 0);
	LOAD(0, 0);
	LOAD(0, 1);
	CHECK(-ENODATA);
	STOP(-ENODATA);
	LOAD(0, 2);
	CHECK(-ESTALE);
	STOP(-ESTALE);
	SET_CONFIG(0, LAST);
	EXPECT_SAME();
}

/* Both devices with much capture memory, and a stream that has MEMORY of it */
static int make_much(FIXTURE_DATA(reorder) *self)
{
	const struct vmig_attrs attrs = {
		.config_policy = "reorder", .capture_size = "16M",
	};
	struct vmig_testdev *td[] = { &self->src, &self->dst };
	uint8_t *fill = calloc(1, MEMORY);
	int ret = fill ? 0 : -ENOMEM;
	unsigned int i;

	for (i = 0; i < 2 && !ret; i++) {
		vmig_testdev_close(td[i]);
		ret = vmig_testdev_open(td[i], "mtty-2", VMIG_PATH_ANY, &attrs);
		if (!ret)
			ret = vmig_config_opt_in_own(&td[i]->dev);
	}
	if (!ret)
		ret = vmig_region_write(&self->src.dev,
					VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET, fill, MEMORY);
	free(fill);
	self->rec.data.len = 0;

	return ret ? ret : vmig_transfer_save_config(&self->src.dev,
						     &self->rec.snapshot[0],
						     &self->rec.data);
}

/*
 * Driver: data are charged to the user; snapshots take no memory, whatever their number
 *
 * The kernel's count may be SLACK behind; MANY snapshots would be several times as much.
 */
TEST_F(reorder, data_are_charged_and_snapshots_take_no_memory)
{
	uint8_t *line = &self->rec.snapshot[0].data[PCI_INTERRUPT_LINE];
	long long before, data, snapshots;
	unsigned int i;

	ASSERT_RET(0, make_much(self), "stream");
	if (vmig_cgroup_enter())
		SKIP(return, "no memory controller of cgroup2 here");
	before = vmig_cgroup_charged();
	RESUME();
	LOAD_BYTES(0, 0, self->rec.data.len);
	data = vmig_cgroup_charged();
	for (i = 0; i < MANY; i++) {
		(*line)++;
		SET_CONFIG(0, 0);
	}
	snapshots = vmig_cgroup_charged();
	vmig_cgroup_leave();
	ASSERT_LE(0, before);
	ASSERT_LE(0, snapshots);
	EXPECT_LE(before + MEMORY - SLACK, data);
	EXPECT_GE(before + MEMORY + SLACK, data);
	EXPECT_GE(data + SLACK, snapshots);
}

TEST_HARNESS_MAIN
