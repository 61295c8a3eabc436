// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that arrive in two write() calls, split at every byte: a refusal is the same as
 * in one call, and what a write() did not consume can be written again.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		72
#define HEAD		sizeof(struct mtty_rec_head)

/* Lowest byte of the second half of an identity */
#define VERSION		8

/* @stream: of two snapshots; @second comes before the record at @nr */
FIXTURE(two_snapshots) {
	DEVICE_MEMBERS;
	struct vmig_bytes good;
	struct vmig_snapshot first;
	struct vmig_snapshot second;
};

FIXTURE_SETUP(two_snapshots)
{
	OPEN_DEVICE("mtty-2", .config_policy = "before-data", .capture_size = "8K");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &self->first, &self->good),
		   "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	self->second = self->first;
	self->second.id[VERSION]++;
}

FIXTURE_TEARDOWN(two_snapshots)
{
	vmig_bytes_free(&self->good);
	CLOSE_DEVICE();
}

/* All records from number @from on are of the second snapshot */
static void make_two(struct __test_metadata *_metadata, FIXTURE_DATA(two_snapshots) *self,
		     unsigned int from)
{
	struct vmig_rec rec;
	unsigned int nr;

	ASSERT_EQ(0, vmig_bytes_copy(&self->stream, &self->good));
	for (nr = from; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		uint64_t version = htole64(rec.version + 1);

		ASSERT_EQ(0, vmig_stream_poke_head(&self->stream, &rec,
						   offsetof(struct mtty_rec_head, version),
						   &version, sizeof(version)));
	}
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->stream));
}

/* @split bytes of the head at @at come before the rest of it */
static void load_split(struct __test_metadata *_metadata,
		       FIXTURE_DATA(two_snapshots) *self, size_t at, size_t split)
{
	const uint8_t *data = self->stream.data;
	size_t early = at + split;
	int i;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	ASSERT_RET(0, vmig_config_set(self->fd, &self->first), "first");
	if (early)
		ASSERT_EQ((ssize_t)early, write(self->fd, data, early));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(-1, write(self->fd, data + early, HEAD - split));
		ASSERT_RET(-ESTALE, -errno, "byte %zu of the head at %zu", split, at);
	}
	ASSERT_RET(0, vmig_config_set(self->fd, &self->second), "second");
	ASSERT_RET(0, vmig_transfer_write(self->fd, data + early,
					  self->stream.len - early,
					  VMIG_TRANSFER_CHUNK, NULL),
		   "the rest, byte %zu of the head at %zu", split, at);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP, byte %zu of the head at %zu", split, at);
	close(self->fd);
	self->fd = -1;
}

/* Driver: ESTALE for a head in two parts: only the second part was not consumed */
TEST_F(two_snapshots, head_split_at_every_byte)
{
	struct vmig_rec rec;
	unsigned int nr;
	size_t split;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		make_two(_metadata, self, nr);
		for (split = 0; split < HEAD; split++) {
			load_split(_metadata, self, rec.offset, split);
			if (!split)
				EXPECT_CONTENTS(self->dev, PORTS, SEED);
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		}
	}
}

/* A byte of a record that makes it wrong, and the errno */
static const struct {
	uint32_t type;
	unsigned int nth;
	size_t offset;
	uint8_t flip;
	int err;
} wrong[] = {
	{ MTTY_REC_START, 0, offsetof(struct mtty_rec_start, magic), 1, -EBADMSG },
	{ MTTY_REC_START, 0, offsetof(struct mtty_rec_start, version), 1, -EOPNOTSUPP },
	{ MTTY_REC_START, 0, offsetof(struct mtty_rec_start, nr_ports), 3, -EXDEV },
	{ MTTY_REC_CONFIG, 0, PCI_VENDOR_ID, 1, -EINVAL },
	{ MTTY_REC_LOG, 0, offsetof(struct mtty_rec_log, dropped), 1, -EINVAL },
	{ MTTY_REC_UART, 0, offsetof(struct mtty_rec_uart, ier), 0x10, -EINVAL },
	{ MTTY_REC_UART, 1, offsetof(struct mtty_rec_uart, reserved), 1, -EINVAL },
	{ MTTY_REC_IRQ, 0, offsetof(struct mtty_rec_irq, reserved), 1, -EINVAL },
	{ MTTY_REC_END, 0, offsetof(struct mtty_rec_end, records), 1, -EINVAL },
};

DEVICE_FIXTURE(refusal, "mtty-2", .config_policy = "embedded", .capture_size = "8K");

/* The stream is good up to @rec, which is wrong and ends it; its last part has @err */
static void refuse_split(struct __test_metadata *_metadata, FIXTURE_DATA(refusal) *self,
			 const struct vmig_rec *rec, size_t split, int err)
{
	const size_t early = rec->offset + split, all = rec->offset + rec->size;
	const uint8_t *data = self->stream.data;
	int i;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	ASSERT_EQ((ssize_t)early, write(self->fd, data, early));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(-1, write(self->fd, data + early, all - early));
		ASSERT_RET(err, -errno, "%s at %zu, try %d",
			   vmig_stream_type_name(rec->type), split, i);
	}
	ASSERT_RET(err, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP, NULL),
		   "%s at %zu", vmig_stream_type_name(rec->type), split);
	close(self->fd);
	self->fd = -1;
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

/* Driver: write(): the errno of a wrong record comes with its last byte, at any split */
TEST_F(refusal, record_split_at_every_byte)
{
	struct vmig_bytes good = { 0 };
	struct vmig_rec rec;
	unsigned int i;
	size_t split;

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &good), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->stream, &good));
		ASSERT_EQ(0, vmig_stream_find(&self->stream, wrong[i].type, wrong[i].nth,
					      &rec));
		self->stream.data[rec.offset + HEAD + wrong[i].offset] ^= wrong[i].flip;
		ASSERT_EQ(0, vmig_stream_fix_sums(&self->stream));
		for (split = 1; split < rec.size; split++)
			refuse_split(_metadata, self, &rec, split, wrong[i].err);
	}
	vmig_bytes_free(&good);
}

TEST_HARNESS_MAIN
