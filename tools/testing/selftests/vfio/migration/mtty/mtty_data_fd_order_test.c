// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two sessions of a device, one after the other, in each order: what the first one has done,
 * or left undone, does not change the second one.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS	2
#define SEED	33
/* Ends within a record */
#define PART	150

/* How far the first session goes */
enum extent {
	NOTHING,
	SOME,	/* PART bytes */
	ALL,
};

FIXTURE(order) {
	DEVICE_MEMBERS;
	int second;
	struct vmig_bytes old;
	struct vmig_bytes new;
};

FIXTURE_VARIANT(order) {
	enum vfio_device_mig_state first;
	enum vfio_device_mig_state second;
};

#define ORDER(_name, _first, _second) \
	FIXTURE_VARIANT_ADD(order, _name) { .first = _first, .second = _second }

ORDER(pre_copy_then_pre_copy, PRE_COPY, PRE_COPY);
ORDER(pre_copy_then_stop_copy, PRE_COPY, STOP_COPY);
ORDER(pre_copy_then_resuming, PRE_COPY, RESUMING);
ORDER(stop_copy_then_pre_copy, STOP_COPY, PRE_COPY);
ORDER(stop_copy_then_stop_copy, STOP_COPY, STOP_COPY);
ORDER(stop_copy_then_resuming, STOP_COPY, RESUMING);
ORDER(resuming_then_pre_copy, RESUMING, PRE_COPY);
ORDER(resuming_then_stop_copy, RESUMING, STOP_COPY);
ORDER(resuming_then_resuming, RESUMING, RESUMING);

/* @old, @new: streams of the device with contents of SEED, and of SEED + 1, which it has */
FIXTURE_SETUP(order)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K");
	self->second = -1;
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->old), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->new), "save");
	GO(RUNNING);
}

FIXTURE_TEARDOWN(order)
{
	if (self->second >= 0)
		close(self->second);
	vmig_bytes_free(&self->old);
	vmig_bytes_free(&self->new);
	CLOSE_DEVICE();
}

static void use_first(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self,
		      const FIXTURE_VARIANT(order) *variant, enum extent extent)
{
	const size_t len = extent == SOME ? PART : self->old.len;
	uint8_t buf[PART];

	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->first, &self->fd), "%s",
		   vmig_state_name(variant->first));
	if (extent == NOTHING)
		return;
	if (variant->first == RESUMING) {
		ASSERT_RET(0, vmig_transfer_write(self->fd, self->old.data, len, len, NULL),
			   "write");
	} else if (extent == SOME) {
		ASSERT_EQ(PART, read(self->fd, buf, PART));
	} else {
		ASSERT_RET(variant->first == PRE_COPY ? -ENOMSG : 0,
			   vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	}
}

/* To RUNNING, with the contents of SEED + 1 */
static void end_first(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self,
		      const FIXTURE_VARIANT(order) *variant, enum extent extent)
{
	if (variant->first != RESUMING || extent == ALL) {
		GO(RUNNING);
	} else {
		EXPECT_RET(-ENODATA, vmig_mig_set_state(self->dev, RUNNING, NULL), "cut stream");
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
	if (variant->first != RESUMING)
		return;
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
}

static void save_second(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self,
			const FIXTURE_VARIANT(order) *variant)
{
	struct vmig_bytes seen = { 0 };
	const char *differs;

	if (variant->second == PRE_COPY) {
		ASSERT_RET(-ENOMSG, vmig_transfer_read(self->second, &seen, 4096), "read");
		GO(STOP_COPY);
	}
	ASSERT_RET(0, vmig_transfer_read(self->second, &seen, 4096), "read");
	/* A port counts the time since its last byte */
	differs = vmig_dump_compare_streams(&self->new, &seen, 1u << MTTY_REC_START |
					    1u << MTTY_REC_UART);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("differs: %s", differs);
	}
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &seen), "load");
	vmig_bytes_free(&seen);
}

static void expect_ended(struct __test_metadata *_metadata, int fd)
{
	struct pollfd pfd = { .fd = fd };

	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents);
}

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(order) *self,
		const FIXTURE_VARIANT(order) *variant, enum extent extent)
{
	use_first(_metadata, self, variant, extent);
	end_first(_metadata, self, variant, extent);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->second, &self->second), "%s",
		   vmig_state_name(variant->second));
	expect_ended(_metadata, self->fd);
	if (variant->second == RESUMING) {
		ASSERT_RET(0, vmig_transfer_write(self->second, self->old.data, self->old.len,
						  1000, NULL), "write");
		GO(STOP);
		EXPECT_CONTENTS(self->dev, PORTS, SEED);
	} else {
		save_second(_metadata, self, variant);
		EXPECT_CONTENTS(self->dev, PORTS, SEED + 1);
	}
	expect_ended(_metadata, self->fd);
	expect_ended(_metadata, self->second);
}

/* Driver: a second session: whole, after a first one that was not used */
TEST_F(order, after_nothing)
{
	run(_metadata, self, variant, NOTHING);
}

/* Driver: a second session: whole, after a first one that ended within a record */
TEST_F(order, after_a_part)
{
	run(_metadata, self, variant, SOME);
}

/* Driver: a second session: whole, after a whole first one */
TEST_F(order, after_all)
{
	run(_metadata, self, variant, ALL);
}

TEST_HARNESS_MAIN
