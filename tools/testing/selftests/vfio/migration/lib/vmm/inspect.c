// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look into a stored stream: the sections of the VMM, and their order; see
 * inspect.h.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/vfio_mig_config.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/util.h"
#include "inspect_int.h"

#define CHUNK		65536

int vmig_inspect_broken(struct vmig_inspect *in, int error, uint64_t where,
			const char *fmt, ...)
{
	va_list args;

	if (in->result->why[0])
		return error;
	in->result->where = where;
	va_start(args, fmt);
	vsnprintf(in->result->why, sizeof(in->result->why), fmt, args);
	va_end(args);
	return error;
}

static int broken(struct vmig_inspect *in, int error,
		  const struct vmig_section *section, const char *what)
{
	return vmig_inspect_broken(in, error, section->offset, "%s: %s",
				   vmig_section_name(section->marker), what);
}

static int see_setup(struct vmig_inspect *in,
		     const struct vmig_section *section)
{
	if (in->has_setup)
		return broken(in, -EBADMSG, section, "comes twice");
	if (section->policy && section->policy != VFIO_MIG_CONFIG_BEFORE_DATA &&
	    section->policy != VFIO_MIG_CONFIG_REORDER &&
	    section->policy != VFIO_MIG_CONFIG_EMBEDDED)
		return broken(in, -EBADMSG, section, "there is no such policy");
	in->has_setup = true;
	in->policy = section->policy;
	return 0;
}

static int see_config(struct vmig_inspect *in,
		      const struct vmig_section *section)
{
	if (section->subflags & VMIG_CONFIG_SETUP)
		in->config = section->generation;
	if (!(section->subflags & VMIG_CONFIG_ENABLE_INTERRUPTS))
		return 0;
	if (!in->has_chip)
		return broken(in, -EPROTO, section,
			      "enables interrupts before their controller has come");
	if (in->is_enabled)
		return broken(in, -EALREADY, section,
			      "enables interrupts twice");
	in->is_enabled = true;
	return 0;
}

/* Its own words before the payload are the marker and the length */
static int see_data(struct vmig_inspect *in, const struct vmig_section *section)
{
	return vmig_inspect_data(in, section->offset + 2 * sizeof(uint64_t),
				 section->data, section->len);
}

static int see_chip(struct vmig_inspect *in, const struct vmig_section *section)
{
	if (in->has_chip)
		return broken(in, -EBADMSG, section, "comes twice");
	in->has_chip = true;
	return 0;
}

static int see_end(struct vmig_inspect *in, const struct vmig_section *section)
{
	int ret;

	ret = vmig_inspect_data_end(in, section->offset);
	if (ret)
		return ret;
	if (!in->is_enabled)
		return broken(in, -EPROTO, section,
			      "nobody has enabled interrupts");
	if (in->config && in->config != in->recs.ended &&
	    in->policy != VFIO_MIG_CONFIG_EMBEDDED)
		return broken(in, -ESTALE, section,
			      "the last config space is not of the generation of the data");
	return 0;
}

static const struct {
	uint64_t marker;
	int (*see)(struct vmig_inspect *in, const struct vmig_section *section);
} seers[] = {
	{ VFIO_MIG_FLAG_DEV_SETUP_STATE, see_setup },
	{ VFIO_MIG_FLAG_DEV_CONFIG_STATE, see_config },
	{ VFIO_MIG_FLAG_DEV_DATA_STATE, see_data },
	{ VMIG_FLAG_IRQCHIP_STATE, see_chip },
	{ VMIG_FLAG_END_OF_STREAM, see_end },
};

/* Shown before it is looked at: its records are inside of it */
static int see_section(void *opaque, const struct vmig_section *section)
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
	for (i = 0; i < ARRAY_SIZE(seers); i++) {
		if (seers[i].marker == section->marker)
			return seers[i].see(in, section);
	}
	return 0;
}

static int cannot_read(struct vmig_inspect *in, int error)
{
	in->result->read_error = error;
	return vmig_inspect_broken(in, error, in->result->bytes, "%s",
				   strerror(-error));
}

/* No byte may follow the end of the stream */
static int look_behind_end(struct vmig_inspect *in, int fd,
			   const struct vmig_patience *patience)
{
	uint8_t byte;
	ssize_t n;

	n = vmig_io_read(fd, &byte, sizeof(byte), patience);
	if (n < 0)
		return cannot_read(in, n);
	return n ? vmig_inspect_broken(in, -EBADMSG, in->result->bytes,
				       "something comes behind the end") : 0;
}

static int look_at_sections(struct vmig_inspect *in, int fd,
			    const struct vmig_patience *patience)
{
	struct vmig_reader reader;
	int ret;

	vmig_reader_init(&reader, fd);
	reader.patience = patience;
	ret = vmig_vmstream_walk(&reader, see_section, in);
	/* What went wrong while reading is in the reader's words */
	if (ret && reader.why[0])
		vmig_inspect_broken(in, ret, ret == -ENODATA ? reader.offset :
				    reader.begin, "%s", reader.why);
	in->result->bytes = reader.offset;
	in->result->read_error = reader.read_error;
	vmig_reader_exit(&reader);
	return ret ? ret : look_behind_end(in, fd, patience);
}

static int look_at_data(struct vmig_inspect *in, int fd,
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
	if (begins_with_record(fd))
		ret = look_at_data(&in, fd, patience);
	else
		ret = look_at_sections(&in, fd, patience);
	vmig_bytes_free(&in.recs.rest);
	if (ret)
		vmig_inspect_broken(&in, ret, result->bytes, "%s",
				    strerror(-ret));
	return ret;
}
