// SPDX-License-Identifier: GPL-2.0-only
/* PCI config space: BARs, MSI capability (its address and data), command and status */
#include <endian.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define SIZE		PCI_CFG_SPACE_SIZE
#define PORT_SIZE	8

/* A register: its value after reset, and the bits that can be written; others are 0 */
struct reg {
	unsigned int offset;
	unsigned int width;
	uint32_t reset;
	uint32_t writable;
};

#define MSI		0x50

static const struct reg regs[] = {
	{ PCI_VENDOR_ID, 2, 0x4348, 0 },
	{ PCI_DEVICE_ID, 2, 0x3253, 0 },
	{ PCI_COMMAND, 2, PCI_COMMAND_IO, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
	  PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE },
	{ PCI_STATUS, 2, PCI_STATUS_CAP_LIST | PCI_STATUS_DEVSEL_MEDIUM, 0 },
	{ PCI_REVISION_ID, 1, 0x10, 0 },
	{ PCI_CLASS_PROG, 1, 0x02, 0 },
	{ PCI_CLASS_DEVICE, 2, 0x0700, 0 },
	{ PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
	{ PCI_LATENCY_TIMER, 1, 0, 0xff },
	{ PCI_BASE_ADDRESS_0, 4, PCI_BASE_ADDRESS_SPACE_IO, 0xfffffff8 },
	{ PCI_SUBSYSTEM_VENDOR_ID, 2, 0x4348, 0 },
	{ PCI_SUBSYSTEM_ID, 2, 0x3253, 0 },
	{ PCI_CAPABILITY_LIST, 1, MSI, 0 },
	{ PCI_INTERRUPT_LINE, 1, 0, 0xff },
	{ PCI_INTERRUPT_PIN, 1, 1, 0 },
	{ MSI + PCI_CAP_LIST_ID, 1, PCI_CAP_ID_MSI, 0 },
	{ MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT, PCI_MSI_FLAGS_ENABLE },
	{ MSI + PCI_MSI_ADDRESS_LO, 4, 0, 0xfffffffc },
	{ MSI + PCI_MSI_ADDRESS_HI, 4, 0, 0xffffffff },
	{ MSI + PCI_MSI_DATA_64, 2, 0, 0xffff },
};

FIXTURE(pci_config) {
	DEVICE_MEMBERS;
	uint8_t reset[SIZE];
	uint8_t writable[SIZE];
};

FIXTURE_VARIANT(pci_config) {
	const char *type;
	const char *capture_size;
	uint32_t bar1;
	uint32_t bar2;
};

#define VARIANT(_name, _type, _capture_size, _bar1, _bar2) \
	FIXTURE_VARIANT_ADD(pci_config, _name) { \
		.type = _type, .capture_size = _capture_size, \
		.bar1 = _bar1, .bar2 = _bar2, \
	}

VARIANT(one_port_no_capture, "mtty-1", "0", 0, 0);
VARIANT(one_port_smallest, "mtty-1", "8192", 0, 0xffffe000);
VARIANT(two_ports_default, "mtty-2", NULL, 0xfffffff8, 0xfff00000);
VARIANT(two_ports_largest, "mtty-2", "256M", 0xfffffff8, 0xf0000000);

static void put(uint8_t *space, const struct reg *reg, uint32_t val)
{
	uint32_t bytes = htole32(val);

	memcpy(space + reg->offset, &bytes, reg->width);
}

FIXTURE_SETUP(pci_config)
{
	const struct reg bar1 = {
		PCI_BASE_ADDRESS_1, 4,
		variant->bar1 ? PCI_BASE_ADDRESS_SPACE_IO : 0, variant->bar1,
	};
	const struct reg bar2 = {
		PCI_BASE_ADDRESS_2, 4, PCI_BASE_ADDRESS_SPACE_MEMORY,
		variant->bar2,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		put(self->reset, &regs[i], regs[i].reset);
		put(self->writable, &regs[i], regs[i].writable);
	}
	put(self->reset, &bar1, bar1.reset);
	put(self->writable, &bar1, bar1.writable);
	put(self->writable, &bar2, bar2.writable);

	OPEN_DEVICE(variant->type, .capture_size = variant->capture_size);
}

FIXTURE_TEARDOWN(pci_config)
{
	CLOSE_DEVICE();
}

#define EXPECT_BYTE(_want, _at) do { \
	unsigned int offset_of_byte = (_at); \
	uint8_t seen_byte = 0; \
	ASSERT_RET(0, vmig_config_read8(self->dev, offset_of_byte, \
					&seen_byte), "read"); \
	EXPECT_EQ(_want, seen_byte) \
		TH_LOG("offset 0x%02x", offset_of_byte); \
} while (0)

