// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream between two VMMs: sections, subflags, and streams that are refused. No
 * device is used.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define WITHOUT_DEVICE
#include "lib/vmm.h"

static const uint8_t some_bytes[VMIG_CONFIG_SIZE] = { 0x48, 0x43, 0x53, 0x32 };

/* One of each */
static const struct vmig_section all[] = {
	{ .marker = VFIO_MIG_FLAG_DEV_SETUP_STATE,
	  .version = VMIG_VMSTREAM_VERSION, .need = 1, .size = 256 },
	{ .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
	  .subflags = VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS,
	  .id = { 0x10, 0x32, [15] = 0x98 },
	  .data = some_bytes, .len = sizeof(some_bytes) },
	{ .marker = VFIO_MIG_FLAG_DEV_DATA_STATE, .data = some_bytes,
	  .len = 13 },
	{ .marker = VFIO_MIG_FLAG_DEV_DATA_STATE },
	{ .marker = VFIO_MIG_FLAG_END_OF_STATE },
	{ .marker = VMIG_FLAG_IRQCHIP_STATE, .data = some_bytes, .len = 5 },
	{ .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
	  .subflags = VMIG_CONFIG_ENABLE_INTERRUPTS },
	{ .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE },
	{ .marker = VMIG_FLAG_END_OF_STREAM },
};

FIXTURE(vmstream) {
	int fd;
	struct vmig_reader reader;
	struct vmig_section section;
};

FIXTURE_SETUP(vmstream)
{
	self->fd = memfd_create("vmstream", MFD_CLOEXEC);
	ASSERT_LE(0, self->fd);
	vmig_reader_init(&self->reader, self->fd);
}

FIXTURE_TEARDOWN(vmstream)
{
	vmig_reader_exit(&self->reader);
	close(self->fd);
}

static int write_all(int fd)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(all) && !ret; i++)
		ret = vmig_section_write(fd, &all[i], NULL);
	return ret;
}

static void put_words(struct __test_metadata *_metadata, int fd,
		      const uint64_t *word, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		uint64_t raw = htobe64(word[i]);

		ASSERT_EQ(sizeof(raw), write(fd, &raw, sizeof(raw)));
	}
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
}

#define PUT_WORDS(...) do { \
	const uint64_t words[] = { __VA_ARGS__ }; \
	put_words(_metadata, self->fd, words, ARRAY_SIZE(words)); \
} while (0)

/* The next section must be refused with this error and this reason */
#define EXPECT_REFUSED(_error, _reason) do { \
	EXPECT_RET(_error, vmig_section_read(&self->reader, &self->section), \
		   "%s", self->reader.why); \
	EXPECT_NE(NULL, strstr(self->reader.why, _reason)) { \
		TH_LOG("reason: %s", self->reader.why); \
	} \
} while (0)

/* Library: each kind of section is read as it was written */
TEST_F(vmstream, every_kind_of_section_is_read)
{
	unsigned int i;

	ASSERT_EQ(0, write_all(self->fd));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct vmig_section *got = &self->section;
		uint64_t at = lseek(self->fd, 0, SEEK_CUR);

		ASSERT_RET(0, vmig_section_read(&self->reader, got),
			   "section %u: %s", i, self->reader.why);
		EXPECT_EQ(all[i].marker, got->marker);
		EXPECT_EQ(at, got->offset);
		EXPECT_EQ(all[i].version, got->version);
		EXPECT_EQ(all[i].need, got->need);
		EXPECT_EQ(all[i].size, got->size);
		EXPECT_EQ(0, memcmp(all[i].id, got->id, sizeof(got->id)));
		EXPECT_EQ(all[i].subflags, got->subflags);
		ASSERT_EQ(all[i].len, got->len);
		EXPECT_EQ(0, memcmp(all[i].data ?: got->data, got->data ?: some_bytes,
				    got->len));
	}
	EXPECT_REFUSED(-ENODATA, "ends too early");
}

