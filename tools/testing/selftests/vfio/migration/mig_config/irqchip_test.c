// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt controllers of the other tests: an interrupt is lost before the
 * restore, and kept after it. No device is used.
 */
#include <errno.h>
#include <sys/eventfd.h>

#define WITHOUT_DEVICE
#include "lib/vmm.h"

#define VECTOR	VMIG_LATE_IRQ_MSI_VECTOR

FIXTURE(irqchip) {
	struct vmig_irqchip *src;
	struct vmig_irqchip *dst;
	struct vmig_bytes blob;
};

FIXTURE_VARIANT(irqchip) {
	enum vmig_irqchip_kind kind;
};

FIXTURE_VARIANT_ADD(irqchip, kvm) {
	.kind = VMIG_IRQCHIP_KVM,
};

FIXTURE_VARIANT_ADD(irqchip, model) {
	.kind = VMIG_IRQCHIP_MODEL,
};

FIXTURE_SETUP(irqchip)
{
	NEED_IRQCHIP(variant->kind, return);
	ASSERT_EQ(0, vmig_irqchip_create(&self->src, variant->kind));
	ASSERT_EQ(0, vmig_irqchip_create(&self->dst, variant->kind));
	ASSERT_EQ(0, vmig_irqchip_guest_setup(self->src));
}

FIXTURE_TEARDOWN(irqchip)
{
	vmig_bytes_free(&self->blob);
	vmig_irqchip_destroy(self->src);
	vmig_irqchip_destroy(self->dst);
}

static int connect_msi(struct vmig_irqchip *chip)
{
	return vmig_irqchip_connect_msi(chip, VMIG_IRQCHIP_MSI_ADDRESS,
					VMIG_IRQCHIP_MSI_DATA(VECTOR));
}

static int connect_intx(struct vmig_irqchip *chip)
{
	int unmask_fd;

	return vmig_irqchip_connect_intx(chip, &unmask_fd);
}

static const struct source {
	const char *name;
	int (*connect)(struct vmig_irqchip *chip);
	uint8_t vector;
} sources[] = {
	/* By priority, as a processor takes them */
	{ "INTx", connect_intx, VMIG_IRQCHIP_INTX_VECTOR },
	{ "MSI", connect_msi, VECTOR },
};

/* Library: a signal arrives when a guest has set up the controller */
TEST_F(irqchip, signal_arrives_when_ready)
{
	unsigned int i;

	EXPECT_EQ(1, vmig_irqchip_is_ready(self->src));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		int fd = sources[i].connect(self->src);

		ASSERT_LE(0, fd);
		EXPECT_EQ(0, vmig_irqchip_pending(self->src, sources[i].vector));
		ASSERT_EQ(0, eventfd_write(fd, 1));
		EXPECT_EQ(1, vmig_irqchip_pending(self->src, sources[i].vector)) {
			TH_LOG("%s", sources[i].name);
		}
		EXPECT_EQ(1, vmig_irqchip_take(self->src, sources[i].vector));
		EXPECT_EQ(0, vmig_irqchip_take(self->src, sources[i].vector));
		ASSERT_EQ(0, eventfd_write(fd, 1));
		EXPECT_EQ(0, vmig_irqchip_wait(self->src, sources[i].vector,
					       VMIG_IRQ_DEADLINE_MS));
		EXPECT_EQ(1, vmig_irqchip_take(self->src, sources[i].vector));
	}
}

/* Library: a signal before the restore is lost, also after it */
TEST_F(irqchip, signal_before_restore_is_lost)
{
	unsigned int i;

	ASSERT_EQ(0, vmig_irqchip_save(self->src, &self->blob));
	EXPECT_EQ(0, vmig_irqchip_is_ready(self->dst));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		int fd = sources[i].connect(self->dst);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, eventfd_write(fd, 1));
		EXPECT_EQ(0, vmig_irqchip_pending(self->dst, sources[i].vector)) {
			TH_LOG("%s, before the restore", sources[i].name);
		}
	}

	ASSERT_EQ(0, vmig_irqchip_restore(self->dst, self->blob.data,
					  self->blob.len));
	EXPECT_EQ(1, vmig_irqchip_is_ready(self->dst));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		EXPECT_EQ(0, vmig_irqchip_pending(self->dst, sources[i].vector)) {
			TH_LOG("%s", sources[i].name);
		}
	}
}

