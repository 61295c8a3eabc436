// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream or a snapshot has no effect before it counts. One that is refused, not complete,
 * or of an earlier session changes neither the device nor the next session.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define PORTS		2
/* Contents of the source and of the destination */
#define SENT		74
#define HAD		21

#define LINE		PCI_INTERRUPT_LINE

/*
 * The fixture: a device after a reset, and its former stream. It has no capture memory,
 * which a stream clears when it begins.
 */
struct refused {
	DEVICE_MEMBERS;
	struct vmig_bytes bad;
	struct vmig_snapshot config;
	uint8_t space[PCI_CFG_SPACE_SIZE];
};

static void open_refused(struct __test_metadata *_metadata, struct refused *self,
			 const char *policy, const char *defect)
{
	OPEN_DEVICE("mtty-2", .config_policy = policy, .capture_size = "0",
		    .defect_early_irq = defect);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SENT), "contents");
	ASSERT_RET(0, vmig_config_write8(self->dev, LINE, SENT), "config space");
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &self->config, &self->stream),
		   "save");
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, self->space,
				       sizeof(self->space)), "config space");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, HAD), "contents");
}

static void close_refused(struct refused *self)
{
	vmig_bytes_free(&self->bad);
	CLOSE_DEVICE();
}

#define REFUSED_FIXTURE(_name, _policy, _defect) \
FIXTURE(_name) { \
	struct refused r; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	open_refused(_metadata, &self->r, _policy, _defect); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	close_refused(&self->r); \
} \
struct _name##_needs_a_semicolon

static void enter(struct __test_metadata *_metadata, struct refused *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	ASSERT_RET(0, vmig_mig_set_state(self->dev, RESUMING, &self->fd), "RESUMING");
}

static int write_to(struct refused *self, const struct vmig_bytes *stream, size_t len)
{
	return vmig_transfer_write(self->fd, stream->data, len, VMIG_TRANSFER_CHUNK, NULL);
}

/* The destination as it was after its reset */
static void begin_again(struct __test_metadata *_metadata, struct refused *self)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, HAD), "contents");
}

FIXTURE_VARIANT(ports) {
	const char *defect;
};

REFUSED_FIXTURE(ports, "independent", variant->defect);
FIXTURE_VARIANT_ADD(ports, right) { .defect = "0" };
FIXTURE_VARIANT_ADD(ports, with_early_irq) { .defect = "1" };

/* A byte of the last record that arrives */
static const struct {
	uint32_t type;
	unsigned int nth;
	size_t offset;
	uint8_t flip;
	int err;
} wrong[] = {
	{ MTTY_REC_START, 0, offsetof(struct mtty_rec_start, nr_ports), 3, -EXDEV },
	{ MTTY_REC_LOG, 0, offsetof(struct mtty_rec_log, logged), 1, -EINVAL },
	{ MTTY_REC_UART, 0, offsetof(struct mtty_rec_uart, ier), 0x10, -EINVAL },
	{ MTTY_REC_UART, 1, offsetof(struct mtty_rec_uart, ier), 0x10, -EINVAL },
	{ MTTY_REC_IRQ, 0, offsetof(struct mtty_rec_irq, reserved), 1, -EINVAL },
	{ MTTY_REC_END, 0, offsetof(struct mtty_rec_end, records), 1, -EINVAL },
};

