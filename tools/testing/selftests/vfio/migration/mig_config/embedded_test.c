// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy embedded: the device's own data carry config space. A VMM overrides it by
 * writing or loading in RESUMING.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define LINE	9
#define OWN	5

/* With and without opting in; no policy, as it is the default */
FIXTURE_VARIANT(embedded) {
	bool opted_in;
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
#define SET_UP() do { \
	if (variant->opted_in) { \
		ASSERT_RET(0, vmig_config_opt_in_own(&self->src.dev), "opt in"); \
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in"); \
	} \
	ASSERT_RET(0, vmig_contents_set(&self->src.dev, PORTS, SEED), "ports"); \
	ASSERT_RET(0, set_config(&self->src.dev), "config space"); \
	ASSERT_RET(0, read_content(&self->src.dev, self->other.data), "read"); \
	self->other.size = PCI_CFG_SPACE_SIZE; \
	SAVE(); \
} while (0)

TWO_DEVICES_FIXTURE(embedded, NULL, SET_UP());
FIXTURE_VARIANT_ADD(embedded, plain) { .opted_in = false };
FIXTURE_VARIANT_ADD(embedded, opted_in) { .opted_in = true };

#define COMMAND(_val) \
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, _val), "command")

/* Proposal: the data restore config space */
TEST_F(embedded, data_are_enough)
{
	RESUME();
	LOAD_BYTES(0, 0, self->rec.data.len);
	EXPECT_MIGRATED(&self->other);
}

/* Proposal: objection "today's VMMs": one that writes only PCI_COMMAND loses no byte */
TEST_F(embedded, objection_todays_vmm_writes_only_the_command_register)
{
	RESUME();
	LOAD_BYTES(0, 0, self->rec.data.len);
	COMMAND(PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	EXPECT_MIGRATED(&self->other);
}

/* Proposal: objection "today's VMMs": the same, when it also writes before the data */
TEST_F(embedded, objection_todays_vmm_writes_the_command_register_first)
{
	RESUME();
	COMMAND(0);
	LOAD_BYTES(0, 0, self->rec.data.len);
	COMMAND(PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	EXPECT_MIGRATED(&self->other);
}

/* Driver: the CONFIG record is in effect once it is complete */
TEST_F(embedded, record_is_applied_when_it_is_complete)
{
	struct vmig_rec rec;
	uint8_t line;

	ASSERT_EQ(0, vmig_stream_find(&self->rec.data, MTTY_REC_CONFIG, 0, &rec));
	RESUME();
	LOAD_BYTES(0, 0, rec.offset + rec.size - 1);
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
		   "line");
	EXPECT_EQ(0, line);
	LOAD_BYTES(0, rec.offset + rec.size - 1, rec.offset + rec.size);
	EXPECT_CONTENT(&self->other);
}

/* Driver: each change in PRE_COPY adds one CONFIG record, and the last one counts */
TEST_F(embedded, changed_config_is_sent_again)
{
	struct vmig_device *src = &self->src.dev;
	struct vmig_bytes *data = &self->rec.data;
	struct vmig_rec rec;
	unsigned int i;

	data->len = 0;
	ASSERT_RET(0, set_state(src, VFIO_DEVICE_STATE_RUNNING), "RUNNING");
	ASSERT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	for (i = 0; i < 3; i++) {
		ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, data, 4096),
			   "to the temporary end");
		EXPECT_RET(0, vmig_stream_find(data, MTTY_REC_CONFIG, i, &rec),
			   "record %u", i);
		EXPECT_RET(-ENOENT, vmig_stream_find(data, MTTY_REC_CONFIG,
						     i + 1, &rec),
			   "record %u", i + 1);
		/* The second write changes nothing */
		ASSERT_EQ(0, vmig_config_write8(src, PCI_INTERRUPT_LINE, OWN + i));
		ASSERT_EQ(0, vmig_config_write8(src, PCI_INTERRUPT_LINE, OWN + i));
	}
	ASSERT_RET(0, set_state(src, VFIO_DEVICE_STATE_STOP_COPY), "stop");
	ASSERT_RET(0, vmig_transfer_read(self->fd, data, 4096), "rest");
	RESUME();
	LOAD_BYTES(0, 0, self->rec.data.len);
	self->other.data[PCI_INTERRUPT_LINE] = OWN + 2;
	EXPECT_MIGRATED(&self->other);
}

