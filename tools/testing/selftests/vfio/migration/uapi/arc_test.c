// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arcs of enum vfio_device_mig_state, one SET for several arcs, and requests that no
 * device may grant. After each SET: the state, a new session or none, and the old session.
 *
 * In RESUMING a whole stream was written.
 */
#include <errno.h>

#include "states.h"

/* @fd: the session of the state that is left; @new_fd: the one that SET returned */
FIXTURE(arc) {
	SUBJECT_MEMBERS;
	int new_fd;
};

FIXTURE_SETUP(arc)
{
	self->new_fd = -1;
	OPEN_SUBJECT();
}

FIXTURE_TEARDOWN(arc)
{
	if (self->new_fd >= 0)
		vmig_call_close(self->new_fd);
	CLOSE_SUBJECT();
}

/* May be at its end, for a while (ENOMSG) or for good */
static void expect_open(struct __test_metadata *_metadata, FIXTURE_DATA(arc) *self, int fd,
			enum vfio_device_mig_state state)
{
	ssize_t ret;
	char byte;

	if (state == RESUMING) {
		EXPECT_RET(0, vmig_transfer_write(fd, self->stream.data, self->stream.len,
						  VMIG_TRANSFER_CHUNK, NULL),
			   "the session of RESUMING does not take a stream");
		return;
	}
	ret = vmig_call_read(fd, &byte, 1);
	EXPECT_TRUE(ret >= 0 || errno == ENOMSG) {
		TH_LOG("no session in %s: read() gives %s", vmig_state_name(state),
		       vmig_errno_name(-errno));
	}
}

static void expect_ended(struct __test_metadata *_metadata, int fd,
			 enum vfio_device_mig_state state)
{
	char byte = 0;
	ssize_t ret;

	if (state == RESUMING)
		ret = vmig_call_write(fd, &byte, 1);
	else
		ret = vmig_call_read(fd, &byte, 1);
	EXPECT_GE(0, ret) {
		TH_LOG("the session of %s did not end", vmig_state_name(state));
	}
}

static void expect_arc(struct __test_metadata *_metadata, FIXTURE_DATA(arc) *self,
		       enum vfio_device_mig_state from, enum vfio_device_mig_state to)
{
	bool keeps = is_saving(from) && is_saving(to);
	bool begins = has_session(to) && !keeps;
	int ret;

	ret = vmig_mig_set_state(self->dev, to, &self->new_fd);
	EXPECT_RET(0, ret, "%s to %s", vmig_state_name(from), vmig_state_name(to));
	if (ret)
		return;
	EXPECT_STATE(to, self->dev, "%s to %s", vmig_state_name(from), vmig_state_name(to));
	EXPECT_EQ(begins, self->new_fd >= 0) {
		TH_LOG("%s to %s %s a session", vmig_state_name(from), vmig_state_name(to),
		       begins ? "must begin" : "must not begin");
	}
	if (self->new_fd >= 0)
		vmig_calls_name(self->new_fd, "new data_fd");
	if (self->fd >= 0) {
		if (keeps)
			expect_open(_metadata, self, self->fd, to);
		else
			expect_ended(_metadata, self->fd, from);
	}
	if (begins && self->new_fd >= 0)
		expect_open(_metadata, self, self->new_fd, to);
}

/* For a case with one arc */
#define EXPECT_ARC(_from, _to) do { \
	if ((_from) == RESUMING || (_to) == RESUMING) \
		SAVE_STREAM(); \
	REACH(_from); \
	expect_arc(_metadata, self, _from, _to); \
} while (0)

CLAUSE_TEST_F(arc, running_p2p_to_stop, "arc.running-p2p-to-stop")
{
	NEED2(MIGRATION, P2P);
	EXPECT_ARC(RUNNING_P2P, STOP);
}

CLAUSE_TEST_F(arc, stop_copy_to_stop, "arc.stop-copy-to-stop")
{
	NEED(MIGRATION);
	EXPECT_ARC(STOP_COPY, STOP);
}

CLAUSE_TEST_F(arc, stop_copy_to_stop_after_one_byte, "arc.stop-copy-to-stop")
{
	char byte;

	NEED(MIGRATION);
	REACH(STOP_COPY);
	vmig_call_read(self->fd, &byte, 1);
	expect_arc(_metadata, self, STOP_COPY, STOP);
}

