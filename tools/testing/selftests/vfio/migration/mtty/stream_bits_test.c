// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every bit of every field of the stream, flipped, with right checksums: the stream has
 * its own errno, or the device has exactly what the stream says. Whole values are in
 * stream_value_test.c, config space is in ../mig_config/embedded_test.c.
 */
#include <endian.h>
#include <stddef.h>

#include "lib/mtty.h"
#include "expect_offer.h"

#define PORTS		2
#define SEED		44
#define CAPTURE		8192
#define CAPACITY	((CAPTURE - MTTY_CAP_LOG_OFFSET) / 2)

/* For the contents' 8 bits, parity and two stop bits; in ns at divisor 1 */
#define FOUR_CHARACTERS	416667

FIXTURE(bits) {
	DEVICE_MEMBERS;
	struct vmig_bytes bad;
	struct vmig_bytes saved;
};

FIXTURE_SETUP(bits)
{
	OPEN_DEVICE("mtty-2", .capture_size = "8K");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->stream));
}

FIXTURE_TEARDOWN(bits)
{
	vmig_bytes_free(&self->bad);
	vmig_bytes_free(&self->saved);
	CLOSE_DEVICE();
}

/* A field, and the result of any change of it */
struct field {
	size_t offset;
	size_t size;
	int err;
};

#define FIELD(_rec, _field, _err) { \
	offsetof(struct mtty_rec_##_rec, _field), \
	sizeof(((struct mtty_rec_##_rec *)0)->_field), _err, \
}

/* The order is that in which they are judged */
static const struct field start_fields[] = {
	FIELD(start, magic, -EBADMSG),
	FIELD(start, version, -EOPNOTSUPP),
	FIELD(start, nr_ports, -EXDEV),
	FIELD(start, need, -EXDEV),
	FIELD(start, features, -EXDEV),
	FIELD(start, capture_size, -EXDEV),
	FIELD(start, session, 0),
};

static int judge_start(size_t at)
{
	unsigned int i = 0;

	while (at >= start_fields[i].offset + start_fields[i].size)
		i++;
	return start_fields[i].err;
}

static int judge_log(const uint8_t *payload)
{
	struct mtty_rec_log rec;

	memcpy(&rec, payload, sizeof(rec));
	/* No byte is dropped while there is room */
	return le64toh(rec.logged) > CAPACITY || rec.dropped ? -EINVAL : 0;
}

/* The bits of a port that may have any value in the contents */
static const struct {
	size_t offset;
	size_t size;
	uint8_t mask;
} free_bits[] = {
	{ offsetof(struct mtty_rec_uart, ier), 1, 0x0f },
	/* The FIFO has bytes, so it must be on */
	{ offsetof(struct mtty_rec_uart, fcr), 1, 0xc0 | UART_FCR_DMA_SELECT },
	{ offsetof(struct mtty_rec_uart, lcr), 1, 0xff },
	{ offsetof(struct mtty_rec_uart, mcr), 1, 0x1f },
	{ offsetof(struct mtty_rec_uart, msr_delta), 1, UART_MSR_ANY_DELTA },
	{ offsetof(struct mtty_rec_uart, scr), 1, 0xff },
	{ offsetof(struct mtty_rec_uart, dll), 2, 0xff },
	{ offsetof(struct mtty_rec_uart, flags), 1, MTTY_REC_UART_THRI },
	{ offsetof(struct mtty_rec_uart, fifo_len), 1, 0xff },
	{ offsetof(struct mtty_rec_uart, lsr), 1, UART_LSR_OE },
	{ offsetof(struct mtty_rec_uart, quiet), 4, 0xff },
	{ offsetof(struct mtty_rec_uart, quiet_rest), 2, 0xff },
	{ offsetof(struct mtty_rec_uart, fifo), VMIG_CONTENTS_BYTES, 0xff },
};

static int judge_uart(const uint8_t *payload, size_t at, uint8_t bit)
{
	struct mtty_rec_uart rec;
	unsigned int i, divisor, rest;

	for (i = 0; i < ARRAY_SIZE(free_bits); i++)
		if (at >= free_bits[i].offset &&
		    at < free_bits[i].offset + free_bits[i].size)
			break;
	if (i == ARRAY_SIZE(free_bits) || !(free_bits[i].mask & bit))
		return -EINVAL;

	memcpy(&rec, payload, sizeof(rec));
	divisor = rec.dll | rec.dlm << 8;
	rest = le16toh(rec.quiet_rest);
	if (rest && rest >= divisor)
		return -EINVAL;
	if (le32toh(rec.quiet) >= FOUR_CHARACTERS)
		return -EINVAL;
	/* Behind the bytes in the FIFO all is zero */
	return rec.fifo_len < VMIG_CONTENTS_BYTES ||
	       rec.fifo_len > MTTY_UART_FIFO_SIZE ? -EINVAL : 0;
}

/* The errno of a record, in which the bit at @at was flipped */
static int judge(const struct vmig_rec *rec, const uint8_t *payload, size_t at,
		 uint8_t bit)
{
	switch (rec->type) {
	case MTTY_REC_START:
		return judge_start(at);
	case MTTY_REC_LOG:
		return judge_log(payload);
	case MTTY_REC_UART:
		return judge_uart(payload, at, bit);
	case MTTY_REC_IRQ:
		/* A port asserts an interrupt, so a message can have been sent */
		return !at && bit == MTTY_REC_IRQ_MSI_SENT ? 0 : -EINVAL;
	default:
		/* CAPTURE fills all of the memory, and END has the right count */
		return -EINVAL;
	}
}

/* Bytes of the payload that are flipped */
static size_t judged_len(const struct vmig_rec *rec)
{
	switch (rec->type) {
	case MTTY_REC_CAPTURE:
		return sizeof(struct mtty_rec_capture);
	case MTTY_REC_CONFIG:
		return 0;
	default:
		return rec->len;
	}
}

/* The device has what the stream says: all but the random number */
static void expect_loaded(struct __test_metadata *_metadata, FIXTURE_DATA(bits) *self,
			  const struct vmig_rec *rec, size_t at, uint8_t bit)
{
	const char *differs;

	self->saved.len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->saved), "save");
	differs = vmig_dump_compare_streams(&self->bad, &self->saved,
					    1u << MTTY_REC_START);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("%s, byte %zu ^ %#x: %s differs",
		       vmig_stream_type_name(rec->type), at, bit, differs);
	}
}