/* When the VMM writes to config space, or loads a snapshot */
enum when {
	BEFORE_ALL,
	BEHIND_THE_RECORD,
	BEHIND_ALL,
	WHEN_NR
};

/* Call @act at this time, while the data are loaded */
static void load_with(struct __test_metadata *_metadata,
		      FIXTURE_DATA(embedded) *self, enum when when,
		      int (*act)(FIXTURE_DATA(embedded) *self))
{
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_stream_find(&self->rec.data, MTTY_REC_CONFIG, 0, &rec));
	RESUME();
	if (when == BEFORE_ALL)
		ASSERT_RET(0, act(self), "before all");
	LOAD_BYTES(0, 0, rec.offset + rec.size);
	if (when == BEHIND_THE_RECORD)
		ASSERT_RET(0, act(self), "behind the record");
	LOAD_BYTES(0, rec.offset + rec.size, self->rec.data.len);
	if (when == BEHIND_ALL)
		ASSERT_RET(0, act(self), "behind all");
}

static int write_line(FIXTURE_DATA(embedded) *self)
{
	return vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, OWN);
}

/* Proposal: bytes that the VMM writes override the data, in any order */
TEST_F(embedded, own_writes_override_the_data)
{
	enum when when;

	self->other.data[PCI_INTERRUPT_LINE] = OWN;
	for (when = BEFORE_ALL; when < WHEN_NR; when++) {
		load_with(_metadata, self, when, write_line);
		EXPECT_MIGRATED(&self->other);
	}
}

/* Proposal: in the next RESUMING session, the bytes written in this one do not count */
TEST_F(embedded, own_writes_are_of_one_session)
{
	load_with(_metadata, self, BEHIND_ALL, write_line);
	ASSERT_RET(0, set_state(self->dev, VFIO_DEVICE_STATE_STOP), "STOP");
	close(self->fd);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	LOAD_BYTES(0, 0, self->rec.data.len);
	EXPECT_MIGRATED(&self->other);
}

static int load_snapshot(FIXTURE_DATA(embedded) *self)
{
	return vmig_config_set(self->fd, &self->other);
}

/* Proposal: opted in: a snapshot overrides the data's config space, in any order */
TEST_F(embedded, own_snapshot_overrides_the_data)
{
	enum when when;

	RESUME();
	if (!variant->opted_in) {
		EXPECT_RET(-ENOTTY, load_snapshot(self), "plain");
		return;
	}
	ASSERT_RET(0, read_content(self->dev, self->other.data), "content");
	self->other.data[PCI_INTERRUPT_LINE] = OWN;
	for (when = BEFORE_ALL; when < WHEN_NR; when++) {
		load_with(_metadata, self, when, load_snapshot);
		EXPECT_MIGRATED(&self->other);
	}
}

