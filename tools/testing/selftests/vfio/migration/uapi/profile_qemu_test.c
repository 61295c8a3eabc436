// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequences of calls of QEMU 8.1 to 10.1 (hw/vfio/migration.c, migration-multifd.c and
 * pci.c there). Facts:
 *  - When the VM stops, a device with P2P goes to RUNNING_P2P or PRE_COPY_P2P first, and
 *    all devices of the VM to STOP or STOP_COPY then. When it starts, to RUNNING_P2P first.
 *  - A device with PRE_COPY goes there at the start of a migration. QEMU reads up to 1 MiB
 *    at a time, takes ENOMSG, or 0, for "nothing now", and in between asks for
 *    VFIO_MIG_GET_PRECOPY_INFO and VFIO_DEVICE_FEATURE_MIG_DATA_SIZE.
 *  - STOP_COPY is read until read() returns 0. STOP follows when the migration is complete,
 *    and then the close of the data_fd.
 *  - The destination goes from RUNNING to RESUMING with one SET, and writes the pieces as
 *    they were read. PCI_COMMAND and the eventfds of MSI or MSI-X come after the data,
 *    while the device is in RESUMING; with multifd (10.0 on) in a thread of their own.
 *    The device leaves RESUMING straight for RUNNING_P2P or RUNNING. The data_fd is closed
 *    before that up to 9.1; later versions close it after that, or before it if the VM is
 *    started later (-S, as libvirt does).
 *  - A migration that fails or is cancelled ends with a SET of RUNNING.
 */
#include <errno.h>
#include <pthread.h>

#include "profile.h"

PROFILE_FIXTURE(qemu);

/* Calls that QEMU makes in between; judged by other cases */
static void ask(struct vmig_subject *subject, int data_fd)
{
	struct vfio_precopy_info info;
	uint64_t bytes;

	if (subject->has & VMIG_HAS_DATA_SIZE)
		vmig_mig_data_size(&subject->dev, &bytes);
	if (data_fd >= 0)
		vmig_precopy_info(data_fd, &info);
}

/* The VM stops, and the rest of the stream is read */
#define SWITCH_OVER(_p2p_state) do { \
	GO_IF_P2P(self->dev, _p2p_state); \
	if (self->fd < 0) { \
		GO(STOP); \
		BEGIN_DEV(self->dev, STOP_COPY, &self->fd); \
	} else { \
		GO(STOP_COPY); \
	} \
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, PROFILE_CHUNK), "read"); \
	GO(STOP); \
	CLOSE_FD(self->fd); \
} while (0)

/* Load self->stream; in RESUMING afterwards */
#define LOAD(_dst) do { \
	BEGIN_DEV(_dst, RESUMING, &self->fd); \
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len, \
					  PROFILE_CHUNK, NULL), "write"); \
	RESTORE_CONFIG(_dst); \
} while (0)

#define START(_dst) do { \
	GO_IF_P2P(_dst, RUNNING_P2P); \
	GO_DEV(_dst, RUNNING); \
	if (self->fd >= 0) \
		CLOSE_FD(self->fd); \
} while (0)

CLAUSE_TEST_F(qemu, stop_copy, "profile.qemu-stop-copy", "arc.stop-to-stop-copy",
	      "arc.stop-copy-to-stop", "arc.combined-to-resuming", "arc.combined-to-running")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	ask(&self->subject, -1);
	SWITCH_OVER(RUNNING_P2P);
	OPEN_DESTINATION(dst);
	LOAD(dst);
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* The data_fd is closed first: QEMU up to 9.1, or a VM that is started later */
CLAUSE_TEST_F(qemu, stop_copy_and_pause, "profile.qemu-stop-copy", "session.close-early")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SWITCH_OVER(RUNNING_P2P);
	OPEN_DESTINATION(dst);
	LOAD(dst);
	CLOSE_FD(self->fd);
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* The guest changes the device between the rounds */
CLAUSE_TEST_F(qemu, pre_copy, "profile.qemu-pre-copy", "precopy.one-session",
	      "precopy.changes-sent")
{
	struct vmig_device *dst;
	unsigned int round;

	NEED2(MIGRATION, PRE_COPY);
	GUEST_USES(self->dev);
	BEGIN_DEV(self->dev, PRE_COPY, &self->fd);
	for (round = 0; round < 2; round++) {
		ask(&self->subject, self->fd);
		ASSERT_RET(0, read_pre_copy(self->fd, &self->stream, PROFILE_CHUNK),
			   "read in PRE_COPY");
		FILL(self->dev, SEED + round);
	}
	SWITCH_OVER(PRE_COPY_P2P);
	OPEN_DESTINATION(dst);
	LOAD(dst);
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED + 1);
}

