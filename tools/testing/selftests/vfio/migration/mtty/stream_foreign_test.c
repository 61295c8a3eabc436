// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of other devices: which ones a device takes, which ones it refuses,
 * and that a refusal costs neither of them anything.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/mtty.h"

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

FIXTURE_VARIANT_ADD(foreign, same_one_port) {
	.src_type = "mtty-1", .src = { .capture_size = "16K" },
	.dst_type = "mtty-1", .dst = { .capture_size = "16K" },
	.ports = 1, .err = 0,
};

FIXTURE_VARIANT_ADD(foreign, same_two_ports) {
	.src_type = "mtty-2", .src = { .capture_size = "16K" },
	.dst_type = "mtty-2", .dst = { .capture_size = "16K" },
	.ports = 2, .err = 0,
};

FIXTURE_VARIANT_ADD(foreign, same_without_capture) {
	.src_type = "mtty-2", .src = { .capture_size = "0" },
	.dst_type = "mtty-2", .dst = { .capture_size = "0" },
	.ports = 2, .err = 0,
};

FIXTURE_VARIANT_ADD(foreign, fewer_features) {
	.src_type = "mtty-2", .src = { .features = "p2p pre_copy" },
	.dst_type = "mtty-2", .dst = { .features = "pre_copy" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, more_features) {
	.src_type = "mtty-2", .src = { .features = "stop_copy" },
	.dst_type = "mtty-2", .dst = { .features = "p2p pre_copy" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, same_features) {
	.src_type = "mtty-2", .src = { .features = "p2p" },
	.dst_type = "mtty-2", .dst = { .features = "p2p" },
	.ports = 2, .err = 0,
};

FIXTURE_VARIANT_ADD(foreign, fewer_ports) {
	.src_type = "mtty-2", .src = { .capture_size = "16K" },
	.dst_type = "mtty-1", .dst = { .capture_size = "16K" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, more_ports) {
	.src_type = "mtty-1", .src = { .capture_size = "16K" },
	.dst_type = "mtty-2", .dst = { .capture_size = "16K" },
	.ports = 1, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, smaller_capture) {
	.src_type = "mtty-2", .src = { .capture_size = "32K" },
	.dst_type = "mtty-2", .dst = { .capture_size = "16K" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, larger_capture) {
	.src_type = "mtty-2", .src = { .capture_size = "16K" },
	.dst_type = "mtty-2", .dst = { .capture_size = "32K" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, no_capture) {
	.src_type = "mtty-2", .src = { .capture_size = "16K" },
	.dst_type = "mtty-2", .dst = { .capture_size = "0" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, capture_from_none) {
	.src_type = "mtty-2", .src = { .capture_size = "0" },
	.dst_type = "mtty-2", .dst = { .capture_size = "16K" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, before_data_to_independent) {
	.src_type = "mtty-2", .src = { .config_policy = "before-data" },
	.dst_type = "mtty-2", .dst = { .config_policy = "independent" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, reorder_to_independent) {
	.src_type = "mtty-2", .src = { .config_policy = "reorder" },
	.dst_type = "mtty-2", .dst = { .config_policy = "independent" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, independent_to_embedded) {
	.src_type = "mtty-2", .src = { .config_policy = "independent" },
	.dst_type = "mtty-2", .dst = { .config_policy = "embedded" },
	.ports = 2, .err = -EXDEV,
};

FIXTURE_VARIANT_ADD(foreign, embedded_to_reorder) {
	.src_type = "mtty-2", .src = { .config_policy = "embedded" },
	.dst_type = "mtty-2", .dst = { .config_policy = "reorder" },
	.ports = 2, .err = -EXDEV,
};

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

/*
 * Clause: "a compatible device": ports, capture size, features and policy are the
 * same; else EXDEV, and the destination has still what it had
 */
TEST_F(foreign, stream_is_judged_by_its_device)
{
	struct vmig_device *src = &self->src.dev, *dst = &self->dst.dev;
	unsigned int dst_ports = strcmp(variant->dst_type, "mtty-2") ? 1 : 2;
	int write_err, stop_err;
	const char *what = "";

	ASSERT_RET(0, vmig_contents_set(src, variant->ports, SEED), "scene");
	ASSERT_RET(0, vmig_contents_set(dst, dst_ports, SEED_DST), "scene");
	ASSERT_RET(0, vmig_transfer_save(src, &self->stream), "save");
	stop_err = vmig_transfer_offer(dst, &self->stream, &write_err);
	EXPECT_RET(variant->err, write_err, "write()");
	EXPECT_RET(variant->err, stop_err, "STOP");
	if (variant->err) {
		EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dst, "refused");
		EXPECT_RET(0, vmig_contents_check(dst, dst_ports, SEED_DST,
					       &what), "%s", what);
		ASSERT_RET(0, vmig_device_reset(dst), "reset");
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dst, "reset");
	} else {
		EXPECT_RET(0, vmig_contents_check(dst, variant->ports, SEED,
					       &what), "%s", what);
	}

	/* Whatever happened over there, the source can go on */
	EXPECT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "source");
	EXPECT_RET(0, vmig_contents_check(src, variant->ports, SEED, &what), "%s",
		   what);
}

/* The first record, and nothing behind it */
static int write_first(int fd, const struct vmig_bytes *stream)
{
	return vmig_transfer_write(fd, stream->data,
				   sizeof(struct mtty_rec_head) +
				   sizeof(struct mtty_rec_start),
				   VMIG_TRANSFER_CHUNK, NULL);
}

/* Clause: write() of the first record: that is where it is found */
TEST_F(foreign, first_record_tells)
{
	struct vmig_device *dst = &self->dst.dev;
	int fd;

	ASSERT_RET(0, vmig_transfer_save(&self->src.dev, &self->stream),
		   "save");
	ASSERT_RET(0, vmig_mig_set_state(dst, VFIO_DEVICE_STATE_RESUMING, &fd),
		   "RESUMING");
	EXPECT_RET(variant->err, write_first(fd, &self->stream), "START");
	close(fd);
}

/* Clause: the same under before-data, once there is config space */
TEST(first_record_tells_behind_config)
{
	const struct vmig_attrs attrs = { .config_policy = "before-data" };
	struct vmig_testdev src, dst;
	struct vmig_bytes stream = { 0 };
	int fd;

	ASSERT_EQ(0, vmig_testdev_open(&src, "mtty-2", VMIG_PATH_ANY, NULL));
	ASSERT_EQ(0, vmig_testdev_open(&dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_RET(0, vmig_transfer_save(&src.dev, &stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(&dst.dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	EXPECT_RET(-EPROTO, write_first(fd, &stream), "START");
	EXPECT_RET(0, vmig_mig_config_loaded(&dst.dev, 1), "SET");
	EXPECT_RET(-EXDEV, write_first(fd, &stream), "START");
	close(fd);
	vmig_bytes_free(&stream);
	vmig_testdev_close(&src);
	vmig_testdev_close(&dst);
}

TEST_HARNESS_MAIN
