// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of the device: they stay in STOP and STOP_COPY, and a migration brings them to
 * the destination, by each way to save and by each way out of RESUMING.
 *
 * One session in detail: session_stream_test.c. Changes in PRE_COPY: precopy_data_test.c
 */
#include <errno.h>

#include "states.h"

#define SEED		30
#define OTHER_SEED	60

/* The steps that a source takes; the rest of the data is read in STOP_COPY */
#define STEPS_MAX	4

SUBJECT_FIXTURE(contents);

#define NEED_CONTENTS() do { \
	NEED(MIGRATION); \
	NEED_OP(fill); \
	NEED_OP(check); \
} while (0)

#define FILL(_dev, _seed)	TRY(self->subject.ops->fill(_dev, _seed), "fill")
#define SAVE(_dev)		TRY_STREAM(vmig_transfer_save(_dev, &self->stream), "save")

CLAUSE_TEST_F(contents, stay_in_stop, "state.stop-contents")
{
	NEED_CONTENTS();
	FILL(self->dev, SEED);
	TRY_STATE(STOP, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, stay_from_stop_to_running, "state.stop-contents", "state.running")
{
	NEED_CONTENTS();
	FILL(self->dev, SEED);
	TRY_STATE(STOP, NULL);
	TRY_STATE(RUNNING, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, stay_in_stop_copy, "state.stop-copy-contents")
{
	NEED_CONTENTS();
	FILL(self->dev, SEED);
	SAVE(self->dev);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, stay_after_stop_copy, "state.stop-copy-contents")
{
	NEED_CONTENTS();
	FILL(self->dev, SEED);
	TRY_STATE(STOP_COPY, NULL);
	TRY_STATE(STOP, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

/* A device in a P2P state need not answer, so its contents are looked at in RUNNING */
CLAUSE_TEST_F(contents, stay_in_running_p2p, "state.running-p2p")
{
	NEED_CONTENTS();
	NEED(P2P);
	FILL(self->dev, SEED);
	TRY_STATE(RUNNING_P2P, NULL);
	TRY_STATE(RUNNING, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, stay_in_pre_copy, "state.pre-copy")
{
	NEED_CONTENTS();
	NEED(PRE_COPY);
	FILL(self->dev, SEED);
	TRY_STATE(PRE_COPY, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, stay_in_pre_copy_p2p, "state.pre-copy-p2p")
{
	NEED_CONTENTS();
	NEED_MASK(HAS_PRE_COPY_P2P);
	FILL(self->dev, SEED);
	TRY_STATE(PRE_COPY_P2P, NULL);
	TRY_STATE(RUNNING, NULL);
	EXPECT_FILLED(self->dev, SEED);
}

CLAUSE_TEST_F(contents, replace_those_of_the_destination, "arc.resuming-to-stop")
{
	struct vmig_device *dst;

	NEED_CONTENTS();
	FILL(self->dev, SEED);
	SAVE(self->dev);
	OPEN_DESTINATION(dst);
	FILL(dst, OTHER_SEED);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	EXPECT_FILLED(dst, SEED);
}

/* The destination becomes a source, and its stream returns */
CLAUSE_TEST_F(contents, go_and_come_back, "arc.resuming-to-stop", "arc.combined-to-running")
{
	struct vmig_device *dst;

	NEED_CONTENTS();
	FILL(self->dev, SEED);
	SAVE(self->dev);
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	ASSERT_RET(0, vmig_mig_set_state(dst, RUNNING, NULL), "RUNNING");
	self->stream.len = 0;
	SAVE(dst);
	START_AGAIN();
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load again");
	EXPECT_FILLED(self->dev, SEED);
}

/* The ways out of RESUMING */
FIXTURE_VARIANT(loaded) {
	enum vfio_device_mig_state to;
};

SUBJECT_FIXTURE(loaded);

FIXTURE_VARIANT_ADD(loaded, to_stop) { .to = STOP };
FIXTURE_VARIANT_ADD(loaded, to_running) { .to = RUNNING };
FIXTURE_VARIANT_ADD(loaded, to_running_p2p) { .to = RUNNING_P2P };
FIXTURE_VARIANT_ADD(loaded, to_pre_copy) { .to = PRE_COPY };
FIXTURE_VARIANT_ADD(loaded, to_pre_copy_p2p) { .to = PRE_COPY_P2P };

CLAUSE_TEST_F(loaded, has_the_contents, "arc.resuming-to-stop")
{
	struct vmig_device *dst;

	NEED_CONTENTS();
	NEED_MASK(state_needs(variant->to));
	FILL(self->dev, SEED);
	SAVE(self->dev);
	OPEN_DESTINATION(dst);
	TRY(vmig_transfer_reach(dst, RESUMING, &self->stream, &self->fd), "to RESUMING");
	ASSERT_RET(0, vmig_mig_set_state(dst, variant->to, NULL), "RESUMING to %s",
		   vmig_state_name(variant->to));
	EXPECT_FILLED(dst, SEED);
}

/* A loaded device is saved at once, for a third device or the first */
CLAUSE_TEST_F(contents, go_from_resuming_to_stop_copy, "arc.combined-to-stop-copy")
{
	struct vmig_device *dst;

	NEED_CONTENTS();
	FILL(self->dev, SEED);
	SAVE(self->dev);
	OPEN_DESTINATION(dst);
	TRY(vmig_transfer_reach(dst, RESUMING, &self->stream, &self->fd), "to RESUMING");
	self->stream.len = 0;
	ASSERT_STREAM(vmig_transfer_save(dst, &self->stream), "RESUMING to STOP_COPY");
	START_AGAIN();
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load again");
	EXPECT_FILLED(self->dev, SEED);
}

/* The ways to save. In states of the mask @read, all data are read. */
FIXTURE_VARIANT(saved) {
	enum vfio_device_mig_state steps[STEPS_MAX];
	uint32_t read;
};

SUBJECT_FIXTURE(saved);

FIXTURE_VARIANT_ADD(saved, from_stop) { .steps = { STOP } };
FIXTURE_VARIANT_ADD(saved, from_running_p2p) { .steps = { RUNNING_P2P } };
FIXTURE_VARIANT_ADD(saved, step_by_step) { .steps = { RUNNING_P2P, STOP } };
FIXTURE_VARIANT_ADD(saved, by_pre_copy) {
	.steps = { PRE_COPY }, .read = 1 << PRE_COPY,
};

FIXTURE_VARIANT_ADD(saved, by_pre_copy_unread) { .steps = { PRE_COPY } };
FIXTURE_VARIANT_ADD(saved, by_pre_copy_p2p) {
	.steps = { PRE_COPY_P2P }, .read = 1 << PRE_COPY_P2P,
};

FIXTURE_VARIANT_ADD(saved, by_both) {
	.steps = { PRE_COPY, PRE_COPY_P2P }, .read = 1 << PRE_COPY | 1 << PRE_COPY_P2P,
};

FIXTURE_VARIANT_ADD(saved, by_pre_copy_again) {
	.steps = { PRE_COPY, PRE_COPY_P2P, PRE_COPY }, .read = 1 << PRE_COPY_P2P,
};

FIXTURE_VARIANT_ADD(saved, after_pre_copy_was_given_up) {
	.steps = { PRE_COPY, RUNNING },
};

/* Go there; a session that begins becomes self->fd, and one that ended is closed */
static int take_step(FIXTURE_DATA(saved) *self, enum vfio_device_mig_state to)
{
	int fd, ret;

	ret = vmig_mig_set_state(self->dev, to, &fd);
	if (!ret && self->fd >= 0 && (fd >= 0 || !has_session(to))) {
		vmig_call_close(self->fd);
		self->fd = -1;
	}
	if (fd >= 0)
		self->fd = fd;
	return ret;
}

CLAUSE_TEST_F(saved, arrives, "arc.resuming-to-stop", "session.complete")
{
	struct vmig_device *dst;
	unsigned int i;

	NEED_CONTENTS();
	for (i = 0; i < STEPS_MAX; i++)
		NEED_MASK(state_needs(variant->steps[i]));
	FILL(self->dev, SEED);
	for (i = 0; i < STEPS_MAX && variant->steps[i]; i++) {
		TRY(take_step(self, variant->steps[i]), "to %s",
		    vmig_state_name(variant->steps[i]));
		if (!(variant->read & (1 << variant->steps[i])))
			continue;
		/* No matter how this ends, no data may be lost */
		TRY(read_pre_copy(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read");
	}
	TRY(take_step(self, STOP_COPY), "to STOP_COPY");
	TRY_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read on");
	vmig_call_close(self->fd);
	self->fd = -1;
	OPEN_DESTINATION(dst);
	ASSERT_RET(0, vmig_transfer_load(dst, &self->stream), "load");
	ASSERT_RET(0, vmig_mig_set_state(dst, RUNNING, NULL), "RUNNING");
	EXPECT_FILLED(dst, SEED);
}

SUBJECT_TEST_MAIN
