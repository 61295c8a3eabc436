// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_MIG_GET_PRECOPY_INFO and VFIO_DEVICE_FEATURE_MIG_DATA_SIZE after each step of a
 * migration, compared with what is read after that: config space and capture memory change
 * between records, in them and behind them, under each policy.
 *
 * Pages that are not adjacent have a record each, so the numbers are exact.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PAGE	4096
#define CHUNK	8192

/* The first pages that have data; no two are adjacent */
static const unsigned int first_pages[] = { 2, 4, 6 };

FIXTURE(steps) {
	DEVICE_MEMBERS;
	struct vmig_snapshot config;
};

FIXTURE_VARIANT(steps) {
	const char *policy;
	bool opt_in;
	const char *type;
	bool no_capture;
};

#define STEPS(_name, _policy, ...) \
	FIXTURE_VARIANT_ADD(steps, _name) { \
		.policy = _policy, .type = "mtty-2", ##__VA_ARGS__ }

STEPS(independent, "independent");
STEPS(before_data, "before-data");
STEPS(reorder, "reorder");
STEPS(embedded, "embedded");
STEPS(independent_opted_in, "independent", .opt_in = true);
STEPS(before_data_opted_in, "before-data", .opt_in = true);
STEPS(reorder_opted_in, "reorder", .opt_in = true);
STEPS(embedded_opted_in, "embedded", .opt_in = true);
STEPS(without_capture, "independent", .no_capture = true);
STEPS(embedded_without_capture, "embedded", .no_capture = true);

FIXTURE_VARIANT_ADD(steps, one_port) {
	.policy = "independent", .type = "mtty-1",
};

FIXTURE_VARIANT_ADD(steps, one_port_embedded) {
	.policy = "embedded", .type = "mtty-1",
};

FIXTURE_SETUP(steps)
{
	OPEN_DEVICE(variant->type, .config_policy = variant->policy,
		    .capture_size = variant->no_capture ? "0" : "64K");
	if (variant->opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
}

FIXTURE_TEARDOWN(steps)
{
	CLOSE_DEVICE();
}

enum action {
	NONE,
	PART,		/* read() once, @arg bytes at most */
	REST,		/* read the rest of the record */
	DRAIN,		/* read to the end of the stream, also a temporary one */
	CONFIG,		/* change config space */
	DIRTY,		/* write to page @arg of the capture memory */
	STATE,		/* request the state @arg */
};

static const struct step {
	enum action action;
	unsigned int arg;
} steps[] = {
	{ PART, 1 }, { REST }, { PART, 1 }, { CONFIG }, { REST }, { PART, 1 },
	{ REST }, { PART, 100 }, { DIRTY, 8 }, { REST }, { CONFIG }, { PART, 100 },
	{ CONFIG }, { REST }, { PART, 5000 }, { DIRTY, 2 }, { DRAIN },
	{ DIRTY, 2 }, { PART, 1 }, { DIRTY, 2 }, { STATE, PRE_COPY_P2P }, { REST },
	{ CONFIG }, { PART, 1 }, { STATE, PRE_COPY }, { DRAIN }, { CONFIG },
	{ DRAIN }, { DIRTY, 10 }, { CONFIG }, { STATE, STOP_COPY },
	{ PART, 1 }, { CONFIG }, { REST }, { PART, 1 }, { REST }, { DRAIN },
	{ CONFIG }, { DIRTY, 2 }, { DRAIN },
};

/* Record by record, each in two parts; more steps than any stream has parts */
static const struct step parts[] = {
	{ STATE, STOP_COPY },
	{ PART, 1 }, { REST }, { PART, 1 }, { REST }, { PART, 1 }, { REST },
	{ PART, 1 }, { REST }, { PART, 1 }, { REST }, { PART, 1 }, { REST },
	{ PART, 1 }, { REST }, { PART, 1 }, { REST }, { PART, 1 }, { REST },
	{ PART, 1 }, { REST }, { PART, 1 }, { REST },
};

/* Returns the number of bytes, 0 also at a temporary end; gets a snapshot that is needed */
static ssize_t read_some(FIXTURE_DATA(steps) *self, size_t len)
{
	ssize_t got;
	int ret;

	ret = vmig_bytes_reserve(&self->stream, len);
	if (ret)
		return ret;
	got = read(self->fd, self->stream.data + self->stream.len, len);
	if (got < 0 && errno == ESTALE) {
		ret = vmig_config_get(self->fd, &self->config);
		if (ret)
			return ret;
		got = read(self->fd, self->stream.data + self->stream.len, len);
	}
	if (got < 0)
		return errno == ENOMSG ? 0 : -errno;
	self->stream.len += got;
	return got;
}

static int drain(FIXTURE_DATA(steps) *self)
{
	ssize_t got;

	do {
		got = read_some(self, CHUNK);
	} while (got > 0);
	return got;
}

/* So many bytes are missing to the end of a record */
static size_t missing(FIXTURE_DATA(steps) *self)
{
	const size_t head = sizeof(struct mtty_rec_head);
	struct vmig_stream_iter iter;
	struct vmig_rec rec;

	vmig_stream_start(&iter, self->stream.data, self->stream.len);
	while (!vmig_stream_next(&iter, &rec))
		;
	if (iter.pos == iter.len)
		return 0;
	if (vmig_stream_peek(&iter, &rec))
		return iter.pos + head - iter.len;
	return iter.pos + rec.size - iter.len;
}

static int read_rest(FIXTURE_DATA(steps) *self)
{
	ssize_t got = 1;
	size_t len;

	while (got > 0 && (len = missing(self)))
		got = read_some(self, len);
	return got < 0 ? got : 0;
}

static int write_page(FIXTURE_DATA(steps) *self, unsigned int page)
{
	uint8_t byte = self->stream.len;

	return vmig_region_write(self->dev, VFIO_PCI_BAR2_REGION_INDEX, page * PAGE,
				 &byte, 1);
}

static int act(FIXTURE_DATA(steps) *self, const FIXTURE_VARIANT(steps) *variant,
	       const struct step *step)
{
	ssize_t got;

	switch (step->action) {
	case NONE:
		return 0;
	case PART:
		got = read_some(self, step->arg);
		return got < 0 ? got : 0;
	case REST:
		return read_rest(self);
	case DRAIN:
		return drain(self);
	case CONFIG:
		return vmig_config_change(self->dev);
	case DIRTY:
		return variant->no_capture ? 0 : write_page(self, step->arg);
	case STATE:
		return vmig_mig_set_state(self->dev, step->arg, NULL);
	}
	return -EINVAL;
}

static const struct step no_more[2];

/* RUNNING after a reset, with capture memory in the first pages */
static int set_up(FIXTURE_DATA(steps) *self, const FIXTURE_VARIANT(steps) *variant)
{
	unsigned int i;
	int ret;

	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	self->stream.len = 0;
	ret = vmig_device_reset(self->dev);
	for (i = 0; i < ARRAY_SIZE(first_pages) && !ret && !variant->no_capture; i++)
		ret = write_page(self, first_pages[i]);
	return ret;
}

/*
 * The part of the stream behind an offset
 * @all:	bytes
 * @initial:	those of START, the first CONFIG and the first record of each first page
 * @state:	bytes of the records of the rest of the device that begin before the offset
 */
struct behind {
	uint64_t all;
	uint64_t initial;
	uint64_t state;
};

static bool is_state(uint32_t type)
{
	return type == MTTY_REC_LOG || type == MTTY_REC_UART || type == MTTY_REC_IRQ ||
	       type == MTTY_REC_END;
}

static struct behind look_behind(FIXTURE_DATA(steps) *self, size_t offset)
{
	unsigned int seen[MTTY_REC_NR] = { 0 };
	static const unsigned int initial[MTTY_REC_NR] = {
		[MTTY_REC_START] = 1, [MTTY_REC_CONFIG] = 1,
		[MTTY_REC_CAPTURE] = ARRAY_SIZE(first_pages),
	};
	struct behind behind = { .all = self->stream.len - offset };
	struct vmig_stream_iter iter;
	struct vmig_rec rec;

	vmig_stream_start(&iter, self->stream.data, self->stream.len);
	while (!vmig_stream_next(&iter, &rec)) {
		size_t end = rec.offset + rec.size;
		size_t from = rec.offset < offset ? offset : rec.offset;

		if (rec.type < MTTY_REC_NR && seen[rec.type]++ < initial[rec.type] &&
		    end > offset)
			behind.initial += end - from;
		if (is_state(rec.type) && rec.offset < offset)
			behind.state += rec.size;
	}
	return behind;
}

/* Take these steps, then two more; ask, and read all the rest without a change */
static void ask_after(struct __test_metadata *_metadata, FIXTURE_DATA(steps) *self,
		      const FIXTURE_VARIANT(steps) *variant, const struct step *step,
		      unsigned int nr, const struct step last[2])
{
	struct vfio_precopy_info info = { 0 };
	size_t offset, temporary_end;
	struct behind behind;
	uint64_t size = 0;
	unsigned int i;
	int pre_copy;

	ASSERT_RET(0, set_up(self, variant), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	for (i = 0; i < nr; i++)
		ASSERT_RET(0, act(self, variant, &step[i]), "step %u", i);
	for (i = 0; i < 2; i++)
		ASSERT_RET(0, act(self, variant, &last[i]), "last step %u", i);
	offset = self->stream.len;
	pre_copy = !vmig_precopy_info(self->fd, &info);
	EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "size");

	ASSERT_RET(0, drain(self), "to a temporary end");
	temporary_end = self->stream.len;
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP_COPY, NULL), "STOP_COPY");
	ASSERT_RET(0, drain(self), "to the end");
	behind = look_behind(self, offset);
	if (pre_copy) {
		EXPECT_EQ(behind.initial, info.initial_bytes);
		EXPECT_EQ(temporary_end - offset - behind.initial, info.dirty_bytes);
		EXPECT_EQ(0, info.flags);
	}
	EXPECT_LE(behind.all, size);
	/* The records behind the capture memory count until the end */
	EXPECT_GE(behind.all + behind.state, size);
	ASSERT_NE(KSFT_FAIL, _metadata->exit_code) {
		TH_LOG("after %u steps, at offset %zu of %zu", nr, offset, self->stream.len);
	}
}