/* Proposal: the subflags follow the marker of the config section directly */
TEST_F(vmstream, config_section_is_laid_out_as_words)
{
	uint64_t word[5];

	ASSERT_EQ(0, vmig_section_write(self->fd, &all[1], NULL));
	EXPECT_EQ(sizeof(word) + 256, lseek(self->fd, 0, SEEK_CUR));
	ASSERT_EQ(sizeof(word), pread(self->fd, word, sizeof(word), 0));
	EXPECT_EQ(0xffffffffef100002ULL, be64toh(word[0]));
	EXPECT_EQ(VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS,
		  be64toh(word[1]));
	/* The identity is a string of bytes */
	EXPECT_EQ(0x1032000000000000ULL, be64toh(word[2]));
	EXPECT_EQ(0x98, be64toh(word[3]));
	EXPECT_EQ(256, be64toh(word[4]));
}

/* Proposal: "enable interrupts" needs no payload */
TEST_F(vmstream, section_without_payload_is_legal)
{
	ASSERT_EQ(0, vmig_section_write(self->fd, &all[6], NULL));
	EXPECT_EQ(16, lseek(self->fd, 0, SEEK_CUR));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	ASSERT_EQ(0, vmig_section_read(&self->reader, &self->section));
	EXPECT_EQ(VMIG_CONFIG_ENABLE_INTERRUPTS, self->section.subflags);
	EXPECT_EQ(0, self->section.len);
}

/* Library: a stream cut at any byte: whole sections are read, then ENODATA */
TEST_F(vmstream, truncation_at_every_byte_is_noticed)
{
	off_t size, cut;

	ASSERT_EQ(0, write_all(self->fd));
	size = lseek(self->fd, 0, SEEK_CUR);
	for (cut = size - 1; cut >= 0; cut--) {
		unsigned int nr = 0;
		int ret;

		ASSERT_EQ(0, ftruncate(self->fd, cut));
		ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
		vmig_reader_exit(&self->reader);
		vmig_reader_init(&self->reader, self->fd);
		while (!(ret = vmig_section_read(&self->reader, &self->section)))
			nr++;
		EXPECT_RET(-ENODATA, ret, "cut at byte %lld", (long long)cut);
		EXPECT_GT(ARRAY_SIZE(all), nr);
		EXPECT_EQ(cut, self->reader.offset);
		EXPECT_NE(NULL, strstr(self->reader.why, "ends too early"));
	}
}

/* Library: vmig_section_read() reads no byte beyond the section */
TEST_F(vmstream, nothing_is_read_beyond_the_section)
{
	char rest[8] = "";
	unsigned int i;
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	self->reader.fd = fd[0];
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		ASSERT_EQ(0, vmig_section_write(fd[1], &all[i], NULL));
		ASSERT_EQ(4, write(fd[1], "next", 4));
		ASSERT_EQ(0, vmig_section_read(&self->reader, &self->section));
		ASSERT_EQ(4, read(fd[0], rest, sizeof(rest)));
		EXPECT_STREQ("next", rest);
	}
	close(fd[0]);
	close(fd[1]);
}

/* Library: unknown marker: EBADMSG */
TEST_F(vmstream, unknown_marker_is_refused)
{
	PUT_WORDS(0xffffffffef100009ULL);
	EXPECT_REFUSED(-EBADMSG, "0xffffffffef100009");
}

/* Library: marker in the wrong byte order: EBADMSG */
TEST_F(vmstream, little_endian_is_refused)
{
	PUT_WORDS(__builtin_bswap64(VFIO_MIG_FLAG_END_OF_STATE));
	EXPECT_REFUSED(-EBADMSG, "0x010010efffffffff");
}

/* Library: another version in the setup section: EOPNOTSUPP */
TEST_F(vmstream, other_format_version_is_refused)
{
	PUT_WORDS(VFIO_MIG_FLAG_DEV_SETUP_STATE, VMIG_VMSTREAM_VERSION + 1, 0,
		  1);
	EXPECT_REFUSED(-EOPNOTSUPP, "format version 3, this VMM reads 2");
}

