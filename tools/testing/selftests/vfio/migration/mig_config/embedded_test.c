// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy embedded: the device's own data carry config space, and a VMM's writes
 * override it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio_mig_config.h>

#include "lib/mtty.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define PORTS	2
#define SEED	31
#define LINE	9
#define OWN	5

FIXTURE(embedded) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	uint8_t space[PCI_CFG_SPACE_SIZE];
	uint64_t generation;
	int fd;
};

static int set_config(struct vmig_device *dev)
{
	int ret;

	ret = vmig_config_write32(dev, PCI_BASE_ADDRESS_0, 0xc000);
	if (!ret)
		ret = vmig_config_write32(dev, PCI_BASE_ADDRESS_1, 0xc008);
	if (!ret)
		ret = vmig_config_write32(dev, PCI_BASE_ADDRESS_2, 0xfe000000);
	if (!ret)
		ret = vmig_config_write8(dev, PCI_INTERRUPT_LINE, LINE);
	return ret ? ret : vmig_config_write16(dev, PCI_COMMAND,
					       PCI_COMMAND_IO |
					       PCI_COMMAND_MASTER);
}

/* Config space, and a stream, that differ from those of a device after reset */
FIXTURE_SETUP(embedded)
{
	const struct vmig_attrs attrs = {
		.config_policy = "embedded", .capture_size = "16K",
	};
	struct vfio_device_feature_mig_config answer;

	self->fd = -1;
	self->dev = &self->dst.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_contents_set(&self->src.dev, PORTS, SEED));
	ASSERT_EQ(0, set_config(&self->src.dev));
	ASSERT_EQ(0, vmig_region_read(&self->src.dev, CONFIG, 0, self->space,
				      sizeof(self->space)));
	ASSERT_EQ(0, vmig_mig_config_get(&self->src.dev, &answer));
	ASSERT_EQ(VFIO_MIG_CONFIG_EMBEDDED, answer.flags);
	self->generation = answer.generation;
	ASSERT_EQ(0, vmig_transfer_save(&self->src.dev, &self->stream));
}

FIXTURE_TEARDOWN(embedded)
{
	if (self->fd >= 0)
		close(self->fd);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

static void begin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(embedded) *self)
{
	if (self->fd >= 0)
		close(self->fd);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

/* Write the bytes of the stream between two offsets */
static void load(struct __test_metadata *_metadata,
		 FIXTURE_DATA(embedded) *self, size_t from, size_t to)
{
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data + from,
					  to - from, VMIG_TRANSFER_CHUNK,
					  NULL), "data");
}

/* It runs, with this config space, the source's generation plus @changes, and contents */
static void expect_device(struct __test_metadata *_metadata,
			  FIXTURE_DATA(embedded) *self, const uint8_t *space,
			  unsigned int changes)
{
	struct vfio_device_feature_mig_config answer;
	uint8_t seen[PCI_CFG_SPACE_SIZE];
	const char *what = "";

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, seen,
				       sizeof(seen)), "config");
	EXPECT_EQ(0, memcmp(space, seen, sizeof(seen)));
	EXPECT_RET(0, vmig_mig_config_get(self->dev, &answer), "GET");
	EXPECT_EQ(VFIO_MIG_CONFIG_EMBEDDED, answer.flags);
	EXPECT_EQ(self->generation + changes, answer.generation);
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/* Proposal: the data restore config space and its generation */
TEST_F(embedded, data_are_enough)
{
	begin(_metadata, self);
	load(_metadata, self, 0, self->stream.len);
	expect_device(_metadata, self, self->space, 0);
}

/* Proposal: a VMM that writes only PCI_COMMAND ends with the source's config space */
TEST_F(embedded, vmm_that_writes_only_the_command_register)
{
	begin(_metadata, self);
	load(_metadata, self, 0, self->stream.len);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO | PCI_COMMAND_MASTER),
		   "command");
	expect_device(_metadata, self, self->space, 0);

	begin(_metadata, self);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0),
		   "command");
	load(_metadata, self, 0, self->stream.len);
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO | PCI_COMMAND_MASTER),
		   "command");
	expect_device(_metadata, self, self->space, 0);
}

/* Driver: a read in RESUMING returns the CONFIG record once it is complete */
TEST_F(embedded, record_can_be_read_when_it_is_complete)
{
	struct vmig_rec rec;
	uint8_t line;

	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 0, &rec));
	begin(_metadata, self);
	load(_metadata, self, 0, rec.offset + rec.size - 1);
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
		   "line");
	EXPECT_EQ(0, line);
	load(_metadata, self, rec.offset + rec.size - 1, rec.offset + rec.size);
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
		   "line");
	EXPECT_EQ(LINE, line);
}

