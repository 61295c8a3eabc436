// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_RESET, and closing the device, in every migration state: after that the
 * device is in RUNNING, its contents are reset, and it works.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "mtty/irq_fixture.h"

#define PORTS	2
#define SEED	80

/* @a: MSI */
IRQ_FIXTURE(reset, "mtty-2", .capture_size = "64K");

FIXTURE_VARIANT(reset) {
	enum vfio_device_mig_state state;
};

STATE_VARIANTS(reset);

/* In each register that can be written, a value that differs from the one after reset */
static int dirty_registers(struct vmig_device *dev, unsigned int msi)
{
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

static int dirty_config(struct vmig_device *dev)
{
	unsigned int msi;
	int ret = vmig_config_find_cap(dev, PCI_CAP_ID_MSI, &msi);

	return ret ? ret : dirty_registers(dev, msi);
}

/* A device with contents and MSI set up, in the state of the variant */
static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(reset) *self,
		    const FIXTURE_VARIANT(reset) *variant)
{
	struct vmig_device *dev = self->dev;

	ASSERT_RET(0, vmig_contents_set(dev, PORTS, SEED), "contents");
	ASSERT_RET(0, dirty_config(dev), "config space");
	ASSERT_RET(0, vmig_transfer_save(dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	CONNECT(MSI, self->a);
	ASSERT_RET(0, vmig_transfer_reach(dev, variant->state, &self->stream,
					  &self->fd),
		   "to %s", vmig_state_name(variant->state));
	ASSERT_RET(0, dirty_config(dev), "config space in %s",
		   vmig_state_name(variant->state));
	vmig_eventfd_take(self->a);
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

static void expect_reset(struct __test_metadata *_metadata,
			 FIXTURE_DATA(reset) *self)
{
	const char *what = "";

	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dev, "after reset");
	EXPECT_RET(0, vmig_contents_check_reset(self->dev, PORTS, &what), "%s",
		   what);
}

/* Number of signals for a received byte */
static int64_t signals(struct __test_metadata *_metadata,
		       FIXTURE_DATA(reset) *self, int deadline_ms)
{
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	EXPECT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1,
				     UART_IER_RDI), "UART");
	EXPECT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 'r'), "byte");
	return deadline_ms ? vmig_eventfd_wait(self->a, deadline_ms) :
			     vmig_eventfd_take(self->a);
}

static void expect_migrates(struct __test_metadata *_metadata,
			    FIXTURE_DATA(reset) *self)
{
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	self->stream.len = 0;
	EXPECT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED + 1, &what), "%s",
		   what);
}

/* Driver: VFIO_DEVICE_RESET in any state: RUNNING, and every register is reset */
TEST_F(reset, leaves_a_reset_device)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_reset(_metadata, self);
}

/* Driver: VFIO_DEVICE_RESET in any state: POLLERR and POLLHUP from the data_fd */
TEST_F(reset, ends_the_session)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_ended(_metadata, self);
}

/* Driver: VFIO_DEVICE_RESET in any state: interrupts stay connected, and work */
TEST_F(reset, keeps_the_interrupt)
{
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	EXPECT_EQ(1, signals(_metadata, self, VMIG_IRQ_DEADLINE_MS));
}

/* Driver: VFIO_DEVICE_RESET in any state: a pending interrupt is not signalled */
TEST_F(reset, drops_a_pending_interrupt)
{
	prepare(_metadata, self, variant);
	EXPECT_LE(0, signals(_metadata, self, 0));
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_EQ(0, vmig_eventfd_take(self->a));
	expect_reset(_metadata, self);
}

static void reopen(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	vmig_device_close(self->dev);
	expect_ended(_metadata, self);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       VMIG_PATH_ANY), "open");
}

/* Driver: close in any state: RUNNING and reset contents at the next open */
TEST_F(reset, closing_leaves_a_reset_device)
{
	prepare(_metadata, self, variant);
	reopen(_metadata, self);
	expect_reset(_metadata, self);
	expect_migrates(_metadata, self);
}

/* GET_CONFIG in a new session, which then ends; or its error */
static int get_config(struct vmig_device *dev, struct vmig_snapshot *config)
{
	int fd, ret, end;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	ret = vmig_config_get(fd, config);
	end = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL);
	close(fd);
	return ret ? ret : end;
}

/* Proposal: VFIO_DEVICE_RESET in any state: the opt-in stays, the identity is new */
TEST_F(reset, keeps_the_opt_in)
{
	struct vmig_snapshot before, after;

	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	prepare(_metadata, self, variant);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, get_config(self->dev, &before), "GET_CONFIG");
	ASSERT_RET(0, dirty_config(self->dev), "config space");
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, get_config(self->dev, &after), "GET_CONFIG");
	EXPECT_EQ(0, memcmp(before.data, after.data, before.size));
	EXPECT_NE(0, memcmp(before.id, after.id, sizeof(before.id)));
}

/* Proposal: close in any state: the opt-in ends: ENOTTY from GET_CONFIG at the next open */
TEST_F(reset, closing_ends_the_opt_in)
{
	struct vmig_snapshot config;

	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	prepare(_metadata, self, variant);
	reopen(_metadata, self);
	EXPECT_RET(-ENOTTY, get_config(self->dev, &config), "GET_CONFIG");
}

/* Proposal: close in any state: another identity at the next open */
TEST_F(reset, closing_gives_a_new_identity)
{
	struct vmig_snapshot before, after;

	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, get_config(self->dev, &before), "GET_CONFIG");
	prepare(_metadata, self, variant);
	reopen(_metadata, self);
	/* As many changes as before */
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, get_config(self->dev, &after), "GET_CONFIG");
	EXPECT_EQ(0, memcmp(before.data, after.data, before.size));
	EXPECT_NE(0, memcmp(before.id, after.id, sizeof(before.id)));
}

/* Driver: close in any state: no interrupt is connected at the next open */
TEST_F(reset, closing_disconnects_the_interrupt)
{
	prepare(_metadata, self, variant);
	reopen(_metadata, self);
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, MSI, TRIGGER),
		   "trigger an interrupt that is not enabled");
	EXPECT_EQ(0, signals(_metadata, self, 0));
}

TEST_HARNESS_MAIN
