// SPDX-License-Identifier: GPL-2.0-only
/* The capture memory in BAR2: header, log of all transmitted bytes, plain memory */
#include "lib/mtty.h"
#include "mtty_format.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define RESUMING	VFIO_DEVICE_STATE_RESUMING
#define ENTRY		sizeof(struct mtty_cap_entry)

FIXTURE(capture) {
	DEVICE_MEMBERS;
};

FIXTURE_VARIANT(capture) {
	const char *size;
	uint64_t bytes;
};

FIXTURE_VARIANT_ADD(capture, smallest) { .size = "8192", .bytes = 8192 };
FIXTURE_VARIANT_ADD(capture, by_default) { .size = NULL, .bytes = 1 << 20 };
FIXTURE_VARIANT_ADD(capture, largest) { .size = "256M", .bytes = 256 << 20 };

FIXTURE_SETUP(capture)
{
	OPEN_DEVICE("mtty-2", .capture_size = variant->size);
	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8));
	ASSERT_EQ(0, vmig_uart_out(self->dev, 1, UART_LCR, UART_LCR_WLEN8));
}

FIXTURE_TEARDOWN(capture)
{
	CLOSE_DEVICE();
}

#define SEND(_port, _val) \
	ASSERT_RET(0, vmig_uart_out(self->dev, _port, UART_TX, _val), "TX")

#define READ(_offset, _buf, _len) \
	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, _offset, _buf, _len), \
		   "BAR2")

#define WRITE(_offset, _buf, _len) \
	ASSERT_RET(0, vmig_region_write(self->dev, BAR2, _offset, _buf, _len), \
		   "BAR2")

#define EXPECT_LOGGED(_logged, _dropped) do { \
	struct vmig_capture_head seen_info = { 0 }; \
	ASSERT_RET(0, vmig_capture_info(self->dev, &seen_info), "header"); \
	EXPECT_EQ(_logged, seen_info.logged); \
	EXPECT_EQ(_dropped, seen_info.dropped); \
} while (0)

/* Driver: struct mtty_cap_header: sizes as configured, an empty log */
TEST_F(capture, header_of_an_empty_log)
{
	struct vmig_capture_head info;

	EXPECT_EQ(variant->bytes, self->dev->region[BAR2].size);
	ASSERT_RET(0, vmig_capture_info(self->dev, &info), "header");
	EXPECT_EQ(variant->bytes, info.size);
	EXPECT_EQ((variant->bytes - MTTY_CAP_LOG_OFFSET) / ENTRY, info.capacity);
	EXPECT_EQ(0, info.logged);
	EXPECT_EQ(0, info.dropped);
}

/* Driver: the log has every byte of every port, in the order of transmission */
TEST_F(capture, log_has_all_bytes_in_order)
{
	struct mtty_cap_entry log[300];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(log); i++)
		SEND(i % 3 == 1, i * 7);
	EXPECT_LOGGED(ARRAY_SIZE(log), 0);
	READ(MTTY_CAP_LOG_OFFSET, log, sizeof(log));
	for (i = 0; i < ARRAY_SIZE(log); i++) {
		EXPECT_EQ((uint8_t)(i * 7), log[i].data) TH_LOG("entry %u", i);
		EXPECT_EQ(i % 3 == 1, log[i].port) TH_LOG("entry %u", i);
	}
}

/* Driver: a byte written to the divisor latch is not logged */
TEST_F(capture, divisor_is_not_logged)
{
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, 0, 0x1234), "divisor");
	EXPECT_LOGGED(0, 0);
	SEND(0, 'a');
	EXPECT_LOGGED(1, 0);
}

/* Driver: a byte that is sent in loopback mode is not logged */
TEST_F(capture, loopback_is_not_logged)
{
	uint8_t val;

	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_MCR, UART_MCR_LOOP), "MCR");
	SEND(0, 'a');
	ASSERT_RET(0, vmig_uart_in(self->dev, 0, UART_RX, &val), "RX");
	EXPECT_EQ('a', val);
	EXPECT_LOGGED(0, 0);

	/* Each port has its own mode */
	SEND(1, 'b');
	EXPECT_LOGGED(1, 0);
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_MCR, 0), "MCR");
	SEND(0, 'c');
	EXPECT_LOGGED(2, 0);
}

/* Driver: a byte for which the receiver has no room is logged */
TEST_F(capture, overrun_is_logged)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		SEND(0, i);
	EXPECT_LOGGED(5, 0);
}

