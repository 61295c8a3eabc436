// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space in RESUMING: ordinary writes take effect at once and stay, unless config
 * space belongs to the session.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define PORTS		2
#define SEED		60

/* Registers that the source has set to SENT; the user writes the first one */
#define WRITTEN		PCI_INTERRUPT_LINE
#define OTHER		PCI_CACHE_LINE_SIZE
#define SENT		0x11
#define MINE		0x77

/*
 * The fixture: a device after a reset, and its former stream
 * @config:	the snapshot of the stream, if the device was opted in
 */
struct resuming {
	DEVICE_MEMBERS;
	struct vmig_snapshot config;
};

static void open_resuming(struct __test_metadata *_metadata, struct resuming *self,
			  const char *policy, bool opt_in)
{
	OPEN_DEVICE("mtty-2", .config_policy = policy, .capture_size = "8K");
	if (opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_config_write8(self->dev, WRITTEN, SENT), "config space");
	ASSERT_RET(0, vmig_config_write8(self->dev, OTHER, SENT), "config space");
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &self->config,
						&self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

static void close_resuming(struct resuming *self)
{
	CLOSE_DEVICE();
}

#define RESUMING_SETUP(_name, _opt_in) \
FIXTURE_SETUP(_name) \
{ \
	open_resuming(_metadata, &self->r, variant->policy, _opt_in); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	close_resuming(&self->r); \
} \
struct _name##_needs_a_semicolon

/* Config space does not belong to the session; @sent: it is in the stream */
FIXTURE(ordinary) {
	struct resuming r;
};

FIXTURE_VARIANT(ordinary) {
	const char *policy;
	bool opt_in;
	uint8_t sent;
};

FIXTURE_VARIANT_ADD(ordinary, plain_independent) { "independent" };
FIXTURE_VARIANT_ADD(ordinary, plain_before_data) { "before-data" };
FIXTURE_VARIANT_ADD(ordinary, plain_reorder) { "reorder" };
FIXTURE_VARIANT_ADD(ordinary, plain_embedded) { "embedded", false, SENT };
FIXTURE_VARIANT_ADD(ordinary, independent) { "independent", true };
FIXTURE_VARIANT_ADD(ordinary, embedded) { "embedded", true, SENT };
RESUMING_SETUP(ordinary, variant->opt_in);

/* It belongs to the session */
FIXTURE(owned) {
	struct resuming r;
};

FIXTURE_VARIANT(owned) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(owned, before_data) { "before-data" };
FIXTURE_VARIANT_ADD(owned, reorder) { "reorder" };
RESUMING_SETUP(owned, true);

#define EXPECT_BYTE(_want, _dev, _reg) do { \
	uint8_t seen_byte = 0; \
	EXPECT_RET(0, vmig_config_read8(_dev, _reg, &seen_byte), "read"); \
	EXPECT_EQ(_want, seen_byte); \
} while (0)

static void enter(struct __test_metadata *_metadata, struct resuming *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
}

static void write_data(struct __test_metadata *_metadata, struct resuming *self)
{
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 100, NULL), "data");
}

static void run(struct __test_metadata *_metadata, struct resuming *self)
{
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
}

/* Driver: config space in RESUMING, not of the session: a write has its effect at once */
TEST_F(ordinary, write_takes_effect)
{
	struct vmig_device *dev = self->r.dev;
	uint8_t val = 0;

	enter(_metadata, &self->r);
	EXPECT_RET(0, vmig_config_write8(dev, WRITTEN, MINE), "write");
	EXPECT_BYTE(MINE, dev, WRITTEN);
	EXPECT_RET(0, vmig_config_write16(dev, PCI_COMMAND, 0), "no I/O decode");
	EXPECT_RET(0, vmig_uart_in(dev, 0, UART_SCR, &val), "port");
	EXPECT_EQ(0xff, val);
	EXPECT_RET(0, vmig_config_write16(dev, PCI_COMMAND, PCI_COMMAND_IO), "decode");
	EXPECT_RET(0, vmig_uart_in(dev, 0, UART_SCR, &val), "port");
	EXPECT_EQ(0, val);
}

/* Driver: config space in RESUMING, not of the session: a write before the data stays */
TEST_F(ordinary, write_before_data_stays)
{
	enter(_metadata, &self->r);
	EXPECT_RET(0, vmig_config_write8(self->r.dev, WRITTEN, MINE), "write");
	write_data(_metadata, &self->r);
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
	EXPECT_BYTE(variant->sent, self->r.dev, OTHER);
	run(_metadata, &self->r);
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
	EXPECT_BYTE(variant->sent, self->r.dev, OTHER);
}

/* Bytes that can be written as a whole: MSI's upper address, and the data behind it */
#define BLOCK		(0x50 + PCI_MSI_ADDRESS_HI)
#define BLOCK_SIZE	6

/*
 * Driver: config space in RESUMING, not of the session: each byte of a write before the data
 * stays, also one that it has not changed, and no byte beside it
 */
