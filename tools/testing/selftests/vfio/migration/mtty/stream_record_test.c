// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams made of whole records with right checksums, but not of those that
 * describe a device: missing, twice, of no known type or length, out of turn.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		70

#define HEAD_LEN	offsetof(struct mtty_rec_head, len)
#define HEAD_SEQ	offsetof(struct mtty_rec_head, seq)
#define HEAD_GENERATION	offsetof(struct mtty_rec_head, generation)

FIXTURE(record) {
	DEVICE_MEMBERS;
	struct vmig_bytes good;
	struct vmig_bytes bad;
};

FIXTURE_SETUP(record)
{
	OPEN_DEVICE("mtty-2", .capture_size = "256K");
}

FIXTURE_TEARDOWN(record)
{
	vmig_bytes_free(&self->good);
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(record) *self)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "scene");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->good), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
}

/* Offer the stream as it is, and reset the device; 0 is loaded */
static void expect_offer(struct __test_metadata *_metadata,
			 FIXTURE_DATA(record) *self, int err, const char *what)
{
	int write_err, stop_err;

	stop_err = vmig_transfer_offer(self->dev, &self->bad, &write_err);
	EXPECT_RET(err, write_err, "%s", what);
	EXPECT_RET(err, stop_err, "%s", what);
	EXPECT_STATE(err ? VFIO_DEVICE_STATE_ERROR : VFIO_DEVICE_STATE_STOP,
		     self->dev, "%s", what);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

/* Clause: a stream without a record that it takes: EINVAL; EBADMSG without START */
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
		/* Memory that was never written is not sent either */
		{ MTTY_REC_CAPTURE, 0, 0, "no CAPTURE" },
	};
	struct vmig_rec rec;
	unsigned int i;

	prepare(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_find(&self->bad, row[i].type,
					      row[i].nth, &rec));
		ASSERT_EQ(0, vmig_bytes_cut(&self->bad, rec.offset, rec.size));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, row[i].err, row[i].what);
	}
}

/* Clause: a record twice in one stream: EINVAL, START EBADMSG, CAPTURE may */
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
		{ MTTY_REC_LOG, 0, -EINVAL, "LOG" },
		{ MTTY_REC_UART, 0, -EINVAL, "first UART" },
		{ MTTY_REC_UART, 1, -EINVAL, "second UART" },
		{ MTTY_REC_IRQ, 0, -EINVAL, "IRQ" },
		{ MTTY_REC_END, 0, -EBADMSG, "END" },
	};
	struct vmig_rec rec;
	unsigned int i;

	prepare(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_find(&self->good, row[i].type,
					      row[i].nth, &rec));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad,
						rec.offset + rec.size, rec.type,
						rec.generation, rec.payload,
						rec.len));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, row[i].err, row[i].what);
	}
}

/* Clause: records "in any number and order" between START and END: loaded */
TEST_F(record, order_does_not_matter_if_sealed_so)
{
	const char *what = "";
	struct vmig_rec rec;
	size_t start;
	unsigned int nr;

	prepare(_metadata, self);
	ASSERT_EQ(0, vmig_stream_at(&self->good, 0, &rec));
	start = rec.size;
	/* All but the first and the last, backwards */
	self->bad.len = start;
	for (nr = vmig_stream_count(&self->good) - 2; nr; nr--) {
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, self->bad.len,
						rec.type, rec.generation,
						rec.payload, rec.len));
	}
	ASSERT_EQ(0, vmig_stream_find(&self->good, MTTY_REC_END, 0, &rec));
	ASSERT_EQ(0, vmig_stream_insert(&self->bad, self->bad.len, rec.type,
					rec.generation, rec.payload, rec.len));
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->bad), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/* Clause: STOP -> RESUMING: what the stream leaves out was never there */
TEST_F(record, memory_that_is_not_sent_is_empty)
{
	struct vmig_rec rec;
	uint8_t log[64];
	unsigned int i;

	prepare(_metadata, self);
	while (!vmig_stream_find(&self->bad, MTTY_REC_CAPTURE, 0, &rec))
		ASSERT_EQ(0, vmig_bytes_cut(&self->bad, rec.offset, rec.size));
	ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "scene");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->bad), "load");
	EXPECT_RET(0, vmig_region_read(self->dev, VFIO_PCI_BAR2_REGION_INDEX,
				       MTTY_CAP_LOG_OFFSET, log, sizeof(log)),
		   "log");
	for (i = 0; i < sizeof(log); i++)
		EXPECT_EQ(0, log[i]);
}