/* Driver: the header has 4096 bytes, ignores writes, and is zero behind its fields */
TEST_F(capture, header_is_read_only)
{
	uint8_t before[MTTY_CAP_LOG_OFFSET], after[MTTY_CAP_LOG_OFFSET];
	size_t i;

	SEND(0, 'a');
	READ(0, before, sizeof(before));
	memset(after, 0xff, sizeof(after));
	WRITE(0, after, sizeof(after));
	READ(0, after, sizeof(after));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	for (i = sizeof(struct mtty_cap_header); i < sizeof(after); i++)
		EXPECT_EQ(0, after[i]) TH_LOG("offset %zu", i);
}

/* Driver: struct mtty_cap_header: any width at any offset reads the same bytes */
TEST_F(capture, header_at_any_width_and_offset)
{
	static const size_t from[] = { 0, MTTY_CAP_LOG_OFFSET - 12 };
	uint8_t all[MTTY_CAP_LOG_OFFSET + 16], seen[9];
	size_t i, at, len;

	for (i = 0; i < 5; i++)
		SEND(i % 2, 0x81 + i);
	READ(0, all, sizeof(all));
	EXPECT_EQ(0x81, all[MTTY_CAP_LOG_OFFSET]);
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		for (at = from[i]; at < from[i] + sizeof(struct mtty_cap_header); at++) {
			for (len = 1; len < sizeof(seen) &&
			     at + len <= sizeof(all); len++) {
				memset(seen, 0xee, sizeof(seen));
				READ(at, seen, len);
				EXPECT_EQ(0, memcmp(all + at, seen, len))
					TH_LOG("%zu bytes at %zu", len, at);
				EXPECT_EQ(0xee, seen[len]);
			}
		}
	}
}

/* Driver: behind the header BAR2 is memory, at any width and offset */
TEST_F(capture, memory_behind_the_header)
{
	static const size_t lens[] = { 1, 2, 3, 4, 7, 8, 64, 255, 256, 257, 3000 };
	const size_t last = self->dev->region[BAR2].size;
	uint8_t want[3000], seen[3000];
	size_t i, j, at;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		/* Across the second page if there is one, and at the very end */
		at = i % 2 || last <= 8192 ? last - lens[i] : 8192 - lens[i] / 2;
		for (j = 0; j < lens[i]; j++)
			want[j] = 17 * i + j + 1;
		WRITE(at, want, lens[i]);
		memset(seen, 0, sizeof(seen));
		READ(at, seen, lens[i]);
		EXPECT_EQ(0, memcmp(want, seen, lens[i]))
			TH_LOG("%zu bytes at %zu", lens[i], at);
	}
}

/* Driver: a write across the end of the header changes only the memory behind it */
TEST_F(capture, write_across_the_header)
{
	const uint8_t all[] = { 0xaa, 0xbb, 0xcc, 0xdd };
	uint8_t seen[4];

	WRITE(MTTY_CAP_LOG_OFFSET - 2, all, sizeof(all));
	READ(MTTY_CAP_LOG_OFFSET - 2, seen, sizeof(seen));
	EXPECT_EQ(0, seen[0]);
	EXPECT_EQ(0, seen[1]);
	EXPECT_EQ(0xcc, seen[2]);
	EXPECT_EQ(0xdd, seen[3]);
}

/* Driver: memory that was never written reads as zero */
TEST_F(capture, untouched_memory_is_zero)
{
	const size_t size = self->dev->region[BAR2].size;
	uint8_t buf[4096];
	size_t at, i;

	for (at = MTTY_CAP_LOG_OFFSET; at + sizeof(buf) <= size; at += size / 8) {
		memset(buf, 0xff, sizeof(buf));
		READ(at, buf, sizeof(buf));
		for (i = 0; i < sizeof(buf); i++)
			ASSERT_EQ(0, buf[i]) TH_LOG("offset %zu", at + i);
	}
}

/* Driver: memory that was never written reads as zero, beside a page that was written */
TEST_F(capture, untouched_memory_beside_a_page_is_zero)
{
	static const size_t lens[] = { 2, 100, 256, 300, 1000, 4096, 3 * 4096 };
	const size_t size = self->dev->region[BAR2].size;
	const size_t page = sysconf(_SC_PAGESIZE), at = size / 2;
	uint8_t *seen = calloc(1, 4 * page);
	size_t i, k, from;

	if (at < MTTY_CAP_LOG_OFFSET + 2 * page || page != 4096)
		SKIP(goto out, "not applicable: too few pages");
	memset(seen, 0xa5, page);
	WRITE(at, seen, page);
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		/* Across the start of the page, and across its end */
		from = at + i % 2 * page - lens[i / 2] / 2;
		memset(seen, 0xee, 4 * page);
		READ(from, seen, lens[i / 2]);
		for (k = 0; k < lens[i / 2]; k++)
			ASSERT_EQ(from + k >= at && from + k < at + page ? 0xa5 : 0, seen[k]) {
				TH_LOG("row %zu: offset %zu", i, from + k);
			}
		EXPECT_EQ(0xee, seen[lens[i / 2]]);
	}
