// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_PRECOPY_INFO_REINIT: reports a change of config space if data depend on it, only
 * after the opt-in to both VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 and MIG_CONFIG.
 */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/precopy_v2.h"

#define PORTS	2
#define SEED	41
#define PAGE	4096

/*
 * The fixture
 * @config:	the snapshot got last
 * @opted_in:	to MIG_CONFIG
 * @first:	data need a snapshot first
 */
struct reinit {
	DEVICE_MEMBERS;
	struct vmig_snapshot config;
	bool opted_in;
	bool first;
};

static void open_reinit(struct __test_metadata *_metadata, struct reinit *self,
			const char *policy, bool opt_in)
{
	OPEN_DEVICE("mtty-2", .config_policy = policy, .capture_size = "64K");
	if (opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	self->opted_in = opt_in;
	self->first = opt_in && !strcmp(policy, "before-data");
}

static void close_reinit(struct reinit *self)
{
	CLOSE_DEVICE();
}

#define REINIT_SETUP(_name, _opt_in) \
FIXTURE_SETUP(_name) \
{ \
	open_reinit(_metadata, &self->r, variant->policy, _opt_in); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	close_reinit(&self->r); \
} \
struct _name##_needs_a_semicolon

/* Data depend on config space */
FIXTURE(reinit) {
	struct reinit r;
};

FIXTURE_VARIANT(reinit) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(reinit, before_data) { .policy = "before-data" };
FIXTURE_VARIANT_ADD(reinit, reorder) { .policy = "reorder" };
REINIT_SETUP(reinit, true);

/* They do not; @rec: the record of a change, or 0 */
FIXTURE(no_reinit) {
	struct reinit r;
};

FIXTURE_VARIANT(no_reinit) {
	const char *policy;
	bool opt_in;
	uint32_t rec;
};

FIXTURE_VARIANT_ADD(no_reinit, independent) {
	.policy = "independent", .opt_in = true,
};

FIXTURE_VARIANT_ADD(no_reinit, embedded) {
	.policy = "embedded", .opt_in = true, .rec = MTTY_REC_CONFIG,
};

FIXTURE_VARIANT_ADD(no_reinit, plain_before_data) {
	.policy = "before-data",
};

FIXTURE_VARIANT_ADD(no_reinit, plain_reorder) {
	.policy = "reorder",
};

REINIT_SETUP(no_reinit, variant->opt_in);

static void enter(struct __test_metadata *_metadata, struct reinit *self)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
}

/* Or -ENOTTY */
static void get_config(struct __test_metadata *_metadata,
		       struct reinit *self)
{
	int ret = vmig_config_get(self->fd, &self->config);

	EXPECT_TRUE(!ret || ret == -ENOTTY);
}

static void drain(struct __test_metadata *_metadata, struct reinit *self)
{
	get_config(_metadata, self);
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "to the temporary end");
}

static struct vfio_precopy_info info(struct __test_metadata *_metadata,
				     struct reinit *self)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	EXPECT_RET(0, vmig_precopy_info(self->fd, &info), "PRECOPY_INFO");
	return info;
}

static void change(struct __test_metadata *_metadata,
		   struct reinit *self, uint8_t val)
{
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, val),
		   "config space");
}

static void dirty(struct __test_metadata *_metadata, struct reinit *self,
		  uint8_t byte)
{
	ASSERT_RET(0, vmig_region_write(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
					2 * PAGE, &byte, 1), "memory");
}

static unsigned int count(struct reinit *self, uint32_t type)
{
	struct vmig_rec rec;
	unsigned int nr = 0;

	while (!vmig_stream_find(&self->stream, type, nr, &rec))
		nr++;
	return nr;
}

/* Stops, and loads the stream into the same device */
static void expect_loads(struct __test_metadata *_metadata, struct reinit *self)
{
	const char *what = "";
	int fd;

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 1000),
		   "rest");
	get_config(_metadata, self);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	/* Under before-data the stream needs two snapshots of config space */
	if (!self->first) {
		EXPECT_RET(0, vmig_transfer_write(fd, self->stream.data,
						  self->stream.len, 4096,
						  NULL), "load");
		if (self->opted_in)
			EXPECT_RET(0, vmig_config_set(fd, &self->config),
				   "SET_CONFIG");
		EXPECT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what),
			   "%s", what);
	}
	close(fd);
}

