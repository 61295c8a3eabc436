// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of config space in the records of a stream: which records have one, and
 * what happens to a record with a wrong one. Checksums are right.
 */
#include <endian.h>
#include <stddef.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		71

/*
 * The fixture
 * @good:	a stream of the device
 * @bad:	the same with a wrong identity
 * @config:	the snapshot of @good
 * @source:	identity in @good
 * @version:	its second half
 */
struct identity {
	DEVICE_MEMBERS;
	struct vmig_bytes good;
	struct vmig_bytes bad;
	struct vmig_snapshot config;
	uint64_t source;
	uint64_t version;
};

static void open_identity(struct __test_metadata *_metadata, struct identity *self,
			  const char *policy)
{
	struct vmig_rec rec;
	unsigned int i;

	OPEN_DEVICE("mtty-2", .config_policy = policy, .capture_size = "8K");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	for (i = 1; i < 4; i++)
		ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, i),
			   "config space");
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &self->config,
						&self->good), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
	ASSERT_EQ(0, vmig_stream_at(&self->good, 0, &rec));
	self->source = rec.source;
	self->version = rec.version;
}

static void close_identity(struct identity *self)
{
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

#define IDENTITY_SETUP(_name, _policy) \
FIXTURE_SETUP(_name) \
{ \
	open_identity(_metadata, &self->i, _policy); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	close_identity(&self->i); \
} \
struct _name##_needs_a_semicolon

/* Any policy; @depends: data depend on config space */
FIXTURE(identity) {
	struct identity i;
};

FIXTURE_VARIANT(identity) {
	const char *policy;
	bool depends;
};

FIXTURE_VARIANT_ADD(identity, independent) { "independent", false };
FIXTURE_VARIANT_ADD(identity, before_data) { "before-data", true };
FIXTURE_VARIANT_ADD(identity, reorder) { "reorder", true };
FIXTURE_VARIANT_ADD(identity, embedded) { "embedded", false };
IDENTITY_SETUP(identity, variant->policy);

/* Data depend on config space */
FIXTURE(depends) {
	struct identity i;
};

FIXTURE_VARIANT(depends) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(depends, before_data) { .policy = "before-data" };
FIXTURE_VARIANT_ADD(depends, reorder) { .policy = "reorder" };
IDENTITY_SETUP(depends, variant->policy);

FIXTURE(before_data) {
	struct identity i;
};

IDENTITY_SETUP(before_data, "before-data");

FIXTURE(any_order) {
	struct identity i;
};

IDENTITY_SETUP(any_order, "reorder");

/* The bad stream is the good one, with another identity in one record */
static void make_bad(struct __test_metadata *_metadata, struct identity *self,
		     const struct vmig_rec *rec, uint64_t source, uint64_t version)
{
	const uint64_t id[2] = { htole64(source), htole64(version) };

	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
	ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, rec,
					   offsetof(struct mtty_rec_head, source),
					   id, sizeof(id)));
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
}

static void enter(struct __test_metadata *_metadata, struct identity *self,
		  bool load_config)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	if (load_config)
		ASSERT_RET(0, vmig_config_set(self->fd, &self->config), "SET_CONFIG");
}

/* All records before @rec are loaded; @rec is not, and the stream is not refused */
static void expect_stop_at(struct __test_metadata *_metadata,
			   struct identity *self, const struct vmig_rec *rec,
			   int err)
{
	size_t taken = 0;

	EXPECT_RET(err, vmig_transfer_write(self->fd, self->bad.data, self->bad.len,
					    VMIG_TRANSFER_CHUNK, &taken),
		   "%s at %zu", vmig_stream_type_name(rec->type), rec->offset);
	EXPECT_EQ(rec->offset, taken);
	EXPECT_RET(-ENODATA, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
						NULL), "STOP");
}

/* From where the bad stream has stopped */
static void expect_good_continues(struct __test_metadata *_metadata,
				  struct identity *self,
				  const struct vmig_rec *rec)
{
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->good.data + rec->offset,
					  self->good.len - rec->offset,
					  VMIG_TRANSFER_CHUNK, NULL), "the rest");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* Driver: mtty_rec_head: the identity of GET_CONFIG if data depend on it, else zeroes */
TEST_F(identity, is_that_of_the_snapshot)
{
	const uint8_t none[VFIO_MIG_CONFIG_ID_SIZE] = { 0 };
	const uint8_t *want = variant->depends ? self->i.config.id : none;
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->i.good, nr, &rec); nr++)
		EXPECT_EQ(0, memcmp(want, self->i.good.data + rec.offset +
				    offsetof(struct mtty_rec_head, source),
				    sizeof(none))) {
			TH_LOG("%s", vmig_stream_type_name(rec.type));
		}
	EXPECT_LE(7, nr);
}

/*
 * Proposal: EPROTO: a record without an identity though data depend on it, or with one
 * though they do not; nothing of it is consumed
 */
TEST_F(identity, only_one_side_has_opted_in)
{
	uint64_t other = !variant->depends;
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->i.good, nr, &rec); nr++) {
		make_bad(_metadata, &self->i, &rec, other, other);
		enter(_metadata, &self->i, true);
		expect_stop_at(_metadata, &self->i, &rec, -EPROTO);
	}
}