/* Driver: config space after reset: every byte */
TEST_F(pci_config, reset_values)
{
	unsigned int at;

	for (at = 0; at < SIZE; at++)
		EXPECT_BYTE(self->reset[at], at);
}

/* PCI: 3.0, 6.1, 6.2: only writable bits can be changed */
TEST_F(pci_config, write_masks)
{
	unsigned int at;

	for (at = 0; at < SIZE; at++) {
		uint8_t fixed = self->reset[at] & ~self->writable[at];

		ASSERT_RET(0, vmig_config_write8(self->dev, at, 0xff), "write");
		EXPECT_BYTE(fixed | self->writable[at], at);
		ASSERT_RET(0, vmig_config_write8(self->dev, at, 0), "write");
		EXPECT_BYTE(fixed, at);
	}
}

/* PCI: 3.0, 6.1: a write of one byte changes no other */
TEST_F(pci_config, write_changes_no_other_byte)
{
	uint8_t before[SIZE], after[SIZE];
	unsigned int at;

	for (at = 0; at < SIZE; at++) {
		ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, before,
					       SIZE), "all");
		ASSERT_RET(0, vmig_config_write8(self->dev, at, 0xa5), "write");
		ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, after, SIZE), "all");
		before[at] = after[at];
		EXPECT_EQ(0, memcmp(before, after, SIZE))
			TH_LOG("offset 0x%02x", at);
	}
}

/* Driver: config space: any width at any offset reads the same bytes */
TEST_F(pci_config, any_width_reads)
{
	unsigned int at, len;
	uint8_t seen[8];

	for (at = 0; at < SIZE; at++) {
		for (len = 1; len <= 8 && at + len <= SIZE; len++) {
			memset(seen, 0xee, sizeof(seen));
			ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, at,
						       seen, len), "read");
			EXPECT_EQ(0, memcmp(self->reset + at, seen, len))
				TH_LOG("%u bytes at 0x%02x", len, at);
		}
	}
}

/* Driver: config space: any width at any offset writes the same bits */
TEST_F(pci_config, any_width_writes)
{
	const uint8_t ones[8] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	uint8_t want[SIZE], seen[SIZE];
	unsigned int at, len, i;

	for (len = 1; len <= 8; len++) {
		for (at = 0; at + len <= SIZE; at += len + 1) {
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
			ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, at,
							ones, len), "write");
			memcpy(want, self->reset, SIZE);
			for (i = at; i < at + len; i++)
				want[i] |= self->writable[i];
			ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0,
						       seen, SIZE), "all");
			EXPECT_EQ(0, memcmp(want, seen, SIZE))
				TH_LOG("%u bytes at 0x%02x", len, at);
		}
	}
}

