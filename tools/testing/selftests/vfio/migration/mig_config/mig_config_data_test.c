// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space and migration data on one device: data before config space, data of
 * another generation, and that the migration continues after the error. For a VMM's
 * part see config_order_test.c.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define PORTS	2
#define SEED	30

FIXTURE_VARIANT(order) {
	const char *policy;
	/* write() before any snapshot was loaded */
	int first_err;
	/* read() after config space has changed since the last GET */
	int read_err;
};

DEVICE_FIXTURE(order, "mtty-2", .capture_size = "64K",
	       .config_policy = variant->policy);

FIXTURE_VARIANT_ADD(order, independent) {
	.policy = "independent", .read_err = -ENOMSG,
};

FIXTURE_VARIANT_ADD(order, before_data) {
	.policy = "before-data", .first_err = -EPROTO, .read_err = -ESTALE,
};

static int change_config(struct vmig_device *dev)
{
	uint8_t line;
	int ret;

	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	return ret ? ret : vmig_config_write8(dev, PCI_INTERRUPT_LINE, line + 1);
}

static int set_stop(struct vmig_device *dev)
{
	return vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
}

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

/* A device after reset, in RESUMING, and the stream of one with contents */
static void resume(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	begin(_metadata, self);
}

/* Write the stream from this byte on; then the device has the contents */
static void finish(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self,
		   size_t from, size_t chunk)
{
	const char *what = "";

	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data + from,
					  self->stream.len - from, chunk, NULL),
		   "the rest");
	EXPECT_RET(0, set_stop(self->dev), "STOP");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/* Proposal: write() before a snapshot: EPROTO under BEFORE_DATA, otherwise accepted */
TEST_F(order, data_before_config)
{
	size_t taken = 0;

	resume(_metadata, self);
	EXPECT_RET(variant->first_err,
		   vmig_transfer_write(self->fd, self->stream.data,
				       self->stream.len, self->stream.len,
				       &taken), "all data");
	EXPECT_EQ(variant->first_err ? 0 : self->stream.len, taken);
	if (!variant->first_err)
		EXPECT_RET(0, set_stop(self->dev), "STOP");
}

/* Driver: STOP after data were refused for their order: ENODATA, still RESUMING */
TEST_F(order, stop_after_refused_data)
{
	const struct vmig_bytes *stream = &self->stream;

	resume(_metadata, self);
	if (variant->first_err) {
		EXPECT_RET(variant->first_err,
			   vmig_transfer_write(self->fd, stream->data,
					       stream->len, stream->len, NULL),
			   "no config space");
		EXPECT_RET(-ENODATA, set_stop(self->dev), "no config space");
	}
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET");
	EXPECT_RET(-ESTALE, vmig_transfer_write(self->fd, stream->data,
						stream->len, stream->len, NULL),
		   "another generation");
	EXPECT_RET(-ENODATA, set_stop(self->dev), "another generation");
	EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, self->dev, "STOP");
}

/* Proposal: EPROTO consumes nothing; the write() may be repeated after SET */
TEST_F(order, data_repeated_after_config)
{
	size_t taken = 0;
	int i;

	resume(_metadata, self);
	for (i = 0; i < 3; i++) {
		EXPECT_RET(variant->first_err,
			   vmig_transfer_write(self->fd, self->stream.data, 1,
					       1, &taken), "try %d", i);
		if (taken)
			break;
	}
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET");
	finish(_metadata, self, taken, 4096);
}

/* Proposal: data of another generation: ESTALE, nothing consumed; may be repeated */
TEST_F(order, data_of_another_generation)
{
	size_t taken = 1;
	int i;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET");
	for (i = 0; i < 3; i++) {
		EXPECT_RET(-ESTALE,
			   vmig_transfer_write(self->fd, self->stream.data,
					       self->stream.len,
					       self->stream.len, &taken),
			   "try %d", i);
		EXPECT_EQ(0, taken);
	}
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET");
	finish(_metadata, self, 0, self->stream.len);
}

/* Driver: byte by byte, the write() that completes the head of a record fails */
TEST_F(order, data_of_another_generation_byte_by_byte)
{
	const size_t head = sizeof(struct mtty_rec_head);
	size_t taken = 0;

	resume(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET");
	EXPECT_RET(-ESTALE, vmig_transfer_write(self->fd, self->stream.data,
						self->stream.len, 1, &taken),
		   "data");
	EXPECT_EQ(head - 1, taken);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET");
	finish(_metadata, self, taken, 1);
}

/* A stream of generation 1 up to the returned offset, and of generation 2 from there */
static size_t save_two_generations(struct __test_metadata *_metadata,
				   FIXTURE_DATA(order) *self)
{
	size_t first;

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "under generation 1");
	first = self->stream.len;
	EXPECT_RET(0, change_config(self->dev), "config");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "under generation 2");
	close(self->fd);
	self->fd = -1;
	return first;
}