/* Proposal: EPROTO at the first record: the destination has not opted in */
TEST_F(depends, destination_has_not_opted_in)
{
	struct vmig_rec rec;

	vmig_device_close(self->i.dev);
	ASSERT_RET(0, vmig_device_open(self->i.dev, &self->i.td.mdev, VMIG_PATH_ANY),
		   "open");
	enter(_metadata, &self->i, false);
	ASSERT_EQ(0, vmig_stream_at(&self->i.bad, 0, &rec));
	expect_stop_at(_metadata, &self->i, &rec, -EPROTO);
}

/* Proposal: ESTALE: a record of another source; the right one can follow */
TEST_F(depends, another_source_in_mid_stream)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->i.good, nr, &rec); nr++) {
		make_bad(_metadata, &self->i, &rec, self->i.source ^ 1, self->i.version);
		enter(_metadata, &self->i, true);
		expect_stop_at(_metadata, &self->i, &rec, -ESTALE);
		expect_good_continues(_metadata, &self->i, &rec);
	}
}

/* Proposal: ANY_ORDER: ESTALE: a record of another source than the first record */
TEST_F(any_order, first_record_selects_the_source)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 1; !vmig_stream_at(&self->i.good, nr, &rec); nr++) {
		make_bad(_metadata, &self->i, &rec, self->i.source ^ 1, self->i.version);
		enter(_metadata, &self->i, false);
		expect_stop_at(_metadata, &self->i, &rec, -ESTALE);
		ASSERT_RET(0, vmig_config_set(self->i.fd, &self->i.config), "SET_CONFIG");
		expect_good_continues(_metadata, &self->i, &rec);
	}
}

/* Proposal: BEFORE_DATA: ESTALE: a record of another snapshot; the right one can follow */
TEST_F(before_data, another_version_in_mid_stream)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->i.good, nr, &rec); nr++) {
		make_bad(_metadata, &self->i, &rec, self->i.source, self->i.version + 1);
		enter(_metadata, &self->i, true);
		expect_stop_at(_metadata, &self->i, &rec, -ESTALE);
		expect_good_continues(_metadata, &self->i, &rec);
	}
}

/* Proposal: ANY_ORDER: only the last record decides: ESTALE from CHECK_DATA and STOP */
TEST_F(any_order, last_record_decides)
{
	struct vmig_rec rec, end;
	unsigned int nr;

	ASSERT_EQ(0, vmig_stream_find(&self->i.good, MTTY_REC_END, 0, &end));
	for (nr = 0; !vmig_stream_at(&self->i.good, nr, &rec); nr++) {
		int err = rec.offset == end.offset ? -ESTALE : 0;

		make_bad(_metadata, &self->i, &rec, self->i.source, self->i.version + 1);
		enter(_metadata, &self->i, true);
		EXPECT_RET(0, vmig_transfer_write(self->i.fd, self->i.bad.data,
						  self->i.bad.len,
						  VMIG_TRANSFER_CHUNK, NULL),
			   "record %u", nr);
		EXPECT_RET(err, vmig_check_data(self->i.fd), "record %u", nr);
		EXPECT_RET(err, vmig_mig_set_state(self->i.dev, VFIO_DEVICE_STATE_STOP,
						   NULL), "record %u", nr);
	}
}

/* Driver: MTTY_REC_REINIT.before: a version before that of the record, else EINVAL */
TEST_F(identity, reinit_is_checked)
{
	const struct {
		uint64_t before;
		int err;
	} rows[] = {
		{ 1, 0 }, { self->i.version - 1, 0 }, { self->i.version, -EINVAL },
		{ self->i.version + 1, -EINVAL }, { 0, -EINVAL }, { ~0ULL, -EINVAL },
	};
	struct vmig_rec rec;
	unsigned int i;

	ASSERT_EQ(0, vmig_stream_find(&self->i.good, MTTY_REC_LOG, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mtty_rec_reinit reinit = {
			.before = htole64(rows[i].before),
		};
		/* A stream without identities has none that could change */
		int err = variant->depends ? rows[i].err : -EINVAL;

		ASSERT_EQ(0, vmig_bytes_copy(&self->i.bad, &self->i.good));
		ASSERT_EQ(0, vmig_stream_insert(&self->i.bad, rec.offset,
						MTTY_REC_REINIT, &rec, &reinit,
						sizeof(reinit)));
		ASSERT_EQ(0, vmig_stream_renumber(&self->i.bad));
		enter(_metadata, &self->i, true);
		EXPECT_RET(err, vmig_transfer_write(self->i.fd, self->i.bad.data,
						    self->i.bad.len,
						    VMIG_TRANSFER_CHUNK, NULL),
			   "before %llu", (unsigned long long)rows[i].before);
		EXPECT_RET(err, vmig_check_data(self->i.fd), "CHECK_DATA");
		EXPECT_RET(err, vmig_mig_set_state(self->i.dev, VFIO_DEVICE_STATE_STOP,
						   NULL), "STOP");
	}
}

TEST_HARNESS_MAIN