out:
	free(seen);
}

/* Driver: the log can be read in every state of the device */
TEST_F(capture, readable_while_stopped)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_RUNNING,
	};
	struct mtty_cap_entry entry;
	unsigned int i;

	SEND(1, 'q');
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev, states[i], NULL),
			   "%s", vmig_state_name(states[i]));
		EXPECT_LOGGED(1, 0);
		READ(MTTY_CAP_LOG_OFFSET, &entry, sizeof(entry));
		EXPECT_EQ('q', entry.data);
		EXPECT_EQ(1, entry.port);
	}
}

/* Driver: VFIO_DEVICE_RESET: an empty log, zeroed memory */
TEST_F(capture, emptied_by_reset)
{
	uint8_t seen;

	SEND(0, 'a');
	EXPECT_LOGGED(1, 0);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_LOGGED(0, 0);
	READ(MTTY_CAP_LOG_OFFSET, &seen, 1);
	EXPECT_EQ(0, seen);
}

/* Driver: RESUMING: emptied when the first record is accepted, not before */
TEST_F(capture, emptied_by_the_first_record)
{
	uint8_t seen;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8));
	SEND(0, 'a');
	ASSERT_RET(0, vmig_mig_set_state(self->dev, RESUMING, &self->fd), "RESUMING");
	ASSERT_EQ(sizeof(struct mtty_rec_head),
		  write(self->fd, self->stream.data, sizeof(struct mtty_rec_head)));
	EXPECT_LOGGED(1, 0);
	READ(MTTY_CAP_LOG_OFFSET, &seen, 1);
	EXPECT_EQ('a', seen);
	ASSERT_EQ(sizeof(struct mtty_rec_start),
		  write(self->fd, self->stream.data + sizeof(struct mtty_rec_head),
			sizeof(struct mtty_rec_start)));
	EXPECT_LOGGED(0, 0);
	READ(MTTY_CAP_LOG_OFFSET, &seen, 1);
	EXPECT_EQ(0, seen);
}

DEVICE_FIXTURE(no_capture, "mtty-1", .capture_size = "0");

/* Driver: capture_size 0: no BAR2, and the ports work */
TEST_F(no_capture, no_region_but_ports)
{
	struct vmig_capture_head info;
	uint8_t val = 0;

	EXPECT_EQ(0, self->dev->region[BAR2].size);
	EXPECT_RET(-ENODEV, vmig_capture_info(self->dev, &info), "header");
	EXPECT_RET(-EINVAL, vmig_region_read(self->dev, BAR2, 0, &val, 1), "read");
	EXPECT_RET(-EINVAL, vmig_region_write(self->dev, BAR2, 0, &val, 1), "write");
	EXPECT_RET(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8), "LCR");
	SEND(0, 'x');
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_RX, &val), "RX");
	EXPECT_EQ('x', val);
}

DEVICE_FIXTURE(smallest_log, "mtty-1", .capture_size = "8192");

/* Driver: a full log keeps its contents and counts further bytes; the ports work */
TEST_F(smallest_log, keeps_its_contents_when_full)
{
	struct vmig_capture_head info = { 0 };
	uint8_t *log, val = 0;
	size_t len, i;

	ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_LCR, UART_LCR_WLEN8));
	for (i = 0; i < 2048 + 10; i++)
		SEND(0, i * 3);
	ASSERT_EQ(0, vmig_capture_info(self->dev, &info));
	EXPECT_EQ(2048, info.capacity);
	EXPECT_EQ(2048, info.logged);
	EXPECT_EQ(10, info.dropped);
	ASSERT_EQ(0, vmig_capture_port(self->dev, 0, &log, &len));
	ASSERT_EQ(2048, len);
	for (i = 0; i < len; i++)
		EXPECT_EQ((uint8_t)(i * 3), log[i]) TH_LOG("entry %zu", i);
	free(log);
	EXPECT_EQ(0, vmig_uart_in(self->dev, 0, UART_RX, &val));
	EXPECT_EQ((uint8_t)(2057 * 3), val);
}

TEST_HARNESS_MAIN