/* Driver: each change in PRE_COPY adds one CONFIG record, and the last one counts */
TEST_F(embedded, changed_config_is_sent_again)
{
	struct vmig_rec rec;
	unsigned int i;
	int fd;

	self->stream.len = 0;
	ASSERT_RET(0, vmig_mig_set_state(&self->src.dev,
					 VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	ASSERT_RET(0, vmig_mig_set_state(&self->src.dev,
					 VFIO_DEVICE_STATE_PRE_COPY, &fd),
		   "PRE_COPY");
	for (i = 0; i < 3; i++) {
		ASSERT_RET(-ENOMSG, vmig_transfer_read(fd, &self->stream,
						       VMIG_TRANSFER_CHUNK),
			   "to the temporary end");
		EXPECT_RET(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG,
					       i, &rec), "record %u", i);
		EXPECT_EQ(self->generation, rec.generation);
		EXPECT_RET(-ENOENT, vmig_stream_find(&self->stream,
						     MTTY_REC_CONFIG, i + 1,
						     &rec), "record %u", i + 1);
		/* The second write changes nothing */
		ASSERT_EQ(0, vmig_config_write8(&self->src.dev,
						PCI_INTERRUPT_LINE, OWN + i));
		ASSERT_EQ(0, vmig_config_write8(&self->src.dev,
						PCI_INTERRUPT_LINE, OWN + i));
		self->generation++;
	}
	ASSERT_RET(0, vmig_mig_set_state(&self->src.dev,
					 VFIO_DEVICE_STATE_STOP_COPY, NULL),
		   "STOP_COPY");
	ASSERT_RET(0, vmig_transfer_read(fd, &self->stream,
					 VMIG_TRANSFER_CHUNK), "rest");
	close(fd);
	begin(_metadata, self);
	load(_metadata, self, 0, self->stream.len);
	self->space[PCI_INTERRUPT_LINE] = OWN + 2;
	expect_device(_metadata, self, self->space, 0);
}

/* When the VMM writes to config space */
enum when {
	BEFORE_ALL,
	BEHIND_THE_RECORD,
	BEHIND_ALL,
	WHEN_NR
};

static void write_own(struct __test_metadata *_metadata,
		      FIXTURE_DATA(embedded) *self, int declared)
{
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, OWN),
		   "line");
	if (declared)
		ASSERT_RET(0, vmig_mig_config_loaded(self->dev, 77), "SET");
}

static void load_with_own(struct __test_metadata *_metadata,
			  FIXTURE_DATA(embedded) *self, enum when when,
			  int declared)
{
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 0, &rec));
	begin(_metadata, self);
	if (when == BEFORE_ALL)
		write_own(_metadata, self, declared);
	load(_metadata, self, 0, rec.offset + rec.size);
	if (when == BEHIND_THE_RECORD)
		write_own(_metadata, self, declared);
	load(_metadata, self, rec.offset + rec.size, self->stream.len);
	if (when == BEHIND_ALL)
		write_own(_metadata, self, declared);
}

/* Proposal: the VMM's writes, declared or not, override the data in any order */
TEST_F(embedded, own_writes_override_the_data)
{
	enum when when;
	int declared;

	self->space[PCI_INTERRUPT_LINE] = OWN;
	for (when = BEFORE_ALL; when < WHEN_NR; when++) {
		for (declared = 0; declared < 2; declared++) {
			load_with_own(_metadata, self, when, declared);
			expect_device(_metadata, self, self->space, 1);
		}
	}
}

/* Proposal: a whole snapshot of the VMM overrides all of the data's config space */
TEST_F(embedded, own_snapshot_overrides_the_data)
{
	uint8_t own[PCI_CFG_SPACE_SIZE];

	begin(_metadata, self);
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, own, sizeof(own)),
		   "config");
	own[PCI_INTERRUPT_LINE] = OWN;
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, own, sizeof(own)),
		   "config");
	ASSERT_RET(0, vmig_mig_config_loaded(self->dev, self->generation + 3),
		   "SET");
	load(_metadata, self, 0, self->stream.len);
	/* The interrupt status depends on the ports, which have been loaded */
	own[PCI_STATUS] = self->space[PCI_STATUS];
	expect_device(_metadata, self, own, 1);
}

/* Proposal: SET of a snapshot that contradicts the device: EINVAL here, too */
TEST_F(embedded, own_snapshot_is_checked)
{
	begin(_metadata, self);
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_REVISION_ID, 0x77),
		   "revision");
	EXPECT_RET(-EINVAL, vmig_mig_config_loaded(self->dev, 1), "SET");
}

/* The writable bits of a byte of config space, found by writing */
static uint8_t writable(struct vmig_device *dev, unsigned int at)
{
	uint8_t old = 0, now = 0;

	vmig_config_read8(dev, at, &old);
	vmig_config_write8(dev, at, ~old);
	vmig_config_read8(dev, at, &now);
	vmig_config_write8(dev, at, old);
	return old ^ now;
}

