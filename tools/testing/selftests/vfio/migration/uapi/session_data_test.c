// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data that are no stream of the device: cut, of something else, damaged, too many, none.
 */
#include <errno.h>

#include "session.h"

#define TRAILING	16

/* The answer of a driver to data: the results of write() and of the SET to STOP */
struct answer {
	int write;
	int stop;
	enum vfio_device_mig_state state;
};

FIXTURE(data) {
	SUBJECT_MEMBERS;
	struct answer answer;
};

FIXTURE_SETUP(data)
{
	OPEN_SUBJECT();
}

FIXTURE_TEARDOWN(data)
{
	CLOSE_SUBJECT();
}

/* Offers self->stream in RESUMING; the state is asked for afterwards */
static void offer(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self)
{
	struct answer *answer = &self->answer;

	answer->write = vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					    VMIG_TRANSFER_CHUNK, NULL);
	answer->stop = vmig_mig_set_state(self->dev, STOP, NULL);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &answer->state), "get the state");
}

#define OFFER() do { \
	BEGIN(RESUMING, &self->fd); \
	offer(_metadata, self); \
} while (0)

static void expect_refused(struct __test_metadata *_metadata, const struct answer *answer)
{
	EXPECT_GT(0, answer->stop) {
		TH_LOG("write(): %s, but RESUMING to STOP succeeded",
		       vmig_errno_name(answer->write));
	}
	if (answer->stop)
		RECORD("errno of refused data", "%s", vmig_errno_name(answer->stop));
}

DESTRUCTIVE_TEST_F(data, lacks_the_last_byte, "writes an incomplete stream",
		   "session.truncated")
{
	NEED(MIGRATION);
	SAVE();
	ASSERT_LT(1, self->stream.len);
	self->stream.len--;
	OFFER();
	expect_refused(_metadata, &self->answer);
}

DESTRUCTIVE_TEST_F(data, lacks_the_second_half, "writes an incomplete stream",
		   "session.truncated")
{
	NEED(MIGRATION);
	SAVE();
	self->stream.len /= 2;
	OFFER();
	expect_refused(_metadata, &self->answer);
}

DESTRUCTIVE_TEST_F(data, has_one_byte, "writes an incomplete stream", "session.truncated")
{
	NEED(MIGRATION);
	SAVE();
	ASSERT_LT(1, self->stream.len);
	self->stream.len = 1;
	OFFER();
	expect_refused(_metadata, &self->answer);
}

static void invert(struct vmig_bytes *stream)
{
	size_t i;

	for (i = 0; i < stream->len; i++)
		stream->data[i] ^= 0xff;
}

/* As long as a stream, but no byte is that of one */
DESTRUCTIVE_TEST_F(data, is_inverted, "writes invalid data", "session.invalid")
{
	NEED(MIGRATION);
	SAVE();
	invert(&self->stream);
	OFFER();
	expect_refused(_metadata, &self->answer);
}

DESTRUCTIVE_TEST_F(data, leaves_a_state, "writes invalid data", "session.refused-state")
{
	enum vfio_device_mig_state state;

	NEED(MIGRATION);
	SAVE();
	invert(&self->stream);
	OFFER();
	if (!self->answer.stop)
		SKIP(return, "not checked: the driver accepted invalid data");
	state = self->answer.state;
	RECORD("write() of invalid data", "%s", vmig_errno_name(self->answer.write));
	RECORD("state after refused data", "%s", vmig_state_name(state));
	EXPECT_TRUE(state == ERROR || state == RESUMING || state == STOP);
}

DESTRUCTIVE_TEST_F(data, is_zero, "writes invalid data", "session.invalid")
{
	NEED(MIGRATION);
	SAVE();
	memset(self->stream.data, 0, self->stream.len);
	OFFER();
	expect_refused(_metadata, &self->answer);
}

/*
 * The stream of the same device, but its parts change places. A driver need not find
 * this: vfio.h has data refused that are found to be wrong.
 */
DESTRUCTIVE_TEST_F(data, has_another_order, "writes invalid data", "session.harmless")
{
	size_t half, i;
	uint8_t byte;

	NEED(MIGRATION);
	SAVE();
	half = self->stream.len / 2;
	if (!memcmp(self->stream.data, self->stream.data + half, half))
		SKIP(return, "not checked: both halves of the stream are equal");
	for (i = 0; i < half; i++) {
		byte = self->stream.data[i];
		self->stream.data[i] = self->stream.data[i + half];
		self->stream.data[i + half] = byte;
	}
	OFFER();
	RECORD("a stream in another order", "%s",
	       self->answer.stop || self->answer.write ? "refused" : "accepted");
	RESET_LISTED();
	EXPECT_STATE(RUNNING, self->dev, "after a reset");
}

