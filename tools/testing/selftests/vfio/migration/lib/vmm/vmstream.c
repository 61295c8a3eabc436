// SPDX-License-Identifier: GPL-2.0-only
/* Write and read the stream between two VMMs; see vmstream.h. */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "vmstream.h"

#define KNOWN_SUBFLAGS	(VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS | \
			 VMIG_CONFIG_ENABLE_INTERRUPTS)

#define ID_WORDS	(VFIO_MIG_CONFIG_ID_SIZE / sizeof(uint64_t))

/* Most words between a marker and its payload */
#define MAX_WORDS	(2 + ID_WORDS)

/**
 * struct kind - a kind of section
 * @marker:	first word
 * @name:	for users
 * @max_len:	most bytes of payload; 0 for a kind without a length
 * @encode:	fill in the words between marker and length, and return their number
 * @decode:	read them
 */
struct kind {
	uint64_t marker;
	const char *name;
	size_t max_len;
	unsigned int (*encode)(const struct vmig_section *section,
			       uint64_t *word);
	int (*decode)(struct vmig_reader *reader, struct vmig_section *section);
};

static const struct {
	uint64_t subflag;
	const char *name;
} subflags[] = {
	{ VMIG_CONFIG_SETUP, "set up config" },
	{ VMIG_CONFIG_NO_INTERRUPTS, "keep interrupts off" },
	{ VMIG_CONFIG_ENABLE_INTERRUPTS, "enable interrupts" },
	{ VMIG_CONFIG_MAP_REGIONS, "map regions" },
	{ VMIG_CONFIG_ALLOW_DMA, "allow DMA" },
};

const char *vmig_subflags_name(uint64_t mask, char *buf, size_t size)
{
	const char *sep = "";
	unsigned int bit, i;
	size_t len = 0;

	snprintf(buf, size, "none");
	for (bit = 0; bit < 64 && len < size; bit++) {
		if (!(mask >> bit & 1))
			continue;
		for (i = 0; i < ARRAY_SIZE(subflags); i++) {
			if (subflags[i].subflag == 1ULL << bit)
				break;
		}
		if (i < ARRAY_SIZE(subflags))
			len += snprintf(buf + len, size - len, "%s%s", sep,
					subflags[i].name);
		else
			len += snprintf(buf + len, size - len, "%sbit %u", sep,
					bit);
		sep = ", ";
	}
	return buf;
}

static int refuse(struct vmig_reader *reader, int error, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(reader->why, sizeof(reader->why), fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(reader->why))
		snprintf(reader->why + len, sizeof(reader->why) - len,
			 " (at byte %llu of the stream)",
			 (unsigned long long)reader->offset);
	return error;
}

static int get(struct vmig_reader *reader, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = vmig_io_read(reader->fd, (char *)buf + done,
					 len - done, reader->patience);

		if (n < 0) {
			reader->read_error = n;
			return refuse(reader, n, "%s", strerror(-n));
		}
		if (!n)
			return refuse(reader, -ENODATA, "the stream ends too early");
		done += n;
		reader->offset += n;
	}
	return 0;
}

static int get_word(struct vmig_reader *reader, uint64_t *word)
{
	uint64_t raw;
	int ret;

	ret = get(reader, &raw, sizeof(raw));
	if (!ret)
		*word = be64toh(raw);
	return ret;
}

static int get_payload(struct vmig_reader *reader, struct vmig_section *section,
		       const struct kind *kind)
{
	uint64_t len;
	int ret;

	ret = get_word(reader, &len);
	if (ret)
		return ret;
	if (len > kind->max_len)
		return refuse(reader, -EMSGSIZE, "%s of %llu bytes, at most %zu",
			      kind->name, (unsigned long long)len,
			      kind->max_len);

	reader->payload.len = 0;
	ret = vmig_bytes_reserve(&reader->payload, len);
	if (!ret)
		ret = get(reader, reader->payload.data, len);
	if (ret)
		return ret;
	reader->payload.len = len;
	section->data = reader->payload.data;
	section->len = len;
	return 0;
}

static unsigned int encode_setup(const struct vmig_section *section,
				 uint64_t *word)
{
	word[0] = section->version;
	word[1] = section->need;
	word[2] = section->size;
	return 3;
}

static int decode_setup(struct vmig_reader *reader,
			struct vmig_section *section)
{
	int ret;

	ret = get_word(reader, &section->version);
	if (ret)
		return ret;
	if (section->version != VMIG_VMSTREAM_VERSION)
		return refuse(reader, -EOPNOTSUPP,
			      "the stream has format version %llu, this VMM reads %u",
			      (unsigned long long)section->version,
			      VMIG_VMSTREAM_VERSION);
	ret = get_word(reader, &section->need);
	if (!ret)
		ret = get_word(reader, &section->size);
	if (!ret && (section->need > UINT32_MAX || section->size > UINT32_MAX))
		return refuse(reader, -EBADMSG, "an answer of more than 32 bits");
	return ret;
}

static unsigned int encode_config(const struct vmig_section *section,
				  uint64_t *word)
{
	unsigned int i;

	word[0] = section->subflags;
	if (!(section->subflags & VMIG_CONFIG_SETUP))
		return 1;
	/* The identity is a string of bytes */
	memcpy(word + 1, section->id, sizeof(section->id));
	for (i = 1; i <= ID_WORDS; i++)
		word[i] = be64toh(word[i]);
	return 1 + ID_WORDS;
}