/* PCI: 3.0, 6.2.5.1: sizing by ones, and an address that is kept */
TEST_F(pci_config, bar_sizing)
{
	const uint32_t masks[] = { 0xfffffff8, variant->bar1, variant->bar2 };
	unsigned int i, reg;
	uint32_t seen;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		uint32_t type = i < 2 && masks[i] ? PCI_BASE_ADDRESS_SPACE_IO : 0;

		reg = PCI_BASE_ADDRESS_0 + 4 * i;
		ASSERT_RET(0, vmig_config_write32(self->dev, reg, ~0), "size");
		ASSERT_RET(0, vmig_config_read32(self->dev, reg, &seen), "BAR");
		EXPECT_EQ(masks[i] | type, seen) TH_LOG("BAR %u", i);
		if (masks[i])
			EXPECT_EQ(self->dev->region[i].size, (uint32_t)(~masks[i] + 1));
		ASSERT_RET(0, vmig_config_write32(self->dev, reg, 0xd0000000), "address");
		ASSERT_RET(0, vmig_config_read32(self->dev, reg, &seen), "BAR");
		EXPECT_EQ((0xd0000000 & masks[i]) | type, seen)
			TH_LOG("BAR %u", i);
	}
}

/* Driver: capture_size: each size that it accepts is the size of BAR2 */
TEST(bar2_has_every_size)
{
	const uint64_t largest = 256 << 20;
	uint64_t size = 0;

	do {
		char text[24];
		const struct vmig_attrs attrs = { .capture_size = text };
		struct vmig_testdev td;
		uint32_t seen = 0;

		snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
		ASSERT_RET(0, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY,
						&attrs), "%s", text);
		EXPECT_EQ(size, td.dev.region[VFIO_PCI_BAR2_REGION_INDEX].size);
		EXPECT_RET(0, vmig_config_write32(&td.dev, PCI_BASE_ADDRESS_2,
						  ~0), "size");
		EXPECT_RET(0, vmig_config_read32(&td.dev, PCI_BASE_ADDRESS_2,
						 &seen), "BAR");
		/* 32 bit memory, not prefetchable: no type bits */
		EXPECT_EQ((uint32_t)-size, seen) TH_LOG("size %s", text);
		vmig_testdev_close(&td);
		size = size ? 2 * size : 8192;
	} while (size <= largest);
}

/* PCI: 3.0, 6.7, 6.8.1: the capability list has MSI, and nothing else */
TEST_F(pci_config, msi_capability)
{
	unsigned int cap = 0;
	uint8_t next = 0xff;

	EXPECT_RET(0, vmig_config_find_cap(self->dev, PCI_CAP_ID_MSI, &cap), "MSI");
	EXPECT_EQ(MSI, cap);
	EXPECT_RET(-ENOENT, vmig_config_find_cap(self->dev, PCI_CAP_ID_MSIX, &cap), "MSI-X");
	ASSERT_RET(0, vmig_config_read8(self->dev, MSI + PCI_CAP_LIST_NEXT,
					&next), "next");
	EXPECT_EQ(0, next);
}

/* Driver: VFIO_DEVICE_RESET: config space is as after power-on */
TEST_F(pci_config, reset_restores_every_byte)
{
	uint8_t ones[SIZE];
	unsigned int at;

	memset(ones, 0xff, sizeof(ones));
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, ones, SIZE), "ones");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (at = 0; at < SIZE; at++)
		EXPECT_BYTE(self->reset[at], at);
}

/* PCI: 3.0, 6.2.3, bit 3: shows the interrupt, also with INTx disabled */
TEST_F(pci_config, interrupt_status_is_live)
{
	static const uint16_t commands[] = {
		PCI_COMMAND_IO, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
						  commands[i]), "command");
		EXPECT_BYTE(PCI_STATUS_CAP_LIST, PCI_STATUS);
		ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise");
		EXPECT_BYTE(PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT, PCI_STATUS);
		ASSERT_RET(0, vmig_config_write8(self->dev, PCI_STATUS,
						 PCI_STATUS_INTERRUPT), "clear");
		EXPECT_BYTE(PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT, PCI_STATUS);
		ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower");
		EXPECT_BYTE(PCI_STATUS_CAP_LIST, PCI_STATUS);
	}
}

