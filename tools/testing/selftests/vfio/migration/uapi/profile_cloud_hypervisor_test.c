// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sequences of calls of cloud-hypervisor, as its main branch of July 2026 has them
 * (pci/src/vfio.rs there; pull requests 8303 and 8528). Facts:
 *  - A pause is RUNNING to STOP; a snapshot is STOP to STOP_COPY, read() until 0, and
 *    STOP. Then the VM may resume: STOP to RUNNING.
 *  - A restore connects INTx, goes from RUNNING to RESUMING with one SET, writes all data,
 *    writes PCI_COMMAND and connects MSI or else MSI-X in RESUMING, and goes to RUNNING
 *    with one SET.
 *  - If a SET fails, it resets the device, writes PCI_COMMAND and connects the eventfds.
 */
#include <errno.h>

#include "profile.h"

PROFILE_FIXTURE(cloud_hypervisor);

/* Pause, and save; in STOP afterwards */
#define SNAPSHOT() do { \
	GO(STOP); \
	BEGIN_DEV(self->dev, STOP_COPY, &self->fd); \
	ASSERT_STREAM(vmig_transfer_read(self->fd, &self->stream, PROFILE_CHUNK), "read"); \
	GO(STOP); \
	CLOSE_FD(self->fd); \
} while (0)

/* The data are one buffer */
#define RESTORE(_dst) do { \
	BEGIN_DEV(_dst, RESUMING, &self->fd); \
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len, \
					  self->stream.len, NULL), "write"); \
	RESTORE_CONFIG(_dst); \
} while (0)

CLAUSE_TEST_F(cloud_hypervisor, snapshot, "profile.cloud-hypervisor-snapshot",
	      "arc.stop-to-stop-copy", "arc.stop-copy-to-stop", "session.save-keeps")
{
	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SNAPSHOT();
	RESTORE_CONFIG(self->dev);
	GO(RUNNING);
	EXPECT_GUEST_GOES_ON(self->dev, SEED);
}

CLAUSE_TEST_F(cloud_hypervisor, restore, "profile.cloud-hypervisor-restore",
	      "arc.combined-to-resuming", "arc.combined-to-running")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	SNAPSHOT();
	OPEN_DESTINATION(dst);
	RESTORE(dst);
	GO_DEV(dst, RUNNING);
	CLOSE_FD(self->fd);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* A device with INTx has it connected before, and MSI or MSI-X takes its place */
CLAUSE_TEST_F(cloud_hypervisor, restore_with_intx, "profile.cloud-hypervisor-restore")
{
	struct vmig_device *dst;
	int intx;

	NEED2(MIGRATION, INTX);
	GUEST_USES(self->dev);
	SNAPSHOT();
	OPEN_DESTINATION(dst);
	intx = vmig_eventfd_create();
	ASSERT_LE(0, intx);
	EXPECT_RET(0, vmig_irq_set_fd(dst, INTX, TRIGGER, intx), "connect INTx");
	if (profile_irq_index(&self->subject) >= 0)
		EXPECT_RET(0, vmig_irq_disable(dst, INTX), "disable INTx");
	RESTORE(dst);
	GO_DEV(dst, RUNNING);
	CLOSE_FD(self->fd);
	close(intx);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

/* A snapshot that cannot be written: the device is reset, and used again */
CLAUSE_TEST_F(cloud_hypervisor, recovery, "profile.cloud-hypervisor-recovery",
	      "reset.session", "reset.usable")
{
	struct vmig_device *dst;

	NEED(MIGRATION);
	GUEST_USES(self->dev);
	GO(STOP);
	BEGIN_DEV(self->dev, STOP_COPY, &self->fd);
	RESET_LISTED();
	CLOSE_FD(self->fd);
	GUEST_USES(self->dev);
	SNAPSHOT();
	OPEN_DESTINATION(dst);
	RESTORE(dst);
	GO_DEV(dst, RUNNING);
	CLOSE_FD(self->fd);
	EXPECT_GUEST_GOES_ON(dst, SEED);
}

SUBJECT_TEST_MAIN