/* After data were refused, a reset makes the device a destination again */
DESTRUCTIVE_TEST_F(data, is_forgotten_by_a_reset, "writes invalid data", "session.invalid")
{
	struct vmig_bytes good = { 0 };

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(RUNNING, NULL);
	FILL(self->dev, SEED + 1);
	ASSERT_EQ(0, vmig_bytes_copy(&good, &self->stream));
	invert(&self->stream);
	OFFER();
	RESET_LISTED();
	EXPECT_RET(0, vmig_transfer_load(self->dev, &good), "load the right stream");
	vmig_bytes_free(&good);
	EXPECT_CONTENTS(self->dev, SEED);
}

DESTRUCTIVE_TEST_F(data, is_nothing, "ends RESUMING without data", "session.empty")
{
	int ret;

	NEED(MIGRATION);
	BEGIN(RESUMING, &self->fd);
	ret = vmig_mig_set_state(self->dev, STOP, NULL);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &self->answer.state), "get the state");
	RECORD("RESUMING to STOP without data", "%s, then in %s", vmig_errno_name(ret),
	       vmig_state_name(self->answer.state));
	if (!ret)
		EXPECT_STREQ("STOP", vmig_state_name(self->answer.state));
}

/* Where they are accepted, the stream before them counts */
DESTRUCTIVE_TEST_F(data, has_more_bytes_than_a_stream, "writes invalid data",
		   "session.trailing")
{
	static const uint8_t more[TRAILING];

	NEED(MIGRATION);
	FILL(self->dev, SEED);
	SAVE();
	TRY_STATE(RUNNING, NULL);
	FILL(self->dev, SEED + 1);
	ASSERT_EQ(0, vmig_bytes_add(&self->stream, more, sizeof(more)));
	OFFER();
	RECORD("write() of bytes after the stream", "%s",
	       vmig_errno_name(self->answer.write));
	RECORD("RESUMING to STOP with bytes after the stream", "%s",
	       vmig_errno_name(self->answer.stop));
	if (!self->answer.write && !self->answer.stop)
		EXPECT_CONTENTS(self->dev, SEED);
}

/* A part of the stream is inverted, so that its start may still be right */
#define PARTS	8

FIXTURE_VARIANT(damaged) {
	unsigned int part;
};

SUBJECT_FIXTURE(damaged);

FIXTURE_VARIANT_ADD(damaged, part_2) { .part = 1 };
FIXTURE_VARIANT_ADD(damaged, part_3) { .part = 2 };
FIXTURE_VARIANT_ADD(damaged, part_4) { .part = 3 };
FIXTURE_VARIANT_ADD(damaged, part_5) { .part = 4 };
FIXTURE_VARIANT_ADD(damaged, part_6) { .part = 5 };
FIXTURE_VARIANT_ADD(damaged, part_7) { .part = 6 };
FIXTURE_VARIANT_ADD(damaged, part_8) { .part = 7 };

/* The driver may not be able to tell; then it runs with what it got, and is read */
static void run_and_read(struct __test_metadata *_metadata, FIXTURE_DATA(damaged) *self)
{
	const struct vfio_region_info *region;
	uint8_t byte;
	unsigned int i, at;

	TRY_STATE(RUNNING, NULL);
	for (i = 0; i < self->dev->nr_regions && i < VMIG_REGIONS_MAX; i++) {
		region = &self->dev->region[i];
		if (!(region->flags & VFIO_REGION_INFO_FLAG_READ))
			continue;
		for (at = 0; at < 8 && at < region->size; at++)
			vmig_region_read(self->dev, i, at, &byte, 1);
	}
}

DESTRUCTIVE_TEST_F(damaged, does_no_harm, "writes invalid data", "session.harmless")
{
	size_t i, from, to;
	int write_err, ret;

	NEED(MIGRATION);
	SAVE();
	from = self->stream.len * variant->part / PARTS;
	to = self->stream.len * (variant->part + 1) / PARTS;
	for (i = from; i < to; i++)
		self->stream.data[i] ^= 0xff;
	ret = vmig_transfer_offer(self->dev, &self->stream, &write_err);
	RECORD("a damaged stream", "%s", ret || write_err ? "refused" : "accepted");
	if (!ret)
		run_and_read(_metadata, self);
	RESET_LISTED();
}

SUBJECT_TEST_MAIN