static void check_bit(struct __test_metadata *_metadata, FIXTURE_DATA(bits) *self,
		      const struct vmig_rec *rec, size_t at, uint8_t bit)
{
	uint8_t *payload = self->bad.data + rec->offset + sizeof(struct mtty_rec_head);
	int want;

	payload[at] ^= bit;
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
	want = judge(rec, payload, at, bit);
	EXPECT_OFFER(want, self->dev, &self->bad, "%s, byte %zu ^ %#x",
		     vmig_stream_type_name(rec->type), at, bit);
	if (!want)
		expect_loaded(_metadata, self, rec, at, bit);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	payload[at] ^= bit;
}

/* Driver: any bit of a payload but config space: its errno, or loaded as it is */
TEST_F(bits, every_bit_of_every_field)
{
	struct vmig_rec rec;
	unsigned int nr;
	size_t bit;

	for (nr = 0; !vmig_stream_at(&self->stream, nr, &rec); nr++)
		for (bit = 0; bit < 8 * judged_len(&rec); bit++)
			check_bit(_metadata, self, &rec, bit / 8, 1 << bit % 8);
	EXPECT_LE(7, nr);
}

/* The head alone, with @value in 4 or 8 bytes of it, and a right checksum */
static void offer_head(struct __test_metadata *_metadata, FIXTURE_DATA(bits) *self,
		       const struct vmig_rec *rec, size_t offset, uint64_t value,
		       bool is_good)
{
	const uint64_t bytes = htole64(value);
	const size_t size = offset == offsetof(struct mtty_rec_head, len) ? 4 : 8;
	struct vmig_rec before = { 0 };
	int write_err, stop_err;

	if (rec->seq)
		ASSERT_EQ(0, vmig_stream_at(&self->stream, rec->seq - 1, &before));
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->stream));
	ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, rec, offset, &bytes, size));
	vmig_stream_fix_head(&self->bad, rec, before.head_sum);
	self->bad.len = rec->offset + sizeof(struct mtty_rec_head);
	stop_err = vmig_transfer_offer(self->dev, &self->bad, &write_err);
	EXPECT_RET(is_good ? 0 : -EBADMSG, write_err, "%s, %#llx at %zu",
		   vmig_stream_type_name(rec->type), (unsigned long long)value, offset);
	EXPECT_RET(is_good ? -ENODATA : -EBADMSG, stop_err, "%s, %#llx at %zu",
		   vmig_stream_type_name(rec->type), (unsigned long long)value, offset);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

/* Driver: mtty_rec_head.len: one bit wrong, EBADMSG by the head alone, but for CAPTURE */
TEST_F(bits, every_bit_of_every_length)
{
	const uint32_t least = sizeof(struct mtty_rec_capture) + 1;
	const uint32_t most = sizeof(struct mtty_rec_capture) + MTTY_REC_CAPTURE_MAX;
	struct vmig_rec rec;
	unsigned int nr, bit;

	for (nr = 0; !vmig_stream_at(&self->stream, nr, &rec); nr++) {
		for (bit = 0; bit < 32; bit++) {
			uint32_t len = rec.len ^ 1u << bit;

			offer_head(_metadata, self, &rec,
				   offsetof(struct mtty_rec_head, len), len,
				   rec.type == MTTY_REC_CAPTURE && len >= least &&
				   len <= most);
		}
	}
}

/* Driver: mtty_rec_head.seq: one bit wrong, EBADMSG by the head alone */
TEST_F(bits, every_bit_of_every_sequence_number)
{
	struct vmig_rec rec;
	unsigned int nr, bit;

	for (nr = 0; !vmig_stream_at(&self->stream, nr, &rec); nr++)
		for (bit = 0; bit < 64; bit++)
			offer_head(_metadata, self, &rec,
				   offsetof(struct mtty_rec_head, seq),
				   rec.seq ^ 1ULL << bit, false);
}

/*
 * Driver: mtty_rec_start: two fields wrong: EBADMSG before EOPNOTSUPP before EXDEV, as
 * another version may have other fields
 */
TEST_F(bits, first_wrong_field_of_start_decides)
{
	struct vmig_rec rec;
	unsigned int i, k;
	uint8_t *payload;

	ASSERT_EQ(0, vmig_stream_at(&self->bad, 0, &rec));
	payload = self->bad.data + sizeof(struct mtty_rec_head);
	for (i = 0; i < ARRAY_SIZE(start_fields); i++) {
		for (k = i + 1; k < ARRAY_SIZE(start_fields); k++) {
			payload[start_fields[i].offset] ^= 0x40;
			payload[start_fields[k].offset] ^= 0x40;
			ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
			EXPECT_OFFER(start_fields[i].err, self->dev, &self->bad,
				     "fields %u and %u", i, k);
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
			payload[start_fields[i].offset] ^= 0x40;
			payload[start_fields[k].offset] ^= 0x40;
		}
	}
}

TEST_HARNESS_MAIN
