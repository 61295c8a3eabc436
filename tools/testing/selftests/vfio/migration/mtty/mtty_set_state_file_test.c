// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE when a session cannot begin, because the system has no
 * room for another open file: ENFILE, and the next request finds a device that the failed one
 * has not changed. Allocations that fail are in fail_migration_test.c, for other kernels.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/capability.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS		2
#define SEED		31
#define FILE_MAX	"/proc/sys/fs/file-max"

/* @max: value of FILE_MAX before */
FIXTURE(no_file) {
	DEVICE_MEMBERS;
	char max[32];
};

FIXTURE_VARIANT(no_file) {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	const char *policy;
};

#define NO_FILE(_name, _from, _to, _policy) \
	FIXTURE_VARIANT_ADD(no_file, _name) { \
		.from = _from, .to = _to, .policy = _policy }

NO_FILE(running_to_pre_copy, RUNNING, PRE_COPY, "independent");
NO_FILE(running_p2p_to_pre_copy_p2p, RUNNING_P2P, PRE_COPY_P2P, "before-data");
NO_FILE(stop_to_stop_copy, STOP, STOP_COPY, "reorder");
NO_FILE(stop_to_resuming, STOP, RESUMING, "embedded");

FIXTURE_SETUP(no_file)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy, .capture_size = "64K");
	ASSERT_RET(0, vmig_read_file(FILE_MAX, self->max, sizeof(self->max)), FILE_MAX);
}

FIXTURE_TEARDOWN(no_file)
{
	vmig_write_file(FILE_MAX, self->max);
	CLOSE_DEVICE();
}

/* The limit does not apply to an administrator: be none, in this thread */
static int set_admin(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	const uint32_t admin = CAP_TO_MASK(CAP_SYS_ADMIN);

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~admin;
	if (on)
		data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective |= admin;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int request_without_files(FIXTURE_DATA(no_file) *self,
				 enum vfio_device_mig_state state)
{
	int ret;

	ret = vmig_write_file(FILE_MAX, "0");
	if (ret)
		return ret;
	ret = set_admin(false);
	if (!ret)
		ret = vmig_mig_set_state(self->dev, state, &self->fd);
	set_admin(true);
	vmig_write_file(FILE_MAX, self->max);
	return ret;
}

/* Driver: a session that cannot begin: ENFILE, and the state before the arc */
TEST_F(no_file, changes_nothing)
{
	/* For a session that does not save, and for one in STOP_COPY */
	const int want = variant->to == RESUMING ? -ENOTTY :
			 variant->to == STOP_COPY ? -EINVAL : 0;
	struct vfio_precopy_info first = { 0 }, second = { 0 };
	int fds, i;

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	GO(variant->from);
	fds = vmig_count_fds();
	ASSERT_LT(0, fds);
	for (i = 0; i < 2; i++) {
		EXPECT_RET(-ENFILE, request_without_files(self, variant->to), "SET");
		EXPECT_STATE(variant->from, self->dev, "SET");
	}
	EXPECT_EQ(fds, vmig_count_fds());

	/* The next session is like one after no failure */
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->to, &self->fd), "again");
	EXPECT_RET(want, vmig_precopy_info(self->fd, &first), "info");
	if (variant->to == RESUMING) {
		ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
						  self->stream.len, 4096, NULL), "load");
	} else {
		self->stream.len = 0;
		GO(STOP_COPY);
		ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "save");
		close(self->fd);
		GO(variant->from);
		ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->to, &self->fd),
			   "third");
		EXPECT_RET(want, vmig_precopy_info(self->fd, &second), "info");
		EXPECT_EQ(second.initial_bytes, first.initial_bytes);
		EXPECT_EQ(0, first.dirty_bytes);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	}
	GO(RUNNING);
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

TEST_HARNESS_MAIN
