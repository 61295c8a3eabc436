// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread sleeps in poll() for a data_fd that has been read to its temporary end: each kind
 * of access that makes it readable wakes the thread.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define LOG	4096

/* The accesses; each changes something that the stream has */
static int write_memory(struct vmig_device *dev)
{
	return vmig_region_write(dev, BAR2, LOG, "m", 1);
}

static int write_much_memory(struct vmig_device *dev)
{
	static const uint8_t bytes[1000] = { [999] = 1 };

	return vmig_region_write(dev, BAR2, dev->region[BAR2].size - sizeof(bytes), bytes,
				 sizeof(bytes));
}

static int transmit_0(struct vmig_device *dev)
{
	return vmig_uart_out(dev, 0, UART_TX, 't');
}

static int transmit_1(struct vmig_device *dev)
{
	return vmig_uart_out(dev, 1, UART_TX, 't');
}

/* All registers of a port at once */
static int transmit_wide(struct vmig_device *dev)
{
	static const uint8_t regs[8] = { 't' };

	return vmig_region_write(dev, VFIO_PCI_BAR1_REGION_INDEX, 0, regs, sizeof(regs));
}

static int write_config(struct vmig_device *dev)
{
	return vmig_config_write8(dev, PCI_INTERRUPT_LINE, 0x77);
}

static int write_command(struct vmig_device *dev)
{
	return vmig_config_write16(dev, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

FIXTURE(wake) {
	DEVICE_MEMBERS;
	struct vmig_poll_thread thread;
};

/* @opt_in: of the user; @write: the access */
FIXTURE_VARIANT(wake) {
	const char *policy;
	bool opt_in;
	int (*write)(struct vmig_device *dev);
};

#define VARIANT(_name, _policy, _opt_in, _write) \
	FIXTURE_VARIANT_ADD(wake, _name) { \
		.policy = _policy, .opt_in = _opt_in, .write = _write, \
	}

VARIANT(by_memory, "independent", false, write_memory);
VARIANT(by_much_memory, "independent", false, write_much_memory);
VARIANT(by_port_0, "independent", false, transmit_0);
VARIANT(by_port_1, "independent", false, transmit_1);
VARIANT(by_a_wide_write, "embedded", false, transmit_wide);
VARIANT(by_config_embedded, "embedded", false, write_config);
VARIANT(by_command_embedded, "embedded", true, write_command);
VARIANT(by_config_reorder, "reorder", true, write_config);
VARIANT(by_config_before_data, "before-data", true, write_config);

FIXTURE_SETUP(wake)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy, .capture_size = "64K");
	if (variant->opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
}

FIXTURE_TEARDOWN(wake)
{
	short revents;

	vmig_poll_thread_join(&self->thread, &revents);
	CLOSE_DEVICE();
}

/* Read to the temporary end */
static void drain(struct __test_metadata *_metadata, FIXTURE_DATA(wake) *self)
{
	struct vmig_snapshot config;

	/* Where data depend on config space, the user has to get that first */
	vmig_config_get(self->fd, &config);
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK),
		   "to the temporary end");
}

static void expect_woken(struct __test_metadata *_metadata, FIXTURE_DATA(wake) *self,
			 const FIXTURE_VARIANT(wake) *variant)
{
	short revents = 0;

	ASSERT_RET(0, vmig_poll_thread_start(&self->thread, self->fd, POLLIN), "sleep");
	ASSERT_RET(0, variant->write(self->dev), "write");
	EXPECT_RET(0, vmig_poll_thread_join(&self->thread, &revents), "wake");
	EXPECT_EQ(POLLIN, revents);
}

/* Driver: poll() of a data_fd in PRE_COPY: each access that makes it readable wakes it */
TEST_F(wake, in_pre_copy)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	drain(_metadata, self);
	expect_woken(_metadata, self, variant);
}

/* Driver: poll() of a data_fd in PRE_COPY_P2P: each access that makes it readable wakes it */
TEST_F(wake, in_pre_copy_p2p)
{
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY_P2P, &self->fd), "PRE_COPY_P2P");
	drain(_metadata, self);
	expect_woken(_metadata, self, variant);
}

TEST_HARNESS_MAIN
