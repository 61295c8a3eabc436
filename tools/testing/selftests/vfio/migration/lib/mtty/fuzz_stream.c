// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutated migration streams, and a check that a device which has accepted one has its
 * contents. The check has its own model of the stream, independent of the driver.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "fuzz_int.h"
#include "contents.h"
#include "stream.h"
#include "lib/vfio/transfer.h"
#include "uart.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define MUTATIONS	3
#define SEED		33

int vmig_fuzz_result(struct vmig_fuzz *fuzz, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fuzz->what, sizeof(fuzz->what), fmt, args);
	va_end(args);
	return ret;
}

static int record(struct vmig_fuzz *fuzz, struct vmig_device *dev, unsigned int nr)
{
	int ret;

	ret = vmig_transfer_save_config(dev, &fuzz->config[nr], &fuzz->good[nr]);
	return ret ? ret : vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING,
					      NULL);
}

int vmig_fuzz_record(struct vmig_fuzz *fuzz, struct vmig_device *dev)
{
	int ret = 0;

	if (fuzz->opt_in)
		ret = vmig_config_opt_in_own(dev);
	/* After a reset; with contents; and with other ones and another snapshot */
	if (!ret)
		ret = record(fuzz, dev, 0);
	if (!ret)
		ret = vmig_contents_set(dev, 2, SEED);
	if (!ret)
		ret = record(fuzz, dev, 1);
	if (!ret)
		ret = vmig_uart_out(dev, 0, UART_TX, 'x');
	if (!ret)
		ret = vmig_config_write8(dev, PCI_INTERRUPT_LINE, SEED);
	return ret ? ret : record(fuzz, dev, 2);
}

void vmig_fuzz_free(struct vmig_fuzz *fuzz)
{
	unsigned int i;

	for (i = 0; i < VMIG_FUZZ_STREAMS; i++)
		vmig_bytes_free(&fuzz->good[i]);
}

void vmig_fuzz_stream_begin(struct vmig_fuzz *fuzz)
{
	fuzz->offered.len = 0;
	fuzz->candidate.len = 0;
	fuzz->pos = 0;
	fuzz->loads = 0;
	fuzz->memory_touched = false;
	fuzz->irqs_touched = false;
	fuzz->config_touched = false;
}

/* Move or duplicate a record */
static int move_record(struct vmig_fuzz *fuzz, struct vmig_bytes *stream)
{
	unsigned int nr = vmig_stream_count(stream);
	struct vmig_bytes copy = { 0 };
	struct vmig_rec from, to;
	int ret;

	if (!nr || vmig_stream_at(stream, vmig_fuzz_pick(fuzz, nr), &from) ||
	    vmig_stream_at(stream, vmig_fuzz_pick(fuzz, nr), &to))
		return 0;
	ret = vmig_bytes_add(&copy, stream->data + from.offset, from.size);
	if (!ret)
		ret = vmig_bytes_insert(stream, to.offset, copy.data, copy.len);
	if (!ret && vmig_fuzz_pick(fuzz, 2))
		ret = vmig_bytes_cut(stream, from.offset + (to.offset <=
				     from.offset ? from.size : 0), from.size);
	vmig_bytes_free(&copy);
	return ret;
}

/* Change a byte in a record other than CAPTURE */
static void poke_record(struct vmig_fuzz *fuzz, struct vmig_bytes *stream)
{
	static const uint8_t values[] = { 0, 1, 2, 16, 17, 0x7f, 0x80, 0xff };
	unsigned int nr = vmig_stream_count(stream);
	struct vmig_rec rec;
	uint8_t value;

	if (!nr || vmig_stream_at(stream, vmig_fuzz_pick(fuzz, nr), &rec) ||
	    rec.type == MTTY_REC_CAPTURE || !rec.len)
		return;
	value = vmig_fuzz_pick(fuzz, 2) ? 1 << vmig_fuzz_pick(fuzz, 8) :
		values[vmig_fuzz_pick(fuzz, sizeof(values))];
	vmig_stream_poke(stream, &rec, vmig_fuzz_pick(fuzz, rec.len), &value, 1);
}

static int mutate(struct vmig_fuzz *fuzz, struct vmig_bytes *stream)
{
	/* Prefer the heads of records to capture memory */
	unsigned int nr = vmig_stream_count(stream);
	uint8_t byte = rand_r(&fuzz->seed);
	struct vmig_rec rec;
	size_t at, len;

	if (!stream->len)
		return 0;
	at = vmig_fuzz_pick(fuzz, stream->len);
	if (nr && !vmig_stream_at(stream, vmig_fuzz_pick(fuzz, nr), &rec)) {
		at = rec.offset + vmig_fuzz_pick(fuzz, rec.size < 100 ?
						 rec.size : 100);
	}
	len = 1 + vmig_fuzz_pick(fuzz, 64);
	if (len > stream->len - at)
		len = stream->len - at;

	switch (vmig_fuzz_pick(fuzz, 16)) {
	case 0:
		return vmig_bytes_cut(stream, at, len);
	case 1:
		return vmig_bytes_insert(stream, at, &byte, 1);
	case 2:
		stream->len = at;
		return 0;
	case 3:
		return move_record(fuzz, stream);
	case 4:
		stream->data[at] = byte;
		return 0;
	case 5:
		stream->data[at] ^= 1 << byte % 8;
		return 0;
	default:
		poke_record(fuzz, stream);
		return 0;
	}
}