/* One change; @is_data: with a record of its own */
static void change_is_data(struct __test_metadata *_metadata, struct reinit *self,
			   bool is_data)
{
	struct pollfd pfd = { .events = POLLIN };
	struct vfio_precopy_info seen;

	enter(_metadata, self);
	drain(_metadata, self);
	pfd.fd = self->fd;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	change(_metadata, self, 7);
	EXPECT_EQ(is_data, poll(&pfd, 1, 0));
	seen = info(_metadata, self);
	EXPECT_EQ(is_data, seen.initial_bytes + seen.dirty_bytes > 0);
	drain(_metadata, self);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

static void change_without_opt_in(struct __test_metadata *_metadata, struct reinit *self)
{
	struct vfio_precopy_info seen;
	uint64_t initial;
	unsigned int i;

	enter(_metadata, self);
	initial = info(_metadata, self).initial_bytes;
	for (i = 0; i < 3; i++) {
		change(_metadata, self, 7 + i);
		dirty(_metadata, self, i);
		seen = info(_metadata, self);
		EXPECT_EQ(0, seen.flags);
		EXPECT_GE(initial, seen.initial_bytes);
		initial = seen.initial_bytes;
		drain(_metadata, self);
		seen = info(_metadata, self);
		EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
		initial = 0;
	}
}

#define NO_V2	"no VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 on this kernel"

static bool opt_in(struct __test_metadata *_metadata,
		   struct reinit *self)
{
	int ret = vmig_precopy_v2_opt_in(self->dev);

	if (ret == -ENOTTY)
		return false;
	EXPECT_RET(0, ret, "opt in");
	return true;
}

/* REINIT is reported, and all data to read are initial: more than @least bytes */
static void expect_reinit(struct __test_metadata *_metadata, struct reinit *self, uint64_t least)
{
	struct vfio_precopy_info seen = info(_metadata, self);

	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, seen.flags);
	EXPECT_LT(least, seen.initial_bytes);
	EXPECT_EQ(0, seen.dirty_bytes);
}

/* Proposal: REINIT: a change of config space that data depend on, once */
TEST_F(reinit, change_is_reported_once)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	drain(_metadata, &self->r);
	dirty(_metadata, &self->r, 1);
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);

	change(_metadata, &self->r, 7);
	expect_reinit(_metadata, &self->r, PAGE);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	EXPECT_LT(PAGE, info(_metadata, &self->r).initial_bytes);

	drain(_metadata, &self->r);
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
	EXPECT_EQ(1, count(&self->r, MTTY_REC_REINIT));
	expect_loads(_metadata, &self->r);
}

/* Proposal: REINIT: one for all changes between two reports, none without a change */
TEST_F(reinit, changes_coalesce)
{
	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	change(_metadata, &self->r, 7);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, &self->r).flags);
	change(_metadata, &self->r, 8);
	change(_metadata, &self->r, 9);
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, &self->r).flags);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	change(_metadata, &self->r, 9);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
}

/* Proposal: REINIT: only if data depend on config space: opted in, and by the answer */
TEST_F(no_reinit, not_if_data_do_not_depend)
{
	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	change(_metadata, &self->r, 7);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	EXPECT_EQ(0, info(_metadata, &self->r).initial_bytes);
	drain(_metadata, &self->r);
	EXPECT_EQ(0, count(&self->r, MTTY_REC_REINIT));
	expect_loads(_metadata, &self->r);
}

/* Proposal: a change in PRE_COPY is data to read, with or without MIG_PRECOPY_INFOv2 */
TEST_F(reinit, change_is_data)
{
	change_is_data(_metadata, &self->r, true);
}

/* Driver: if data do not depend on config space, only a CONFIG record is data to read */
TEST_F(no_reinit, change_is_data_if_it_is_sent)
{
	change_is_data(_metadata, &self->r, variant->rec);
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: new initial data, which is read down to zero */
TEST_F(reinit, means_new_initial_data)
{
	struct vfio_precopy_info seen;

	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
	change(_metadata, &self->r, 7);
	expect_reinit(_metadata, &self->r, 0);
	drain(_metadata, &self->r);
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes + seen.dirty_bytes);
}

/*
 * Clause: VFIO_PRECOPY_INFO_REINIT: dirty_bytes is reset to zero, also if memory was
 * written, and a part of the new initial data was read, before the report
 */
TEST_F(reinit, resets_dirty_bytes)
{
	struct vfio_precopy_info seen;
	uint8_t some[10];

	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	change(_metadata, &self->r, 7);
	get_config(_metadata, &self->r);
	ASSERT_EQ(sizeof(some), read(self->r.fd, some, sizeof(some)));
	ASSERT_RET(0, vmig_bytes_add(&self->r.stream, some, sizeof(some)), "add");
	dirty(_metadata, &self->r, 0x42);
	expect_reinit(_metadata, &self->r, PAGE);
	drain(_metadata, &self->r);
	dirty(_metadata, &self->r, 0x43);
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.flags);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);
	expect_loads(_metadata, &self->r);
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: dirty_bytes is zero, also if dirty data was read in part */
TEST_F(reinit, resets_dirty_bytes_of_a_part)
{
	struct vfio_precopy_info seen;
	uint8_t some[10];

	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	dirty(_metadata, &self->r, 0x44);
	ASSERT_EQ(sizeof(some), read(self->r.fd, some, sizeof(some)));
	seen = info(_metadata, &self->r);
	EXPECT_EQ(0, seen.initial_bytes);
	EXPECT_LT(PAGE, seen.dirty_bytes);
	change(_metadata, &self->r, 9);
	expect_reinit(_metadata, &self->r, PAGE);
	/* The rest was made under the content before the change */
	if (self->r.first)
		EXPECT_RET(-ESTALE, vmig_transfer_read(self->r.fd, &self->r.stream, 1000), "rest");
	drain(_metadata, &self->r);
	EXPECT_EQ(0, info(_metadata, &self->r).initial_bytes);
}

