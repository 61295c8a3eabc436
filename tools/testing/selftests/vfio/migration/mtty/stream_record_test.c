// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of whole records with right checksums that describe no device: a record is
 * missing, repeated, of an unknown type or length, or out of sequence.
 */
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/xxhash.h>

#include "lib/mtty.h"
#include "expect_offer.h"

#define PORTS		2
#define SEED		70

#define HEAD_LEN	offsetof(struct mtty_rec_head, len)
#define HEAD_SEQ	offsetof(struct mtty_rec_head, seq)
#define HEAD_SOURCE	offsetof(struct mtty_rec_head, source)
#define HEAD_VERSION	offsetof(struct mtty_rec_head, version)

FIXTURE(record) {
	DEVICE_MEMBERS;
	struct vmig_bytes good;
	struct vmig_bytes bad;
};

FIXTURE_SETUP(record)
{
	OPEN_DEVICE("mtty-2", .capture_size = "256K");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->good), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
}

FIXTURE_TEARDOWN(record)
{
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

/* The next bad stream begins as a copy of the good one */
#define COPY_GOOD() \
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good))

#define FIND(_type, _nth, _rec) \
	ASSERT_EQ(0, vmig_stream_find(&self->good, _type, _nth, _rec))

#define CUT(_rec) \
	ASSERT_EQ(0, vmig_bytes_cut(&self->bad, (_rec)->offset, (_rec)->size))

/* A record before the one at @_at, with the identity of @_rec */
#define INSERT(_at, _type, _rec, _payload, _len) \
	ASSERT_EQ(0, vmig_stream_insert(&self->bad, _at, _type, _rec, _payload, \
					_len))

/* Offer the bad stream, with new checksums, and reset the device */
#define RESEAL_AND_OFFER(_err, ...) do { \
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad)); \
	OFFER(_err, __VA_ARGS__); \
} while (0)

#define OFFER(_err, ...) do { \
	EXPECT_OFFER(_err, self->dev, &self->bad, __VA_ARGS__); \
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset"); \
} while (0)

/* Driver: a stream without one of the required records: EINVAL; EBADMSG without START */
TEST_F(record, missing_ones_are_noticed)
{
	static const struct {
		uint32_t type;
		unsigned int nth;
		int err;
		const char *what;
	} row[] = {
		{ MTTY_REC_START, 0, -EBADMSG, "no START" },
		{ MTTY_REC_LOG, 0, -EINVAL, "no LOG" },
		{ MTTY_REC_UART, 0, -EINVAL, "no first UART" },
		{ MTTY_REC_UART, 1, -EINVAL, "no second UART" },
		{ MTTY_REC_IRQ, 0, -EINVAL, "no IRQ" },
		{ MTTY_REC_CONFIG, 0, -EINVAL, "no CONFIG" },
		/* Memory that was never written is not sent either */
		{ MTTY_REC_CAPTURE, 0, 0, "no CAPTURE" },
	};
	struct vmig_rec rec;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		COPY_GOOD();
		FIND(row[i].type, row[i].nth, &rec);
		CUT(&rec);
		RESEAL_AND_OFFER(row[i].err, "%s", row[i].what);
	}
}

/* Driver: a record that is repeated: EINVAL, START and END EBADMSG; CAPTURE, CONFIG may be */
TEST_F(record, repeated_ones_are_noticed)
{
	static const struct {
		uint32_t type;
		unsigned int nth;
		int err;
		const char *what;
	} row[] = {
		{ MTTY_REC_START, 0, -EBADMSG, "START" },
		{ MTTY_REC_CAPTURE, 0, 0, "CAPTURE" },
		{ MTTY_REC_CONFIG, 0, 0, "CONFIG" },
		{ MTTY_REC_LOG, 0, -EINVAL, "LOG" },
		{ MTTY_REC_UART, 0, -EINVAL, "first UART" },
		{ MTTY_REC_UART, 1, -EINVAL, "second UART" },
		{ MTTY_REC_IRQ, 0, -EINVAL, "IRQ" },
		{ MTTY_REC_END, 0, -EBADMSG, "END" },
	};
	struct vmig_rec rec;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		COPY_GOOD();
		FIND(row[i].type, row[i].nth, &rec);
		INSERT(rec.offset + rec.size, rec.type, &rec, rec.payload, rec.len);
		RESEAL_AND_OFFER(row[i].err, "%s", row[i].what);
	}
}