/* Driver: a CONFIG record that differs in a read-only bit: EINVAL */
TEST_F(embedded, record_of_another_device)
{
	struct vmig_rec rec;
	unsigned int at, bit, refused = 0, loaded = 0;
	uint8_t masks[PCI_CFG_SPACE_SIZE];
	int write_err, stop_err;

	for (at = 0; at < sizeof(masks); at++)
		ASSERT_RET(0, vmig_config_find_writable(self->dev, at, &masks[at]),
			   "byte 0x%x", at);
	ASSERT_EQ(0, vmig_stream_find(&self->rec.data, MTTY_REC_CONFIG, 0, &rec));
	for (at = 0; at < sizeof(masks); at++) {
		uint8_t byte = rec.payload[at], flip;
		int want;

		bit = at % 8;
		flip = byte ^ 1 << bit;
		want = masks[at] >> bit & 1 ? 0 : -EINVAL;
		vmig_stream_poke(&self->rec.data, &rec, at, &flip, 1);
		ASSERT_EQ(0, vmig_stream_fix_sums(&self->rec.data));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		stop_err = vmig_transfer_offer(self->dev, &self->rec.data,
					       &write_err);
		EXPECT_RET(want, write_err, "byte 0x%x bit %u", at, bit);
		EXPECT_RET(want, stop_err, "byte 0x%x bit %u", at, bit);
		refused += want != 0;
		loaded += want == 0;
		vmig_stream_poke(&self->rec.data, &rec, at, &byte, 1);
	}
	EXPECT_LT(200, refused);
	EXPECT_LT(5, loaded);
}

static void offer(struct __test_metadata *_metadata,
		  FIXTURE_DATA(embedded) *self, int want, const char *what)
{
	int write_err, stop_err;

	ASSERT_EQ(0, vmig_stream_renumber(&self->rec.data));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	stop_err = vmig_transfer_offer(self->dev, &self->rec.data, &write_err);
	EXPECT_RET(want, write_err, "%s", what);
	EXPECT_RET(want, stop_err, "%s", what);
}

/* Driver: CONFIG may come again, and must come before END, else EINVAL */
TEST_F(embedded, record_is_repeated_or_missing)
{
	struct mtty_rec_config config;
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_stream_find(&self->rec.data, MTTY_REC_CONFIG, 0, &rec));
	memcpy(&config, rec.payload, sizeof(config));
	ASSERT_EQ(0, vmig_stream_insert(&self->rec.data, rec.offset,
					MTTY_REC_CONFIG, NULL, &config,
					sizeof(config)));
	offer(_metadata, self, 0, "twice");
	ASSERT_EQ(0, vmig_bytes_cut(&self->rec.data, rec.offset, rec.size));
	offer(_metadata, self, 0, "once");
	ASSERT_EQ(0, vmig_bytes_cut(&self->rec.data, rec.offset, rec.size));
	offer(_metadata, self, -EINVAL, "missing");
}

FIXTURE_VARIANT(not_embedded) {
	const char *policy;
};

DEVICE_FIXTURE(not_embedded, "mtty-2", .config_policy = variant->policy);

FIXTURE_VARIANT_ADD(not_embedded, independent) { .policy = "independent" };
FIXTURE_VARIANT_ADD(not_embedded, before_data) { .policy = "before-data" };
FIXTURE_VARIANT_ADD(not_embedded, reorder) { .policy = "reorder" };

/* Driver: a CONFIG record under another policy: EINVAL */
TEST_F(not_embedded, record_is_refused)
{
	struct vmig_device *dev = self->dev;
	struct mtty_rec_config config;
	struct vmig_rec rec;

	/* Its own config space, so that only the record itself is wrong */
	ASSERT_EQ(0, read_content(dev, config.space));
	ASSERT_EQ(0, vmig_transfer_save(dev, &self->stream));
	ASSERT_EQ(0, vmig_stream_at(&self->stream, 1, &rec));
	ASSERT_EQ(0, vmig_stream_insert(&self->stream, rec.offset,
					MTTY_REC_CONFIG, NULL, &config,
					sizeof(config)));
	ASSERT_EQ(0, vmig_stream_renumber(&self->stream));
	ASSERT_RET(0, vmig_device_reset(dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(-EINVAL, vmig_transfer_write(self->fd, self->stream.data,
						self->stream.len,
						VMIG_TRANSFER_CHUNK, NULL),
		   "data");
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
					       NULL), "STOP");
}

TEST_HARNESS_MAIN