/* Library: an eventfd that was connected before the restore works after it */
TEST_F(irqchip, signal_after_restore_arrives)
{
	int fd[ARRAY_SIZE(sources)];
	unsigned int i;

	ASSERT_EQ(0, vmig_irqchip_save(self->src, &self->blob));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		fd[i] = sources[i].connect(self->dst);
		ASSERT_LE(0, fd[i]);
	}
	ASSERT_EQ(0, vmig_irqchip_restore(self->dst, self->blob.data,
					  self->blob.len));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		ASSERT_EQ(0, eventfd_write(fd[i], 1));
		EXPECT_EQ(1, vmig_irqchip_take(self->dst, sources[i].vector)) {
			TH_LOG("%s", sources[i].name);
		}
	}
}

/* Library: a pending interrupt is part of the controller's state */
TEST_F(irqchip, pending_interrupt_is_restored)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		ASSERT_EQ(0, eventfd_write(sources[i].connect(self->src), 1));
		ASSERT_LE(0, sources[i].connect(self->dst));
	}
	ASSERT_EQ(0, vmig_irqchip_save(self->src, &self->blob));
	ASSERT_EQ(0, vmig_irqchip_restore(self->dst, self->blob.data,
					  self->blob.len));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		EXPECT_EQ(1, vmig_irqchip_take(self->dst, sources[i].vector)) {
			TH_LOG("%s", sources[i].name);
		}
	}
}

/* Library: vmig_irqchip_restore(): an interrupt that was pending before is gone */
TEST_F(irqchip, restore_replaces_the_state)
{
	int fd;

	ASSERT_EQ(0, vmig_irqchip_save(self->src, &self->blob));
	ASSERT_EQ(0, vmig_irqchip_guest_setup(self->dst));
	fd = connect_msi(self->dst);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, eventfd_write(fd, 1));
	EXPECT_EQ(1, vmig_irqchip_pending(self->dst, VECTOR));
	ASSERT_EQ(0, vmig_irqchip_restore(self->dst, self->blob.data, self->blob.len));
	EXPECT_EQ(0, vmig_irqchip_pending(self->dst, VECTOR));
}

/* Library: the end of an interrupt signals the eventfd for unmask, as KVM's resampler */
TEST_F(irqchip, end_of_interrupt_unmasks)
{
	const uint8_t vector = VMIG_IRQCHIP_INTX_VECTOR;
	int fd, unmask_fd = -1;

	fd = vmig_irqchip_connect_intx(self->src, &unmask_fd);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, eventfd_write(fd, 1));
	EXPECT_EQ(1, vmig_irqchip_pending(self->src, vector));
	EXPECT_EQ(0, vmig_eventfd_take(unmask_fd));
	EXPECT_EQ(1, vmig_irqchip_take(self->src, vector));
	EXPECT_EQ(1, vmig_eventfd_take(unmask_fd));
	EXPECT_EQ(0, vmig_irqchip_take(self->src, vector));
	EXPECT_EQ(0, vmig_eventfd_take(unmask_fd));
}

/* Library: restore of a damaged state: EBADMSG; of another kind's: EXDEV */
TEST_F(irqchip, foreign_state_is_refused)
{
	size_t len;

	ASSERT_EQ(0, vmig_irqchip_save(self->src, &self->blob));
	for (len = 0; len < self->blob.len; len++)
		EXPECT_RET(-EBADMSG, vmig_irqchip_restore(self->dst,
							  self->blob.data, len),
			   "%zu bytes of %zu", len, self->blob.len);
	self->blob.data[7] ^= 1;
	EXPECT_RET(-EXDEV, vmig_irqchip_restore(self->dst, self->blob.data,
						self->blob.len), "other kind");
	self->blob.data[0] ^= 1;
	EXPECT_RET(-EBADMSG, vmig_irqchip_restore(self->dst, self->blob.data,
						  self->blob.len), "no magic");
	EXPECT_EQ(0, vmig_irqchip_is_ready(self->dst));
}

/* Library: two signals: the model counts them, KVM's IRR coalesces them */
TEST_F(irqchip, two_signals)
{
	int fd = connect_msi(self->src);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, eventfd_write(fd, 1));
	ASSERT_EQ(0, eventfd_write(fd, 1));
	EXPECT_EQ(variant->kind == VMIG_IRQCHIP_MODEL ? 2 : 1,
		  vmig_irqchip_take(self->src, VECTOR));
}

TEST_HARNESS_MAIN
