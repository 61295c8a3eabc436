// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_MIG_GET_PRECOPY_INFO: when it is valid, its argument, and how its two numbers move
 * as the stream is read and the device changes.
 */
#include <stddef.h>
#include <string.h>

#include "precopy.h"

SUBJECT_FIXTURE(precopy_info);

/* The ioctl with any argument */
static int ask_with(int fd, void *arg)
{
	return vmig_call_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, arg) ? -errno : 0;
}

CLAUSE_TEST_F(precopy_info, works_in_pre_copy, "precopy.info")
{
	struct vfio_precopy_info info;

	ENTER_PRE_COPY();
	ASK(&info);
}

CLAUSE_TEST_F(precopy_info, works_in_pre_copy_p2p, "precopy.info")
{
	struct vfio_precopy_info info;

	NEED(P2P);
	ENTER_PRE_COPY();
	GO(VFIO_DEVICE_STATE_PRE_COPY_P2P);
	ASK(&info);
}

CLAUSE_TEST_F(precopy_info, not_in_stop_copy, "precopy.other-state")
{
	struct vfio_precopy_info info;

	ENTER_PRE_COPY();
	GO(VFIO_DEVICE_STATE_STOP_COPY);
	EXPECT_RET(-EINVAL, vmig_precopy_info(self->fd, &info), "after PRE_COPY");
}

CLAUSE_TEST_F(precopy_info, not_in_stop_copy_alone, "precopy.other-state")
{
	struct vfio_precopy_info info;

	NEED2(MIGRATION, PRE_COPY);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY, &self->fd),
		   "to STOP_COPY");
	EXPECT_RET(-EINVAL, vmig_precopy_info(self->fd, &info), "without PRE_COPY");
}

/* The session has ended; vfio.h does not say what its file returns, but not an answer */
CLAUSE_TEST_F(precopy_info, not_after_the_session, "precopy.ended")
{
	struct vfio_precopy_info info;

	ENTER_PRE_COPY();
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_REFUSED("errno of GET_PRECOPY_INFO after the session",
		       vmig_precopy_info(self->fd, &info));
}

/* The device is in PRE_COPY, but by another session */
CLAUSE_TEST_F(precopy_info, not_for_the_next_session, "precopy.ended")
{
	struct vfio_precopy_info info;
	int next;

	ENTER_PRE_COPY();
	GO(VFIO_DEVICE_STATE_RUNNING);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY, &next),
		   "to PRE_COPY again");
	vmig_calls_name(next, "next data_fd");
	EXPECT_REFUSED("errno of GET_PRECOPY_INFO during the next session",
		       vmig_precopy_info(self->fd, &info));
	vmig_call_close(next);
}

CLAUSE_TEST_F(precopy_info, not_in_resuming, "precopy.resuming")
{
	struct vfio_precopy_info info;
	int ret;

	NEED2(MIGRATION, PRE_COPY);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING, &self->fd),
		   "to RESUMING");
	ret = vmig_precopy_info(self->fd, &info);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOTTY) {
		TH_LOG("expected EINVAL or ENOTTY, seen %s", vmig_errno_name(ret));
	}
	RECORD("errno of GET_PRECOPY_INFO in RESUMING", "%s", vmig_errno_name(ret));
}

CLAUSE_TEST_F(precopy_info, short_argsz, "precopy.argsz-small")
{
	static const uint32_t argsz[] = {
		0, offsetof(struct vfio_precopy_info, initial_bytes),
		offsetof(struct vfio_precopy_info, dirty_bytes),
		sizeof(struct vfio_precopy_info) - 1,
	};
	unsigned int i;

	ENTER_PRE_COPY();
	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		struct vfio_precopy_info info = { .argsz = argsz[i] };

		EXPECT_REFUSED("errno of GET_PRECOPY_INFO with a short argsz",
			       ask_with(self->fd, &info));
	}
}

CLAUSE_TEST_F(precopy_info, long_argsz, "precopy.argsz-large")
{
	struct {
		struct vfio_precopy_info info;
		uint8_t behind[64];
	} arg = { 0 };
	uint8_t want[sizeof(arg.behind)];

	memset(want, 0xa5, sizeof(want));
	memcpy(arg.behind, want, sizeof(want));
	arg.info.argsz = sizeof(arg);
	ENTER_PRE_COPY();
	EXPECT_RET(0, ask_with(self->fd, &arg), "argsz %zu", sizeof(arg));
	EXPECT_EQ(0, memcmp(want, arg.behind, sizeof(want))) {
		TH_LOG("bytes behind the structure have changed");
	}
}

