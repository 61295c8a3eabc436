// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the helpers that judge a device see what is wrong? Each case changes one thing behind
 * the helper's back: a register, a byte of the log, a record, an access that fails.
 */
#include <endian.h>
#include <errno.h>
#include <sys/syscall.h>
#include <linux/pci_regs.h>

#include "tools/fixture.h"

#define PORTS	2
#define SEED	33
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
/* No region is there */
#define NOWHERE	0x1000000000000000ull

DEVICE_FIXTURE(judge, "mtty-2", .capture_size = "64K");

/* vmig_contents_check() must find this difference */
#define EXPECT_FOUND(_what, _check) do { \
	const char *found_what = ""; \
	EXPECT_RET(-EUCLEAN, _check, "%s", found_what); \
	EXPECT_STREQ(_what, found_what); \
} while (0)

#define SET_CONTENTS() do { \
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset"); \
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents"); \
} while (0)

/* Entry @_nr of the log */
#define SET_LOG(_nr, _port, _data) do { \
	const struct mtty_cap_entry log_entry = { .port = _port, .data = _data }; \
	ASSERT_RET(0, vmig_region_write(self->dev, BAR2, MTTY_CAP_LOG_OFFSET + \
					(_nr) * sizeof(log_entry), &log_entry, \
					sizeof(log_entry)), "log"); \
} while (0)

/* Library: vmig_contents_check(): a register of either port that differs is found */
TEST_F(judge, registers)
{
	static const struct {
		unsigned int reg;
		const char *what;
	} row[] = {
		{ UART_LCR, "LCR" }, { UART_MCR, "MCR" }, { UART_SCR, "SCR" },
		{ UART_IER, "IER" },
	};
	unsigned int i, port;

	for (port = 0; port < PORTS; port++) {
		for (i = 0; i < ARRAY_SIZE(row); i++) {
			SET_CONTENTS();
			ASSERT_RET(0, vmig_uart_out(self->dev, port, row[i].reg, 0), "write");
			EXPECT_FOUND(row[i].what, vmig_contents_check(self->dev, PORTS, SEED,
								      &found_what));
		}
	}
}

/* Library: vmig_contents_check(): each byte of the divisor, by its low and its high half */
TEST_F(judge, divisor)
{
	unsigned int reg, port;
	uint8_t lcr, half;

	for (port = 0; port < PORTS; port++) {
		for (reg = UART_DLL; reg <= UART_DLM; reg++) {
			SET_CONTENTS();
			ASSERT_RET(0, vmig_uart_in(self->dev, port, UART_LCR, &lcr), "LCR");
			ASSERT_RET(0, vmig_uart_out(self->dev, port, UART_LCR,
						    lcr | UART_LCR_DLAB), "DLAB");
			ASSERT_RET(0, vmig_uart_in(self->dev, port, reg, &half), "read");
			ASSERT_RET(0, vmig_uart_out(self->dev, port, reg, half ^ 1), "write");
			ASSERT_RET(0, vmig_uart_out(self->dev, port, UART_LCR, lcr), "LCR");
			EXPECT_FOUND("divisor", vmig_contents_check(self->dev, PORTS, SEED,
								    &found_what));
		}
	}
}

/* Library: vmig_contents_check(): each byte of the log, and how many there are */
TEST_F(judge, log)
{
	unsigned int i;

	for (i = 0; i < PORTS * VMIG_CONTENTS_BYTES; i++) {
		SET_CONTENTS();
		SET_LOG(i, i / VMIG_CONTENTS_BYTES, 0);
		EXPECT_FOUND("capture memory", vmig_contents_check(self->dev, PORTS, SEED,
								   &found_what));
	}
	/* One more of port 0, and it is the one that would follow */
	SET_CONTENTS();
	SET_LOG(VMIG_CONTENTS_BYTES, 0, SEED + VMIG_CONTENTS_BYTES);
	EXPECT_FOUND("capture memory", vmig_contents_check(self->dev, 1, SEED, &found_what));
	/* One less */
	SET_CONTENTS();
	SET_LOG(VMIG_CONTENTS_BYTES - 1, 1, 0);
	EXPECT_FOUND("capture memory", vmig_contents_check(self->dev, 1, SEED, &found_what));
}

