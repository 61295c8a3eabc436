// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of other devices: which ones a device accepts and which ones it refuses, and
 * that neither device changes when a stream is refused.
 */
#include "lib/mtty.h"
#include "expect_offer.h"

#define SEED	90
#define SEED_DST	91

FIXTURE(foreign) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_bytes stream;
};

FIXTURE_VARIANT(foreign) {
	const char *src_type;
	const char *dst_type;
	struct vmig_attrs src;
	struct vmig_attrs dst;
	unsigned int ports;
	int err;
};

/* The policy, features or capture size of a source and of a destination, and ports */
#define VARIANT(_name, _err, _attr, _src_ports, _src, _dst_ports, _dst) \
	FIXTURE_VARIANT_ADD(foreign, _name) { \
		.src_type = "mtty-" #_src_ports, .src = { ._attr = _src }, \
		.dst_type = "mtty-" #_dst_ports, .dst = { ._attr = _dst }, \
		.ports = _src_ports, .err = _err, \
	}

VARIANT(same_one_port, 0, capture_size, 1, "16K", 1, "16K");
VARIANT(same_two_ports, 0, capture_size, 2, "16K", 2, "16K");
VARIANT(same_without_capture, 0, capture_size, 2, "0", 2, "0");
VARIANT(fewer_features, -EXDEV, features, 2, "p2p pre_copy", 2, "pre_copy");
VARIANT(more_features, -EXDEV, features, 2, "stop_copy", 2, "p2p pre_copy");
VARIANT(same_features, 0, features, 2, "p2p", 2, "p2p");
VARIANT(fewer_ports, -EXDEV, capture_size, 2, "16K", 1, "16K");
VARIANT(more_ports, -EXDEV, capture_size, 1, "16K", 2, "16K");
VARIANT(smaller_capture, -EXDEV, capture_size, 2, "32K", 2, "16K");
VARIANT(larger_capture, -EXDEV, capture_size, 2, "16K", 2, "32K");
VARIANT(no_capture, -EXDEV, capture_size, 2, "16K", 2, "0");
VARIANT(capture_from_none, -EXDEV, capture_size, 2, "0", 2, "16K");
VARIANT(before_data_to_independent, -EXDEV, config_policy,
	2, "before-data", 2, "independent");
VARIANT(reorder_to_independent, -EXDEV, config_policy,
	2, "reorder", 2, "independent");
VARIANT(independent_to_embedded, -EXDEV, config_policy,
	2, "independent", 2, "embedded");
VARIANT(embedded_to_reorder, -EXDEV, config_policy, 2, "embedded", 2, "reorder");

FIXTURE_SETUP(foreign)
{
	ASSERT_EQ(0, vmig_testdev_open(&self->src, variant->src_type,
				       VMIG_PATH_ANY, &variant->src));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, variant->dst_type,
				       VMIG_PATH_ANY, &variant->dst)) {
		vmig_testdev_close(&self->src);
	}
}

FIXTURE_TEARDOWN(foreign)
{
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

/* Driver: other ports, capture size, features or policy: EXDEV, and nothing changes */
TEST_F(foreign, stream_is_judged_by_its_device)
{
	struct vmig_device *src = &self->src.dev, *dst = &self->dst.dev;
	unsigned int dst_ports = strcmp(variant->dst_type, "mtty-2") ? 1 : 2;

	ASSERT_RET(0, vmig_contents_set(src, variant->ports, SEED), "contents");
	ASSERT_RET(0, vmig_contents_set(dst, dst_ports, SEED_DST), "contents");
	ASSERT_RET(0, vmig_transfer_save(src, &self->stream), "save");
	EXPECT_OFFER(variant->err, dst, &self->stream, "offer");
	if (variant->err) {
		EXPECT_CONTENTS(dst, dst_ports, SEED_DST);
		ASSERT_RET(0, vmig_device_reset(dst), "reset");
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dst, "reset");
	} else {
		EXPECT_CONTENTS(dst, variant->ports, SEED);
	}

	/* The source can run in either case */
	EXPECT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_RUNNING, NULL), "source");
	EXPECT_CONTENTS(src, variant->ports, SEED);
}

/* The first record only */
static int write_first(int fd, const struct vmig_bytes *stream)
{
	return vmig_transfer_write(fd, stream->data,
				   sizeof(struct mtty_rec_head) +
				   sizeof(struct mtty_rec_start),
				   VMIG_TRANSFER_CHUNK, NULL);
}

/* Driver: EXDEV is the result of the write() of the first record */
TEST_F(foreign, first_record_is_checked)
{
	struct vmig_device *dst = &self->dst.dev;
	int fd;

	ASSERT_RET(0, vmig_transfer_save(&self->src.dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING, &fd),
		   "RESUMING");
	EXPECT_RET(variant->err, write_first(fd, &self->stream), "START");
	close(fd);
}

DEVICE_FIXTURE(mixed, "mtty-2", .capture_size = "16K");

/* Driver: two streams of one device: START has a random number, so EBADMSG if they are mixed */
TEST_F(mixed, streams_of_one_device)
{
	struct vmig_bytes second = { 0 };
	struct vmig_rec rec;
	unsigned int nr;

	ASSERT_RET(0, vmig_contents_set(self->dev, 2, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "first");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP, NULL), "STOP");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &second), "second");
	ASSERT_EQ(self->stream.len, second.len);
	/* Records of the second behind those of the first: of the same contents */
	for (nr = vmig_stream_count(&second) - 1; nr > 0; nr--) {
		ASSERT_RET(0, vmig_stream_at(&second, nr, &rec), "record %u", nr);
		memcpy(self->stream.data + rec.offset, second.data + rec.offset,
		       second.len - rec.offset);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_OFFER(-EBADMSG, self->dev, &self->stream, "from record %u on", nr);
	}
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_OFFER(0, self->dev, &second, "second");
	EXPECT_CONTENTS(self->dev, 2, SEED);
	vmig_bytes_free(&second);
}

/* @dev: the destination, in RESUMING; @stream and @config: of a source without PRE_COPY */
FIXTURE(before_data) {
	DEVICE_MEMBERS;
	struct vmig_testdev src;
	struct vmig_snapshot config;
};

FIXTURE_SETUP(before_data)
{
	const struct vmig_attrs attrs = {
		.config_policy = "before-data", .features = "stop_copy",
	};

	OPEN_DEVICE("mtty-2", .config_policy = "before-data");
	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY, &attrs));
	ASSERT_RET(0, vmig_config_opt_in_own(&self->src.dev), "opt in");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_transfer_save_config(&self->src.dev, &self->config,
						&self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

FIXTURE_TEARDOWN(before_data)
{
	vmig_testdev_close(&self->src);
	CLOSE_DEVICE();
}

/* Proposal: BEFORE_DATA: the first record without a snapshot: EPROTO */
TEST_F(before_data, first_record_needs_config)
{
	EXPECT_RET(-EPROTO, write_first(self->fd, &self->stream), "START");
}

/* Driver: policy before-data: EXDEV at the first record once a snapshot is loaded */
TEST_F(before_data, first_record_is_checked_after_config)
{
	EXPECT_RET(0, vmig_config_set(self->fd, &self->config), "SET_CONFIG");
	EXPECT_RET(-EXDEV, write_first(self->fd, &self->stream), "START");
}

TEST_HARNESS_MAIN
