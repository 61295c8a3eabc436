// SPDX-License-Identifier: GPL-2.0-only
/*
 * The destination, opted in: which snapshot must be loaded for which data, and when
 * RESUMING may be left. For any order see reorder_test.c, for the source
 * mig_config_source_test.c.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

/* Data need their snapshot before them */
TWO_DEVICES_FIXTURE(before_data, "before-data", RECORD(); RESUME());

/* The first record of a part; returns its offset */
static size_t first_record(struct __test_metadata *_metadata,
			   FIXTURE_DATA(before_data) *self, unsigned int part,
			   struct vmig_rec *rec)
{
	unsigned int nr = 0;

	do {
		EXPECT_RET(0, vmig_stream_at(&self->rec.data, nr, rec),
			   "record %u", nr);
		nr++;
	} while (rec->offset < self->rec.at[part]);

	return rec->offset;
}

/* Proposal: objection A: data before any snapshot: EPROTO, none consumed, repeatable */
TEST_F(before_data, objection_a_data_need_a_snapshot)
{
	/* A snapshot is its bytes: there is none without */
	self->other = self->rec.snapshot[0];
	self->other.size = 0;
	SET_OTHER(-EINVAL);
	LOAD_ALL(-EPROTO, 0);
	LOAD_BYTES(-EPROTO, 0, 1);
	CHECK(-ENODATA);
	STOP(-ENODATA);
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dev, "STOP");
	FINISH(0);
}

/* Driver: write() of 0 bytes before any snapshot: EPROTO */
TEST_F(before_data, no_bytes_before_a_snapshot)
{
	EXPECT_EQ(-1, write(self->fd, "", 0));
	EXPECT_EQ(EPROTO, errno);
}

/* Proposal: objection B: another snapshot when a record is half written: EBUSY */
TEST_F(before_data, objection_b_newer_snapshot_in_a_record)
{
	struct vmig_rec rec;
	size_t at = first_record(_metadata, self, 1, &rec);
	size_t cut = at + sizeof(struct mtty_rec_head), end = at + rec.size;

	SET_CONFIG(0, 0);
	LOAD(0, 0);
	SET_CONFIG(0, 1);
	for (; cut < end; cut++) {
		LOAD_BYTES(0, at, cut);
		at = cut;
		SET_CONFIG(-EBUSY, 2);
		SET_CONFIG(-EBUSY, 0);
		EXPECT_CONTENT(&self->rec.snapshot[1]);
		/* The same is no change */
		SET_CONFIG(0, 1);
	}
	LOAD_BYTES(0, at, self->rec.at[2]);
	FINISH(2);
}

/* Driver: with part of a head written, any snapshot may be loaded; its last byte fails */
TEST_F(before_data, newer_snapshot_in_a_head)
{
	size_t head = sizeof(struct mtty_rec_head), at = self->rec.at[1];

	SET_CONFIG(0, 0);
	LOAD(0, 0);
	LOAD_BYTES(0, at, at + head - 1);
	SET_CONFIG(0, 2);
	LOAD_BYTES(-ESTALE, at + head - 1, at + head);
	SET_CONFIG(0, 1);
	LOAD_BYTES(0, at + head - 1, self->rec.at[2]);
	FINISH(2);
}

/* Proposal: objection C: writes to the config region in RESUMING: EBUSY, no effect */
TEST_F(before_data, objection_c_writes_to_the_region_are_refused)
{
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		EXPECT_RET(-EBUSY, vmig_config_write8(self->dev,
						      PCI_INTERRUPT_LINE, 0x99),
			   "before snapshot %u", i);
		SET_CONFIG(0, i);
		LOAD(0, i);
	}
	EXPECT_RET(-EBUSY, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE,
					      0x99), "after all data");
	EXPECT_CONTENT(&self->rec.snapshot[LAST]);
	STOP(0);
	EXPECT_MIGRATED(&self->rec.snapshot[LAST]);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 0x99),
		   "in RUNNING");
}

/* Proposal: write() across a change of config space is short, then ESTALE until SET */
TEST_F(before_data, config_changes_in_mid_stream)
{
	SET_CONFIG(0, 0);
	LOAD_ALL(-ESTALE, self->rec.at[1]);
	LOAD(-ESTALE, 1);
	STOP(-ENODATA);
	FINISH(1);
}

/* Proposal: after all data, only the snapshot of the last record: else ESTALE */
TEST_F(before_data, other_snapshot_after_the_end)
{
	LOAD_PARTS(0);
	SET_CONFIG(-ESTALE, 0);
	self->other = self->rec.snapshot[LAST];
	self->other.id[VFIO_MIG_CONFIG_ID_SIZE / 2]++;
	SET_OTHER(-ESTALE);
	SET_CONFIG(0, LAST);
	FINISH(PARTS);
}

/* Proposal: objection "late ESTALE": CHECK_DATA says beforehand what STOP will return */
TEST_F(before_data, objection_late_estale_check_data_says_it_before)
{
	unsigned int i;

	CHECK(-ENODATA);
	for (i = 0; i < PARTS; i++) {
		SET_CONFIG(0, i);
		CHECK(-ENODATA);
		LOAD_BYTES(0, self->rec.at[i], self->rec.at[i + 1] - 1);
		CHECK(-ENODATA);
		STOP(-ENODATA);
		LOAD_BYTES(0, self->rec.at[i + 1] - 1, self->rec.at[i + 1]);
	}
	CHECK(0);
	CHECK(0);
	STOP(0);
	CHECK(-ENODEV);
}

