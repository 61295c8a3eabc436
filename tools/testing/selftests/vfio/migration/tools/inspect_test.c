// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inspection of a stored stream: the contents of a whole one, and that no damaged one is
 * accepted, or crashes the reader.
 */
#include <endian.h>
#include <sys/mman.h>

#include "tools/fixture.h"

#define SEED		11
#define GARBAGE		300

FIXTURE(inspect) {
	PAIR_MEMBERS;
	struct vmig_inspect_result result;
	uint8_t *data;
	uint8_t *free_bytes;
	size_t len;
	int fd;
	char trace[64];
};

/*
 * A whole stream, a letter for each section: S setup, C config, D data, I irqchip, ";"
 * end of a step, "." end of the stream; and for each record of the data: s start, k
 * config, c capture, l log, u uart, i irq, e end.
 */
FIXTURE_VARIANT(inspect) {
	const char *policy;
	const char *content;
};

#define CONTENT(_name, _policy, _content) \
	FIXTURE_VARIANT_ADD(inspect, _name) { \
		.policy = _policy, .content = _content, \
	}

CONTENT(independent, "independent", "S;Dsc;Dluuie;I;C;.");
CONTENT(before_data, "before-data", "S;CDsc;Dluuie;I;C;.");
CONTENT(reorder, "reorder", "S;Dsc;Dluuie;I;C;.");
CONTENT(embedded, "embedded", "S;Dskc;Dluuie;I;C;.");

static void show_nothing(void *opaque, const struct vmig_inspect_item *item)
{
}

/* Inspect bytes in memory, by way of a file */
static int look(FIXTURE_DATA(inspect) *self, const void *data, size_t len,
		vmig_inspect_show show, void *opaque)
{
	if (ftruncate(self->fd, 0) || lseek(self->fd, 0, SEEK_SET) ||
	    write(self->fd, data, len) != (ssize_t)len ||
	    lseek(self->fd, 0, SEEK_SET))
		return -EIO;
	return vmig_inspect(self->fd, NULL, show, opaque, &self->result);
}

static int check(FIXTURE_DATA(inspect) *self, const void *data, size_t len)
{
	return look(self, data, len, show_nothing, NULL);
}

#define EXPECT_BROKEN(_want, _data, _len) \
	EXPECT_RET(_want, check(self, _data, _len), "%s", self->result.why)

/* With room for one byte more, which is 0 */
static int read_stream(FIXTURE_DATA(inspect) *self, int fd)
{
	self->len = lseek(fd, 0, SEEK_END);
	self->data = calloc(1, self->len + 1);
	self->free_bytes = calloc(1, self->len);
	if (!self->data || !self->free_bytes)
		return -ENOMEM;
	return pread(fd, self->data, self->len, 0) == (ssize_t)self->len ? 0 :
									   -EIO;
}

FIXTURE_SETUP(inspect)
{
	self->fd = memfd_create("inspected", 0);
	ASSERT_LE(0, self->fd);
	BOOT_PAIR(SEED, .config_policy = variant->policy,
		  .capture_size = "8192");
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "%s",
		   self->src->why);
	ASSERT_EQ(0, read_stream(self, self->pair.fd));
}

FIXTURE_TEARDOWN(inspect)
{
	free(self->free_bytes);
	free(self->data);
	close(self->fd);
	vmig_pair_close(&self->pair);
}

static char letter(const struct vmig_inspect_item *item)
{
	static const char records[MTTY_REC_NR + 1] = "?scluiek?";

	if (item->rec)
		return records[item->rec->type];
	switch (item->section->marker) {
	case VFIO_MIG_FLAG_DEV_SETUP_STATE:
		return 'S';
	case VFIO_MIG_FLAG_DEV_CONFIG_STATE:
		return 'C';
	case VFIO_MIG_FLAG_DEV_DATA_STATE:
		return 'D';
	case VMIG_FLAG_IRQCHIP_STATE:
		return 'I';
	case VFIO_MIG_FLAG_END_OF_STATE:
		return ';';
	default:
		return '.';
	}
}

static void trace(void *opaque, const struct vmig_inspect_item *item)
{
	FIXTURE_DATA(inspect) *self = opaque;
	size_t len = strlen(self->trace);

	if (len + 1 < sizeof(self->trace))
		self->trace[len] = letter(item);
}

/* Library: a whole stream: each section and record, in order */
TEST_F(inspect, whole_stream)
{
	EXPECT_RET(0, look(self, self->data, self->len, trace, self), "%s",
		   self->result.why);
	EXPECT_STREQ(variant->content, self->trace);
	EXPECT_EQ(self->len, self->result.bytes);
	EXPECT_STREQ("", self->result.why);
}