/* Driver: a refused stream, whatever record is wrong: the ports keep what they had */
TEST_F(ports, keep_what_they_had_after_a_refusal)
{
	struct refused *r = &self->r;
	struct vmig_rec rec;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		ASSERT_EQ(0, vmig_bytes_copy(&r->bad, &r->stream));
		ASSERT_EQ(0, vmig_stream_find(&r->bad, wrong[i].type, wrong[i].nth, &rec));
		r->bad.data[rec.offset + sizeof(struct mtty_rec_head) + wrong[i].offset] ^=
			wrong[i].flip;
		ASSERT_EQ(0, vmig_stream_fix_sums(&r->bad));
		enter(_metadata, r);
		EXPECT_RET(wrong[i].err, write_to(r, &r->bad, r->bad.len), "row %u", i);
		EXPECT_CONTENTS(r->dev, PORTS, HAD);
		begin_again(_metadata, r);

		enter(_metadata, r);
		EXPECT_RET(wrong[i].err, write_to(r, &r->bad, r->bad.len), "row %u", i);
		EXPECT_RET(wrong[i].err, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
		EXPECT_CONTENTS(r->dev, PORTS, HAD);
		begin_again(_metadata, r);
	}
	EXPECT_RET(0, vmig_transfer_load(r->dev, &r->stream), "the good one");
	EXPECT_CONTENTS(r->dev, PORTS, SENT);
}

/* Driver: a stream that ends behind any record: the ports keep what they had */
TEST_F(ports, keep_what_they_had_until_the_last_byte)
{
	struct refused *r = &self->r;
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&r->stream, nr, &rec); nr++) {
		enter(_metadata, r);
		EXPECT_RET(0, write_to(r, &r->stream, rec.offset + rec.size - 1), "data");
		EXPECT_RET(-ENODATA, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
		EXPECT_CONTENTS(r->dev, PORTS, HAD);
		begin_again(_metadata, r);
	}
}

REFUSED_FIXTURE(complete, "independent", "0");