int vmig_fuzz_stream_next(struct vmig_fuzz *fuzz)
{
	const struct vmig_bytes *good;
	unsigned int i, nr = vmig_fuzz_pick(fuzz, MUTATIONS);
	int ret;

	fuzz->chosen = vmig_fuzz_pick(fuzz, VMIG_FUZZ_STREAMS);
	good = &fuzz->good[fuzz->chosen];
	ret = vmig_bytes_copy(&fuzz->candidate, good);
	for (i = 0; !ret && i < nr; i++)
		ret = mutate(fuzz, &fuzz->candidate);
	/* A stream that ends within a record keeps its checksums */
	if (!ret && nr && vmig_fuzz_pick(fuzz, 8)) {
		if (vmig_fuzz_pick(fuzz, 2))
			vmig_stream_renumber(&fuzz->candidate);
		else
			vmig_stream_fix_sums(&fuzz->candidate);
	}
	fuzz->pos = 0;
	if (!ret && !fuzz->candidate.len)
		ret = vmig_bytes_copy(&fuzz->candidate, good);
	/* Two mutations may cancel each other */
	fuzz->mutated = !ret && (fuzz->candidate.len != good->len ||
				 memcmp(fuzz->candidate.data, good->data,
					good->len));
	if (fuzz->mutated)
		fuzz->streams++;
	else
		fuzz->good_streams++;
	return ret;
}

/* Apply the CAPTURE records of a stream to memory */
static int apply(const struct vmig_bytes *stream, uint8_t *memory, size_t size)
{
	struct vmig_stream_iter iter;
	struct vmig_rec rec;
	uint64_t offset;

	vmig_stream_start(&iter, stream->data, stream->len);
	while (!vmig_stream_next(&iter, &rec)) {
		if (rec.type != MTTY_REC_CAPTURE)
			continue;
		memcpy(&offset, rec.payload, sizeof(offset));
		offset = le64toh(offset);
		if (offset > size || rec.len - sizeof(offset) > size - offset)
			return -EUCLEAN;
		memcpy(memory + offset, rec.payload + sizeof(offset),
		       rec.len - sizeof(offset));
	}
	return 0;
}

static int check_memory(struct vmig_fuzz *fuzz)
{
	size_t size = fuzz->dev->region[BAR2].size;
	uint8_t *want = calloc(2, size);
	uint8_t *have = want + size;
	int ret;

	if (!want)
		return -ENOMEM;
	ret = apply(&fuzz->offered, want, size);
	if (!ret)
		ret = vmig_region_read(fuzz->dev, BAR2, 0, have, size);
	if (!ret && size &&
	    memcmp(want + MTTY_CAP_LOG_OFFSET, have + MTTY_CAP_LOG_OFFSET,
		   size - MTTY_CAP_LOG_OFFSET))
		ret = -EUCLEAN;
	free(want);
	return ret ? vmig_fuzz_result(fuzz, ret, "accepted: capture memory differs") :
		     0;
}

/* Bytes of a record that are saved exactly as they were loaded */
static size_t exact_len(const struct vmig_rec *rec)
{
	switch (rec->type) {
	case MTTY_REC_LOG:
	case MTTY_REC_UART:
		return rec->len;
	default:
		return 0;
	}
}

static int check_records(struct vmig_fuzz *fuzz, const struct vmig_bytes *saved)
{
	unsigned int seen[MTTY_REC_NR] = { 0 };
	struct vmig_stream_iter iter;
	struct vmig_rec rec, other;
	uint32_t flags[2];

	vmig_stream_start(&iter, fuzz->offered.data, fuzz->offered.len);
	while (!vmig_stream_next(&iter, &rec)) {
		unsigned int nth = 0;

		/* Ports are loaded in any order, and saved by number */
		if (rec.type == MTTY_REC_UART)
			nth = rec.payload[0];
		if (!exact_len(&rec) && rec.type != MTTY_REC_IRQ)
			continue;
		seen[rec.type]++;
		if (vmig_stream_find(saved, rec.type, nth, &other))
			return vmig_fuzz_result(fuzz, -EUCLEAN,
						"accepted: no %s record",
						vmig_stream_type_name(rec.type));
		if (memcmp(rec.payload, other.payload, exact_len(&rec)))
			return vmig_fuzz_result(fuzz, -EUCLEAN,
						"accepted: %s differs",
						vmig_stream_type_name(rec.type));
		memcpy(&flags[0], rec.payload, 4);
		memcpy(&flags[1], other.payload, 4);
		if (rec.type == MTTY_REC_IRQ && !fuzz->irqs_touched &&
		    flags[0] != flags[1])
			return vmig_fuzz_result(fuzz, -EUCLEAN,
						"accepted: flags %#x of IRQ are %#x",
						le32toh(flags[0]), le32toh(flags[1]));
	}
	if (!seen[MTTY_REC_LOG] || !seen[MTTY_REC_UART] || !seen[MTTY_REC_IRQ])
		return vmig_fuzz_result(fuzz, -EUCLEAN,
					"accepted: not all records are there");
	return 0;
}

