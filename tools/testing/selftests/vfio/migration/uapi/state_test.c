// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: what GET and SET return, and what does not change
 * the state. Requests that fail: state_fail_test.c
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "states.h"

#define FEATURE_GET_STATE \
	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
#define FEATURE_SET_STATE \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)

SUBJECT_FIXTURE(state);

CLAUSE_TEST_F(state, a_new_device_runs, "state.initial")
{
	NEED(MIGRATION);
	EXPECT_STATE(RUNNING, self->dev, "nothing was asked for yet");
}

CLAUSE_TEST_F(state, get_in_each, "state.get")
{
	enum vfio_device_mig_state state;

	NEED(MIGRATION);
	for (state = STOP; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!has_state(&self->subject, state))
			continue;
		REACH(state);
		EXPECT_STATE(state, self->dev, "after SET %s", vmig_state_name(state));
		START_AGAIN();
	}
}

CLAUSE_TEST_F(state, get_gives_no_data_fd, "state.get-data-fd")
{
	struct vfio_device_feature_mig_state mig;
	enum vfio_device_mig_state state;

	NEED(MIGRATION);
	for (state = STOP; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!has_state(&self->subject, state))
			continue;
		REACH(state);
		memset(&mig, 0x55, sizeof(mig));
		EXPECT_RET(0, vmig_feature(self->dev, FEATURE_GET_STATE, &mig, sizeof(mig)),
			   "GET in %s", vmig_state_name(state));
		EXPECT_EQ(-1, mig.data_fd) {
			TH_LOG("GET in %s", vmig_state_name(state));
		}
		START_AGAIN();
	}
}

CLAUSE_TEST_F(state, set_without_session_gives_no_data_fd, "state.set-no-fd")
{
	struct vfio_device_feature_mig_state mig = { .device_state = STOP, .data_fd = 77 };
	int before = vmig_count_fds();

	NEED(MIGRATION);
	ASSERT_LT(0, before);
	EXPECT_RET(0, vmig_feature(self->dev, FEATURE_SET_STATE, &mig, sizeof(mig)),
		   "RUNNING to STOP");
	EXPECT_EQ(-1, mig.data_fd);
	EXPECT_EQ(before, vmig_count_fds()) {
		TH_LOG("RUNNING to STOP has opened a file");
	}
}

CLAUSE_TEST_F(state, set_with_session_gives_its_data_fd, "state.set-fd")
{
	static const enum vfio_device_mig_state states[] = {
		STOP_COPY, RESUMING, PRE_COPY, PRE_COPY_P2P,
	};
	unsigned int i;
	int before;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		if (!has_state(&self->subject, states[i]))
			continue;
		before = vmig_count_fds();
		ASSERT_LT(0, before);
		TRY_STATE(states[i], &self->fd);
		EXPECT_LE(0, self->fd) {
			TH_LOG("no data_fd in %s", vmig_state_name(states[i]));
		}
		EXPECT_EQ(before + 1, vmig_count_fds());
		START_AGAIN();
	}
}

/* Expects that the session of self->fd goes on in this state */
static void expect_session(struct __test_metadata *_metadata, FIXTURE_DATA(state) *self,
			   enum vfio_device_mig_state state)
{
	ssize_t ret;
	char byte;

	if (state == RESUMING)
		ret = vmig_call_write(self->fd, self->stream.data, 1);
	else
		ret = vmig_call_read(self->fd, &byte, 1);
	EXPECT_TRUE(ret >= 0 || errno == ENOMSG) {
		TH_LOG("SET %s in %s has ended the session: %s", vmig_state_name(state),
		       vmig_state_name(state), vmig_errno_name(-errno));
	}
}

CLAUSE_TEST_F(state, set_to_the_same, "state.same")
{
	enum vfio_device_mig_state state;
	int data_fd;

	NEED(MIGRATION);
	SAVE_STREAM();
	for (state = STOP; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!has_state(&self->subject, state))
			continue;
		if (state != RUNNING)
			TRY_STATE(state, &self->fd);
		data_fd = -1;
		EXPECT_RET(0, vmig_mig_set_state(self->dev, state, &data_fd), "%s again",
			   vmig_state_name(state));
		EXPECT_EQ(-1, data_fd) {
			TH_LOG("%s again: a second session", vmig_state_name(state));
		}
		EXPECT_STATE(state, self->dev, "%s again", vmig_state_name(state));
		if (self->fd >= 0)
			expect_session(_metadata, self, state);
		if (data_fd >= 0)
			vmig_call_close(data_fd);
		START_AGAIN();
	}
}

