// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_SET_IRQS with TRIGGER on the first interrupt of INTx, MSI and MSI-X: when
 * the eventfd is signalled, and how it is disconnected.
 */
#include "irq_case.h"

IRQ_FIXTURE_OF_KINDS(irq);
INTX_VARIANT(irq);
MSI_VARIANT(irq);
MSIX_VARIANT(irq);

#define CONNECT_TO(_fd) do { \
	NEED_INDEX(); \
	CONNECT_FD(self->info.index, _fd); \
} while (0)

CLAUSE_TEST_F(irq, interrupt_is_signalled, "irq.signal")
{
	NEED_INDEX();
	NEED_OP(irq_raise);
	CONNECT_TO(self->a);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "the interrupt was raised");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, idle_device_is_silent, "irq.quiet")
{
	CONNECT_TO(self->a);
	EXPECT_SILENT(self->a, "no interrupt was raised");
}

CLAUSE_TEST_F(irq, each_message_is_signalled, "irq.edges")
{
	unsigned int i;

	NEED_INDEX();
	if (self->info.flags & VFIO_IRQ_INFO_AUTOMASKED)
		SKIP(return, "not applicable: the index is automasked");
	NEED_OP(irq_raise);
	NEED_OP(irq_lower);
	CONNECT_TO(self->a);
	for (i = 0; i < 3; i++) {
		FIRE(0);
		EXPECT_SIGNAL(self->a, "message %u", i);
		QUIESCE(0);
	}
}

CLAUSE_TEST_F(irq, second_eventfd_takes_the_place, "irq.rebind")
{
	CONNECT_TO(self->a);
	CONNECT_TO(self->b);
	FIRE(0);
	EXPECT_SIGNAL(self->b, "connected last");
	EXPECT_NONE(self->a, "connected before");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, disconnected_eventfd_is_silent, "irq.unbind")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, -1), "disconnect");
	fire_unconnected(&self->subject, self->info.index);
	EXPECT_SILENT(self->a, "it was disconnected");
}

CLAUSE_TEST_F(irq, connected_again_after_unbind, "irq.unbind", "irq.signal")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, -1), "disconnect");
	CONNECT_TO(self->b);
	FIRE(0);
	EXPECT_SIGNAL(self->b, "it was connected again");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, disconnected_twice, "irq.skip")
{
	CONNECT_TO(self->a);
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, -1), "disconnect");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, -1), "again");
}

CLAUSE_TEST_F(irq, disabled_index_is_silent, "irq.disable")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_irq_disable(self->dev, self->info.index), "disable");
	fire_unconnected(&self->subject, self->info.index);
	EXPECT_SILENT(self->a, "the index was disabled");
}

CLAUSE_TEST_F(irq, disabled_index_is_enabled_anew, "irq.disable")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_irq_disable(self->dev, self->info.index), "disable");
	CONNECT_TO(self->b);
	FIRE(0);
	EXPECT_SIGNAL(self->b, "the index was enabled again");
	EXPECT_NONE(self->a, "connected before");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, disabling_twice, "irq.disable-again")
{
	int ret;

	NEED_INDEX();
	ret = vmig_irq_disable(self->dev, self->info.index);
	RECORD("disabling an index that is not enabled", "%s", vmig_errno_name(ret));
	CONNECT_TO(self->a);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "the index was enabled");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, number_may_become_another_file, "irq.held")
{
	int fd = dup(self->a);

	ASSERT_LE(0, fd);
	CONNECT_TO(fd);
	ASSERT_EQ(fd, dup2(self->b, fd));
	FIRE(0);
	EXPECT_SIGNAL(self->a, "the eventfd that was connected");
	EXPECT_NONE(self->b, "the eventfd that has its number now");
	QUIESCE(0);
	close(fd);
}

CLAUSE_TEST_F(irq, eventfd_may_be_closed, "irq.held")
{
	CONNECT_TO(self->a);
	EXPECT_EQ(0, vmig_call_close(self->a));
	self->a = -1;
	EXPECT_RET(0, vmig_irq_action(self->dev, self->info.index, TRIGGER), "TRIGGER");
	QUIESCE(0);
	FIRE(0);
	QUIESCE(0);
	CONNECT_TO(self->b);
	FIRE(0);
	/* No eventfd shows that the interrupt before is delivered: it may come now */
	EXPECT_SOME_SIGNAL(self->b, "connected after the other was closed");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, loopback, "irq.loopback")
{
	CONNECT_TO(self->a);
	EXPECT_RET(0, vmig_irq_action(self->dev, self->info.index, TRIGGER), "DATA_NONE");
	EXPECT_SIGNAL_NOW(self->a, "DATA_NONE");
}