static int check_subflags(struct vmig_reader *reader, uint64_t mask)
{
	const uint64_t both = VMIG_CONFIG_NO_INTERRUPTS |
			      VMIG_CONFIG_ENABLE_INTERRUPTS;
	uint64_t unknown = mask & VMIG_CONFIG_MUST_UNDERSTAND & ~KNOWN_SUBFLAGS;
	char names[96];

	if (unknown)
		return refuse(reader, -EOPNOTSUPP,
			      "unknown subflag that must be understood: %s",
			      vmig_subflags_name(unknown, names, sizeof(names)));
	if ((mask & both) == both)
		return refuse(reader, -EINVAL, "subflags contradict: %s",
			      vmig_subflags_name(mask, names, sizeof(names)));
	return 0;
}

/* Without VMIG_CONFIG_SETUP there is no payload */
static int decode_config(struct vmig_reader *reader,
			 struct vmig_section *section)
{
	static const struct kind config = {
		.name = "config space", .max_len = VMIG_CONFIG_SIZE,
	};
	int ret;

	ret = get_word(reader, &section->subflags);
	if (ret)
		return ret;
	ret = check_subflags(reader, section->subflags);
	if (ret || !(section->subflags & VMIG_CONFIG_SETUP))
		return ret;

	ret = get(reader, section->id, sizeof(section->id));
	if (!ret)
		ret = get_payload(reader, section, &config);
	if (ret == -EMSGSIZE || (!ret && section->len != VMIG_CONFIG_SIZE))
		return refuse(reader, -EBADMSG,
			      "config space is not %u bytes long",
			      VMIG_CONFIG_SIZE);
	return ret;
}

static const struct kind kinds[] = {
	{ .marker = VFIO_MIG_FLAG_DEV_SETUP_STATE, .name = "DEV_SETUP_STATE",
	  .encode = encode_setup, .decode = decode_setup },
	{ .marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE, .name = "DEV_CONFIG_STATE",
	  .encode = encode_config, .decode = decode_config },
	{ .marker = VFIO_MIG_FLAG_DEV_DATA_STATE, .name = "DEV_DATA_STATE",
	  .max_len = VMIG_DATA_MAX },
	{ .marker = VMIG_FLAG_GUEST_STATE, .name = "GUEST_STATE",
	  .max_len = VMIG_GUEST_MAX },
	{ .marker = VMIG_FLAG_IRQCHIP_STATE, .name = "IRQCHIP_STATE",
	  .max_len = VMIG_IRQCHIP_MAX },
	{ .marker = VFIO_MIG_FLAG_END_OF_STATE, .name = "END_OF_STATE" },
	{ .marker = VMIG_FLAG_END_OF_STREAM, .name = "END_OF_STREAM" },
};

static const struct kind *find_kind(uint64_t marker)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].marker == marker)
			return &kinds[i];
	}
	return NULL;
}

const char *vmig_section_name(uint64_t marker)
{
	const struct kind *kind = find_kind(marker);

	return kind ? kind->name : "?";
}

static bool is_config_set_up(const struct vmig_section *section)
{
	return section->marker == VFIO_MIG_FLAG_DEV_CONFIG_STATE &&
	       section->subflags & VMIG_CONFIG_SETUP;
}

static int check_len(const struct vmig_section *section,
		     const struct kind *kind)
{
	if (is_config_set_up(section))
		return section->len == VMIG_CONFIG_SIZE ? 0 : -EINVAL;
	if (!kind->max_len)
		return section->len ? -EINVAL : 0;
	return section->len <= kind->max_len ? 0 : -EMSGSIZE;
}

int vmig_section_write(int fd, const struct vmig_section *section,
		       const struct vmig_patience *patience)
{
	const struct kind *kind = find_kind(section->marker);
	uint64_t word[1 + MAX_WORDS];
	unsigned int i, nr = 1;
	int ret;

	if (!kind)
		return -EINVAL;
	ret = check_len(section, kind);
	if (ret)
		return ret;

	word[0] = section->marker;
	if (kind->encode)
		nr += kind->encode(section, word + nr);
	if (kind->max_len || is_config_set_up(section))
		word[nr++] = section->len;
	for (i = 0; i < nr; i++)
		word[i] = htobe64(word[i]);

	ret = vmig_io_write(fd, word, nr * sizeof(word[0]), patience);
	return ret ? ret : vmig_io_write(fd, section->data, section->len,
					 patience);
}

void vmig_reader_init(struct vmig_reader *reader, int fd)
{
	memset(reader, 0, sizeof(*reader));
	reader->fd = fd;
}

void vmig_reader_exit(struct vmig_reader *reader)
{
	vmig_bytes_free(&reader->payload);
}

int vmig_section_read(struct vmig_reader *reader, struct vmig_section *section)
{
	const struct kind *kind;
	int ret;

	memset(section, 0, sizeof(*section));
	reader->begin = reader->offset;
	section->offset = reader->begin;
	reader->why[0] = '\0';

	ret = get_word(reader, &section->marker);
	if (ret)
		return ret;
	kind = find_kind(section->marker);
	if (!kind)
		return refuse(reader, -EBADMSG, "no section starts with 0x%016llx",
			      (unsigned long long)section->marker);
	if (kind->decode)
		return kind->decode(reader, section);
	if (kind->max_len)
		return get_payload(reader, section, kind);
	return 0;
}

int vmig_vmstream_walk(struct vmig_reader *reader,
		       int (*fn)(void *opaque,
				 const struct vmig_section *section),
		       void *opaque)
{
	struct vmig_section section;
	int ret;

	do {
		ret = vmig_section_read(reader, &section);
		if (!ret)
			ret = fn(opaque, &section);
	} while (!ret && section.marker != VMIG_FLAG_END_OF_STREAM);

	return ret;
}