CLAUSE_TEST_F(arc, stop_copy_to_stop_at_the_end, "arc.stop-copy-to-stop")
{
	NEED(MIGRATION);
	REACH(STOP_COPY);
	TRY_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read all");
	expect_arc(_metadata, self, STOP_COPY, STOP);
}

CLAUSE_TEST_F(arc, resuming_to_stop, "arc.resuming-to-stop")
{
	NEED(MIGRATION);
	EXPECT_ARC(RESUMING, STOP);
}

CLAUSE_TEST_F(arc, pre_copy_to_running, "arc.pre-copy-to-running")
{
	NEED2(MIGRATION, PRE_COPY);
	EXPECT_ARC(PRE_COPY, RUNNING);
}

CLAUSE_TEST_F(arc, pre_copy_to_running_after_one_byte, "arc.pre-copy-to-running")
{
	char byte;

	NEED2(MIGRATION, PRE_COPY);
	REACH(PRE_COPY);
	vmig_call_read(self->fd, &byte, 1);
	expect_arc(_metadata, self, PRE_COPY, RUNNING);
}

CLAUSE_TEST_F(arc, pre_copy_to_running_at_the_end, "arc.pre-copy-to-running")
{
	NEED2(MIGRATION, PRE_COPY);
	REACH(PRE_COPY);
	read_pre_copy(self->fd, &self->stream, VMIG_TRANSFER_CHUNK);
	expect_arc(_metadata, self, PRE_COPY, RUNNING);
}

CLAUSE_TEST_F(arc, running_p2p_to_running, "arc.running-p2p-to-running")
{
	NEED2(MIGRATION, P2P);
	EXPECT_ARC(RUNNING_P2P, RUNNING);
}

CLAUSE_TEST_F(arc, pre_copy_p2p_to_running_p2p, "arc.pre-copy-p2p-to-running-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ARC(PRE_COPY_P2P, RUNNING_P2P);
}

CLAUSE_TEST_F(arc, running_to_running_p2p, "arc.running-to-running-p2p")
{
	NEED2(MIGRATION, P2P);
	EXPECT_ARC(RUNNING, RUNNING_P2P);
}

CLAUSE_TEST_F(arc, stop_to_running_p2p, "arc.stop-to-running-p2p")
{
	NEED2(MIGRATION, P2P);
	EXPECT_ARC(STOP, RUNNING_P2P);
}

CLAUSE_TEST_F(arc, running_to_pre_copy, "arc.running-to-pre-copy")
{
	NEED2(MIGRATION, PRE_COPY);
	EXPECT_ARC(RUNNING, PRE_COPY);
}

CLAUSE_TEST_F(arc, running_p2p_to_pre_copy_p2p, "arc.running-p2p-to-pre-copy-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ARC(RUNNING_P2P, PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, stop_to_stop_copy, "arc.stop-to-stop-copy")
{
	NEED(MIGRATION);
	EXPECT_ARC(STOP, STOP_COPY);
}

CLAUSE_TEST_F(arc, pre_copy_to_pre_copy_p2p, "arc.pre-copy-to-pre-copy-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ARC(PRE_COPY, PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, pre_copy_p2p_to_pre_copy, "arc.pre-copy-p2p-to-pre-copy")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ARC(PRE_COPY_P2P, PRE_COPY);
}

CLAUSE_TEST_F(arc, pre_copy_p2p_to_stop_copy, "arc.pre-copy-p2p-to-stop-copy")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ARC(PRE_COPY_P2P, STOP_COPY);
}

CLAUSE_TEST_F(arc, stop_to_resuming, "arc.stop-to-resuming")
{
	NEED(MIGRATION);
	EXPECT_ARC(STOP, RESUMING);
}

/* A flag that this suite does not know may permit an arc */
#define NEED_KNOWN_FLAGS() do { \
	uint64_t flags; \
	TRY(vmig_mig_get_flags(self->dev, &flags), "GET MIGRATION"); \
	if (flags & ~(uint64_t)(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | \
				VFIO_MIGRATION_PRE_COPY)) \
		SKIP(return, "not applicable: the device has migration flags %#llx", \
		     (unsigned long long)flags); \
} while (0)