CLAUSE_TEST_F(irq, loopback_does_not_end_signals, "irq.loopback", "irq.signal")
{
	NEED_INDEX();
	NEED_OP(irq_raise);
	CONNECT_TO(self->a);
	EXPECT_RET(0, vmig_irq_action(self->dev, self->info.index, TRIGGER), "DATA_NONE");
	EXPECT_SIGNAL_NOW(self->a, "DATA_NONE");
	QUIESCE(0);
	FIRE(0);
	EXPECT_SIGNAL(self->a, "the interrupt was raised");
	QUIESCE(0);
}

CLAUSE_TEST_F(irq, loopback_by_bool, "irq.loopback-bool")
{
	CONNECT_TO(self->a);
	EXPECT_RET(0, vmig_irq_action_bool(self->dev, self->info.index, TRIGGER, 0), "0");
	EXPECT_NONE(self->a, "the value is 0");
	EXPECT_RET(0, vmig_irq_action_bool(self->dev, self->info.index, TRIGGER, 0x80), "0x80");
	EXPECT_SIGNAL_NOW(self->a, "the value is not 0");
}

CLAUSE_TEST_F(irq, loopback_without_an_eventfd, "irq.loopback-unbound")
{
	int ret;

	NEED_INDEX();
	ret = vmig_irq_action(self->dev, self->info.index, TRIGGER);
	RECORD("TRIGGER by the user, DATA_NONE, index not enabled", "%s", vmig_errno_name(ret));
	ret = vmig_irq_action_bool(self->dev, self->info.index, TRIGGER, 1);
	RECORD("TRIGGER by the user, DATA_BOOL, index not enabled", "%s", vmig_errno_name(ret));
	CONNECT_TO(self->a);
	EXPECT_SILENT(self->a, "connected after TRIGGER");
}

/* @other is tried while the index is enabled */
static void expect_exclusive(struct __test_metadata *_metadata, FIXTURE_DATA(irq) *self,
			     unsigned int other)
{
	static const char *const name[] = { "INTx", "MSI", "MSI-X" };
	unsigned int index = self->info.index;
	char key[64];
	int ret;

	snprintf(key, sizeof(key), "%s while %s is enabled", name[other], name[index]);
	ret = vmig_irq_set_fd(self->dev, other, TRIGGER, self->b);
	RECORD(key, "%s", ret ? vmig_errno_name(ret) : "accepted");
	if (!ret) {
		EXPECT_RET(0, vmig_irq_disable(self->dev, other), "disable %s", name[other]);
		CONNECT_FD(index, self->a);
	}
	EXPECT_RET(0, vmig_irq_action(self->dev, index, TRIGGER), "%s", key);
	EXPECT_SIGNAL_NOW(self->a, "%s: the first one", key);
	EXPECT_NONE(self->b, "%s: the second one", key);
	quiesce(&self->subject, &self->info, 0);
}

CLAUSE_TEST_F(irq, second_kind, "irq.exclusive")
{
	unsigned int index, nr = 0;

	CONNECT_TO(self->a);
	for (index = INTX; index <= MSIX; index++) {
		struct vfio_irq_info info;

		if (index == self->info.index || vmig_irq_info(self->dev, index, &info) ||
		    !info.count)
			continue;
		nr++;
		expect_exclusive(_metadata, self, index);
	}
	if (!nr)
		SKIP(return, "not applicable: the device has no other kind");
}

CLAUSE_TEST_F(irq, error_and_request, "irq.pci-error-request")
{
	static const unsigned int index[] = { VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX };
	unsigned int i, nr = 0;

	CONNECT_TO(self->a);
	for (i = 0; i < ARRAY_SIZE(index); i++) {
		struct vfio_irq_info info;

		if (vmig_irq_info(self->dev, index[i], &info) || !info.count)
			continue;
		nr++;
		EXPECT_RET(0, vmig_irq_set_fd(self->dev, index[i], TRIGGER, self->b),
			   "index %u", index[i]);
		EXPECT_RET(0, vmig_irq_set_fd(self->dev, index[i], TRIGGER, -1),
			   "index %u", index[i]);
	}
	if (!nr)
		SKIP(return, "not applicable: the device has neither");
	FIRE(0);
	EXPECT_SIGNAL(self->a, "the interrupt of the device");
	EXPECT_NONE(self->b, "an error or a request");
	QUIESCE(0);
}

/* Neither by a TRIGGER of the next user, nor by the device */
CLAUSE_TEST_F(irq, closed_device_is_silent, "open.reopen-irqs")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "open again");
	vmig_irq_action(self->dev, self->info.index, TRIGGER);
	fire_unconnected(&self->subject, self->info.index);
	EXPECT_SILENT(self->a, "connected before the close");
}

CLAUSE_TEST_F(irq, reopened_device_signals, "open.reopen-irqs", "irq.signal")
{
	CONNECT_TO(self->a);
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "open again");
	CONNECT_TO(self->b);
	FIRE(0);
	EXPECT_SIGNAL(self->b, "connected after the open");
	EXPECT_NONE(self->a, "connected before the close");
	QUIESCE(0);
}

SUBJECT_TEST_MAIN