/* Library: a stream of the first version of the proposal: EOPNOTSUPP */
TEST_F(vmstream, first_version_is_refused)
{
	/* Marker, version, policy "before-data", generation */
	PUT_WORDS(VFIO_MIG_FLAG_DEV_SETUP_STATE, 1, 1, 7);
	EXPECT_REFUSED(-EOPNOTSUPP, "format version 1, this VMM reads 2");
}

/* Library: an answer that is larger than the uAPI's: EBADMSG */
TEST_F(vmstream, huge_answer_is_refused)
{
	PUT_WORDS(VFIO_MIG_FLAG_DEV_SETUP_STATE, VMIG_VMSTREAM_VERSION,
		  1ULL << 32, 256);
	EXPECT_REFUSED(-EBADMSG, "more than 32 bits");
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	PUT_WORDS(VFIO_MIG_FLAG_DEV_SETUP_STATE, VMIG_VMSTREAM_VERSION, 1,
		  1ULL << 32);
	EXPECT_REFUSED(-EBADMSG, "more than 32 bits");
}

/* Library: a data section of more than VMIG_DATA_MAX: EMSGSIZE */
TEST_F(vmstream, oversized_data_is_refused)
{
	PUT_WORDS(VFIO_MIG_FLAG_DEV_DATA_STATE, VMIG_DATA_MAX);
	EXPECT_REFUSED(-ENODATA, "ends too early");
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	PUT_WORDS(VFIO_MIG_FLAG_DEV_DATA_STATE, VMIG_DATA_MAX + 1);
	EXPECT_REFUSED(-EMSGSIZE, "DEV_DATA_STATE of 1048577 bytes");
}

/* Library: a length with all bits set: EMSGSIZE */
TEST_F(vmstream, huge_length_is_refused)
{
	PUT_WORDS(VFIO_MIG_FLAG_DEV_DATA_STATE, UINT64_MAX);
	EXPECT_REFUSED(-EMSGSIZE, "DEV_DATA_STATE");
}

/* Library: an irqchip section of more than VMIG_IRQCHIP_MAX: EMSGSIZE */
TEST_F(vmstream, oversized_irqchip_is_refused)
{
	PUT_WORDS(VMIG_FLAG_IRQCHIP_STATE, VMIG_IRQCHIP_MAX + 1);
	EXPECT_REFUSED(-EMSGSIZE, "IRQCHIP_STATE of 65537 bytes");
}

/* Library: config space of another length than 256: EBADMSG */
TEST_F(vmstream, config_of_another_length_is_refused)
{
	static const uint64_t lens[] = { 0, 1, 255, 257, 4096, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, ftruncate(self->fd, 0));
		ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
		PUT_WORDS(VFIO_MIG_FLAG_DEV_CONFIG_STATE, VMIG_CONFIG_SETUP, 1, 2,
			  lens[i]);
		ASSERT_EQ(0, ftruncate(self->fd, 8192));
		EXPECT_REFUSED(-EBADMSG, "not 256 bytes long");
	}
}

/* Proposal: an unknown subflag that must be understood is refused, by its name */
TEST_F(vmstream, unknown_must_understand_subflag_is_refused_by_name)
{
	unsigned int bit;

	for (bit = 35; bit < 64; bit++) {
		char name[64];

		vmig_subflags_name(1ULL << bit, name, sizeof(name));
		ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
		PUT_WORDS(VFIO_MIG_FLAG_DEV_CONFIG_STATE,
			  VMIG_CONFIG_ENABLE_INTERRUPTS | 1ULL << bit);
		EXPECT_REFUSED(-EOPNOTSUPP, name);
	}
}

/* Library: subflags have names, also the reserved ones; others are "bit N" */
TEST_F(vmstream, subflags_have_names)
{
	char name[128];

	EXPECT_STREQ("map regions, allow DMA, bit 40",
		     vmig_subflags_name(VMIG_CONFIG_MAP_REGIONS |
					VMIG_CONFIG_ALLOW_DMA | 1ULL << 40,
					name, sizeof(name)));
	EXPECT_STREQ("set up config, keep interrupts off",
		     vmig_subflags_name(all[1].subflags, name, sizeof(name)));
	EXPECT_STREQ("none", vmig_subflags_name(0, name, sizeof(name)));
	/* A name that does not fit is cut */
	memset(name, '#', sizeof(name));
	vmig_subflags_name(UINT64_MAX, name, 16);
	EXPECT_EQ(15, strlen(name));
	EXPECT_EQ('#', name[16]);
}