/* Library: the data of a device without the sections of a VMM: its records */
TEST_F(inspect, data_alone)
{
	struct vmig_snapshot snapshot;
	struct vmig_bytes stream = { 0 };

	ASSERT_RET(0, vmig_device_reset(self->src->dev), "reset");
	ASSERT_RET(0, vmig_transfer_save_config(self->src->dev, &snapshot, &stream), "save");
	EXPECT_RET(0, look(self, stream.data, stream.len, trace, self), "%s",
		   self->result.why);
	EXPECT_EQ('s', self->trace[0]);
	EXPECT_NE(NULL, strstr(self->trace, "luuie"));
	EXPECT_EQ(0, self->result.sections);
	EXPECT_BROKEN(-ENODATA, stream.data, stream.len - 1);
	EXPECT_BROKEN(-ENODATA, stream.data, stream.len -
		      sizeof(struct mtty_rec_head) - sizeof(struct mtty_rec_end));
	EXPECT_NE(NULL, strstr(self->result.why, "without an END record"));
	vmig_bytes_free(&stream);
}

/* Library: a LOG or IRQ record with an impossible state: EINVAL, and its name */
TEST_F(inspect, impossible_state_is_refused)
{
	static const struct {
		uint32_t type;
		const char *name;
	} recs[] = {
		{ MTTY_REC_LOG, "(LOG)" }, { MTTY_REC_IRQ, "(IRQ)" },
	};
	const uint64_t bad = UINT64_MAX;
	struct vmig_snapshot snapshot;
	struct vmig_bytes stream = { 0 };
	struct vmig_rec rec;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(recs); i++) {
		ASSERT_RET(0, vmig_device_reset(self->pair.src.dev), "reset");
		stream.len = 0;
		ASSERT_RET(0, vmig_transfer_save_config(self->pair.src.dev, &snapshot,
							&stream), "save");
		ASSERT_EQ(0, vmig_stream_find(&stream, recs[i].type, 0, &rec));
		ASSERT_EQ(0, vmig_stream_poke(&stream, &rec, 0, &bad,
					      sizeof(bad)));
		ASSERT_EQ(0, vmig_stream_renumber(&stream));
		EXPECT_RET(-EINVAL, look(self, stream.data, stream.len,
					 show_nothing, NULL), "%s",
			   recs[i].name);
		EXPECT_NE(NULL, strstr(self->result.why, recs[i].name));
	}
	vmig_bytes_free(&stream);
}

/*
 * Bytes that neither a checksum nor another byte of the stream can verify: size in the
 * setup section; hints among the subflags; config space of the VMM, and its identity if
 * no data depend on it; the interrupt controller.
 */
static void mark_free_bytes(void *opaque, const struct vmig_inspect_item *item)
{
	FIXTURE_DATA(inspect) *self = opaque;
	const struct vmig_section *section = item->section;
	uint8_t *at = self->free_bytes + item->offset;

	if (!section)
		return;
	if (section->marker == VFIO_MIG_FLAG_DEV_SETUP_STATE)
		memset(at + 24, 1, 8);
	if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE)
		memset(at + 12, 1, 4);
	if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE && section->len)
		memset(at + 40, 1, section->len);
	if (section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE && section->len &&
	    self->src->answer.need == VFIO_MIG_CONFIG_NOT_NEEDED)
		memset(at + 16, 1, sizeof(section->id));
	if (section->marker == VMIG_FLAG_IRQCHIP_STATE)
		memset(at + 16, 1, section->len);
}

/* "Keep interrupts off" is optional */
static bool is_free(const FIXTURE_DATA(inspect) *self, size_t at, uint8_t flip)
{
	if (self->free_bytes[at])
		return true;
	return flip == VMIG_CONFIG_NO_INTERRUPTS >> 32 && at >= 12 &&
	       self->free_bytes[at + 1] && self->free_bytes[at + 4] &&
	       !self->free_bytes[at + 5] && self->data[at] & flip;
}

/* The CAPTURE record has the only page; its end is in the payload */
static uint8_t *capture_record(const FIXTURE_DATA(inspect) *self)
{
	return memmem(self->data, self->len, "\x02\0\0\0\x08\x10\0\0", 8);
}

/* The offset to try after @at: each, but few in the page, which has one checksum */
static size_t next_offset(const FIXTURE_DATA(inspect) *self, size_t at)
{
	size_t page = capture_record(self) + 100 - self->data;

	return at + (at > page && at < page + 3900 ? 61 : 1);
}