/* The last one that was loaded with the identity in a head, or NULL */
static const struct vmig_snapshot *find_loaded(const struct vmig_fuzz *fuzz,
					       const struct mtty_rec_head *head)
{
	const struct vmig_snapshot *loaded;
	unsigned int i;

	for (i = 1; i <= fuzz->loads && i <= VMIG_FUZZ_LOADS; i++) {
		loaded = &fuzz->loaded[(fuzz->loads - i) % VMIG_FUZZ_LOADS];
		/* The identity is two adjacent members of the head */
		if (!memcmp(&head->source, loaded->id, sizeof(loaded->id)))
			return loaded;
	}
	return NULL;
}

/* Data that depend on config space: it is the snapshot of the last record */
static int check_snapshot(struct vmig_fuzz *fuzz)
{
	const struct vmig_snapshot *loaded;
	struct vmig_rec rec, last = { 0 };
	struct vmig_stream_iter iter;
	struct mtty_rec_head head;
	uint8_t seen[256];
	int ret;

	vmig_stream_start(&iter, fuzz->offered.data, fuzz->offered.len);
	while (!vmig_stream_next(&iter, &rec))
		last = rec;
	if (!last.source)
		return 0;
	memcpy(&head, fuzz->offered.data + last.offset, sizeof(head));
	loaded = find_loaded(fuzz, &head);
	if (!loaded && fuzz->loads > VMIG_FUZZ_LOADS)
		return 0;
	if (!loaded)
		return vmig_fuzz_result(fuzz, -EUCLEAN,
					"accepted: without the snapshot of the last record");
	ret = vmig_region_read(fuzz->dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, seen,
			       sizeof(seen));
	seen[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	if (!ret && memcmp(seen, loaded->data, sizeof(seen)))
		ret = -EUCLEAN;
	return ret ? vmig_fuzz_result(fuzz, ret, "accepted: config space differs") : 0;
}

/* VFIO_MIG_CONFIG_IN_DATA: the last CONFIG record is the config space of the device */
static int check_config(struct vmig_fuzz *fuzz, const struct vmig_bytes *saved)
{
	struct vmig_rec rec, other, last = { 0 };
	struct vmig_stream_iter iter;
	size_t at = 0;

	vmig_stream_start(&iter, fuzz->offered.data, fuzz->offered.len);
	while (!vmig_stream_next(&iter, &rec))
		if (rec.type == MTTY_REC_CONFIG)
			last = rec;
	if (!last.len || fuzz->config_touched)
		return 0;
	if (vmig_stream_find(saved, MTTY_REC_CONFIG, 0, &other))
		return vmig_fuzz_result(fuzz, -EUCLEAN, "accepted: no CONFIG record");
	while (at < last.len && last.payload[at] == other.payload[at])
		at++;
	if (at == last.len)
		return 0;
	return vmig_fuzz_result(fuzz, -EUCLEAN,
				"accepted: byte %#zx of config space is %#x, not %#x",
				at, other.payload[at], last.payload[at]);
}

int vmig_fuzz_stream_accepted(struct vmig_fuzz *fuzz)
{
	struct vmig_snapshot snapshot;
	struct vmig_bytes saved = { 0 };
	int ret;

	fuzz->accepted += fuzz->mutated;
	close(fuzz->data_fd);
	fuzz->data_fd = -1;
	ret = check_snapshot(fuzz);
	if (ret)
		return ret;
	ret = vmig_transfer_save_config(fuzz->dev, &snapshot, &saved);
	if (!ret)
		ret = vmig_mig_set_state(fuzz->dev, VFIO_DEVICE_STATE_STOP,
					 NULL);
	if (ret)
		vmig_fuzz_result(fuzz, -EPROTO, "accepted, but save fails: %s",
				 strerror(-ret));
	else
		ret = check_records(fuzz, &saved);
	if (!ret)
		ret = check_config(fuzz, &saved);
	if (!ret && !fuzz->memory_touched)
		ret = check_memory(fuzz);
	vmig_bytes_free(&saved);
	return ret;
}