TEST_F(ordinary, each_byte_written_before_data_stays)
{
	struct vmig_device *dev = self->r.dev;
	uint8_t mine[BLOCK_SIZE], seen[BLOCK_SIZE];
	unsigned int at, len, i;

	/* Two streams: this one has all bytes of the block set */
	memset(mine, SENT, sizeof(mine));
	ASSERT_RET(0, vmig_region_write(dev, CONFIG, BLOCK, mine, sizeof(mine)), "block");
	self->r.stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save_config(dev, &self->r.config, &self->r.stream), "save");
	for (len = 1; len <= BLOCK_SIZE; len++) {
		for (at = 0; at + len <= BLOCK_SIZE; at++) {
			ASSERT_RET(0, vmig_device_reset(dev), "reset");
			enter(_metadata, &self->r);
			/* The first byte keeps its value, 0 */
			memset(mine, MINE, sizeof(mine));
			mine[0] = 0;
			EXPECT_RET(0, vmig_region_write(dev, CONFIG, BLOCK + at, mine, len),
				   "write");
			write_data(_metadata, &self->r);
			ASSERT_RET(0, vmig_region_read(dev, CONFIG, BLOCK, seen, BLOCK_SIZE),
				   "read");
			for (i = 0; i < BLOCK_SIZE; i++) {
				bool is_mine = i >= at && i < at + len;

				EXPECT_EQ(is_mine ? mine[i - at] : variant->sent, seen[i]) {
					TH_LOG("byte %u of the block, %u bytes at %u", i, len,
					       at);
				}
			}
			run(_metadata, &self->r);
		}
	}
}

/* Driver: config space in RESUMING, not of the session: a write after the data stays */
TEST_F(ordinary, write_after_data_stays)
{
	enter(_metadata, &self->r);
	write_data(_metadata, &self->r);
	EXPECT_BYTE(variant->sent, self->r.dev, WRITTEN);
	EXPECT_RET(0, vmig_config_write8(self->r.dev, WRITTEN, MINE), "write");
	run(_metadata, &self->r);
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
	EXPECT_BYTE(variant->sent, self->r.dev, OTHER);
}

/* Driver: config space in RESUMING: a second session knows no writes of the first one */
TEST_F(ordinary, second_session_has_no_writes)
{
	enter(_metadata, &self->r);
	EXPECT_RET(0, vmig_config_write8(self->r.dev, WRITTEN, MINE), "write");
	write_data(_metadata, &self->r);
	run(_metadata, &self->r);
	enter(_metadata, &self->r);
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
	write_data(_metadata, &self->r);
	run(_metadata, &self->r);
	EXPECT_BYTE(variant->sent ? variant->sent : MINE, self->r.dev, WRITTEN);
}

/* Proposal: config space of the session: EBUSY for a write of any byte, nothing changes */
TEST_F(owned, writes_are_refused)
{
	uint8_t before[PCI_CFG_SPACE_SIZE], after[PCI_CFG_SPACE_SIZE];
	struct vmig_device *dev = self->r.dev;
	uint8_t ones[8];
	unsigned int at, len;

	memset(ones, 0xff, sizeof(ones));
	enter(_metadata, &self->r);
	ASSERT_RET(0, vmig_region_read(dev, CONFIG, 0, before, sizeof(before)), "all");
	for (len = 1; len <= sizeof(ones); len++)
		for (at = 0; at + len <= sizeof(before); at += len)
			EXPECT_RET(-EBUSY, vmig_region_write(dev, CONFIG, at, ones, len),
				   "%u bytes at %#x", len, at);
	ASSERT_RET(0, vmig_region_read(dev, CONFIG, 0, after, sizeof(after)), "all");
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
}

/* Proposal: config space of the session: read() shows what SET_CONFIG has loaded */
TEST_F(owned, reads_show_the_snapshot)
{
	enter(_metadata, &self->r);
	EXPECT_BYTE(0, self->r.dev, WRITTEN);
	ASSERT_RET(0, vmig_config_set(self->r.fd, &self->r.config), "SET_CONFIG");
	EXPECT_BYTE(SENT, self->r.dev, WRITTEN);
	write_data(_metadata, &self->r);
	EXPECT_RET(-EBUSY, vmig_config_write8(self->r.dev, WRITTEN, MINE), "write");
	run(_metadata, &self->r);
	EXPECT_BYTE(SENT, self->r.dev, WRITTEN);
	EXPECT_CONTENTS(self->r.dev, PORTS, SEED);
}

/* Proposal: config space of the session: until it ends, or the device is reset */
TEST_F(owned, writes_work_after_the_session)
{
	enter(_metadata, &self->r);
	EXPECT_RET(0, vmig_device_reset(self->r.dev), "reset");
	EXPECT_RET(0, vmig_config_write8(self->r.dev, WRITTEN, MINE), "after a reset");
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
	enter(_metadata, &self->r);
	ASSERT_RET(0, vmig_config_set(self->r.fd, &self->r.config), "SET_CONFIG");
	write_data(_metadata, &self->r);
	EXPECT_RET(0, vmig_mig_set_state(self->r.dev, VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	EXPECT_RET(0, vmig_config_write8(self->r.dev, WRITTEN, MINE), "in STOP");
	EXPECT_BYTE(MINE, self->r.dev, WRITTEN);
}

TEST_HARNESS_MAIN