/* Library: vmig_contents_check_reset(): registers, config space, and each end of the memory */
TEST_F(judge, contents_after_a_reset)
{
	static const uint64_t at[] = { MTTY_CAP_LOG_OFFSET, 0x8000, 0xffff };
	const char *what = "";
	unsigned int i;

	EXPECT_RET(0, vmig_contents_check_reset(self->dev, PORTS, &what), "%s", what);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		ASSERT_RET(0, vmig_region_write(self->dev, BAR2, at[i], "x", 1), "write");
		EXPECT_FOUND("capture memory", vmig_contents_check_reset(self->dev, PORTS,
									 &found_what));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
	ASSERT_RET(0, vmig_uart_out(self->dev, 1, UART_SCR, 1), "write");
	EXPECT_FOUND("SCR", vmig_contents_check_reset(self->dev, PORTS, &found_what));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 1), "write");
	EXPECT_FOUND("interrupt line", vmig_contents_check_reset(self->dev, PORTS, &found_what));
}

/* Library: vmig_capture_port(): the bytes of one port, in order, of two that take turns */
TEST_F(judge, log_of_one_port)
{
	unsigned int i, port;
	uint8_t *log;
	size_t len;

	for (port = 0; port < PORTS; port++)
		ASSERT_RET(0, vmig_uart_init(self->dev, port, UART_FCR_TRIGGER_1, 0), "init");
	for (i = 0; i < 6; i++)
		ASSERT_RET(0, vmig_uart_out(self->dev, i % 2, UART_TX, "aAbBcC"[i]), "send");
	for (port = 0; port < PORTS; port++) {
		ASSERT_RET(0, vmig_capture_port(self->dev, port, &log, &len), "read");
		EXPECT_EQ(3, len);
		EXPECT_EQ(0, memcmp(port ? "ABC" : "abc", log, len));
		free(log);
	}
}

/* Library: vmig_uart_exchange(): EIO if the receiver overruns, ENODATA if a byte is missing */
TEST_F(judge, exchange)
{
	uint8_t tx[16] = { 0 }, rx[16];

	ASSERT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1, 0), "init");
	EXPECT_RET(0, vmig_uart_exchange(self->dev, 0, tx, rx, sizeof(tx)), "whole");
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 'x'), "one more");
	EXPECT_RET(-EIO, vmig_uart_exchange(self->dev, 0, tx, rx, sizeof(tx)), "overrun");
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_FCR, 0), "no FIFO");
	EXPECT_RET(-EIO, vmig_uart_exchange(self->dev, 0, tx, rx, 2), "overrun without FIFO");
}

/* Library: vmig_traffic_finish(): what either port has found wrong is added up */
TEST_F(judge, traffic_that_was_wrong)
{
	struct vmig_traffic_report report;
	struct vmig_traffic *guest;
	unsigned int i, port;

	for (port = 0; port < PORTS; port++) {
		/* Sent, received and wrong, of each port */
		uint64_t state[3 * VMIG_TRAFFIC_PORTS] = { 0 };

		state[3 * port + 2] = htole64(3);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		for (i = 0; i < PORTS; i++)
			ASSERT_RET(0, vmig_uart_init(self->dev, i, UART_FCR_TRIGGER_8, 0), "init");
		ASSERT_RET(0, vmig_traffic_load(&guest, self->dev, (void *)state, sizeof(state)),
			   "load");
		vmig_traffic_resume(guest, self->dev);
		EXPECT_RET(0, vmig_traffic_finish(guest, &report), "finish");
		EXPECT_EQ(3, report.lost) {
			TH_LOG("port %u", port);
		}
	}
}

