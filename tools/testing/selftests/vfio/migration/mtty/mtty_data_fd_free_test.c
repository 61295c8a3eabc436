// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that was removed is freed with its last data_fd, not before and not later. Its
 * number shows that, see vmig_testdev_number().
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

FIXTURE(freed) {
	struct vmig_bytes stream;
};

/* @state: of the session; @whole: it ends by itself, and the device goes on */
FIXTURE_VARIANT(freed) {
	enum vfio_device_mig_state state;
	bool whole;
};

FIXTURE_VARIANT_ADD(freed, pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(freed, pre_copy_whole) { .state = PRE_COPY, .whole = true };
FIXTURE_VARIANT_ADD(freed, stop_copy) { .state = STOP_COPY };
FIXTURE_VARIANT_ADD(freed, stop_copy_whole) { .state = STOP_COPY, .whole = true };
FIXTURE_VARIANT_ADD(freed, resuming) { .state = RESUMING };
FIXTURE_VARIANT_ADD(freed, resuming_whole) { .state = RESUMING, .whole = true };

FIXTURE_SETUP(freed)
{
}

FIXTURE_TEARDOWN(freed)
{
	vmig_bytes_free(&self->stream);
}

/* Begin a session, and end it if it is whole; 0 or -errno */
static int transfer(struct vmig_device *dev, const FIXTURE_VARIANT(freed) *variant,
		    struct vmig_bytes *stream, int *fd)
{
	int ret;

	ret = vmig_transfer_save(dev, stream) ?: vmig_mig_set_state(dev, RUNNING, NULL) ?:
	      vmig_mig_set_state(dev, variant->state, fd);
	if (ret || !variant->whole)
		return ret;
	if (variant->state == RESUMING)
		ret = vmig_transfer_write(*fd, stream->data, stream->len, stream->len, NULL);
	return ret ?: vmig_mig_set_state(dev, STOP, NULL);
}

/* Driver: a removed device stays while a data_fd is open, and is freed with the last one */
TEST_F(freed, with_the_last_data_fd)
{
	struct vmig_testdev td;
	int number, next, fd = -1;

	ASSERT_RET(0, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY, NULL), "open");
	number = vmig_testdev_number(&td.mdev);
	if (number < 0) {
		vmig_testdev_close(&td);
		SKIP(return, "no vfio-dev in sysfs");
	}
	ASSERT_RET(0, transfer(&td.dev, variant, &self->stream, &fd), "session");
	vmig_testdev_close(&td);
	next = vmig_testdev_next_number();
	ASSERT_LE(0, next);
	EXPECT_NE(number, next);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(number, vmig_testdev_next_number());
}

/* Driver: a data_fd that was closed before does not keep the device */
TEST_F(freed, after_the_last_data_fd)
{
	struct vmig_testdev td;
	int number, fd = -1;

	ASSERT_RET(0, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY, NULL), "open");
	number = vmig_testdev_number(&td.mdev);
	if (number < 0) {
		vmig_testdev_close(&td);
		SKIP(return, "no vfio-dev in sysfs");
	}
	ASSERT_RET(0, transfer(&td.dev, variant, &self->stream, &fd), "session");
	EXPECT_EQ(0, close(fd));
	vmig_testdev_close(&td);
	EXPECT_EQ(number, vmig_testdev_next_number());
}

TEST_HARNESS_MAIN