/* Driver: records "in any number and order" between START and END: loaded */
TEST_F(record, records_in_another_order_are_loaded)
{
	struct vmig_rec rec;
	unsigned int nr;

	ASSERT_EQ(0, vmig_stream_at(&self->good, 0, &rec));
	self->bad.len = rec.size;
	/* All but the first and the last, backwards */
	for (nr = vmig_stream_count(&self->good) - 2; nr; nr--) {
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		INSERT(self->bad.len, rec.type, &rec, rec.payload, rec.len);
	}
	FIND(MTTY_REC_END, 0, &rec);
	INSERT(self->bad.len, rec.type, &rec, rec.payload, rec.len);
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->bad), "load");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* Driver: capture memory that is not in the stream is zero, whatever was there before */
TEST_F(record, memory_that_is_not_sent_is_empty)
{
	struct vmig_rec rec;
	uint8_t log[64];
	unsigned int i;

	while (!vmig_stream_find(&self->bad, MTTY_REC_CAPTURE, 0, &rec))
		CUT(&rec);
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->bad), "load");
	EXPECT_RET(0, vmig_region_read(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
				       MTTY_CAP_LOG_OFFSET, log, sizeof(log)),
		   "log");
	for (i = 0; i < sizeof(log); i++)
		EXPECT_EQ(0, log[i]);
}

/* Driver: mtty_rec_uart.port, one that this card does not have: EINVAL */
TEST_F(record, port_of_a_larger_card_is_refused)
{
	struct mtty_rec_uart uart = { .port = 1 };
	struct vmig_testdev small;
	struct vmig_rec rec;

	self->bad.len = 0;
	ASSERT_EQ(0, vmig_testdev_open(&small, "mtty-1", VMIG_PATH_ANY, NULL));
	EXPECT_RET(0, vmig_transfer_save(&small.dev, &self->bad), "save");
	EXPECT_EQ(0, vmig_stream_find(&self->bad, MTTY_REC_END, 0, &rec));
	INSERT(rec.offset, MTTY_REC_UART, &rec, &uart, sizeof(uart));
	EXPECT_EQ(0, vmig_stream_renumber(&self->bad));
	EXPECT_OFFER(-EINVAL, &small.dev, &self->bad, "port 1");
	vmig_testdev_close(&small);
}

/* Driver: END before all required records: EINVAL */
TEST_F(record, end_too_early_is_noticed)
{
	struct vmig_rec end, rec;
	unsigned int nr;

	FIND(MTTY_REC_END, 0, &end);
	for (nr = 1; nr + 1 < vmig_stream_count(&self->good); nr++) {
		COPY_GOOD();
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		INSERT(rec.offset, MTTY_REC_END, &rec, end.payload, end.len);
		RESEAL_AND_OFFER(-EINVAL, "END before record %u", nr);
	}
}

/* Driver: mtty_rec_head.type, not one of the types: EBADMSG */
TEST_F(record, unknown_types_are_refused)
{
	static const uint32_t types[] = {
		0, MTTY_REC_NR, 100, 0x01000000, 0x80000001, 0xffffffff,
	};
	struct vmig_rec rec;
	unsigned int i;

	FIND(MTTY_REC_LOG, 0, &rec);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		COPY_GOOD();
		INSERT(rec.offset, types[i], &rec, rec.payload, rec.len);
		RESEAL_AND_OFFER(-EBADMSG, "type %u", types[i]);
	}
}

/* Driver: mtty_rec_head.len, not the length of the type: EBADMSG */
TEST_F(record, wrong_lengths_are_refused)
{
	static const int change[] = { -100, -1, 1, 8, 100000 };
	struct vmig_rec rec;
	unsigned int i, nr;
	uint8_t *payload;

	payload = calloc(1, 200000);
	ASSERT_NE(NULL, payload);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		if (rec.type == MTTY_REC_CAPTURE)
			continue;
		memcpy(payload, rec.payload, rec.len);
		for (i = 0; i < ARRAY_SIZE(change); i++) {
			size_t len = (int)rec.len + change[i] < 0 ? 0 :
				     rec.len + change[i];

			COPY_GOOD();
			CUT(&rec);
			INSERT(rec.offset, rec.type, &rec, payload, len);
			RESEAL_AND_OFFER(-EBADMSG, "%s of %zu bytes",
					 vmig_stream_type_name(rec.type), len);
		}
		memset(payload, 0, rec.len);
	}
	free(payload);
}

/* Driver: MTTY_REC_CAPTURE, 1 to MTTY_REC_CAPTURE_MAX bytes; else EBADMSG */
TEST_F(record, capture_lengths_are_bounded)
{
	static const struct {
		size_t bytes;
		int err;
	} row[] = {
		{ 0, -EBADMSG }, { 1, 0 }, { MTTY_REC_CAPTURE_MAX, 0 },
		{ MTTY_REC_CAPTURE_MAX + 1, -EBADMSG },
		{ 2 * MTTY_REC_CAPTURE_MAX, -EBADMSG },
	};
	uint64_t offset = htole64(MTTY_CAP_LOG_OFFSET);
	struct vmig_rec rec;
	uint8_t *payload;
	unsigned int i;

	payload = calloc(1, sizeof(offset) + 2 * MTTY_REC_CAPTURE_MAX);
	ASSERT_NE(NULL, payload);
	memcpy(payload, &offset, sizeof(offset));
	FIND(MTTY_REC_LOG, 0, &rec);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		COPY_GOOD();
		INSERT(rec.offset, MTTY_REC_CAPTURE, &rec, payload,
		       sizeof(offset) + row[i].bytes);
		RESEAL_AND_OFFER(row[i].err, "%zu bytes", row[i].bytes);
	}
	free(payload);
}