/* Library: vmig_traffic_finish(): the error of an access, of either port */
TEST_F(judge, traffic_that_failed)
{
	const uint64_t state[3 * VMIG_TRAFFIC_PORTS] = { 0 };
	struct vmig_traffic_report report;
	struct vmig_device broken;
	struct vmig_traffic *guest;
	unsigned int port;

	for (port = 0; port < PORTS; port++) {
		broken = *self->dev;
		broken.region[BAR0 + port].offset = NOWHERE;
		ASSERT_RET(0, vmig_traffic_load(&guest, &broken, (void *)state, sizeof(state)),
			   "load");
		vmig_traffic_resume(guest, &broken);
		EXPECT_RET(-EINVAL, vmig_traffic_finish(guest, &report), "port %u", port);
	}
}

static void expect_outdated(struct __test_metadata *_metadata,
			    FIXTURE_DATA(judge) *self,
			    struct vmig_config_writer *writer, unsigned int bar)
{
	unsigned int reg = 0;
	uint32_t right;

	ASSERT_RET(0, vmig_config_read32(self->dev, bar, &right), "read");
	ASSERT_RET(0, vmig_config_write32(self->dev, bar, right ^ 0x100), "write");
	EXPECT_RET(-EUCLEAN, vmig_config_writer_check(writer, self->dev, &reg), "BAR");
	EXPECT_EQ(bar, reg);
	ASSERT_RET(0, vmig_config_write32(self->dev, bar, right), "write");
	EXPECT_RET(0, vmig_config_writer_check(writer, self->dev, &reg), "register %#x", reg);
}

/* Library: vmig_config_writer_check(): any register that has another value is found */
TEST_F(judge, config_writer)
{
	struct vmig_config_writer *writer;

	ASSERT_RET(0, vmig_config_writer_start(&writer, self->dev), "start");
	ASSERT_RET(0, vmig_config_writer_wait(writer, 20), "wait");
	vmig_config_writer_pause(writer);
	/* One of them is not the last that was written */
	expect_outdated(_metadata, self, writer, PCI_BASE_ADDRESS_0);
	expect_outdated(_metadata, self, writer, PCI_BASE_ADDRESS_1);
	vmig_config_writer_resume(writer, self->dev);
	EXPECT_RET(0, vmig_config_writer_finish(writer), "finish");
}

/* Library: vmig_config_writer_finish(): the error of an access, when it has ended the guest */
TEST_F(judge, config_writer_that_failed)
{
	struct vmig_device broken = *self->dev;
	struct vmig_config_writer *writer;
	struct vmig_bytes state = {};
	int ret;

	broken.region[CONFIG].offset = NOWHERE;
	ASSERT_RET(0, vmig_config_writer_start(&writer, self->dev), "start");
	do {
		vmig_config_writer_pause(writer);
		ret = vmig_config_writer_save(writer, &state);
		vmig_config_writer_resume(writer, &broken);
	} while (!ret);
	EXPECT_RET(-EINVAL, ret, "save");
	EXPECT_RET(-EINVAL, vmig_config_writer_finish(writer), "finish");
	vmig_bytes_free(&state);
}

/* Library: vmig_dump_compare(): the first and the last byte of the memory */
TEST_F(judge, dump_of_the_memory)
{
	struct vmig_dump a = {}, b = {};

	ASSERT_RET(0, vmig_dump_take(&a, self->dev), "dump");
	ASSERT_RET(0, vmig_dump_take(&b, self->dev), "dump");
	EXPECT_EQ(NULL, vmig_dump_compare(&a, &b));
	b.memory.data[0] ^= 1;
	EXPECT_STREQ("capture memory", vmig_dump_compare(&a, &b));
	b.memory.data[0] ^= 1;
	b.memory.data[b.memory.len - 1] ^= 1;
	EXPECT_STREQ("capture memory", vmig_dump_compare(&a, &b));
	b.memory.data[b.memory.len - 1] ^= 1;
	b.config[PCI_CFG_SPACE_SIZE - 1] ^= 1;
	EXPECT_STREQ("config space", vmig_dump_compare(&a, &b));
	vmig_dump_free(&a);
	vmig_dump_free(&b);
}

