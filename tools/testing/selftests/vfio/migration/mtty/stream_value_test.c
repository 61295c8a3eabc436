// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams with right checksums and wrong contents, as an attacker or a driver with a
 * bug makes them. A value that no device can have is refused, with its own errno.
 */
#include <endian.h>
#include <stddef.h>

#include "lib/mtty.h"
#include "expect_offer.h"

#define PORTS		2
#define SEED		50
#define CAPTURE		8192
#define CAPACITY	((CAPTURE - MTTY_CAP_LOG_OFFSET) / 2)

/* For the contents' 8 bits, parity and two stop bits; in ns at divisor 1 */
#define FOUR_CHARACTERS	416667
#define DIVISOR		(0xff00 + SEED)

#define FIFO		UART_FCR_ENABLE_FIFO
#define BREAK		(UART_LSR_BI | UART_LSR_FE)

FIXTURE(value) {
	DEVICE_MEMBERS;
	struct vmig_bytes good;
	struct vmig_bytes bad;
};

/* One field of one record, and the errno of the stream */
FIXTURE_VARIANT(value) {
	uint32_t type;
	unsigned int nth;
	size_t offset;
	size_t size;
	uint64_t value;
	int err;
};

/* Payload fields; the _nth record with a struct mtty_rec_<_rec> */
#define VALUE(_name, _TYPE, _rec, _nth, _field, _value, _err) \
	FIXTURE_VARIANT_ADD(value, _name) { \
		.type = MTTY_REC_##_TYPE, .nth = _nth, \
		.offset = offsetof(struct mtty_rec_##_rec, _field), \
		.size = sizeof(((struct mtty_rec_##_rec *)0)->_field), \
		.value = _value, .err = _err, \
	}

#define START(_name, _field, _value, _err) \
	VALUE(start_##_name, START, start, 0, _field, _value, _err)
#define UART(_name, _field, _value, _err) \
	VALUE(uart_##_name, UART, uart, 0, _field, _value, _err)

START(magic_zero, magic, 0, -EBADMSG);
START(magic_swapped, magic, 0x4d545459, -EBADMSG);
START(version_0, version, 0, -EOPNOTSUPP);
START(version_older, version, MTTY_STREAM_VERSION - 1, -EOPNOTSUPP);
START(version_newer, version, MTTY_STREAM_VERSION + 1, -EOPNOTSUPP);
START(version_huge, version, 0xffffffff, -EOPNOTSUPP);
START(no_ports, nr_ports, 0, -EXDEV);
START(one_port, nr_ports, 1, -EXDEV);
START(three_ports, nr_ports, 3, -EXDEV);
START(many_ports, nr_ports, 0xffffffff, -EXDEV);
START(need_none, need, VFIO_MIG_CONFIG_NOT_NEEDED, -EXDEV);
START(need_before_data, need, VFIO_MIG_CONFIG_BEFORE_DATA, -EXDEV);
START(need_same, need, VFIO_MIG_CONFIG_IN_DATA, 0);
START(need_unknown, need, 1ULL << 63, -EXDEV);
START(features_fewer, features, 1, -EXDEV);
START(features_more, features, ~0ULL, -EXDEV);
START(capture_none, capture_size, 0, -EXDEV);
START(capture_larger, capture_size, 2 * CAPTURE, -EXDEV);
START(capture_huge, capture_size, ~0ULL, -EXDEV);
START(session_any, session, 0x0123456789abcdef, 0);

VALUE(capture_header, CAPTURE, capture, 0, offset, 0, -EINVAL);
VALUE(capture_header_end, CAPTURE, capture, 0, offset, 4095, -EINVAL);
VALUE(capture_one_off, CAPTURE, capture, 0, offset, 4097, -EINVAL);
VALUE(capture_at_end, CAPTURE, capture, 0, offset, CAPTURE, -EINVAL);
VALUE(capture_behind_end, CAPTURE, capture, 0, offset, CAPTURE + 1, -EINVAL);
VALUE(capture_far, CAPTURE, capture, 0, offset, 1ULL << 40, -EINVAL);
VALUE(capture_wrapping, CAPTURE, capture, 0, offset, -4096ULL, -EINVAL);
VALUE(capture_last, CAPTURE, capture, 0, offset, ~0ULL, -EINVAL);

VALUE(log_full, LOG, log, 0, logged, CAPACITY, 0);
VALUE(log_beyond, LOG, log, 0, logged, CAPACITY + 1, -EINVAL);
VALUE(log_huge, LOG, log, 0, logged, ~0ULL, -EINVAL);
VALUE(log_dropped_with_room, LOG, log, 0, dropped, 1, -EINVAL);

UART(port_1_twice, port, 1, -EINVAL);
UART(port_2, port, 2, -EINVAL);
UART(port_7, port, 7, -EINVAL);
UART(port_255, port, 255, -EINVAL);
UART(ier_reserved, ier, 0x10, -EINVAL);
UART(ier_all, ier, 0xff, -EINVAL);
UART(ier_valid, ier, 0x0f, 0);
UART(fcr_clear, fcr, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR, -EINVAL);
UART(fcr_reserved, fcr, UART_FCR_ENABLE_FIFO | 0x10, -EINVAL);
UART(fcr_trigger_without_fifo, fcr, UART_FCR_TRIGGER_14, -EINVAL);
UART(fcr_off_with_5_bytes, fcr, 0, -EINVAL);
UART(fcr_dma, fcr, UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT, 0);
UART(lcr_any, lcr, 0xff, 0);
UART(mcr_reserved, mcr, 0x20, -EINVAL);
UART(mcr_valid, mcr, 0x1f, 0);
UART(msr_level_bits, msr_delta, UART_MSR_CTS, -EINVAL);
UART(msr_delta_bits, msr_delta, UART_MSR_ANY_DELTA, 0);
UART(scr_any, scr, 0xff, 0);
UART(flags_reserved, flags, 0x04, -EINVAL);
UART(flags_all, flags, 0xff, -EINVAL);
UART(flags_thri, flags, MTTY_REC_UART_THRI, 0);
UART(flags_none, flags, 0, 0);
UART(timeout_before_its_time, flags, MTTY_REC_UART_TIMEOUT, -EINVAL);
UART(fifo_len_17, fifo_len, 17, -EINVAL);
UART(fifo_len_200, fifo_len, 200, -EINVAL);
UART(fifo_len_255, fifo_len, 255, -EINVAL);
UART(fifo_len_16, fifo_len, 16, 0);
UART(fifo_bytes_behind_len, fifo_len, VMIG_CONTENTS_BYTES - 1, -EINVAL);
UART(lsr_data_ready, lsr, UART_LSR_DR, -EINVAL);
UART(lsr_empty, lsr, UART_LSR_THRE, -EINVAL);
UART(lsr_fifo_error, lsr, UART_LSR_FIFOE, -EINVAL);
UART(lsr_overrun, lsr, UART_LSR_OE, 0);
UART(lsr_parity_alone, lsr, UART_LSR_PE, -EINVAL);
UART(lsr_framing_alone, lsr, UART_LSR_FE | UART_LSR_OE, -EINVAL);
UART(lsr_break_alone, lsr, UART_LSR_BI, -EINVAL);
UART(lsr_break, lsr, BREAK, 0);
UART(lsr_all, lsr, UART_LSR_BRK_ERROR_BITS, 0);
UART(quiet_0, quiet, 0, 0);
UART(quiet_longest, quiet, FOUR_CHARACTERS - 1, 0);
UART(quiet_too_long, quiet, FOUR_CHARACTERS, -EINVAL);
UART(quiet_huge, quiet, 0xffffffff, -EINVAL);
UART(quiet_of_shorter_words, lcr, UART_LCR_WLEN5, 0);
UART(quiet_rest_0, quiet_rest, 0, 0);
UART(quiet_rest_longest, quiet_rest, DIVISOR - 1, 0);
UART(quiet_rest_a_whole, quiet_rest, DIVISOR, -EINVAL);
UART(quiet_rest_huge, quiet_rest, 0xffff, -EINVAL);
UART(reserved_first, reserved[0], 1, -EINVAL);
UART(reserved_last, reserved[5], 0x80, -EINVAL);
UART(fifo_last, fifo[15], 1, -EINVAL);
UART(error_of_a_byte, fifo_errors[0], BREAK, -EINVAL);
UART(error_behind_len, fifo_errors[VMIG_CONTENTS_BYTES], BREAK, -EINVAL);
UART(error_last, fifo_errors[15], BREAK, -EINVAL);

VALUE(irq_flags_reserved, IRQ, irq, 0, flags, 1 << 1, -EINVAL);
VALUE(irq_flags_high, IRQ, irq, 0, flags, 1U << 31, -EINVAL);
VALUE(irq_flags_valid, IRQ, irq, 0, flags, 1, 0);
VALUE(irq_reserved_first, IRQ, irq, 0, reserved, 1, -EINVAL);
VALUE(irq_reserved_last, IRQ, irq, 0, reserved, 1U << 31, -EINVAL);

VALUE(end_counts_none, END, end, 0, records, 0, -EINVAL);
VALUE(end_counts_too_many, END, end, 0, records, 1ULL << 32, -EINVAL);

FIXTURE_SETUP(value)
{
	OPEN_DEVICE("mtty-2", .capture_size = "8K");
}

FIXTURE_TEARDOWN(value)
{
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

/* Driver: a field of a record: the errno of the variant; a good stream after a reset */
TEST_F(value, is_judged)
{
	uint64_t value = htole64(variant->value);
	struct vmig_rec rec;

	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->good), "save");
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
	ASSERT_EQ(0, vmig_stream_find(&self->bad, variant->type, variant->nth, &rec));
	ASSERT_EQ(0, vmig_stream_poke(&self->bad, &rec, variant->offset, &value,
				      variant->size));
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_OFFER(variant->err, self->dev, &self->bad, "offer");

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RESET_CONTENTS(self->dev, PORTS);
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->good), "good");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

FIXTURE(port) {
	DEVICE_MEMBERS;
	struct mtty_rec_uart uart;
};

/* A port whose fields can, or cannot, have these values together */
FIXTURE_VARIANT(port) {
	struct mtty_rec_uart uart;
	uint32_t quiet;
	uint16_t quiet_rest;
	int err;
};

#define A_STATE(_name, _err, _quiet, _rest, ...) \
	FIXTURE_VARIANT_ADD(port, _name) { \
		.uart = { __VA_ARGS__ }, .quiet = _quiet, \
		.quiet_rest = _rest, .err = _err, \
	}

A_STATE(reset, 0, 0, 0, .dll = 1);
A_STATE(divisor_0, 0, 0, 0, .fcr = FIFO, .fifo_len = 1);
A_STATE(timeout, 0, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.flags = MTTY_REC_UART_TIMEOUT);
A_STATE(timeout_of_nothing, -EINVAL, 0, 0, .fcr = FIFO,
	.flags = MTTY_REC_UART_TIMEOUT);
A_STATE(timeout_without_fifo, -EINVAL, 0, 0, .fifo_len = 1,
	.flags = MTTY_REC_UART_TIMEOUT);
A_STATE(timeout_and_time, -EINVAL, 1, 0, .fcr = FIFO, .fifo_len = 1, .dll = 9,
	.flags = MTTY_REC_UART_TIMEOUT);
A_STATE(timeout_and_rest, -EINVAL, 0, 1, .fcr = FIFO, .fifo_len = 1, .dll = 9,
	.flags = MTTY_REC_UART_TIMEOUT);
A_STATE(time, 0, 1, 8, .fcr = FIFO, .fifo_len = 1, .dll = 9);
A_STATE(time_of_nothing, -EINVAL, 1, 0, .fcr = FIFO, .dll = 9);
A_STATE(rest_of_nothing, -EINVAL, 0, 1, .fcr = FIFO, .dll = 9);
A_STATE(time_without_fifo, -EINVAL, 1, 0, .fifo_len = 1, .dll = 9);
A_STATE(time_without_clock, 0, 1, 0, .fcr = FIFO, .fifo_len = 1);
A_STATE(rest_without_clock, -EINVAL, 0, 1, .fcr = FIFO, .fifo_len = 1);
/* With 5 bits and one and a half stop bits: 260416.7 ns */
A_STATE(time_of_short_words, 0, 260416, 0, .fcr = FIFO, .fifo_len = 1, .dll = 1,
	.lcr = UART_LCR_STOP);
A_STATE(time_of_short_words_over, -EINVAL, 260417, 0, .fcr = FIFO,
	.fifo_len = 1, .dll = 1, .lcr = UART_LCR_STOP);
A_STATE(break_in_fifo, 0, 0, 0, .fcr = FIFO, .fifo_len = 2, .fifo = { 'a', 0 },
	.fifo_errors = { 0, BREAK });
A_STATE(break_with_parity, 0, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.fifo_errors = { BREAK | UART_LSR_PE });
A_STATE(break_without_fifo, -EINVAL, 0, 0, .fifo_len = 1,
	.fifo_errors = { BREAK });
A_STATE(break_alone, -EINVAL, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.fifo_errors = { UART_LSR_BI });
A_STATE(parity_alone, -EINVAL, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.fifo_errors = { UART_LSR_PE });
A_STATE(overrun_in_fifo, -EINVAL, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.fifo_errors = { BREAK | UART_LSR_OE });
A_STATE(ready_in_fifo, -EINVAL, 0, 0, .fcr = FIFO, .fifo_len = 1,
	.fifo_errors = { BREAK | UART_LSR_DR });
A_STATE(error_from_before_the_fifo, 0, 0, 0, .fcr = FIFO,
	.lsr = BREAK | UART_LSR_OE);

FIXTURE_SETUP(port)
{
	struct vmig_rec rec;

	self->uart = variant->uart;
	self->uart.quiet = htole32(variant->quiet);
	self->uart.quiet_rest = htole16(variant->quiet_rest);

	OPEN_DEVICE("mtty-1");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_UART, 0, &rec));
	ASSERT_EQ(0, vmig_stream_poke(&self->stream, &rec, 0, &self->uart,
				      sizeof(self->uart)));
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->stream));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

FIXTURE_TEARDOWN(port)
{
	CLOSE_DEVICE();
}

/* Driver: mtty_rec_uart: a state that no port can have: EINVAL; any other is loaded */
TEST_F(port, is_judged)
{
	struct vmig_rec rec;

	EXPECT_OFFER(variant->err, self->dev, &self->stream, "offer");
	if (variant->err)
		return;

	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save again");
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_UART, 0, &rec));
	EXPECT_EQ(0, memcmp(&self->uart, rec.payload, sizeof(self->uart)));
}

DEVICE_FIXTURE(nothing_asserted, "mtty-2");

/* Driver: MTTY_REC_IRQ_MSI_SENT, but no port asserts an interrupt: EINVAL */
TEST_F(nothing_asserted, msi_sent_is_refused)
{
	const uint32_t sent = htole32(MTTY_REC_IRQ_MSI_SENT);
	struct vmig_rec rec;

	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_IRQ, 0, &rec));
	ASSERT_EQ(0, vmig_stream_poke(&self->stream, &rec,
				      offsetof(struct mtty_rec_irq, flags),
				      &sent, sizeof(sent)));
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->stream));

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_OFFER(-EINVAL, self->dev, &self->stream, "offer");
}

TEST_HARNESS_MAIN