/* PCI: 3.0, 6.2.3, bit 3: in each read that has the byte, whatever its width and offset */
TEST_F(pci_config, interrupt_status_in_any_width)
{
	uint8_t want[SIZE], seen[SIZE];
	unsigned int at, len;

	memcpy(want, self->reset, SIZE);
	want[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise");
	for (at = 0; at <= PCI_STATUS + 1; at++) {
		for (len = 1; len <= SIZE - at; len = len < 8 ? len + 1 : 2 * len) {
			memset(seen, 0xee, sizeof(seen));
			ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, at, seen, len),
				   "read");
			EXPECT_EQ(0, memcmp(want + at, seen, len))
				TH_LOG("%u bytes at %#x", len, at);
		}
	}
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, seen, SIZE), "all");
	EXPECT_EQ(0, memcmp(want, seen, SIZE));
}

/* PCI: 3.0, 6.2.3, bit 3: set while any port asserts its interrupt */
TEST_F(pci_config, interrupt_status_is_of_all_ports)
{
	unsigned int ports = variant->bar1 ? 2 : 1, port;

	for (port = 0; port < ports; port++)
		ASSERT_RET(0, vmig_port_irq_raise(self->dev, port), "raise");
	for (port = 0; port < ports; port++) {
		EXPECT_BYTE(PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT, PCI_STATUS);
		ASSERT_RET(0, vmig_port_irq_lower(self->dev, port), "lower");
	}
	EXPECT_BYTE(PCI_STATUS_CAP_LIST, PCI_STATUS);
}

/* PCI: 3.0, 6.2.2, bit 10: with INTx disabled none is signalled; then it is */
TEST_F(pci_config, intx_disable)
{
	const uint16_t off = PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE;
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, VFIO_PCI_INTX_IRQ_INDEX,
				      VFIO_IRQ_SET_ACTION_TRIGGER, fd), "fd");
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, off), "off");
	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise");
	EXPECT_EQ(0, vmig_eventfd_take(fd));
	ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO), "enable");
	EXPECT_EQ(1, vmig_eventfd_take(fd));
	close(fd);
}

/* PCI: 3.0, 6.2.2, bit 0: without it a port reads as ones, and a write has no effect */
TEST_F(pci_config, ports_need_io_decoding)
{
	const uint16_t others = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
	unsigned int ports = variant->bar1 ? 2 : 1, port, at, len, i;
	uint8_t before[PORT_SIZE], regs[PORT_SIZE];

	for (port = 0; port < ports; port++) {
		ASSERT_RET(0, vmig_uart_out(self->dev, port, UART_SCR, 0x11), "SCR");
		ASSERT_RET(0, vmig_region_read(self->dev, port, 0, before, PORT_SIZE), "read");
		ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, others), "command");
		for (at = 0; at < PORT_SIZE; at++) {
			for (len = 1; len <= PORT_SIZE - at; len++) {
				memset(regs, 0x5a, sizeof(regs));
				ASSERT_RET(0, vmig_region_write(self->dev, port, at, regs, len),
					   "write");
				ASSERT_RET(0, vmig_region_read(self->dev, port, at, regs, len),
					   "read");
				for (i = 0; i < len; i++)
					EXPECT_EQ(0xff, regs[i])
						TH_LOG("port %u, byte %u of %u at %u", port, i, len,
						       at);
			}
		}
		ASSERT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, PCI_COMMAND_IO),
			   "command");
		ASSERT_RET(0, vmig_region_read(self->dev, port, 0, regs, PORT_SIZE), "read");
		EXPECT_EQ(0, memcmp(before, regs, PORT_SIZE))
			TH_LOG("port %u", port);
	}
}

/* Driver: stopped in any state: config space can be read and written */
TEST_F(pci_config, works_while_stopped)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_RESUMING,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev, states[i], NULL),
			   "%s", vmig_state_name(states[i]));
		ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE,
						 0x40 + i), "write");
		EXPECT_BYTE(0x40 + i, PCI_INTERRUPT_LINE);
		EXPECT_BYTE(0x48, PCI_VENDOR_ID);
	}
}

TEST_HARNESS_MAIN