/* Driver: a CONFIG record that differs in a read-only bit: EINVAL */
TEST_F(embedded, record_of_another_device)
{
	struct vmig_rec rec;
	unsigned int at, bit, refused = 0;
	uint8_t masks[PCI_CFG_SPACE_SIZE];
	int write_err, stop_err;

	for (at = 0; at < sizeof(masks); at++)
		masks[at] = writable(self->dev, at);
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 0, &rec));
	for (at = 0; at < sizeof(masks); at++) {
		uint8_t byte = rec.payload[at], flip;
		int want;

		bit = at % 8;
		flip = byte ^ 1 << bit;
		want = masks[at] >> bit & 1 ? 0 : -EINVAL;
		/* The state of INTx is not content */
		if (at == PCI_STATUS && 1 << bit == PCI_STATUS_INTERRUPT)
			want = 0;
		vmig_stream_poke(&self->stream, &rec, at, &flip, 1);
		ASSERT_EQ(0, vmig_stream_fix_sums(&self->stream));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		stop_err = vmig_transfer_offer(self->dev, &self->stream,
					       &write_err);
		EXPECT_RET(want, write_err, "byte 0x%x bit %u", at, bit);
		EXPECT_RET(want, stop_err, "byte 0x%x bit %u", at, bit);
		refused += want != 0;
		vmig_stream_poke(&self->stream, &rec, at, &byte, 1);
	}
	EXPECT_LT(200, refused);
}

static void offer(struct __test_metadata *_metadata,
		  FIXTURE_DATA(embedded) *self, int want, const char *what)
{
	int write_err, stop_err;

	ASSERT_EQ(0, vmig_stream_renumber(&self->stream));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	stop_err = vmig_transfer_offer(self->dev, &self->stream, &write_err);
	EXPECT_RET(want, write_err, "%s", what);
	EXPECT_RET(want, stop_err, "%s", what);
}

/* Driver: the last CONFIG record must have END's generation, else EINVAL */
TEST_F(embedded, record_is_missing_or_another_one)
{
	struct mtty_rec_config config;
	struct mtty_rec_reinit reinit = { .before = 1 };
	uint64_t other;
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 0, &rec));
	memcpy(&config, rec.payload, sizeof(config));
	ASSERT_EQ(0, vmig_stream_insert(&self->stream, rec.offset,
					MTTY_REC_CONFIG, 99, &config,
					sizeof(config)));
	offer(_metadata, self, 0, "twice");

	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 1, &rec));
	other = 98;
	vmig_stream_poke_head(&self->stream, &rec,
			      offsetof(struct mtty_rec_head, generation),
			      &other, sizeof(other));
	offer(_metadata, self, -EINVAL, "of another generation");

	ASSERT_EQ(0, vmig_bytes_cut(&self->stream, rec.offset, rec.size));
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CONFIG, 0, &rec));
	ASSERT_EQ(0, vmig_bytes_cut(&self->stream, rec.offset, rec.size));
	offer(_metadata, self, -EINVAL, "missing");

	ASSERT_EQ(0, vmig_stream_insert(&self->stream, rec.offset,
					MTTY_REC_REINIT, self->generation,
					&reinit, sizeof(reinit)));
	offer(_metadata, self, -EINVAL, "REINIT instead");
}

FIXTURE_VARIANT(not_embedded) {
	const char *policy;
};

DEVICE_FIXTURE(not_embedded, "mtty-2", .config_policy = variant->policy);

FIXTURE_VARIANT_ADD(not_embedded, independent) {
	.policy = "independent",
};

FIXTURE_VARIANT_ADD(not_embedded, before_data) {
	.policy = "before-data",
};

FIXTURE_VARIANT_ADD(not_embedded, reorder) {
	.policy = "reorder",
};

/* Driver: a CONFIG record under another policy: EINVAL */
TEST_F(not_embedded, record_is_refused)
{
	struct vmig_device *dev = self->dev;
	struct mtty_rec_config config;
	struct vmig_rec rec;

	/* Its own config space, so that only the record itself is wrong */
	ASSERT_EQ(0, vmig_region_read(dev, CONFIG, 0, config.space,
				      sizeof(config.space)));
	ASSERT_EQ(0, vmig_transfer_save(dev, &self->stream));
	ASSERT_EQ(0, vmig_stream_at(&self->stream, 1, &rec));
	ASSERT_EQ(0, vmig_stream_insert(&self->stream, rec.offset,
					MTTY_REC_CONFIG, 1, &config,
					sizeof(config)));
	ASSERT_EQ(0, vmig_stream_renumber(&self->stream));
	ASSERT_RET(0, vmig_device_reset(dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	ASSERT_RET(0, vmig_mig_config_loaded(dev, 1), "SET");
	EXPECT_RET(-EINVAL, vmig_transfer_write(self->fd, self->stream.data,
						self->stream.len,
						VMIG_TRANSFER_CHUNK, NULL),
		   "data");
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
					       NULL), "STOP");
}

TEST_HARNESS_MAIN
