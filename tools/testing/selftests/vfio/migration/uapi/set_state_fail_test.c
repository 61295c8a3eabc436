// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: requests that fail, and where they leave
 * the device.  From RESUMING each target is asked for with a stream that is
 * missing, cut short, or refused; and the ioctl itself is called wrongly.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"

#define FEATURE_STATE_GET \
	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
#define FEATURE_STATE_SET \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)

FIXTURE(resuming) {
	struct vmig_testdev td;
	struct vmig_bytes stream;
	int data_fd;
};

FIXTURE_VARIANT(resuming) {
	const char *features;
	uint64_t flags;
	bool has_running_p2p;
	bool has_pre_copy;
	bool has_pre_copy_p2p;
};

FIXTURE_VARIANT_ADD(resuming, basic) {
	.features = "stop_copy",
	.flags = VFIO_MIGRATION_STOP_COPY,
};

FIXTURE_VARIANT_ADD(resuming, p2p) {
	.features = "stop_copy p2p",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
	.has_running_p2p = true,
};

FIXTURE_VARIANT_ADD(resuming, precopy) {
	.features = "stop_copy pre_copy",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY,
	.has_pre_copy = true,
};

FIXTURE_VARIANT_ADD(resuming, all) {
	.features = "stop_copy p2p pre_copy",
	.flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
		 VFIO_MIGRATION_PRE_COPY,
	.has_running_p2p = true,
	.has_pre_copy = true,
	.has_pre_copy_p2p = true,
};

FIXTURE_SETUP(resuming)
{
	const struct vmig_attrs attrs = {
		.features = variant->features,
		.capture_size = "8K",
	};

	self->data_fd = -1;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1",
				       VMIG_PATH_ANY, &attrs));
}

FIXTURE_TEARDOWN(resuming)
{
	if (self->data_fd >= 0)
		close(self->data_fd);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

static bool supported(const FIXTURE_VARIANT(resuming) *variant,
		      enum vfio_device_mig_state state)
{
	switch (state) {
	case VFIO_DEVICE_STATE_RUNNING_P2P:
		return variant->has_running_p2p;
	case VFIO_DEVICE_STATE_PRE_COPY:
		return variant->has_pre_copy;
	case VFIO_DEVICE_STATE_PRE_COPY_P2P:
		return variant->has_pre_copy_p2p;
	default:
		return true;
	}
}

/*
 * Ask for each state with whatever the session holds.  No request that has to
 * load the stream may succeed, all of them for the same reason @err.
 */
static void check_targets(struct __test_metadata *_metadata,
			  FIXTURE_DATA(resuming) *self,
			  const FIXTURE_VARIANT(resuming) *variant, int err)
{
	struct vmig_device *dev = &self->td.dev;
	enum vfio_device_mig_state to;

	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		int want = err, fd = -1;

		if (to == VFIO_DEVICE_STATE_ERROR || !supported(variant, to))
			want = -EINVAL;
		else if (to == VFIO_DEVICE_STATE_RESUMING)
			want = 0;
		EXPECT_RET(want, vmig_mig_set_state(dev, to, &fd),
			   "RESUMING -> %s", vmig_state_name(to));
		EXPECT_EQ(-1, fd);
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dev, "RESUMING -> %s",
			     vmig_state_name(to));
	}
}

/* Clause: VFIO_DEVICE_FEATURE_MIGRATION: just the flags that sysfs asked for */
TEST_F(resuming, flags_tell_the_features)
{
	uint64_t flags = 0;

	EXPECT_RET(0, vmig_mig_get_flags(&self->td.dev, &flags), "flags");
	EXPECT_EQ(variant->flags, flags);
}

/* Clause: RESUMING -> STOP with no data: ENODATA, still RESUMING */
TEST_F(resuming, empty_stream_goes_nowhere)
{
	ASSERT_RET(0, vmig_mig_set_state(&self->td.dev,
					 VFIO_DEVICE_STATE_RESUMING,
					 &self->data_fd), "RESUMING");
	check_targets(_metadata, self, variant, -ENODATA);
}

/* Clause: RESUMING -> STOP with incomplete data: ENODATA, and it may go on */
TEST_F(resuming, cut_stream_goes_nowhere_and_may_be_completed)
{
	struct vmig_device *dev = &self->td.dev;
	size_t half;

	ASSERT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	half = self->stream.len / 2;
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->data_fd), "RESUMING");
	ASSERT_RET(0, vmig_transfer_write(self->data_fd, self->stream.data,
					  half, 4096, NULL), "first half");
	check_targets(_metadata, self, variant, -ENODATA);

	ASSERT_RET(0, vmig_transfer_write(self->data_fd,
					  self->stream.data + half,
					  self->stream.len - half, 4096, NULL),
		   "second half");
	EXPECT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "completed");
}

/*
 * Clause: RESUMING -> any with invalid data: the errno of the refusal, ERROR,
 * and only VFIO_DEVICE_RESET leaves that
 */