CLAUSE_TEST_F(state, end_of_stream_changes_no_state, "state.no-async")
{
	NEED(MIGRATION);
	REACH(STOP_COPY);
	TRY_STREAM(vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK), "read all");
	EXPECT_STATE(STOP_COPY, self->dev, "at the end of the stream");
	vmig_call_close(self->fd);
	self->fd = -1;
	EXPECT_STATE(STOP_COPY, self->dev, "the data_fd was closed");
}

CLAUSE_TEST_F(state, end_of_pre_copy_data_changes_no_state, "state.no-async")
{
	NEED2(MIGRATION, PRE_COPY);
	REACH(PRE_COPY);
	/* How this ends is not judged here */
	read_pre_copy(self->fd, &self->stream, VMIG_TRANSFER_CHUNK);
	EXPECT_STATE(PRE_COPY, self->dev, "at the end of the data");
}

CLAUSE_TEST_F(state, a_whole_stream_changes_no_state, "state.no-async")
{
	NEED(MIGRATION);
	SAVE_STREAM();
	REACH(RESUMING);
	EXPECT_STATE(RESUMING, self->dev, "a whole stream was written");
	vmig_call_close(self->fd);
	self->fd = -1;
	EXPECT_STATE(RESUMING, self->dev, "the data_fd was closed");
}

CLAUSE_TEST_F(state, accesses_change_no_state, "state.no-async")
{
	enum vfio_device_mig_state state;
	uint32_t val;

	NEED2(MIGRATION, PCI);
	for (state = STOP; state < VFIO_DEVICE_STATE_NR; state++) {
		if (!has_state(&self->subject, state))
			continue;
		REACH(state);
		/* The result is not judged here */
		vmig_config_read32(self->dev, PCI_VENDOR_ID, &val);
		EXPECT_STATE(state, self->dev, "after an access");
		START_AGAIN();
	}
}

/* 0, -errno, or -ENOENT if there is nothing to be read, or it must not be */
static int read_region(struct vmig_subject *subject, unsigned int index)
{
	const struct vfio_region_info *region = &subject->dev.region[index];
	uint8_t buf[4];

	if (!(region->flags & VFIO_REGION_INFO_FLAG_READ) || !region->size ||
	    !may_access(subject, index))
		return -ENOENT;
	return vmig_region_read(&subject->dev, index, 0, buf, region->size < 4 ? 1 : 4);
}

static unsigned int nr_regions(struct vmig_device *dev)
{
	return dev->nr_regions < VMIG_REGIONS_MAX ? dev->nr_regions : VMIG_REGIONS_MAX;
}

/* The regions that must not be accessed are not judged; after the rest of the case */
static bool some_are_spared(struct vmig_subject *subject)
{
	unsigned int i;

	for (i = 0; i < nr_regions(&subject->dev); i++) {
		if (subject->dev.region[i].size && !may_access(subject, i))
			return true;
	}
	return false;
}

#define NEED_ALL_REGIONS() do { \
	if (_metadata->exit_code != KSFT_FAIL && some_are_spared(&self->subject)) \
		SKIP(return, NOT_ACCESSED); \
} while (0)

/* An operation of the device that writes to registers, if there is one */
static int write_registers(struct vmig_subject *subject)
{
	if (!subject->ops->fill)
		return -ENOENT;
	return subject->ops->fill(&subject->dev, 1);
}

#define NEED_REGION() do { \
	if (!nr_regions(self->dev)) \
		SKIP(return, "not applicable: the device has no regions"); \
} while (0)

#define RECORD_ACCESS(_what, _ret) do { \
	int access_ret = (_ret); \
	if (access_ret != -ENOENT) \
		RECORD(_what, "%s", access_ret ? vmig_errno_name(access_ret) : "works"); \
} while (0)

/*
 * The user should keep off the device. Whether the host has taken harm shows the log of
 * its kernel; here, the device must be usable after a reset.
 */