/* The switchover comes before the first read */
CLAUSE_TEST_F(qemu, pre_copy_without_rounds, "profile.qemu-pre-copy", "precopy.early")
{
	struct vmig_device *dst;

	NEED2(MIGRATION, PRE_COPY);
	GUEST_USES(self->dev);
	BEGIN_DEV(self->dev, PRE_COPY, &self->fd);
	ask(&self->subject, self->fd);
	SWITCH_OVER(PRE_COPY_P2P);
	OPEN_DESTINATION(dst);
	LOAD(dst);
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* @index: of the interrupts to connect, or -1; @ret: of the first call that failed */
struct load_thread {
	pthread_t thread;
	struct vmig_device *dst;
	const struct vmig_bytes *stream;
	int data_fd;
	int irq;
	int index;
	bool config_first;
	bool has_pci;
	uint16_t command;
	int ret;
};

static int load_config(const struct load_thread *load)
{
	int ret = 0;

	if (load->has_pci)
		ret = vmig_config_write16(load->dst, PCI_COMMAND, load->command);
	if (!ret && load->index >= 0)
		ret = vmig_irq_set_fd(load->dst, load->index, TRIGGER, load->irq);
	return ret;
}

static void *load_in_thread(void *opaque)
{
	struct load_thread *load = opaque;

	if (load->config_first)
		load->ret = load_config(load);
	if (!load->ret)
		load->ret = vmig_transfer_write(load->data_fd, load->stream->data,
						load->stream->len, PROFILE_CHUNK, NULL);
	if (!load->ret && !load->config_first)
		load->ret = load_config(load);
	return NULL;
}

FIXTURE_VARIANT(multifd) {
	bool config_first;
};

PROFILE_FIXTURE(multifd);

FIXTURE_VARIANT_ADD(multifd, config_after_data) { .config_first = false };
FIXTURE_VARIANT_ADD(multifd, config_before_data) { .config_first = true };

/* QEMU has the config space last; a VMM may as well restore it first */
CLAUSE_TEST_F(multifd, loads_in_a_thread, "profile.qemu-multifd")
{
	struct load_thread load = { .config_first = variant->config_first };
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SWITCH_OVER(RUNNING_P2P);
	OPEN_DESTINATION(dst);
	BEGIN_DEV(dst, RESUMING, &self->fd);
	load.dst = dst;
	load.stream = &self->stream;
	load.data_fd = self->fd;
	load.irq = self->irq;
	load.index = profile_irq_index(&self->subject);
	load.has_pci = self->subject.has & VMIG_HAS_PCI;
	load.command = self->command;
	ASSERT_EQ(0, pthread_create(&load.thread, NULL, load_in_thread, &load));
	ASSERT_EQ(0, pthread_join(load.thread, NULL));
	ASSERT_RET(0, load.ret, "load");
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* At each point the source runs on, and the next migration works */
FIXTURE_VARIANT(cancelled) {
	enum vfio_device_mig_state state;
};

PROFILE_FIXTURE(cancelled);

FIXTURE_VARIANT_ADD(cancelled, in_pre_copy) { .state = PRE_COPY };
FIXTURE_VARIANT_ADD(cancelled, in_stop_copy) { .state = STOP_COPY };

CLAUSE_TEST_F(cancelled, and_repeated, "profile.qemu-cancel", "session.save-keeps",
	      "session.new")
{
	struct vmig_device *dst;
	char byte;

	NEED_STATE(variant->state);
	GUEST_USES(self->dev);
	BEGIN_DEV(self->dev, variant->state, &self->fd);
	ASSERT_EQ(1, vmig_call_read(self->fd, &byte, 1));
	GO(RUNNING);
	CLOSE_FD(self->fd);
	SWITCH_OVER(RUNNING_P2P);
	OPEN_DESTINATION(dst);
	LOAD(dst);
	START(dst);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

SUBJECT_TEST_MAIN