/* Driver: PRECOPY_INFO that cannot be copied: EFAULT, REINIT is reported next time */
TEST_F(reinit, is_repeated_after_efault)
{
	/* In read-only memory */
	static const struct vfio_precopy_info constant = {
		.argsz = sizeof(constant),
	};

	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	change(_metadata, &self->r, 7);
	EXPECT_EQ(-1, ioctl(self->r.fd, VFIO_MIG_GET_PRECOPY_INFO, &constant));
	EXPECT_RET(-EFAULT, -errno, "constant");
	EXPECT_EQ(VFIO_PRECOPY_INFO_REINIT, info(_metadata, &self->r).flags);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	EXPECT_EQ(-1, ioctl(self->r.fd, VFIO_MIG_GET_PRECOPY_INFO, &constant));
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: not without the opt-in; initial_bytes never grows */
TEST_F(reinit, needs_the_opt_in)
{
	change_without_opt_in(_metadata, &self->r);
}

/* Clause: VFIO_PRECOPY_INFO_REINIT: the same if data do not depend on config space */
TEST_F(no_reinit, needs_the_opt_in)
{
	change_without_opt_in(_metadata, &self->r);
}

/* Driver: without MIG_PRECOPY_INFOv2: a REINIT for each change after START */
TEST_F(reinit, records_without_the_opt_in)
{
	change_without_opt_in(_metadata, &self->r);
	EXPECT_EQ(2, count(&self->r, MTTY_REC_REINIT));
	EXPECT_EQ(0, count(&self->r, MTTY_REC_CONFIG));
	expect_loads(_metadata, &self->r);
}

/* Driver: a change in STOP_COPY: no REINIT, which exists in the PRE_COPY states */
TEST_F(reinit, no_record_in_stop_copy)
{
	int ret;

	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	/* One that was announced in PRE_COPY, and was not read there */
	change(_metadata, &self->r, 7);
	ASSERT_RET(0, vmig_mig_set_state(self->r.dev, VFIO_DEVICE_STATE_STOP_COPY, NULL),
		   "STOP_COPY");
	get_config(_metadata, &self->r);
	ASSERT_EQ(0, vmig_bytes_reserve(&self->r.stream, 1));
	ASSERT_EQ(1, read(self->r.fd, self->r.stream.data + self->r.stream.len, 1));
	self->r.stream.len++;
	change(_metadata, &self->r, 8);
	do {
		ret = vmig_transfer_read(self->r.fd, &self->r.stream, 1000);
		get_config(_metadata, &self->r);
	} while (ret == -ESTALE && _metadata->exit_code != KSFT_FAIL);
	EXPECT_RET(0, ret, "to the end");
	EXPECT_LT(4, vmig_stream_count(&self->r.stream));
	EXPECT_EQ(0, count(&self->r, MTTY_REC_REINIT));
}

/* Driver: without MIG_PRECOPY_INFOv2: no record of a change, but for config space itself */
TEST_F(no_reinit, records_without_the_opt_in)
{
	change_without_opt_in(_metadata, &self->r);
	EXPECT_EQ(0, count(&self->r, MTTY_REC_REINIT));
	EXPECT_EQ(variant->rec ? 3 : 0, count(&self->r, MTTY_REC_CONFIG));
	expect_loads(_metadata, &self->r);
}

/* Driver: MIG_PRECOPY_INFOv2: the opt-in ends when the device is closed */
TEST_F(reinit, opt_in_ends_with_close)
{
	if (!opt_in(_metadata, &self->r))
		SKIP(return, NO_V2);
	vmig_device_close(self->r.dev);
	ASSERT_RET(0, vmig_device_open(self->r.dev, &self->r.td.mdev,
				       VMIG_PATH_ANY), "open");
	ASSERT_RET(0, vmig_config_opt_in_own(self->r.dev), "MIG_CONFIG");
	enter(_metadata, &self->r);
	drain(_metadata, &self->r);
	change(_metadata, &self->r, 7);
	EXPECT_EQ(0, info(_metadata, &self->r).flags);
	EXPECT_EQ(0, info(_metadata, &self->r).initial_bytes);
}

TEST_HARNESS_MAIN