/* Driver: initial_bytes, dirty_bytes, stop_copy_length: exact after each step of a pre-copy */
TEST_F(steps, of_pre_copy)
{
	unsigned int nr;

	for (nr = 0; nr <= ARRAY_SIZE(steps); nr++)
		ask_after(_metadata, self, variant, steps, nr, no_more);
}

/* Driver: stop_copy_length in STOP_COPY: at least the rest, in and behind each record */
TEST_F(steps, of_stop_copy)
{
	unsigned int nr;

	for (nr = 0; nr <= ARRAY_SIZE(parts); nr++)
		ask_after(_metadata, self, variant, parts, nr, no_more);
}

/* Driver: the same, when config space or capture memory has just changed */
TEST_F(steps, of_stop_copy_with_a_change)
{
	static const struct step changes[][2] = {
		{ { CONFIG } }, { { CONFIG }, { PART, 1 } }, { { DIRTY, 2 }, { DIRTY, 8 } },
	};
	unsigned int nr, i;

	for (nr = 0; nr <= ARRAY_SIZE(parts); nr++)
		for (i = 0; i < ARRAY_SIZE(changes); i++)
			ask_after(_metadata, self, variant, parts, nr, changes[i]);
}

/* Driver: stop_copy_length without a session: the bytes that a stream would have */
TEST_F(steps, before_a_session)
{
	static const enum vfio_device_mig_state states[] = {
		RUNNING, RUNNING_P2P, STOP,
	};
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, set_up(self, variant), "contents");
		ASSERT_RET(0, vmig_config_change(self->dev), "config space");
		ASSERT_RET(0, vmig_mig_set_state(self->dev, states[i], NULL), "%s",
			   vmig_state_name(states[i]));
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "size");
		ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP_COPY, &self->fd),
			   "STOP_COPY");
		ASSERT_RET(0, drain(self), "to the end");
		EXPECT_EQ(self->stream.len, size) {
			TH_LOG("in %s", vmig_state_name(states[i]));
		}
	}
}