/* Library: vmig_dump_compare_streams(): a payload, a checksum, the number of records */
TEST_F(judge, dump_of_the_stream)
{
	struct vmig_bytes other = {}, empty = {};
	struct vmig_rec rec;
	uint8_t byte;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_bytes_copy(&other, &self->stream), "copy");
	EXPECT_EQ(NULL, vmig_dump_compare_streams(&self->stream, &other, 0));
	EXPECT_STREQ("nothing to compare", vmig_dump_compare_streams(&empty, &empty, 0));

	ASSERT_RET(0, vmig_stream_find(&other, MTTY_REC_UART, 1, &rec), "UART");
	byte = rec.payload[0] ^ 1;
	ASSERT_RET(0, vmig_stream_poke(&other, &rec, 0, &byte, 1), "poke");
	EXPECT_STREQ("checksum, or number of records",
		     vmig_dump_compare_streams(&other, &other, 0));
	ASSERT_RET(0, vmig_stream_fix_sums(&other), "sums");
	EXPECT_STREQ("UART", vmig_dump_compare_streams(&self->stream, &other, 0));

	ASSERT_RET(0, vmig_bytes_copy(&other, &self->stream), "copy");
	other.len = rec.offset;
	EXPECT_STREQ("checksum, or number of records",
		     vmig_dump_compare_streams(&self->stream, &other, 0));
	EXPECT_STREQ("checksum, or number of records",
		     vmig_dump_compare_streams(&other, &self->stream, 0));
	vmig_bytes_free(&other);
}

/* Library: vmig_dump_compare_config(): the first and the last byte, of two files */
TEST_F(judge, dump_of_config_space)
{
	static const unsigned int at[] = { 0, PCI_CFG_SPACE_SIZE - 1 };
	struct vmig_device a = VMIG_DEVICE_CLOSED, b = VMIG_DEVICE_CLOSED;
	unsigned int reg, i;

	a.fd = memfd_create("a", MFD_CLOEXEC);
	b.fd = memfd_create("b", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(a.fd, PCI_CFG_SPACE_SIZE));
	ASSERT_EQ(0, ftruncate(b.fd, PCI_CFG_SPACE_SIZE));
	EXPECT_RET(0, vmig_dump_compare_config(&a, &b, &reg), "equal");
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		ASSERT_RET(0, vmig_config_write8(&b, at[i], 1), "write");
		EXPECT_RET(-EUCLEAN, vmig_dump_compare_config(&a, &b, &reg), "byte %u", at[i]);
		EXPECT_EQ(at[i], reg);
		ASSERT_RET(0, vmig_config_write8(&b, at[i], 0), "write");
	}
	vmig_device_close(&a);
	vmig_device_close(&b);
}

/* Library: vmig_testdev_open(): the driver's answer has to be that of the policy */
TEST_F(judge, policy)
{
	/* sysfs takes the newline, and the answer has none */
	const struct vmig_attrs attrs = { .config_policy = "before-data\n" };
	struct vmig_testdev td;

	EXPECT_RET(-EPROTO, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY, &attrs), "open");
	EXPECT_EQ(-1, td.dev.fd);
	EXPECT_EQ('\0', td.mdev.uuid[0]);
}

/* Library: vmig_transfer_save_config(): fails if GET_CONFIG does, unless it is not there */
TEST_F(judge, snapshot_that_cannot_be_read)
{
	struct vmig_snapshot snapshot;
	int data_fd = dup(0);

	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &snapshot, &self->stream), "plain");
	EXPECT_EQ(0, snapshot.size);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL), "RUNNING");
	/* It gets the lowest number that is free */
	ASSERT_LE(0, data_fd);
	close(data_fd);
	ASSERT_RET(0, vmig_deny(SYS_ioctl, data_fd, EIO), "seccomp");
	EXPECT_RET(-EIO, vmig_transfer_save_config(self->dev, &snapshot, &self->stream), "EIO");
}

TEST_HARNESS_MAIN
