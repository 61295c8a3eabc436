// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look into the device's data: the records of mtty; see inspect.h.
 *
 * One record at a time is kept, and none that is longer than its kind can be.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <linux/vfio_mig_config.h>

#include "lib/vfio/util.h"
#include "inspect_int.h"

static int broken(struct vmig_inspect *in, int error,
		  const struct vmig_rec *rec, const char *what)
{
	return vmig_inspect_broken(in, error, in->recs.at,
				   "record %llu (%s): %s",
				   (unsigned long long)in->recs.seq,
				   vmig_stream_type_name(rec->type), what);
}

static int take_start(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	struct vmig_inspect_recs *recs = &in->recs;
	struct mtty_rec_start start;

	memcpy(&start, rec->payload, sizeof(start));
	if (le64toh(start.magic) != MTTY_STREAM_MAGIC)
		return broken(in, -EBADMSG, rec, "not the magic number of mtty");
	if (le32toh(start.version) != MTTY_STREAM_VERSION)
		return broken(in, -EOPNOTSUPP, rec, "another version of the format");
	recs->ports = le32toh(start.nr_ports);
	recs->capture_size = le64toh(start.capture_size);
	recs->policy = le64toh(start.policy);
	if (!recs->ports || recs->ports > MTTY_MAX_PORTS)
		return broken(in, -EBADMSG, rec, "a device with so many ports does not exist");
	if (recs->capture_size > MTTY_CAP_MAX_SIZE)
		return broken(in, -EBADMSG, rec, "capture memory cannot be so large");
	if (!in->is_raw && recs->policy != in->policy)
		return broken(in, -EXDEV, rec, "not the policy that the setup section has");
	return 0;
}

static int take_capture(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	uint64_t size = in->recs.capture_size;
	struct mtty_rec_capture capture;
	uint64_t offset;

	memcpy(&capture, rec->payload, sizeof(capture));
	offset = le64toh(capture.offset);
	if (offset < MTTY_CAP_LOG_OFFSET || offset > size ||
	    rec->len - sizeof(capture) > size - offset)
		return broken(in, -EBADMSG, rec, "outside of capture memory");
	return 0;
}

static int take_uart(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	struct mtty_rec_uart uart;

	memcpy(&uart, rec->payload, sizeof(uart));
	if (uart.port >= in->recs.ports)
		return broken(in, -EBADMSG, rec, "the device has no such port");
	if (uart.fifo_len > MTTY_UART_FIFO_SIZE)
		return broken(in, -EBADMSG, rec, "more in the FIFO than fits in");
	return 0;
}

static int take_config(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	if (in->recs.policy != VFIO_MIG_CONFIG_EMBEDDED)
		return broken(in, -EBADMSG, rec, "only the policy embedded has this");
	in->recs.config = rec->generation;
	return 0;
}

static int take_reinit(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	if (in->recs.policy == VFIO_MIG_CONFIG_EMBEDDED)
		return broken(in, -EBADMSG, rec, "the policy embedded does not have this");
	return 0;
}

static int take_end(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	struct vmig_inspect_recs *recs = &in->recs;
	uint32_t need = 1u << MTTY_REC_LOG | 1u << MTTY_REC_IRQ;
	struct mtty_rec_end end;
	unsigned int port;

	memcpy(&end, rec->payload, sizeof(end));
	if (le64toh(end.records) != recs->seq)
		return broken(in, -EBADMSG, rec, "counts another number of records");
	for (port = 0; port < recs->ports; port++)
		need |= 1u << (MTTY_REC_UART + MTTY_REC_NR * port);
	if ((recs->seen & need) != need)
		return broken(in, -EBADMSG, rec, "part of the device is missing");
	if (recs->policy == VFIO_MIG_CONFIG_EMBEDDED &&
	    recs->config != rec->generation)
		return broken(in, -EBADMSG, rec, "no CONFIG of the same generation");
	recs->ended = rec->generation;
	return 0;
}

/* What a record may be like; a @take of NULL has nothing to add */
static const struct kind {
	uint32_t min;
	uint32_t max;
	bool repeats;
	int (*take)(struct vmig_inspect *in, const struct vmig_rec *rec);
} kinds[MTTY_REC_NR] = {
	[MTTY_REC_START] = { sizeof(struct mtty_rec_start),
			     sizeof(struct mtty_rec_start), false, take_start },
	[MTTY_REC_CAPTURE] = { sizeof(struct mtty_rec_capture) + 1,
			       sizeof(struct mtty_rec_capture) +
			       MTTY_REC_CAPTURE_MAX, true, take_capture },
	[MTTY_REC_LOG] = { sizeof(struct mtty_rec_log),
			   sizeof(struct mtty_rec_log), false, NULL },
	[MTTY_REC_UART] = { sizeof(struct mtty_rec_uart),
			    sizeof(struct mtty_rec_uart), false, take_uart },
	[MTTY_REC_IRQ] = { sizeof(struct mtty_rec_irq),
			   sizeof(struct mtty_rec_irq), false, NULL },
	[MTTY_REC_END] = { sizeof(struct mtty_rec_end),
			   sizeof(struct mtty_rec_end), false, take_end },
	[MTTY_REC_CONFIG] = { sizeof(struct mtty_rec_config),
			      sizeof(struct mtty_rec_config), true,
			      take_config },
	[MTTY_REC_REINIT] = { sizeof(struct mtty_rec_reinit),
			      sizeof(struct mtty_rec_reinit), true,
			      take_reinit },
};