/* Driver: a complete stream: the ports keep what they had until the state changes to STOP */
TEST_F(complete, stream_waits_for_stop)
{
	struct refused *r = &self->r;

	enter(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(0, vmig_check_data(r->fd), "CHECK_DATA");
	EXPECT_CONTENTS(r->dev, PORTS, HAD);
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(r->dev, PORTS, SENT);
}

/* Driver: a complete stream, then a byte too many: refused, the ports keep what they had */
TEST_F(complete, stream_with_more_behind_it)
{
	struct refused *r = &self->r;

	enter(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_EQ(-1, write(r->fd, "", 1));
	EXPECT_RET(-EBADMSG, -errno, "one more");
	EXPECT_RET(-EBADMSG, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(r->dev, PORTS, HAD);
}

/* Driver: a stream that was cut, a reset, and the whole one: as without the first */
TEST_F(complete, stream_after_a_cancelled_one)
{
	struct refused *r = &self->r;
	struct vmig_rec rec;
	unsigned int nr;

	for (nr = 0; !vmig_stream_at(&r->stream, nr, &rec); nr++) {
		enter(_metadata, r);
		EXPECT_RET(0, write_to(r, &r->stream, rec.offset + rec.size / 2), "data");
		begin_again(_metadata, r);
		EXPECT_RET(0, vmig_transfer_load(r->dev, &r->stream), "record %u", nr);
		EXPECT_CONTENTS(r->dev, PORTS, SENT);
		begin_again(_metadata, r);
	}
}

REFUSED_FIXTURE(any_order, "reorder", "0");

/* Driver: RESUMING to STOP without the snapshot: ESTALE, the ports keep what they had */
TEST_F(any_order, ports_wait_for_the_snapshot)
{
	struct refused *r = &self->r;

	enter(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(-ESTALE, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(r->dev, PORTS, HAD);
	EXPECT_RET(0, vmig_config_set(r->fd, &r->config), "SET_CONFIG");
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(r->dev, PORTS, SENT);
}

FIXTURE_VARIANT(depends) {
	const char *policy;
	int err;
};

REFUSED_FIXTURE(depends, variant->policy, "0");
FIXTURE_VARIANT_ADD(depends, before_data) { .policy = "before-data", .err = -EPROTO };
FIXTURE_VARIANT_ADD(depends, reorder) { .policy = "reorder" };

/* Proposal: SET_CONFIG that is refused, EINVAL: no snapshot is loaded, so ESTALE, EPROTO */
TEST_F(depends, refused_snapshot_is_not_loaded)
{
	struct refused *r = &self->r;
	struct vmig_snapshot wrong = r->config;

	enter(_metadata, r);
	wrong.data[PCI_VENDOR_ID] ^= 1;
	EXPECT_RET(-EINVAL, vmig_config_set(r->fd, &wrong), "SET_CONFIG");
	EXPECT_RET(variant->err, write_to(r, &r->stream, r->stream.len), "data");
	if (!variant->err) {
		EXPECT_RET(-ESTALE, vmig_check_data(r->fd), "CHECK_DATA");
		EXPECT_RET(-ESTALE, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	}
	EXPECT_RET(0, vmig_config_set(r->fd, &r->config), "SET_CONFIG");
	if (variant->err)
		EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(r->dev, PORTS, SENT);
}

FIXTURE_VARIANT(own_writes) {
	const char *policy;
};

REFUSED_FIXTURE(own_writes, variant->policy, "0");
FIXTURE_VARIANT_ADD(own_writes, independent) { .policy = "independent" };
FIXTURE_VARIANT_ADD(own_writes, embedded) { .policy = "embedded" };

static void expect_line(struct __test_metadata *_metadata, struct vmig_device *dev,
			uint8_t want, const char *when)
{
	uint8_t line = 0;

	EXPECT_RET(0, vmig_config_read8(dev, LINE, &line), "read");
	EXPECT_EQ(want, line) {
		TH_LOG("%s", when);
	}
}

/* Proposal: SET_CONFIG replaces what the user has written before, and is replaced by later */
TEST_F(own_writes, are_replaced_by_a_snapshot)
{
	struct refused *r = &self->r;
	int i;

	enter(_metadata, r);
	for (i = 0; i < 2; i++) {
		EXPECT_RET(0, vmig_config_write8(r->dev, LINE, HAD), "write");
		expect_line(_metadata, r->dev, HAD, "written");
		EXPECT_RET(0, vmig_config_set(r->fd, &r->config), "SET_CONFIG");
		expect_line(_metadata, r->dev, SENT, "loaded");
	}
	EXPECT_RET(0, vmig_config_write8(r->dev, LINE, HAD), "write");
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	expect_line(_metadata, r->dev, HAD, "at the end");
}

REFUSED_FIXTURE(config_record, "embedded", "0");

/* Write the inverse of each byte that can be written */
static void invert_config(struct __test_metadata *_metadata, struct refused *self)
{
	uint8_t byte;
	unsigned int at;

	for (at = 0; at < sizeof(self->space); at++) {
		byte = ~self->space[at];
		ASSERT_RET(0, vmig_config_write8(self->dev, at, byte), "byte %#x", at);
	}
}

static void expect_config(struct __test_metadata *_metadata, struct refused *self,
			  bool is_sent)
{
	uint8_t seen[PCI_CFG_SPACE_SIZE];
	unsigned int at, differ = 0;

	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, seen, sizeof(seen)), "read");
	for (at = 0; at < sizeof(seen); at++)
		differ += seen[at] != self->space[at];
	EXPECT_EQ(is_sent, !differ) {
		TH_LOG("%u bytes differ", differ);
	}
}

/* Driver: CONFIG: bytes that the user has written stay in this session, and in no other */
TEST_F(config_record, replaces_all_writes_of_an_earlier_session)
{
	struct refused *r = &self->r;

	enter(_metadata, r);
	invert_config(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	expect_config(_metadata, r, false);
	enter(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(0, vmig_mig_set_state(r->dev, STOP, NULL), "STOP");
	expect_config(_metadata, r, true);
}

/* Driver: CONFIG: bytes written in a cancelled session are replaced, too */
TEST_F(config_record, replaces_all_writes_of_a_cancelled_session)
{
	struct refused *r = &self->r;

	enter(_metadata, r);
	invert_config(_metadata, r);
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len / 2), "data");
	ASSERT_RET(0, vmig_device_reset(r->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(r->dev, &r->stream), "load");
	expect_config(_metadata, r, true);
}

static void get_config(struct __test_metadata *_metadata, struct refused *self,
		       struct vmig_snapshot *snapshot)
{
	struct vmig_bytes unused = { 0 };

	EXPECT_RET(0, vmig_transfer_save_config(self->dev, snapshot, &unused), "save");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP");
	vmig_bytes_free(&unused);
}

/* Proposal: content that a CONFIG record changes has another identity; else the same one */
TEST_F(config_record, has_an_identity_of_its_own)
{
	struct vmig_snapshot before, after, again;
	struct refused *r = &self->r;

	get_config(_metadata, r, &before);
	EXPECT_RET(0, vmig_transfer_load(r->dev, &r->stream), "load");
	get_config(_metadata, r, &after);
	EXPECT_NE(0, memcmp(before.data, after.data, before.size));
	EXPECT_NE(0, memcmp(before.id, after.id, sizeof(before.id)));
	EXPECT_RET(0, vmig_transfer_load(r->dev, &r->stream), "load again");
	get_config(_metadata, r, &again);
	EXPECT_EQ(0, memcmp(&after, &again, offsetof(struct vmig_snapshot, data)));
}

/* A call or a write in the last event, and no snapshot or record that was loaded */
static void expect_none_loaded(struct __test_metadata *_metadata,
			       struct vmig_trace *trace, const char *last)
{
	struct vmig_bytes text = { 0 };

	EXPECT_RET(0, vmig_trace_read(trace, &text), "trace");
	vmig_trace_stop(trace);
	EXPECT_NE(NULL, strstr((char *)text.data, last));
	EXPECT_EQ(NULL, strstr((char *)text.data, " loaded ")) {
		TH_LOG("%s", (char *)text.data);
	}
	vmig_bytes_free(&text);
}

#define START_TRACE(_trace) do { \
	int trace_ret = vmig_trace_start(_trace, "mtty"); \
	if (trace_ret == -ENODEV) \
		SKIP(return, "no tracefs on this kernel (CONFIG_FTRACE)"); \
	ASSERT_RET(0, trace_ret, "trace"); \
} while (0)

/* Driver: mtty_config: no event "loaded" for a CONFIG record that is refused */
TEST_F(config_record, that_is_refused_is_not_traced_as_loaded)
{
	struct refused *r = &self->r;
	struct vmig_trace trace;
	struct vmig_rec rec;

	START_TRACE(&trace);
	ASSERT_EQ(0, vmig_bytes_copy(&r->bad, &r->stream));
	ASSERT_EQ(0, vmig_stream_find(&r->bad, MTTY_REC_CONFIG, 0, &rec));
	r->bad.data[rec.offset + sizeof(struct mtty_rec_head) + PCI_VENDOR_ID] ^= 1;
	ASSERT_EQ(0, vmig_stream_fix_sums(&r->bad));
	enter(_metadata, r);
	EXPECT_RET(-EINVAL, write_to(r, &r->bad, r->bad.len), "data");
	expect_none_loaded(_metadata, &trace, "mtty_data: ");
}

/* Driver: mtty_config: no event "loaded" for a snapshot that is refused */
TEST_F(any_order, snapshot_that_is_refused_is_not_traced_as_loaded)
{
	struct refused *r = &self->r;
	struct vmig_snapshot wrong = r->config;
	struct vmig_trace trace;

	START_TRACE(&trace);
	enter(_metadata, r);
	wrong.data[PCI_VENDOR_ID] ^= 1;
	EXPECT_RET(-EINVAL, vmig_config_set(r->fd, &wrong), "of another device");
	wrong = r->config;
	wrong.id[0] ^= 1;
	EXPECT_RET(0, write_to(r, &r->stream, r->stream.len), "data");
	EXPECT_RET(-ESTALE, vmig_config_set(r->fd, &wrong), "of another source");
	expect_none_loaded(_metadata, &trace, "mtty_data: ");
}

TEST_HARNESS_MAIN
