// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_RESET, and closing the device, in every migration state: what is
 * left is a device in RUNNING as it came from the factory, and one that works.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define PORTS	2
#define SEED	80

FIXTURE(reset) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	int irq;
	int fd;
};

FIXTURE_VARIANT(reset) {
	enum vfio_device_mig_state state;
};

FIXTURE_VARIANT_ADD(reset, in_error) {
	.state = VFIO_DEVICE_STATE_ERROR,
};

FIXTURE_VARIANT_ADD(reset, in_stop) {
	.state = VFIO_DEVICE_STATE_STOP,
};

FIXTURE_VARIANT_ADD(reset, in_running) {
	.state = VFIO_DEVICE_STATE_RUNNING,
};

FIXTURE_VARIANT_ADD(reset, in_stop_copy) {
	.state = VFIO_DEVICE_STATE_STOP_COPY,
};

FIXTURE_VARIANT_ADD(reset, in_resuming) {
	.state = VFIO_DEVICE_STATE_RESUMING,
};

FIXTURE_VARIANT_ADD(reset, in_running_p2p) {
	.state = VFIO_DEVICE_STATE_RUNNING_P2P,
};

FIXTURE_VARIANT_ADD(reset, in_pre_copy) {
	.state = VFIO_DEVICE_STATE_PRE_COPY,
};

FIXTURE_VARIANT_ADD(reset, in_pre_copy_p2p) {
	.state = VFIO_DEVICE_STATE_PRE_COPY_P2P,
};

FIXTURE_SETUP(reset)
{
	const struct vmig_attrs attrs = { .capture_size = "64K" };

	self->fd = -1;
	self->irq = -1;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2",
				       VMIG_PATH_ANY, &attrs));
}

FIXTURE_TEARDOWN(reset)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->irq >= 0)
		close(self->irq);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

/* Something else than a reset leaves, in each register that can be written */
static int dirty_config(struct vmig_device *dev)
{
	unsigned int msi = vmig_config_find_cap(dev, PCI_CAP_ID_MSI);
	const struct {
		unsigned int reg;
		uint16_t val;
	} row[] = {
		{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER },
		{ PCI_CACHE_LINE_SIZE, 0x4010 },
		{ PCI_BASE_ADDRESS_0, 0x1001 },
		{ PCI_BASE_ADDRESS_2 + 2, 0xfebd },
		{ PCI_INTERRUPT_LINE, 0x010b },
		{ msi + PCI_MSI_ADDRESS_LO, 0x1000 },
		{ msi + PCI_MSI_DATA_64, 0x4021 },
		{ msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ret = vmig_config_write16(dev, row[i].reg, row[i].val);
		if (ret)
			return ret;
	}
	return 0;
}

/* A device with contents and an interrupt set up, in the state of the variant */
static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(reset) *self,
		    const FIXTURE_VARIANT(reset) *variant)
{
	struct vmig_device *dev = self->dev;

	self->irq = vmig_eventfd_create();
	ASSERT_LE(0, self->irq);
	ASSERT_RET(0, vmig_contents_set(dev, PORTS, SEED), "scene");
	ASSERT_RET(0, dirty_config(dev), "config space");
	ASSERT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	ASSERT_RET(0, vmig_irq_set_fd(dev, VFIO_PCI_MSI_IRQ_INDEX,
				      VFIO_IRQ_SET_ACTION_TRIGGER, self->irq),
		   "MSI");
	ASSERT_RET(0, vmig_transfer_reach(dev, variant->state, &self->stream,
					  &self->fd),
		   "to %s", vmig_state_name(variant->state));
	ASSERT_RET(0, dirty_config(dev), "config space in %s",
		   vmig_state_name(variant->state));
	vmig_eventfd_take(self->irq);
}

static void expect_ended(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reset) *self)
{
	struct pollfd pfd = { .fd = self->fd };

	if (self->fd < 0)
		return;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents);
}

static void expect_pristine(struct __test_metadata *_metadata,
			    FIXTURE_DATA(reset) *self)
{
	const char *what = "";

	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dev, "fresh device");
	EXPECT_RET(0, vmig_contents_check_reset(self->dev, PORTS, &what), "%s",
		   what);
}

/* A byte comes in: how often does the device say so? */
static int64_t signals(struct __test_metadata *_metadata,
		       FIXTURE_DATA(reset) *self, int deadline_ms)
{
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "master");
	EXPECT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1,
				     UART_IER_RDI), "UART");
	EXPECT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 'r'), "byte");
	return deadline_ms ? vmig_eventfd_wait(self->irq, deadline_ms) :
			     vmig_eventfd_take(self->irq);
}

static void expect_migrates(struct __test_metadata *_metadata,
			    FIXTURE_DATA(reset) *self)
{
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "scene");
	self->stream.len = 0;
	EXPECT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED + 1, &what), "%s",
		   what);
}

/* Clause: VFIO_DEVICE_RESET in any state: RUNNING, with reset contents */
TEST_F(reset, leaves_a_fresh_device)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_pristine(_metadata, self);
}

/* Clause: VFIO_DEVICE_RESET in any state: data transfer sessions end */
TEST_F(reset, ends_the_session)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_ended(_metadata, self);
}

/* Clause: VFIO_DEVICE_RESET in any state: interrupts stay connected, and work */
TEST_F(reset, keeps_the_interrupt)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(0, vmig_eventfd_take(self->irq));
	EXPECT_EQ(1, signals(_metadata, self, VMIG_IRQ_DEADLINE_MS));
}

/* Clause: VFIO_DEVICE_RESET in any state: what was pending is not signalled */
TEST_F(reset, drops_what_was_pending)
{
	prepare(_metadata, self, variant);
	EXPECT_LE(0, signals(_metadata, self, 0));
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(0, vmig_eventfd_take(self->irq));
	expect_pristine(_metadata, self);
}

/* Clause: VFIO_DEVICE_RESET in any state: the device can be a source again */
TEST_F(reset, leaves_a_device_that_migrates)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_migrates(_metadata, self);
}

/* Clause: close in any state: the next user finds RUNNING and reset contents */
TEST_F(reset, closing_leaves_a_fresh_device)
{
	struct vfio_device_feature_mig_config config = { 0 };

	prepare(_metadata, self, variant);
	vmig_device_close(self->dev);
	expect_ended(_metadata, self);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	EXPECT_RET(0, vmig_mig_config_get(self->dev, &config), "GET");
	EXPECT_EQ(0, config.flags);
	EXPECT_EQ(1, config.generation);
	expect_pristine(_metadata, self);
	expect_migrates(_metadata, self);
}

/* Clause: close in any state: nothing is left of the interrupts */
TEST_F(reset, closing_disconnects_the_interrupt)
{
	prepare(_metadata, self, variant);
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, VFIO_PCI_MSI_IRQ_INDEX,
					    VFIO_IRQ_SET_ACTION_TRIGGER),
		   "trigger an interrupt that is not enabled");
	EXPECT_EQ(0, signals(_metadata, self, 0));
}

TEST_HARNESS_MAIN
