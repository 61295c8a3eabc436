// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inspect the device's data: the records of mtty; see inspect.h.
 *
 * The driver's parser checks the records. This file adds what the parser does not know:
 * the kind of device, and the config space that was read before.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "inspect_int.h"

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

int vmig_inspect_data_begin(struct vmig_inspect *in)
{
	const struct mtty_stream_id id = {};

	in->recs.buf = malloc(MTTY_STREAM_BUF_SIZE);
	if (!in->recs.buf)
		return -ENOMEM;
	mtty_stream_parser_init(&in->recs.parser, &id, in->recs.buf);
	return 0;
}

void vmig_inspect_data_free(struct vmig_inspect *in)
{
	free(in->recs.buf);
}

static int broken(struct vmig_inspect *in, int error,
		  const struct vmig_rec *rec, const char *what)
{
	return vmig_inspect_broken(in, error, in->recs.at,
				   "record %llu (%s): %s",
				   (unsigned long long)in->recs.parser.chain.seq,
				   vmig_stream_type_name(rec->type), what);
}

/* An impossible size or number is replaced, so that the parser refuses START */
static void set_device_kind(struct vmig_inspect *in)
{
	struct mtty_rec_start start;
	uint64_t need, size;

	memcpy(&start, in->recs.buf + sizeof(struct mtty_rec_head),
	       sizeof(start));
	need = le64toh(start.need);
	size = le64toh(start.capture_size);
	if (size < MTTY_CAP_MIN_SIZE || size > MTTY_CAP_MAX_SIZE ||
	    size & (size - 1))
		size = 0;
	/* A source that has not opted in sends no answer */
	if (in->config.opted_in)
		need = in->config.need;
	else if (need > VFIO_MIG_CONFIG_IN_DATA)
		need = VFIO_MIG_CONFIG_NOT_NEEDED;
	in->recs.parser.id = (struct mtty_stream_id) {
		.nr_ports = le32toh(start.nr_ports) == 1 ? 1 : MTTY_MAX_PORTS,
		.need = need,
		.features = le64toh(start.features),
		.capture_size = size,
	};
}

/* May the record come after the config space so far? */
static int check_id(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	const struct mig_config_id id = mtty_stream_config_id(&in->recs.parser);
	int ret;

	/* Config space is not in the stream */
	if (in->is_raw)
		return 0;
	if (mig_config_check_write(&in->config, &in->load))
		return broken(in, -EPROTO, rec, "comes before any config space");
	ret = mig_config_load_record(&in->config, &in->load, &id);
	if (ret == -EPROTO)
		return broken(in, ret, rec, id.source ?
			      "has an identity, but its source has not opted in" :
			      "has no identity, but its source has opted in");
	if (ret && id.source == in->load.source)
		return vmig_inspect_broken(in, ret, in->recs.at,
					   "record %llu (%s): made under version %llu of config space, after version %llu",
					   (unsigned long long)rec->seq,
					   vmig_stream_type_name(rec->type),
					   (unsigned long long)id.version,
					   (unsigned long long)in->load.snapshot);
	return ret ? broken(in, ret, rec, "from another source") : 0;
}

static int refused(struct vmig_inspect *in, const struct vmig_rec *rec, int error)
{
	if (!rec->head_ok)
		return broken(in, error, rec, "the checksum of the head is wrong");
	if (in->recs.parser.fill == rec->size && !rec->data_ok)
		return broken(in, error, rec, "the checksum of the payload is wrong");
	switch (error) {
	case -EOPNOTSUPP:
		return broken(in, error, rec, "another version of the format");
	case -EXDEV:
		return broken(in, error, rec,
			      "from a device that cannot exist, or that has not the answer of the setup section");
	case -EINVAL:
		return broken(in, error, rec, "describes an impossible state");
	default:
		return broken(in, error, rec, "not possible at this place");
	}
}

/* @len bytes were added to the record */
static int parse(struct vmig_inspect *in, size_t len)
{
	struct vmig_inspect_recs *recs = &in->recs;
	struct mtty_stream_parser *parser = &recs->parser;
	size_t fill = parser->fill + len;
	struct vmig_inspect_item item = { .offset = recs->at };
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	int event;

	vmig_stream_start(&iter, recs->buf, fill);
	iter.chain = parser->chain.sum;
	if (!parser->chain.seq && fill == sizeof(struct mtty_rec_head) +
					  sizeof(struct mtty_rec_start))
		set_device_kind(in);
	event = mtty_stream_feed(parser, len);
	if (event == MTTY_STREAM_MORE)
		return 0;

	/* Fills in the head even if the payload is incomplete */
	vmig_stream_next(&iter, &rec);
	if (event < 0)
		return refused(in, &rec, event);
	if (event == MTTY_STREAM_HEAD)
		return check_id(in, &rec);
	item.rec = &rec;
	in->show(in->opaque, &item);
	in->result->records++;
	return 0;
}

int vmig_inspect_data(struct vmig_inspect *in, uint64_t at,
		      const uint8_t *data, size_t len)
{
	struct vmig_inspect_recs *recs = &in->recs;
	size_t done, n;
	u8 *where;
	int ret;

	for (done = 0; done < len; done += n) {
		if (recs->parser.ended)
			return vmig_inspect_broken(in, -EBADMSG, at + done,
						   "data after the END record");
		if (!recs->parser.fill)
			recs->at = at + done;
		n = mtty_stream_want(&recs->parser, &where);
		if (n > len - done)
			n = len - done;
		memcpy(where, data + done, n);
		ret = parse(in, n);
		if (ret)
			return ret;
	}
	return 0;
}

int vmig_inspect_data_end(struct vmig_inspect *in, uint64_t at)
{
	const struct mtty_stream_parser *parser = &in->recs.parser;

	if (parser->fill)
		return vmig_inspect_broken(in, -ENODATA, in->recs.at,
					   "record %llu is not complete",
					   (unsigned long long)parser->chain.seq);
	if (!parser->ended)
		return vmig_inspect_broken(in, -ENODATA, at,
					   "the device's data end without an END record");
	return 0;
}