/* Library: unknown subflags outside VMIG_CONFIG_MUST_UNDERSTAND are ignored */
TEST_F(vmstream, unknown_hint_is_ignored)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
		PUT_WORDS(VFIO_MIG_FLAG_DEV_CONFIG_STATE,
			  VMIG_CONFIG_ENABLE_INTERRUPTS | 1ULL << bit);
		EXPECT_RET(0, vmig_section_read(&self->reader, &self->section),
			   "bit %u: %s", bit, self->reader.why);
	}
}

/* Library: "keep interrupts off" together with "enable interrupts": EINVAL */
TEST_F(vmstream, contradicting_subflags_are_refused)
{
	PUT_WORDS(VFIO_MIG_FLAG_DEV_CONFIG_STATE, VMIG_CONFIG_NO_INTERRUPTS |
		  VMIG_CONFIG_ENABLE_INTERRUPTS);
	EXPECT_REFUSED(-EINVAL, "contradict: keep interrupts off, enable interrupts");
}

/* Library: vmig_section_write() refuses a malformed section, and writes nothing */
TEST_F(vmstream, nothing_malformed_is_written)
{
	static const struct {
		struct vmig_section section;
		int ret;
	} rows[] = {
		{ { .marker = 1 }, -EINVAL },
		{ { .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE, .len = 256 },
		  -EINVAL },
		{ { .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE, .len = 255,
		    .subflags = VMIG_CONFIG_SETUP }, -EINVAL },
		{ { .marker = VFIO_MIG_FLAG_END_OF_STATE, .len = 1 }, -EINVAL },
		{ { .marker = VFIO_MIG_FLAG_DEV_DATA_STATE,
		    .len = VMIG_DATA_MAX + 1 }, -EMSGSIZE },
		{ { .marker = VMIG_FLAG_IRQCHIP_STATE,
		    .len = VMIG_IRQCHIP_MAX + 1 }, -EMSGSIZE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_RET(rows[i].ret, vmig_section_write(self->fd,
							   &rows[i].section,
							   NULL),
			   "row %u", i);
		EXPECT_EQ(0, lseek(self->fd, 0, SEEK_CUR));
	}
}

/* Library: vmig_section_write() without a reader: EPIPE, and no SIGPIPE */
TEST_F(vmstream, broken_connection_is_an_error)
{
	int fd[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	close(fd[1]);
	EXPECT_RET(-EPIPE, vmig_section_write(fd[0], &all[0], NULL), "socket");
	close(fd[0]);
}

static int count(void *opaque, const struct vmig_section *section)
{
	unsigned int *nr = opaque;

	(*nr)++;
	return section->marker ? 0 : -EINVAL;
}

static int count_until_irqchip(void *opaque, const struct vmig_section *section)
{
	if (section->marker == VMIG_FLAG_IRQCHIP_STATE)
		return -ECANCELED;
	return count(opaque, section);
}

/* Library: vmig_vmstream_walk() visits each section, and ends after END_OF_STREAM */
TEST_F(vmstream, walk_shows_every_section)
{
	unsigned int nr = 0;

	ASSERT_EQ(0, write_all(self->fd));
	ASSERT_EQ(4, write(self->fd, "more", 4));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(0, vmig_vmstream_walk(&self->reader, count, &nr));
	EXPECT_EQ(ARRAY_SIZE(all), nr);
}

/* Library: vmig_vmstream_walk() ends when the callback fails */
TEST_F(vmstream, walk_can_be_ended)
{
	unsigned int nr = 0;

	ASSERT_EQ(0, write_all(self->fd));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(-ECANCELED,
		  vmig_vmstream_walk(&self->reader, count_until_irqchip, &nr));
	EXPECT_EQ(5, nr);
}

TEST_HARNESS_MAIN