TEST_F(resuming, refused_stream_ends_in_error)
{
	struct vmig_device *dev = &self->td.dev;
	char none[64] = { 0 };
	enum vfio_device_mig_state to;

	for (to = VFIO_DEVICE_STATE_STOP; to < VFIO_DEVICE_STATE_NR; to++) {
		if (to == VFIO_DEVICE_STATE_RESUMING || !supported(variant, to))
			continue;
		ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
						 &self->data_fd), "RESUMING");
		EXPECT_RET(-EBADMSG, vmig_transfer_write(self->data_fd, none,
							 sizeof(none), 64, NULL),
			   "zeroes as a stream");
		EXPECT_RET(-EBADMSG, vmig_mig_set_state(dev, to, NULL),
			   "RESUMING -> %s", vmig_state_name(to));
		EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dev, "RESUMING -> %s",
			     vmig_state_name(to));
		close(self->data_fd);
		self->data_fd = -1;
		ASSERT_RET(0, vmig_device_reset(dev), "reset");
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "after reset");
	}
}

/* Clause: RESUMING -> ERROR or unsupported, invalid data: EINVAL, not judged yet */
TEST_F(resuming, refused_stream_stays_until_it_is_judged)
{
	struct vmig_device *dev = &self->td.dev;
	char none[64] = { 0 };
	enum vfio_device_mig_state to;

	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->data_fd), "RESUMING");
	EXPECT_RET(-EBADMSG, vmig_transfer_write(self->data_fd, none,
						 sizeof(none), 64, NULL),
		   "zeroes as a stream");
	for (to = 0; to < VFIO_DEVICE_STATE_NR; to++) {
		if (to != VFIO_DEVICE_STATE_ERROR && supported(variant, to))
			continue;
		EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, to, NULL),
			   "RESUMING -> %s", vmig_state_name(to));
		EXPECT_STATE(VFIO_DEVICE_STATE_RESUMING, dev, "RESUMING -> %s",
			     vmig_state_name(to));
	}
	EXPECT_RET(-EBADMSG, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
						NULL), "STOP");
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, dev, "judged");
}

/* Clause: vfio_device_feature_mig_state.device_state, no such state: EINVAL */
TEST_F(resuming, states_that_do_not_exist_are_refused)
{
	static const uint32_t states[] = { 8, 9, 255, 0x80000002, 0xffffffff };
	struct vmig_device *dev = &self->td.dev;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, states[i], NULL),
			   "device_state %#x", states[i]);
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "device_state %#x",
			     states[i]);
	}
}

/* Clause: vfio_device_feature_mig_state, GET: data_fd is -1 */
TEST_F(resuming, get_gives_no_data_fd)
{
	struct vfio_device_feature_mig_state mig;
	struct vmig_device *dev = &self->td.dev;

	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->data_fd), "STOP_COPY");
	memset(&mig, 0x55, sizeof(mig));
	EXPECT_RET(0, vmig_feature(dev, FEATURE_STATE_GET, &mig, sizeof(mig)),
		   "GET");
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP_COPY, mig.device_state);
	EXPECT_EQ(-1, mig.data_fd);
}

/* Clause: vfio_device_feature_mig_state, SET without a session: data_fd is -1 */
TEST_F(resuming, set_without_session_gives_no_data_fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = VFIO_DEVICE_STATE_STOP, .data_fd = 77,
	};

	EXPECT_RET(0, vmig_feature(&self->td.dev, FEATURE_STATE_SET, &mig,
				   sizeof(mig)), "SET");
	EXPECT_EQ(-1, mig.data_fd);
}

/* Clause: vfio_device_feature.argsz, too small for the state: EINVAL */
TEST_F(resuming, short_argument_changes_nothing)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = VFIO_DEVICE_STATE_STOP,
	};
	struct vmig_device *dev = &self->td.dev;

	EXPECT_RET(-EINVAL, vmig_feature(dev, FEATURE_STATE_SET, &mig,
					 sizeof(mig) - 1), "7 of 8 bytes");
	EXPECT_RET(-EINVAL, vmig_feature(dev, FEATURE_STATE_GET, &mig, 0),
		   "no bytes");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "after a short SET");
}

/*
 * The argument lies in memory that can be read, but not written: the request is
 * carried out, and there is no way to hand over the data_fd.
 */
static int set_state_read_only(struct vmig_device *dev, uint32_t state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_device_feature_mig_state *mig;
	struct vfio_device_feature *feature;
	int ret;

	feature = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (feature == MAP_FAILED)
		return -errno;
	mig = (void *)feature->data;
	feature->argsz = sizeof(*feature) + sizeof(*mig);
	feature->flags = FEATURE_STATE_SET;
	mig->device_state = state;
	ret = mprotect(feature, page, PROT_READ);
	if (!ret)
		ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature);
	ret = ret ? -errno : 0;
	munmap(feature, page);
	return ret;
}

/* Clause: data_fd cannot be returned: EFAULT, the session is nobody's, reset ends it */
TEST_F(resuming, lost_data_fd_leaves_a_usable_device)
{
	struct vmig_device *dev = &self->td.dev;

	EXPECT_RET(-EFAULT, set_state_read_only(dev, VFIO_DEVICE_STATE_STOP_COPY),
		   "STOP_COPY");
	EXPECT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_RET(-EFAULT, set_state_read_only(dev, VFIO_DEVICE_STATE_RESUMING),
		   "RESUMING");
	EXPECT_RET(0, vmig_device_reset(dev), "reset");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, dev, "after reset");
	EXPECT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	EXPECT_RET(0, vmig_transfer_load(dev, &self->stream), "load");
}

TEST_HARNESS_MAIN