/* Driver: mtty_rec_head.len beyond all bounds: EBADMSG by its head alone */
TEST_F(record, huge_length_is_refused_at_once)
{
	static const uint32_t lens[] = {
		0xffffffff, 0x80000000, 0x7fffffff, 0x01000000,
	};
	struct vmig_rec rec = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint32_t len = htole32(lens[i]);

		/* The head is sealed with no payload; its length comes last */
		self->bad.len = 0;
		INSERT(0, MTTY_REC_START, &rec, NULL, 0);
		ASSERT_EQ(0, vmig_stream_at(&self->bad, 0, &rec));
		ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, &rec, HEAD_LEN,
						   &len, sizeof(len)));
		vmig_stream_fix_head(&self->bad, &rec, 0);
		OFFER(-EBADMSG, "length %u", lens[i]);
	}
}

static void poke_head(struct __test_metadata *_metadata, FIXTURE_DATA(record) *self,
		      const struct vmig_rec *rec, size_t offset, uint64_t value)
{
	uint64_t bytes = htole64(value);

	COPY_GOOD();
	ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, rec, offset, &bytes,
					   sizeof(bytes)));
	ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
}

/* Driver: mtty_rec_head.seq out of turn, checksums right: EBADMSG */
TEST_F(record, sequence_is_checked_by_itself)
{
	static const int64_t change[] = { -1, 1, 1LL << 32, INT64_MIN };
	struct vmig_rec rec;
	unsigned int i, nr;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		for (i = 0; i < ARRAY_SIZE(change); i++) {
			poke_head(_metadata, self, &rec, HEAD_SEQ, rec.seq + change[i]);
			OFFER(-EBADMSG, "record %u, change %u", nr, i);
		}
	}
}

/* Driver: mtty_rec_head: one of source and version is zero, checksums right: EINVAL */
TEST_F(record, half_an_identity_is_refused)
{
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		poke_head(_metadata, self, &rec, HEAD_SOURCE, 1);
		OFFER(-EINVAL, "record %u, no version", nr);
		poke_head(_metadata, self, &rec, HEAD_VERSION, 1);
		OFFER(-EINVAL, "record %u, no source", nr);
	}
}

/* Driver: MTTY_REC_REINIT in a stream without identities: EINVAL */
TEST_F(record, reinit_needs_an_identity)
{
	const struct mtty_rec_reinit reinit = { .before = htole64(1) };
	struct vmig_rec rec;

	FIND(MTTY_REC_LOG, 0, &rec);
	INSERT(rec.offset, MTTY_REC_REINIT, &rec, &reinit, sizeof(reinit));
	RESEAL_AND_OFFER(-EINVAL, "REINIT");
}

/* Driver: a stream of version 4, with its shorter heads: EBADMSG at its first record */
TEST_F(record, version_4_is_refused)
{
	struct {
		__le32 type;
		__le32 len;
		__le64 generation;
		__le64 seq;
		__le64 data_sum;
		__le64 head_sum;
	} head = {
		.type = htole32(MTTY_REC_START),
		.len = htole32(sizeof(struct mtty_rec_start)),
		.generation = htole64(1),
	};
	struct mtty_rec_start start;
	struct vmig_rec rec;

	FIND(MTTY_REC_START, 0, &rec);
	memcpy(&start, rec.payload, sizeof(start));
	start.version = htole32(4);
	head.data_sum = htole64(xxh64(&start, sizeof(start), 0));
	head.head_sum = htole64(xxh64(&head, sizeof(head) - sizeof(head.head_sum), 0));
	self->bad.len = 0;
	ASSERT_EQ(0, vmig_bytes_add(&self->bad, &head, sizeof(head)));
	ASSERT_EQ(0, vmig_bytes_add(&self->bad, &start, sizeof(start)));
	OFFER(-EBADMSG, "START");
}

DEVICE_FIXTURE(no_memory, "mtty-2", .capture_size = "0");

/* Driver: MTTY_REC_CAPTURE for a device without capture memory: EINVAL at its head */
TEST_F(no_memory, capture_record_is_refused)
{
	static const uint8_t payload[8 + MTTY_REC_CAPTURE_MAX];
	struct vmig_bytes *stream = &self->stream;
	struct vmig_rec rec;

	ASSERT_RET(0, vmig_transfer_save(self->dev, stream), "save");
	ASSERT_EQ(0, vmig_stream_at(stream, 1, &rec));
	ASSERT_EQ(0, vmig_stream_insert(stream, rec.offset, MTTY_REC_CAPTURE, NULL,
					payload, sizeof(payload)));
	ASSERT_EQ(0, vmig_stream_renumber(stream));
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	EXPECT_RET(-EINVAL, vmig_transfer_write(self->fd, stream->data, rec.offset +
						sizeof(struct mtty_rec_head),
						4096, NULL), "head");
	EXPECT_RET(-EINVAL, vmig_transfer_write(self->fd, stream->data, stream->len,
						4096, NULL), "all");
}

TEST_HARNESS_MAIN