#define EXPECT_NO_ARC(_to) \
	EXPECT_REFUSED("errno of an arc that is not permitted", \
		       vmig_mig_set_state(self->dev, _to, NULL))

CLAUSE_TEST_F(arc, stop_copy_to_pre_copy, "arc.stop-copy-to-pre-copy")
{
	NEED2(MIGRATION, PRE_COPY);
	NEED_KNOWN_FLAGS();
	REACH(STOP_COPY);
	EXPECT_NO_ARC(PRE_COPY);
}

CLAUSE_TEST_F(arc, stop_copy_to_pre_copy_p2p, "arc.stop-copy-to-pre-copy-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	NEED_KNOWN_FLAGS();
	REACH(STOP_COPY);
	EXPECT_NO_ARC(PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, any_to_error, "arc.any-to-error")
{
	enum vfio_device_mig_state from;

	NEED(MIGRATION);
	SAVE_STREAM();
	for (from = STOP; from < VFIO_DEVICE_STATE_NR; from++) {
		if (!has_state(&self->subject, from))
			continue;
		REACH(from);
		EXPECT_NO_ARC(ERROR);
		START_AGAIN();
	}
}

/* One SET for several arcs, from each of these states that the device has */
static void expect_combined(struct __test_metadata *_metadata, FIXTURE_DATA(arc) *self,
			    const enum vfio_device_mig_state *from, unsigned int nr,
			    enum vfio_device_mig_state to)
{
	unsigned int i;

	SAVE_STREAM();
	for (i = 0; i < nr; i++) {
		if (!has_state(&self->subject, from[i]))
			continue;
		REACH(from[i]);
		expect_arc(_metadata, self, from[i], to);
		if (self->new_fd >= 0)
			vmig_call_close(self->new_fd);
		self->new_fd = -1;
		START_AGAIN();
	}
}

#define EXPECT_COMBINED(_to, ...) do { \
	const enum vfio_device_mig_state from_states[] = { __VA_ARGS__ }; \
	expect_combined(_metadata, self, from_states, ARRAY_SIZE(from_states), _to); \
} while (0)

CLAUSE_TEST_F(arc, combined_to_stop, "arc.combined-to-stop")
{
	NEED(MIGRATION);
	EXPECT_COMBINED(STOP, RUNNING, PRE_COPY, PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, combined_to_running, "arc.combined-to-running")
{
	NEED(MIGRATION);
	EXPECT_COMBINED(RUNNING, STOP, STOP_COPY, RESUMING, PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, combined_to_running_p2p, "arc.combined-to-running-p2p")
{
	NEED2(MIGRATION, P2P);
	EXPECT_COMBINED(RUNNING_P2P, STOP_COPY, RESUMING, PRE_COPY);
}

CLAUSE_TEST_F(arc, combined_to_stop_copy, "arc.combined-to-stop-copy")
{
	NEED(MIGRATION);
	EXPECT_COMBINED(STOP_COPY, RUNNING, RESUMING, RUNNING_P2P);
}

CLAUSE_TEST_F(arc, combined_pre_copy_to_stop_copy, "arc.combined-pre-copy-to-stop-copy")
{
	NEED2(MIGRATION, PRE_COPY);
	EXPECT_ARC(PRE_COPY, STOP_COPY);
}

CLAUSE_TEST_F(arc, combined_to_resuming, "arc.combined-to-resuming")
{
	NEED(MIGRATION);
	EXPECT_COMBINED(RESUMING, RUNNING, STOP_COPY, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P);
}

CLAUSE_TEST_F(arc, combined_to_pre_copy, "arc.combined-to-pre-copy")
{
	NEED2(MIGRATION, PRE_COPY);
	EXPECT_COMBINED(PRE_COPY, STOP, RESUMING, RUNNING_P2P);
}

CLAUSE_TEST_F(arc, combined_to_pre_copy_p2p, "arc.combined-to-pre-copy-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_COMBINED(PRE_COPY_P2P, STOP, RUNNING, RESUMING);
}

SUBJECT_TEST_MAIN