/* Did the config space that it depends on come before it? */
static int check_generation(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	if (in->is_raw || !(in->policy & VFIO_MIG_CONFIG_BEFORE_DATA))
		return 0;
	if (!in->config)
		return broken(in, -EPROTO, rec, "comes before any config space");
	if (rec->generation == in->config || rec->generation == in->recs.began)
		return 0;
	return vmig_inspect_broken(in, -ESTALE, in->recs.at,
				   "record %llu (%s): made under generation %llu, config space is of %llu",
				   (unsigned long long)in->recs.seq,
				   vmig_stream_type_name(rec->type),
				   (unsigned long long)rec->generation,
				   (unsigned long long)in->config);
}

static int check_head(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	const struct vmig_inspect_recs *recs = &in->recs;
	bool is_start = rec->type == MTTY_REC_START;
	bool is_first = !recs->seq;

	if (recs->ended)
		return broken(in, -EBADMSG, rec, "comes behind the END record");
	if (!rec->head_ok)
		return broken(in, -EBADMSG, rec, "the checksum of the head is wrong");
	if (rec->seq != recs->seq)
		return broken(in, -EBADMSG, rec, "out of sequence");
	if (rec->type >= ARRAY_SIZE(kinds) || !kinds[rec->type].max)
		return broken(in, -EBADMSG, rec, "there is no such type");
	if (rec->len < kinds[rec->type].min || rec->len > kinds[rec->type].max)
		return broken(in, -EBADMSG, rec, "of an impossible length");
	if (is_start != is_first)
		return broken(in, -EBADMSG, rec, "START is the first record, and only the first");
	if (!rec->generation)
		return broken(in, -EBADMSG, rec, "of generation zero");
	return check_generation(in, rec);
}

static int check_record(struct vmig_inspect *in, const struct vmig_rec *rec)
{
	const struct kind *kind = &kinds[rec->type];
	unsigned int bit = rec->type;
	int ret = 0;

	if (!rec->data_ok)
		return broken(in, -EBADMSG, rec, "the checksum of the payload is wrong");
	if (kind->take)
		ret = kind->take(in, rec);
	if (ret || kind->repeats)
		return ret;
	if (rec->type == MTTY_REC_UART)
		bit += MTTY_REC_NR * rec->payload[0];
	if (in->recs.seen >> bit & 1)
		return broken(in, -EBADMSG, rec, "comes twice");
	in->recs.seen |= 1u << bit;
	return 0;
}

/* As many records as @rest holds; -ENODATA if it wants more */
static int take_record(struct vmig_inspect *in)
{
	struct vmig_inspect_recs *recs = &in->recs;
	struct vmig_inspect_item item = { .offset = recs->at };
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	int ret;

	vmig_stream_start(&iter, recs->rest.data, recs->rest.len);
	iter.chain = recs->chain;
	ret = vmig_stream_peek(&iter, &rec);
	if (ret)
		return -ENODATA;
	ret = check_head(in, &rec);
	if (ret)
		return ret;
	ret = vmig_stream_next(&iter, &rec);
	if (!ret)
		ret = check_record(in, &rec);
	if (ret)
		return ret;

	item.rec = &rec;
	in->show(in->opaque, &item);
	in->result->records++;
	recs->seq++;
	recs->chain = rec.head_sum;
	vmig_bytes_cut(&recs->rest, 0, rec.size);
	recs->at = recs->next_at - recs->rest.len;
	return 0;
}

/* How much more the record at hand can take; at least a byte */
static size_t wanted(const struct vmig_inspect_recs *recs)
{
	size_t want = sizeof(struct mtty_rec_head);
	struct vmig_stream_iter iter;
	struct vmig_rec rec;

	vmig_stream_start(&iter, recs->rest.data, recs->rest.len);
	/* Its head has been checked, so it is not too long */
	if (!vmig_stream_peek(&iter, &rec))
		want = rec.size;
	return want - recs->rest.len;
}

int vmig_inspect_data(struct vmig_inspect *in, uint64_t at,
		      const uint8_t *data, size_t len)
{
	struct vmig_inspect_recs *recs = &in->recs;
	size_t done, n;
	int ret;

	for (done = 0; done < len; done += n) {
		if (!recs->rest.len) {
			recs->at = at + done;
			recs->began = in->config;
		}
		n = wanted(recs);
		if (n > len - done)
			n = len - done;
		ret = vmig_bytes_add(&recs->rest, data + done, n);
		if (ret)
			return ret;
		recs->next_at = at + done + n;
		ret = take_record(in);
		if (ret && ret != -ENODATA)
			return ret;
	}
	return 0;
}

int vmig_inspect_data_end(struct vmig_inspect *in, uint64_t at)
{
	const struct vmig_inspect_recs *recs = &in->recs;

	if (recs->rest.len)
		return vmig_inspect_broken(in, -ENODATA, recs->at,
					   "record %llu is not all there",
					   (unsigned long long)recs->seq);
	if (!recs->ended)
		return vmig_inspect_broken(in, -ENODATA, at,
					   "the device's data end without an END record");
	return 0;
}