/* Library: a stream with any one byte changed is refused, with a reason */
TEST_F(inspect, no_damaged_byte_passes)
{
	unsigned int passed = 0, far = 0;
	size_t at;

	ASSERT_NE(NULL, capture_record(self));
	ASSERT_EQ(0, look(self, self->data, self->len, mark_free_bytes, self));
	for (at = 0; at < self->len; at = next_offset(self, at)) {
		uint8_t flip = 1 << at % 8;
		int ret;

		if (is_free(self, at, flip))
			continue;
		self->data[at] ^= flip;
		ret = check(self, self->data, self->len);
		self->data[at] ^= flip;
		if (!ret)
			TH_LOG("byte %zu ^ %#x", at, flip);
		passed += !ret;
		far += ret && !self->result.why[0];
	}
	EXPECT_EQ(0, passed);
	EXPECT_EQ(0, far);
}

/* Library: the reason for a damaged record has its name and its offset */
TEST_F(inspect, damage_is_found_where_it_is)
{
	uint8_t *at = capture_record(self);

	ASSERT_NE(NULL, at);
	at[100] ^= 1;
	EXPECT_BROKEN(-EBADMSG, self->data, self->len);
	EXPECT_EQ(at - self->data, self->result.where);
	EXPECT_NE(NULL, strstr(self->result.why, "(CAPTURE): the checksum of the payload"));
	at[100] ^= 1;
	at[0] ^= 1;
	EXPECT_BROKEN(-EBADMSG, self->data, self->len);
	EXPECT_EQ(at - self->data, self->result.where);
	EXPECT_NE(NULL, strstr(self->result.why, "checksum of the head"));
}

/* Library: a stream cut at any byte is refused */
TEST_F(inspect, no_cut_stream_passes)
{
	unsigned int passed = 0;
	size_t len;

	ASSERT_NE(NULL, capture_record(self));
	for (len = 0; len < self->len; len = next_offset(self, len)) {
		passed += !check(self, self->data, len);
		EXPECT_GE(len, self->result.where);
	}
	EXPECT_EQ(0, passed);
}

/* Library: data after the end: EBADMSG */
TEST_F(inspect, data_after_the_end)
{
	EXPECT_BROKEN(-EBADMSG, self->data, self->len + 1);
	EXPECT_EQ(self->len, self->result.where);
}

static void fill_random(uint8_t *data, size_t len, unsigned int seed)
{
	while (len--)
		*data++ = (seed = seed * 1103515245 + 12345) >> 16;
}

/* Library: random bytes, alone and after a good beginning, are refused */
TEST_F(inspect, random_bytes_are_refused)
{
	unsigned int seed, passed = 0;
	uint8_t *bad = malloc(self->len);

	ASSERT_NE(NULL, bad);
	for (seed = 0; seed < GARBAGE; seed++) {
		size_t good = seed % 3 ? seed * 7919 % self->len : 0;

		memcpy(bad, self->data, good);
		fill_random(bad + good, self->len - good, seed);
		if (!check(self, bad, self->len)) {
			TH_LOG("seed %u", seed);
			passed++;
		}
	}
	EXPECT_EQ(0, passed);
	free(bad);
}

/* Library: a length above the limit: EMSGSIZE */
TEST_F(inspect, huge_lengths_are_refused)
{
	static const uint64_t lens[] = {
		VMIG_DATA_MAX + 1, 1ULL << 32, 1ULL << 60, UINT64_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		uint64_t words[6] = {
			htobe64(VFIO_MIG_FLAG_DEV_SETUP_STATE),
			htobe64(VMIG_VMSTREAM_VERSION), 0, htobe64(1),
			htobe64(VFIO_MIG_FLAG_DEV_DATA_STATE),
			htobe64(lens[i]),
		};

		EXPECT_BROKEN(-EMSGSIZE, words, sizeof(words));
		EXPECT_EQ(32, self->result.where);
	}
}

FIXTURE(inspect_order) {
	PAIR_MEMBERS;
	struct vmig_inspect_result result;
};

/* A mistake of the source's VMM, and the reason that inspection gives */
FIXTURE_VARIANT(inspect_order) {
	const char *policy;
	enum vmig_vmm_config config;
	int ret;
	const char *why;
};

FIXTURE_VARIANT_ADD(inspect_order, config_never) {
	.policy = "before-data", .config = VMIG_VMM_CONFIG_NEVER,
	.ret = -EPROTO, .why = "comes before any config space",
};

FIXTURE_VARIANT_ADD(inspect_order, config_last) {
	.policy = "before-data", .config = VMIG_VMM_CONFIG_LAST,
	.ret = -EPROTO, .why = "comes before any config space",
};

FIXTURE_VARIANT_ADD(inspect_order, config_never_in_any_order) {
	.policy = "reorder", .config = VMIG_VMM_CONFIG_NEVER,
	.ret = -ESTALE, .why = "that the last data were made under is missing",
};

FIXTURE_VARIANT_ADD(inspect_order, config_last_in_any_order) {
	.policy = "reorder", .config = VMIG_VMM_CONFIG_LAST, .why = "",
};