/* Clause: mtty_rec_uart.port, one that this card does not have: EINVAL */
TEST_F(record, port_of_a_larger_card_is_refused)
{
	struct mtty_rec_uart uart = { .port = 1 };
	struct vmig_testdev small;
	int write_err, stop_err;
	struct vmig_rec rec;

	ASSERT_EQ(0, vmig_testdev_open(&small, "mtty-1", VMIG_PATH_ANY, NULL));
	EXPECT_RET(0, vmig_transfer_save(&small.dev, &self->bad), "save");
	EXPECT_EQ(0, vmig_stream_find(&self->bad, MTTY_REC_END, 0, &rec));
	EXPECT_EQ(0, vmig_stream_insert(&self->bad, rec.offset, MTTY_REC_UART,
					rec.generation, &uart, sizeof(uart)));
	EXPECT_EQ(0, vmig_stream_renumber(&self->bad));
	stop_err = vmig_transfer_offer(&small.dev, &self->bad, &write_err);
	EXPECT_RET(-EINVAL, write_err, "write()");
	EXPECT_RET(-EINVAL, stop_err, "STOP");
	vmig_testdev_close(&small);
}

/* Clause: END before everything has come: EINVAL */
TEST_F(record, end_too_early_is_noticed)
{
	struct vmig_rec end, rec;
	unsigned int nr;

	prepare(_metadata, self);
	ASSERT_EQ(0, vmig_stream_find(&self->good, MTTY_REC_END, 0, &end));
	for (nr = 1; nr + 1 < vmig_stream_count(&self->good); nr++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_at(&self->good, nr, &rec));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset,
						MTTY_REC_END, rec.generation,
						end.payload, end.len));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, -EINVAL, "END too early");
	}
}

/* Clause: mtty_rec_head.type, not one of the types: EBADMSG */
TEST_F(record, unknown_types_are_refused)
{
	static const uint32_t types[] = {
		0, MTTY_REC_NR, 100, 0x01000000, 0x80000001, 0xffffffff,
	};
	struct vmig_rec rec;
	unsigned int i;

	prepare(_metadata, self);
	ASSERT_EQ(0, vmig_stream_find(&self->good, MTTY_REC_LOG, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset,
						types[i], rec.generation,
						rec.payload, rec.len));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, -EBADMSG, "unknown type");
	}
}

/* Clause: mtty_rec_head.len, not that of the type: EBADMSG */
TEST_F(record, wrong_lengths_are_refused)
{
	static const int change[] = { -100, -1, 1, 8, 100000 };
	struct vmig_rec rec;
	unsigned int i, nr;
	uint8_t *payload;

	prepare(_metadata, self);
	payload = calloc(1, 200000);
	ASSERT_NE(NULL, payload);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		if (rec.type == MTTY_REC_CAPTURE)
			continue;
		memcpy(payload, rec.payload, rec.len);
		for (i = 0; i < ARRAY_SIZE(change); i++) {
			size_t len = (int)rec.len + change[i] < 0 ? 0 :
				     rec.len + change[i];

			ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
			ASSERT_EQ(0, vmig_bytes_cut(&self->bad, rec.offset,
						    rec.size));
			ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset,
							rec.type,
							rec.generation, payload,
							len));
			ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
			expect_offer(_metadata, self, -EBADMSG,
				     vmig_stream_type_name(rec.type));
		}
		memset(payload, 0, rec.len);
	}
	free(payload);
}

/* Clause: MTTY_REC_CAPTURE, 1 to MTTY_REC_CAPTURE_MAX bytes; else EBADMSG */
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

	prepare(_metadata, self);
	payload = calloc(1, sizeof(offset) + 2 * MTTY_REC_CAPTURE_MAX);
	ASSERT_NE(NULL, payload);
	memcpy(payload, &offset, sizeof(offset));
	ASSERT_EQ(0, vmig_stream_find(&self->good, MTTY_REC_LOG, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset,
						MTTY_REC_CAPTURE,
						rec.generation, payload,
						sizeof(offset) + row[i].bytes));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, row[i].err, "CAPTURE");
	}
	free(payload);
}

