// SPDX-License-Identifier: GPL-2.0-only
/* Inspect a stored stream: the sections of the VMM, and their order; see inspect.h. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/util.h"
#include "inspect_int.h"

#define CHUNK		65536

static int broken(struct vmig_inspect *in, int error,
		  const struct vmig_section *section, const char *what)
{
	return vmig_inspect_broken(in, error, section->offset, "%s: %s",
				   vmig_section_name(section->marker), what);
}

static int check_setup(struct vmig_inspect *in,
		       const struct vmig_section *section)
{
	if (in->has_setup)
		return broken(in, -EBADMSG, section, "comes twice");
	if (section->need > VFIO_MIG_CONFIG_IN_DATA)
		return broken(in, -EBADMSG, section, "there is no such answer");
	in->has_setup = true;
	in->config = (struct mig_config) {
		.need = section->need, .size = section->size,
		.opted_in = section->size,
	};
	return 0;
}

static int check_snapshot(struct vmig_inspect *in,
			  const struct vmig_section *section)
{
	const struct mtty_stream_parser *parser = &in->recs.parser;
	uint64_t id[2];
	int ret;

	memcpy(id, section->id, sizeof(id));
	ret = mig_config_load_snapshot(&in->config, &in->load,
				       &(const struct mig_config_id) {
						.source = le64toh(id[0]),
						.version = le64toh(id[1]),
				       },
				       mtty_stream_has_head(parser),
				       parser->ended);
	switch (ret) {
	case -EINVAL:
		return broken(in, ret, section, "has no identity");
	case -ESTALE:
		return broken(in, ret, section, "does not belong to the data");
	case -EBUSY:
		return broken(in, ret, section,
			      "comes in the middle of a record of another one");
	default:
		return 0;
	}
}

static int check_config(struct vmig_inspect *in,
			const struct vmig_section *section)
{
	int ret = 0;

	if (section->subflags & VMIG_CONFIG_SETUP)
		ret = check_snapshot(in, section);
	if (ret)
		return ret;
	if (!(section->subflags & VMIG_CONFIG_ENABLE_INTERRUPTS))
		return 0;
	if (!in->has_chip)
		return broken(in, -EPROTO, section,
			      "enables interrupts before their controller is restored");
	if (in->is_enabled)
		return broken(in, -EALREADY, section,
			      "enables interrupts twice");
	in->is_enabled = true;
	return 0;
}

/* The marker and the length come before the payload */
static int check_data(struct vmig_inspect *in, const struct vmig_section *section)
{
	return vmig_inspect_data(in, section->offset + 2 * sizeof(uint64_t),
				 section->data, section->len);
}

static int check_chip(struct vmig_inspect *in, const struct vmig_section *section)
{
	if (in->has_chip)
		return broken(in, -EBADMSG, section, "comes twice");
	in->has_chip = true;
	return 0;
}

static int check_end(struct vmig_inspect *in, const struct vmig_section *section)
{
	int ret;

	ret = vmig_inspect_data_end(in, section->offset);
	if (ret)
		return ret;
	if (!in->is_enabled)
		return broken(in, -EPROTO, section,
			      "no section has enabled interrupts");
	ret = mig_config_check_end(&in->config, &in->load);
	return ret ? broken(in, ret, section,
			    "the config space that the last data were made under is missing") : 0;
}

static const struct {
	uint64_t marker;
	int (*check)(struct vmig_inspect *in, const struct vmig_section *section);
} checks[] = {
	{ VFIO_MIG_FLAG_DEV_SETUP_STATE, check_setup },
	{ VFIO_MIG_FLAG_DEV_CONFIG_STATE, check_config },
	{ VFIO_MIG_FLAG_DEV_DATA_STATE, check_data },
	{ VMIG_FLAG_IRQCHIP_STATE, check_chip },
	{ VMIG_FLAG_END_OF_STREAM, check_end },
};

/* A section is shown before it is checked, because its records come after it */
static int show_section(void *opaque, const struct vmig_section *section)
{
	struct vmig_inspect *in = opaque;
	const struct vmig_inspect_item item = {
		.offset = section->offset, .section = section,
	};
	unsigned int i;

	in->show(in->opaque, &item);
	in->result->sections++;
	if (!in->has_setup && section->marker != VFIO_MIG_FLAG_DEV_SETUP_STATE)
		return broken(in, -EPROTO, section,
			      "comes before the setup section");
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		if (checks[i].marker == section->marker)
			return checks[i].check(in, section);
	}
	return 0;
}

static int cannot_read(struct vmig_inspect *in, int error)
{
	in->result->read_error = error;
	return vmig_inspect_broken(in, error, in->result->bytes, "%s",
				   strerror(-error));
}

static int check_end_of_file(struct vmig_inspect *in, int fd,
			     const struct vmig_patience *patience)
{
	uint8_t byte;
	ssize_t n;

	n = vmig_io_read(fd, &byte, sizeof(byte), patience);
	if (n < 0)
		return cannot_read(in, n);
	return n ? vmig_inspect_broken(in, -EBADMSG, in->result->bytes,
				       "data after the end of the stream") : 0;
}

static int inspect_sections(struct vmig_inspect *in, int fd,
			    const struct vmig_patience *patience)
{
	struct vmig_reader reader;
	int ret;

	vmig_reader_init(&reader, fd);
	reader.patience = patience;
	ret = vmig_vmstream_walk(&reader, show_section, in);
	/* If the reader failed, it has the reason */
	if (ret && reader.why[0])
		vmig_inspect_broken(in, ret, ret == -ENODATA ? reader.offset :
				    reader.begin, "%s", reader.why);
	in->result->bytes = reader.offset;
	in->result->read_error = reader.read_error;
	vmig_reader_exit(&reader);
	return ret ? ret : check_end_of_file(in, fd, patience);
}

static int inspect_data(struct vmig_inspect *in, int fd,
			const struct vmig_patience *patience)
{
	uint8_t chunk[CHUNK];
	ssize_t n;
	int ret;

	in->is_raw = true;
	while ((n = vmig_io_read(fd, chunk, sizeof(chunk), patience)) > 0) {
		ret = vmig_inspect_data(in, in->result->bytes, chunk, n);
		if (ret)
			return ret;
		in->result->bytes += n;
	}
	if (n < 0)
		return cannot_read(in, n);
	return vmig_inspect_data_end(in, in->result->bytes);
}

/* A section begins with a big-endian marker, a record with a little-endian type */
static bool begins_with_record(int fd)
{
	uint32_t word;

	return pread(fd, &word, sizeof(word), lseek(fd, 0, SEEK_CUR)) ==
	       sizeof(word) &&
	       le32toh(word) == MTTY_REC_START;
}

int vmig_inspect(int fd, const struct vmig_patience *patience,
		 vmig_inspect_show show, void *opaque,
		 struct vmig_inspect_result *result)
{
	struct vmig_inspect in = {
		.show = show, .opaque = opaque, .result = result,
	};
	int ret;

	memset(result, 0, sizeof(*result));
	ret = vmig_inspect_data_begin(&in);
	if (ret)
		return cannot_read(&in, ret);
	if (begins_with_record(fd))
		ret = inspect_data(&in, fd, patience);
	else
		ret = inspect_sections(&in, fd, patience);
	vmig_inspect_data_free(&in);
	if (ret)
		vmig_inspect_broken(&in, ret, result->bytes, "%s",
				    strerror(-ret));
	return ret;
}