#define TOUCH(_state) do { \
	unsigned int touched; \
	REACH(_state); \
	for (touched = 0; touched < nr_regions(self->dev); touched++) \
		RECORD_ACCESS("read of a region in " #_state, \
			      read_region(&self->subject, touched)); \
	RECORD_ACCESS("write of registers in " #_state, write_registers(&self->subject)); \
	EXPECT_STATE(_state, self->dev, "after accesses"); \
	START_AGAIN(); \
	EXPECT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP after a reset"); \
	EXPECT_RET(0, vmig_mig_set_state(self->dev, RUNNING, NULL), "RUNNING"); \
	NEED_ALL_REGIONS(); \
} while (0)

CLAUSE_TEST_F(state, accesses_in_stop, "state.stop-access")
{
	NEED(MIGRATION);
	NEED_REGION();
	TOUCH(STOP);
}

CLAUSE_TEST_F(state, accesses_in_stop_copy, "state.stop-copy-access")
{
	NEED(MIGRATION);
	NEED_REGION();
	TOUCH(STOP_COPY);
}

CLAUSE_TEST_F(state, accesses_in_resuming, "state.resuming-access")
{
	NEED(MIGRATION);
	NEED_REGION();
	SAVE_STREAM();
	TOUCH(RESUMING);
}

/*
 * Interrupt Line stores what software writes (PCI 3.0, 6.2.4). Where it does not in
 * RUNNING, it need not in STOP.
 */
CLAUSE_TEST_F(state, config_space_in_stop, "state.stop-config")
{
	uint8_t running = 0, stopped = 0;
	uint32_t id, id_in_stop = 0;

	NEED2(MIGRATION, PCI);
	TRY(vmig_config_read32(self->dev, PCI_VENDOR_ID, &id), "read the IDs");
	TRY(vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 5), "write Interrupt Line");
	TRY(vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &running), "read Interrupt Line");
	REACH(STOP);
	EXPECT_RET(0, vmig_config_read32(self->dev, PCI_VENDOR_ID, &id_in_stop), "in STOP");
	EXPECT_EQ(id, id_in_stop);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 10), "in STOP");
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &stopped), "in STOP");
	if (running == 5)
		EXPECT_EQ(10, stopped);
}

/* @fresh: which regions can be read; before the case does anything else */
#define READ_ALL(_fresh) do { \
	unsigned int answer, fresh_nr = 0; \
	for (answer = 0; answer < nr_regions(self->dev); answer++) { \
		(_fresh)[answer] = read_region(&self->subject, answer); \
		fresh_nr += !(_fresh)[answer]; \
	} \
	if (!fresh_nr) \
		SKIP(return, "not checked: no region could be read"); \
} while (0)

#define EXPECT_READ_AGAIN(_fresh, _where) do { \
	unsigned int answer; \
	for (answer = 0; answer < nr_regions(self->dev); answer++) { \
		if (!(_fresh)[answer]) \
			EXPECT_RET(0, read_region(&self->subject, answer), \
				   "region %u in " _where, answer); \
	} \
} while (0)

/* A region that could be read when the device was new can be read in this state */
#define EXPECT_ANSWERS(_state) do { \
	int fresh[VMIG_REGIONS_MAX]; \
	READ_ALL(fresh); \
	REACH(STOP); \
	TRY_STATE(_state, &self->fd); \
	EXPECT_READ_AGAIN(fresh, #_state); \
	NEED_ALL_REGIONS(); \
} while (0)

/* In a P2P state it may not, but in RUNNING again */
#define EXPECT_ANSWERS_AFTER(_state) do { \
	int fresh[VMIG_REGIONS_MAX]; \
	unsigned int tried; \
	READ_ALL(fresh); \
	REACH(STOP); \
	TRY_STATE(_state, &self->fd); \
	for (tried = 0; tried < nr_regions(self->dev); tried++) { \
		if (!fresh[tried]) \
			RECORD_ACCESS("read of a region in " #_state, \
				      read_region(&self->subject, tried)); \
	} \
	TRY_STATE(RUNNING, NULL); \
	EXPECT_READ_AGAIN(fresh, "RUNNING again"); \
	NEED_ALL_REGIONS(); \
} while (0)

CLAUSE_TEST_F(state, answers_in_running, "state.running")
{
	NEED(MIGRATION);
	EXPECT_ANSWERS(RUNNING);
}

CLAUSE_TEST_F(state, answers_in_running_p2p, "state.running-p2p")
{
	NEED2(MIGRATION, P2P);
	EXPECT_ANSWERS_AFTER(RUNNING_P2P);
}

CLAUSE_TEST_F(state, answers_in_pre_copy, "state.pre-copy")
{
	NEED2(MIGRATION, PRE_COPY);
	EXPECT_ANSWERS(PRE_COPY);
}

CLAUSE_TEST_F(state, answers_in_pre_copy_p2p, "state.pre-copy-p2p")
{
	NEED_MASK(HAS_PRE_COPY_P2P);
	EXPECT_ANSWERS_AFTER(PRE_COPY_P2P);
}

SUBJECT_TEST_MAIN