/* Clause: mtty_rec_head.len beyond all bounds: EBADMSG by its head alone */
TEST_F(record, huge_length_is_refused_at_once)
{
	static const uint32_t lens[] = {
		0xffffffff, 0x80000000, 0x7fffffff, 0x01000000,
	};
	struct vmig_rec rec;
	unsigned int i;

	prepare(_metadata, self);
	ASSERT_EQ(0, vmig_stream_at(&self->good, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint32_t len = htole32(lens[i]);

		/* The head is sealed with no payload; its length comes last */
		self->bad.len = 0;
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, 0, MTTY_REC_START,
						1, NULL, 0));
		ASSERT_EQ(0, vmig_stream_at(&self->bad, 0, &rec));
		ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, &rec, HEAD_LEN,
						   &len, sizeof(len)));
		vmig_stream_fix_head(&self->bad, &rec, 0);
		expect_offer(_metadata, self, -EBADMSG, "huge length");
	}
}

/* Clause: mtty_rec_head.seq out of turn, checksums right: EBADMSG */
TEST_F(record, sequence_is_checked_by_itself)
{
	static const int64_t change[] = { -1, 1, 1LL << 32, INT64_MIN };
	struct vmig_rec rec;
	unsigned int i, nr;

	prepare(_metadata, self);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		for (i = 0; i < ARRAY_SIZE(change); i++) {
			uint64_t seq = htole64(rec.seq + change[i]);

			ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
			ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, &rec,
							   HEAD_SEQ, &seq,
							   sizeof(seq)));
			ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
			expect_offer(_metadata, self, -EBADMSG, "sequence");
		}
	}
}

/* Clause: mtty_rec_head.generation zero, checksums right: EINVAL */
TEST_F(record, generation_zero_is_refused)
{
	const uint64_t zero = 0;
	struct vmig_rec rec;
	unsigned int nr;

	prepare(_metadata, self);
	for (nr = 0; !vmig_stream_at(&self->good, nr, &rec); nr++) {
		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_poke_head(&self->bad, &rec,
						   HEAD_GENERATION, &zero,
						   sizeof(zero)));
		ASSERT_EQ(0, vmig_stream_fix_sums(&self->bad));
		expect_offer(_metadata, self, -EINVAL, "generation zero");
	}
}

/* Clause: MTTY_REC_REINIT: of another generation than before, and not of zero */
TEST_F(record, reinit_is_judged)
{
	const struct {
		uint64_t before;
		int err;
	} rows[] = { { 2, 0 }, { 1, -EINVAL }, { 0, -EINVAL } };
	struct vmig_rec rec;
	unsigned int i;

	prepare(_metadata, self);
	ASSERT_EQ(0, vmig_stream_find(&self->good, MTTY_REC_LOG, 0, &rec));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mtty_rec_reinit reinit = {
			.before = htole64(rows[i].before),
		};

		ASSERT_EQ(0, vmig_bytes_copy(&self->bad, &self->good));
		ASSERT_EQ(0, vmig_stream_insert(&self->bad, rec.offset,
						MTTY_REC_REINIT, 1, &reinit,
						sizeof(reinit)));
		ASSERT_EQ(0, vmig_stream_renumber(&self->bad));
		expect_offer(_metadata, self, rows[i].err, "REINIT");
	}
}

/* Clause: MTTY_REC_CAPTURE for a device without capture memory: EINVAL at its head */
TEST(capture_record_without_memory)
{
	const struct vmig_attrs attrs = { .capture_size = "0" };
	const size_t len = 8 + MTTY_REC_CAPTURE_MAX;
	uint8_t *payload = calloc(1, len);
	struct vmig_bytes stream = { 0 };
	struct vmig_testdev td;
	struct vmig_rec rec;
	int fd;

	ASSERT_NE(NULL, payload);
	ASSERT_EQ(0, vmig_testdev_open(&td, "mtty-2", VMIG_PATH_ANY, &attrs));
	ASSERT_RET(0, vmig_transfer_save(&td.dev, &stream), "save");
	ASSERT_EQ(0, vmig_stream_at(&stream, 1, &rec));
	ASSERT_EQ(0, vmig_stream_insert(&stream, rec.offset, MTTY_REC_CAPTURE,
					1, payload, len));
	ASSERT_EQ(0, vmig_stream_renumber(&stream));
	ASSERT_RET(0, vmig_device_reset(&td.dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(&td.dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	EXPECT_RET(-EINVAL, vmig_transfer_write(fd, stream.data, rec.offset +
						sizeof(struct mtty_rec_head),
						4096, NULL), "head");
	EXPECT_RET(-EINVAL, vmig_transfer_write(fd, stream.data, stream.len,
						4096, NULL), "all");
	close(fd);
	vmig_bytes_free(&stream);
	vmig_testdev_close(&td);
	free(payload);
}

TEST_HARNESS_MAIN