/* A driver that goes by argsz would touch the page behind, which cannot be used */
CLAUSE_TEST_F(precopy_info, longest_argsz, "precopy.argsz-large")
{
	struct vfio_precopy_info *info;
	uint8_t *end = guarded_page_map();

	ASSERT_NE(NULL, end);
	info = (void *)(end - sizeof(*info));
	info->argsz = UINT32_MAX;
	ENTER_PRE_COPY();
	EXPECT_RET(0, ask_with(self->fd, info), "argsz %u", UINT32_MAX);
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(precopy_info, bad_address, "precopy.fault")
{
	/* In read-only memory */
	static const struct vfio_precopy_info constant = { .argsz = sizeof(constant) };
	struct vfio_precopy_info *half;
	uint8_t *end = guarded_page_map();

	ASSERT_NE(NULL, end);
	half = (void *)(end - sizeof(*half) / 2);
	memset(half, 0, sizeof(*half) / 2);
	half->argsz = sizeof(*half);
	ENTER_PRE_COPY();
	EXPECT_REFUSED("errno of GET_PRECOPY_INFO with a bad address", ask_with(self->fd, end));
	EXPECT_REFUSED("errno of GET_PRECOPY_INFO with half of its argument",
		       ask_with(self->fd, half));
	EXPECT_REFUSED("errno of GET_PRECOPY_INFO with a read-only argument",
		       ask_with(self->fd, (void *)&constant));
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(precopy_info, initial_bytes_at_the_start, "precopy.initial-nonzero")
{
	struct vfio_precopy_info info;

	ENTER_PRE_COPY();
	ASK(&info);
	EXPECT_LT(0, info.initial_bytes);
}

CLAUSE_TEST_F(precopy_info, dirty_bytes_at_the_start, "precopy.dirty-zero")
{
	struct vfio_precopy_info info;

	ENTER_PRE_COPY();
	ASK(&info);
	EXPECT_EQ(0, info.dirty_bytes);
}

CLAUSE_TEST_F(precopy_info, initial_bytes_fall_to_zero, "precopy.initial-falls")
{
	struct vfio_precopy_info info;
	uint64_t first, before;
	unsigned int i;
	size_t chunk;
	ssize_t got;

	ENTER_PRE_COPY();
	ASK(&info);
	first = info.initial_bytes;
	chunk = first / 4 + 1;
	if (chunk > CHUNK)
		chunk = CHUNK;
	for (i = 0; i < READS_MAX; i++) {
		before = info.initial_bytes;
		got = read_once(self->fd, &self->stream, chunk);
		ASK(&info);
		EXPECT_GE(before, info.initial_bytes);
		if (got <= 0)
			break;
	}
	/* It is an estimate, so it may be too low, but not for ever */
	got = read_to_end(self->fd, &self->stream, CHUNK);
	if (self->stream.len / 2 < first)
		SKIP_IF_LONG(got);
	ASK(&info);
	EXPECT_EQ(0, info.initial_bytes) {
		TH_LOG("%llu bytes at the start, %zu bytes were read", (unsigned long long)first,
		       self->stream.len);
	}
}

/* Without new initial data, which only the second version of the answer can tell */
CLAUSE_TEST_F(precopy_info, changes_are_not_initial, "precopy.initial-falls")
{
	struct vfio_precopy_info info;
	size_t bytes;

	ENTER_PRE_COPY();
	NEED_OP(dirty);
	DRAIN();
	DIRTY(&bytes);
	ASK(&info);
	EXPECT_EQ(0, info.initial_bytes);
}

/* The first change is before the session, so that what changes is part of initial_bytes */
CLAUSE_TEST_F(precopy_info, unread_data_are_not_dirty, "precopy.dirty-unread")
{
	struct vfio_precopy_info info;
	size_t bytes;

	NEED2(MIGRATION, PRE_COPY);
	NEED_OP(dirty);
	DIRTY(&bytes);
	BEGIN_PRE_COPY();
	DIRTY(&bytes);
	ASK(&info);
	EXPECT_EQ(0, info.dirty_bytes);
}

CLAUSE_TEST_F(precopy_info, changes_may_be_dirty, "precopy.dirty-changes")
{
	struct vfio_precopy_info info;
	size_t bytes;

	ENTER_PRE_COPY();
	NEED_OP(dirty);
	DRAIN();
	DIRTY(&bytes);
	ASK(&info);
	RECORD("dirty_bytes after a change in PRE_COPY", "%llu for %zu",
	       (unsigned long long)info.dirty_bytes, bytes);
	if (info.dirty_bytes)
		EXPECT_LT(0, read_once(self->fd, &self->stream, CHUNK));
}

CLAUSE_TEST_F(precopy_info, dirty_bytes_fall_to_zero, "precopy.dirty-falls")
{
	struct vfio_precopy_info info;
	unsigned int i;
	size_t bytes;

	ENTER_PRE_COPY();
	DRAIN();
	if (self->subject.ops->dirty)
		DIRTY(&bytes);
	for (i = 0; i < TRIES; i++) {
		DRAIN();
		ASK(&info);
		if (!info.dirty_bytes)
			break;
	}
	EXPECT_EQ(0, info.dirty_bytes);
}

SUBJECT_TEST_MAIN