/* Proposal: write() across a change of generation is short, then ESTALE until SET */
TEST_F(order, config_changes_in_mid_stream)
{
	size_t first = save_two_generations(_metadata, self), taken = 0;

	begin(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET 1");
	EXPECT_RET(-ESTALE, vmig_transfer_write(self->fd, self->stream.data,
						self->stream.len,
						self->stream.len, &taken),
		   "all data");
	EXPECT_EQ(first, taken);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 1),
		   "config");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET 2");
	finish(_metadata, self, taken, 4096);
}

/* Load a newer snapshot @within bytes after the last record of generation 1 began */
static void check_cut(struct __test_metadata *_metadata,
		      FIXTURE_DATA(order) *self, size_t within)
{
	size_t first = save_two_generations(_metadata, self), cut;
	struct vmig_rec rec = { 0 };
	unsigned int nr = 0;

	while (rec.offset + rec.size < first)
		ASSERT_EQ(0, vmig_stream_at(&self->stream, nr++, &rec));
	cut = rec.offset + within;
	begin(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET 1");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data, cut,
					  4096, NULL), "up to mid-record");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET 2");
	finish(_metadata, self, cut, 4096);
}

/* Proposal: a record begun under the older snapshot is accepted: cut in its head */
TEST_F(order, head_begun_under_the_older_config)
{
	check_cut(_metadata, self, 1);
}

/* Proposal: a record begun under the older snapshot is accepted: cut in its payload */
TEST_F(order, payload_begun_under_the_older_config)
{
	check_cut(_metadata, self, sizeof(struct mtty_rec_head) + 1);
}

/* Proposal: data of an older generation than the snapshot: ESTALE */
TEST_F(order, older_data_after_newer_config)
{
	struct vmig_rec second;
	size_t taken = 0;

	save_two_generations(_metadata, self);
	ASSERT_EQ(0, vmig_stream_at(&self->stream, 1, &second));
	begin(_metadata, self);
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 1), "SET 1");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  second.offset, 4096, NULL), "1st record");
	EXPECT_RET(0, vmig_mig_config_loaded(self->dev, 2), "SET 2");
	EXPECT_RET(-ESTALE, vmig_transfer_write(self->fd, self->stream.data +
						second.offset, second.size,
						second.size, &taken),
		   "2nd record");
	EXPECT_EQ(0, taken);
}

/* Proposal: data of several generations, no snapshot: EPROTO under BEFORE_DATA only */
TEST_F(order, generations_without_config)
{
	save_two_generations(_metadata, self);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(variant->first_err, vmig_transfer_load(self->dev,
							  &self->stream),
		   "load");
}

/* Proposal: read() after config space changed since the last GET: ESTALE until GET */
TEST_F(order, source_must_ask_again)
{
	struct vfio_device_feature_mig_config config;
	char byte;

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	ASSERT_EQ(1, read(self->fd, &byte, 1));
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, &byte, 1));
	ASSERT_RET(0, change_config(self->dev), "config");
	/* The record that was begun may be read to its end */
	EXPECT_RET(variant->read_err,
		   vmig_transfer_read(self->fd, &self->stream, 4096),
		   "after a change");
	EXPECT_RET(variant->read_err,
		   vmig_transfer_read(self->fd, &self->stream, 4096), "again");
	ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	EXPECT_EQ(2, config.generation);
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "after GET");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "rest");
}

/* Proposal: a GET that failed with EFAULT does not count: read() is still ESTALE */
TEST_F(order, source_whose_get_failed_must_ask_again)
{
	/* Read-only memory */
	static const struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_mig_config config;
	} constant = {
		.feature = {
			.argsz = sizeof(constant),
			.flags = VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_MIG_CONFIG,
		},
	};
	struct vfio_device_feature_mig_config config;

	ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	ASSERT_RET(0, change_config(self->dev), "config");
	EXPECT_EQ(-1, ioctl(self->dev->fd, VFIO_DEVICE_FEATURE, &constant));
	EXPECT_RET(-EFAULT, -errno, "constant");
	EXPECT_RET(variant->read_err,
		   vmig_transfer_read(self->fd, &self->stream, 4096),
		   "after that");
}

/* Proposal: read() never fails with ESTALE if there was no GET since open */
TEST_F(order, source_that_never_asked_sees_no_error)
{
	save_two_generations(_metadata, self);
}

/* Driver: a stream of another policy: EXDEV, and then ERROR */
TEST_F(order, stream_of_the_other_policy)
{
	bool before = variant->first_err == -EPROTO;
	const struct vmig_attrs attrs = {
		.capture_size = "64K",
		.config_policy = before ? "independent" : "before-data",
	};
	struct vmig_testdev other;
	int write_err;

	resume(_metadata, self);
	ASSERT_EQ(0, vmig_testdev_open(&other, "mtty-2",
				       VMIG_PATH_ANY, &attrs));
	close(self->fd);
	ASSERT_RET(0, vmig_mig_set_state(&other.dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(0, vmig_mig_config_loaded(&other.dev, 1), "SET");
	write_err = vmig_transfer_write(self->fd, self->stream.data,
					self->stream.len, 4096, NULL);
	EXPECT_RET(-EXDEV, write_err, "policy");
	EXPECT_RET(-EXDEV, set_stop(&other.dev), "STOP");
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, &other.dev, "STOP");
	vmig_testdev_close(&other);
}

TEST_HARNESS_MAIN