/* Proposal: CHECK_DATA returns the damage that write() has returned, as STOP does */
TEST_F(before_data, check_data_reports_damage)
{
	self->rec.data.data[self->rec.at[1] - 1] ^= 1;
	SET_CONFIG(0, 0);
	LOAD(-EBADMSG, 0);
	CHECK(-EBADMSG);
	STOP(-EBADMSG);
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, self->dev, "STOP");
}

/* The policies under which data depend on config space */
FIXTURE_VARIANT(depends) {
	const char *policy;
};

TWO_DEVICES_FIXTURE(depends, variant->policy, RECORD());
FIXTURE_VARIANT_ADD(depends, before_data) { .policy = "before-data" };
FIXTURE_VARIANT_ADD(depends, reorder) { .policy = "reorder" };

/* RESUMING, with a snapshot of another device, which is this one */
#define RESUME_WITH_OTHER() do { \
	GO(STOP_COPY, &self->fd); \
	GET_CONFIG(&self->other); \
	RESUME(); \
} while (0)

/* Proposal: objection J: config space of device C, then data of device A: ESTALE */
TEST_F(depends, objection_j_data_of_another_device)
{
	RESUME_WITH_OTHER();
	SET_OTHER(0);
	LOAD(-ESTALE, 0);
	CHECK(-ENODATA);
	/* The session has one source, C */
	SET_CONFIG(-ESTALE, 0);
	EXPECT_CONTENT(&self->other);
	RESUME();
	FINISH(0);
}

/* Proposal: objection J: data of device A, then config space of device C: ESTALE */
TEST_F(depends, objection_j_snapshot_of_another_device)
{
	RESUME_WITH_OTHER();
	SET_CONFIG(0, 0);
	SET_OTHER(-ESTALE);
	LOAD(0, 0);
	SET_OTHER(-ESTALE);
	EXPECT_CONTENT(&self->rec.snapshot[0]);
	FINISH(1);
}

/* Proposal: an identity of zeroes, or half of one: EINVAL */
TEST_F(depends, snapshot_without_an_identity)
{
	const size_t half = VFIO_MIG_CONFIG_ID_SIZE / 2;
	struct vmig_snapshot none;
	unsigned int i;

	RESUME_WITH_OTHER();
	none = self->other;
	for (i = 0; i < 3; i++) {
		self->other = self->rec.snapshot[0];
		memset(self->other.id + (i == 1 ? half : 0), 0,
		       i ? half : 2 * half);
		SET_OTHER(-EINVAL);
	}
	EXPECT_CONTENT(&none);
	FINISH(0);
}

/* Proposal: data of a source that has not opted in: EPROTO at the first record */
TEST_F(depends, data_of_a_source_that_has_not_opted_in)
{
	vmig_testdev_close(&self->src);
	ASSERT_EQ(0, open_device(&self->src, variant->policy));
	self->rec.data.len = 0;
	SAVE();
	RESUME();
	SET_CONFIG(0, 0);
	LOAD_ALL(-EPROTO, 0);
	CHECK(-ENODATA);
	STOP(-ENODATA);
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dev, "STOP");
}

/* Proposal: data of a source that has opted in, the destination has not: EPROTO */
TEST_F(depends, data_at_a_destination_that_has_not_opted_in)
{
	vmig_device_close(self->dev);
	ASSERT_EQ(0, vmig_device_open(self->dev, &self->dst.mdev,
				      VMIG_PATH_ANY));
	RESUME();
	LOAD_ALL(-EPROTO, 0);
	STOP(-ENODATA);
}

/* The policies under which they do not */
FIXTURE_VARIANT(not_depending) {
	const char *policy;
};

TWO_DEVICES_FIXTURE(not_depending, variant->policy, RECORD(); RESUME());
FIXTURE_VARIANT_ADD(not_depending, independent) { .policy = "independent" };
FIXTURE_VARIANT_ADD(not_depending, embedded) { .policy = "embedded" };

/* Proposal: objection F: data that need no config space are loaded after any snapshot */
TEST_F(not_depending, objection_f_any_snapshot_at_any_time)
{
	unsigned int i;

	self->other = self->rec.snapshot[LAST];
	for (i = 0; i < PARTS; i++) {
		self->other.data[PCI_INTERRUPT_LINE]++;
		self->other.id[i]++;
		SET_OTHER(0);
		EXPECT_CONTENT(&self->other);
		LOAD(0, i);
	}
	memset(self->other.id, 0, sizeof(self->other.id));
	self->other.data[PCI_INTERRUPT_LINE]++;
	CHECK(0);
	SET_OTHER(0);
	CHECK(0);
	STOP(0);
	EXPECT_MIGRATED(&self->other);
}

/* Proposal: opted in, writes to the config region in RESUMING are ordinary writes */
TEST_F(not_depending, writes_to_the_region_are_ordinary)
{
	struct vmig_snapshot *last = &self->rec.snapshot[LAST];
	unsigned int i;

	SET_CONFIG(0, LAST);
	for (i = 0; i < PARTS; i++) {
		last->data[PCI_INTERRUPT_LINE] = 0x60 + i;
		EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE,
						 0x60 + i), "line");
		EXPECT_CONTENT(last);
		LOAD(0, i);
	}
	STOP(0);
	EXPECT_MIGRATED(last);
}

TEST_HARNESS_MAIN