FIXTURE_VARIANT_ADD(inspect_order, plain) {
	.policy = "before-data", .config = VMIG_VMM_CONFIG_PLAIN, .why = "",
};

FIXTURE_VARIANT_ADD(inspect_order, config_never_needed) {
	.policy = "embedded", .config = VMIG_VMM_CONFIG_NEVER, .why = "",
};

FIXTURE_SETUP(inspect_order)
{
	BOOT_PAIR(SEED, .config_policy = variant->policy);
	self->src->config = variant->config;
}

FIXTURE_TEARDOWN(inspect_order)
{
	vmig_pair_close(&self->pair);
}

#define EXPECT_INSPECT(_want, _why) do { \
	EXPECT_RET(_want, vmig_inspect(self->pair.reader.fd, NULL, \
				       show_nothing, NULL, &self->result), \
		   "%s", self->result.why); \
	EXPECT_NE(NULL, strstr(self->result.why, _why)); \
} while (0)

/* Library: missing or late config space: EPROTO or ESTALE, by what the policy needs */
TEST_F(inspect_order, config)
{
	ASSERT_RET(0, vmig_vmm_save(self->src, self->pair.fd), "save");
	EXPECT_INSPECT(variant->ret, variant->why);
}

/* Library: "enable interrupts" before the controller: EPROTO; twice: EALREADY */
TEST_F(inspect_order, interrupts)
{
	struct vmig_vmm *src = self->src;
	int fd = self->pair.fd;

	ASSERT_EQ(0, vmig_vmm_save_setup(src, fd));
	ASSERT_EQ(0, vmig_vmm_save_config(src, fd,
					  VMIG_CONFIG_ENABLE_INTERRUPTS));
	EXPECT_INSPECT(-EPROTO, "before their controller");

	ASSERT_EQ(0, ftruncate(fd, lseek(fd, -16, SEEK_END)));
	ASSERT_EQ(0, vmig_vmm_save_irqchip(src, fd));
	ASSERT_EQ(0, vmig_vmm_save_config(src, fd,
					  VMIG_CONFIG_ENABLE_INTERRUPTS));
	ASSERT_EQ(0, vmig_vmm_save_config(src, fd,
					  VMIG_CONFIG_ENABLE_INTERRUPTS));
	ASSERT_EQ(0, lseek(self->pair.reader.fd, 0, SEEK_SET));
	EXPECT_INSPECT(-EALREADY, "twice");
}

FIXTURE(inspect_steps) {
	PAIR_MEMBERS;
	struct vmig_inspect_result result;
};

FIXTURE_SETUP(inspect_steps)
{
	BOOT_PAIR(SEED, .config_policy = "embedded");
}

FIXTURE_TEARDOWN(inspect_steps)
{
	vmig_pair_close(&self->pair);
}

/* Library: a setup section or a controller that comes twice: EBADMSG, and its name */
TEST_F(inspect_steps, section_comes_twice)
{
	struct vmig_vmm *src = self->src;
	int fd = self->pair.fd;

	ASSERT_RET(0, vmig_vmm_save_setup(src, fd), "setup");
	ASSERT_RET(0, vmig_vmm_save_irqchip(src, fd), "controller");
	ASSERT_RET(0, vmig_vmm_save_irqchip(src, fd), "controller");
	EXPECT_INSPECT(-EBADMSG, "IRQCHIP_STATE: comes twice");
	ASSERT_RET(0, vmig_vmm_save_cancel(src), "cancel");
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_RET(0, vmig_vmm_save_setup(src, fd), "setup");
	ASSERT_RET(0, vmig_vmm_save_cancel(src), "cancel");
	ASSERT_RET(0, vmig_vmm_save_setup(src, fd), "setup");
	ASSERT_EQ(0, lseek(self->pair.reader.fd, 0, SEEK_SET));
	EXPECT_INSPECT(-EBADMSG, "DEV_SETUP_STATE: comes twice");
}

/* Library: a stream that ends without "enable interrupts": EPROTO */
TEST_F(inspect_steps, interrupts_are_never_enabled)
{
	struct vmig_vmm *src = self->src;
	int fd = self->pair.fd;

	ASSERT_RET(0, vmig_vmm_save_setup(src, fd), "setup");
	ASSERT_RET(0, vmig_vmm_save_complete_precopy(src, fd), "data");
	ASSERT_RET(0, vmig_vmm_save_irqchip(src, fd), "controller");
	ASSERT_RET(0, vmig_vmm_save_config(src, fd, 0), "no subflag");
	ASSERT_RET(0, vmig_vmm_save_end(src, fd), "end");
	EXPECT_INSPECT(-EPROTO, "no section has enabled interrupts");
}

TEST_HARNESS_MAIN