/* Driver: the numbers of a new session: the same after each end of the one before */
TEST_F(steps, of_a_second_session)
{
	static const enum vfio_device_mig_state back[] = { RUNNING, STOP };
	struct vfio_precopy_info first, second;
	uint64_t size = 0, again = 0;
	unsigned int nr, i;

	for (nr = 0; nr <= ARRAY_SIZE(steps); nr += 3) {
		ASSERT_RET(0, set_up(self, variant), "contents");
		ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd),
			   "PRE_COPY");
		ASSERT_RET(0, vmig_precopy_info(self->fd, &first), "first");
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &size), "size");
		/* Without the pages that some of the steps add */
		for (i = 0; i < nr; i++)
			if (steps[i].action != DIRTY)
				ASSERT_RET(0, act(self, variant, &steps[i]),
					   "step %u", i);
		ASSERT_RET(0, vmig_mig_set_state(self->dev, back[nr % 2], NULL), "%s",
			   vmig_state_name(back[nr % 2]));
		close(self->fd);
		ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd),
			   "PRE_COPY again");
		ASSERT_RET(0, vmig_precopy_info(self->fd, &second), "second");
		EXPECT_RET(0, vmig_mig_data_size(self->dev, &again), "size");
		EXPECT_EQ(first.initial_bytes, second.initial_bytes);
		EXPECT_EQ(0, second.dirty_bytes);
		EXPECT_EQ(size, again);
	}
}

TEST_HARNESS_MAIN
