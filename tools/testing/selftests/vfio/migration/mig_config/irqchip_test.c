// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt controller that the other tests rely on: what it loses before it
 * is restored, and what it keeps.  No device is involved.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include "lib/vmm.h"

#define VECTOR	0x42

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
	int ret = vmig_irqchip_create(&self->src, variant->kind);

	if (ret && variant->kind == VMIG_IRQCHIP_KVM)
		SKIP(return, "no interrupt controller of KVM: %s",
		     vmig_errno_name(ret));
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vmig_irqchip_create(&self->dst, variant->kind));
	ASSERT_EQ(0, vmig_irqchip_guest_setup(self->src));
	TH_LOG("controller: %s", vmig_irqchip_name(self->src));
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
	/* The more urgent one first: that is how a processor takes them */
	{ "INTx", connect_intx, VMIG_IRQCHIP_INTX_VECTOR },
	{ "MSI", connect_msi, VECTOR },
};

/* Clause: KVM_IRQFD, controller set up by a guest: arrives, and can be taken */
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

/* Clause: KVM_IRQFD, controller as after power on: lost, also after a restore */
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

/* Clause: KVM_IRQFD, eventfd connected before the restore: works after it */
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

/* Clause: KVM_GET_LAPIC, KVM_SET_LAPIC: what is pending moves along */
TEST_F(irqchip, pending_interrupt_moves_along)
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

/* Clause: KVM_IRQFD_FLAG_RESAMPLE: the device is told at the end, and not before */
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

/* Clause: vmig_irqchip_restore(), no such state: EBADMSG, another kind: EXDEV */
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

/* Clause: eventfd signalled twice: the model counts, KVM's IRR merges */
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
