// SPDX-License-Identifier: GPL-2.0-only
/* vfio-migrate inspect: print the result of vmig_inspect() as a table or as JSON. */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/feature.h"
#include "lib/vmm/inspect.h"
#include "migrate.h"

#define TEXT_MAX	200
#define NAME_WIDTH	19

static void section_text(const struct vmig_section *section, char *text)
{
	char names[96], hex[VMIG_ID_HEX_SIZE];

	switch (section->marker) {
	case VFIO_MIG_FLAG_DEV_SETUP_STATE:
		snprintf(text, TEXT_MAX, "format %llu, policy %s, snapshots of %llu bytes",
			 (unsigned long long)section->version,
			 vmig_need_name(section->need),
			 (unsigned long long)section->size);
		break;
	case VFIO_MIG_FLAG_DEV_CONFIG_STATE:
		vmig_subflags_name(section->subflags, names, sizeof(names));
		if (section->len)
			snprintf(text, TEXT_MAX, "[%s] identity %s, %zu bytes",
				 names, vmig_id_hex(section->id, hex),
				 section->len);
		else
			snprintf(text, TEXT_MAX, "[%s] no payload", names);
		break;
	default:
		text[0] = '\0';
		if (section->len)
			snprintf(text, TEXT_MAX, "%zu bytes", section->len);
	}
}

static void start_text(const struct vmig_rec *rec, char *text)
{
	struct mtty_rec_start start;

	memcpy(&start, rec->payload, sizeof(start));
	snprintf(text, TEXT_MAX,
		 "mtty, format %u, %u ports, policy %s, features 0x%llx, capture memory of %llu bytes",
		 le32toh(start.version), le32toh(start.nr_ports),
		 vmig_need_name(le64toh(start.need)),
		 (unsigned long long)le64toh(start.features),
		 (unsigned long long)le64toh(start.capture_size));
}

static void uart_text(const struct vmig_rec *rec, char *text)
{
	struct mtty_rec_uart uart;

	memcpy(&uart, rec->payload, sizeof(uart));
	snprintf(text, TEXT_MAX,
		 "port %u: IER %02x LCR %02x MCR %02x divisor %u, %u bytes received",
		 uart.port, uart.ier, uart.lcr, uart.mcr,
		 uart.dlm << 8 | uart.dll, uart.fifo_len);
}

static void irq_text(const struct vmig_rec *rec, char *text)
{
	struct mtty_rec_irq irq;

	memcpy(&irq, rec->payload, sizeof(irq));
	snprintf(text, TEXT_MAX, "message for the current assertion: %s",
		 le32toh(irq.flags) & MTTY_REC_IRQ_MSI_SENT ? "sent" :
							      "not sent");
}

/* All other records begin with a 64-bit number */
static void word_text(const struct vmig_rec *rec, char *text)
{
	unsigned long long number;
	uint64_t word;

	memcpy(&word, rec->payload, sizeof(word));
	number = le64toh(word);
	if (rec->type == MTTY_REC_CAPTURE)
		snprintf(text, TEXT_MAX, "%zu bytes at 0x%llx",
			 rec->len - sizeof(word), number);
	else if (rec->type == MTTY_REC_LOG)
		snprintf(text, TEXT_MAX, "%llu bytes logged", number);
	else if (rec->type == MTTY_REC_REINIT)
		snprintf(text, TEXT_MAX, "config space changed, was version %llu",
			 number);
	else if (rec->type == MTTY_REC_END)
		snprintf(text, TEXT_MAX, "%llu records before", number);
	else
		snprintf(text, TEXT_MAX, "%u bytes", rec->len);
}

static void rec_text(const struct vmig_rec *rec, char *text)
{
	if (rec->type == MTTY_REC_START)
		start_text(rec, text);
	else if (rec->type == MTTY_REC_UART)
		uart_text(rec, text);
	else if (rec->type == MTTY_REC_IRQ)
		irq_text(rec, text);
	else
		word_text(rec, text);
}

static void print_row(void *opaque, const struct vmig_inspect_item *item)
{
	char text[TEXT_MAX];

	if (item->section) {
		section_text(item->section, text);
		printf("%10llu  %-*s%s\n", (unsigned long long)item->offset,
		       *text ? NAME_WIDTH : 0,
		       vmig_section_name(item->section->marker), text);
		return;
	}
	rec_text(item->rec, text);
	printf("%10llu    %-7s #%-4llu v%-4llu %s\n",
	       (unsigned long long)item->offset,
	       vmig_stream_type_name(item->rec->type),
	       (unsigned long long)item->rec->seq,
	       (unsigned long long)item->rec->version, text);
}

/* Two members of the head of a record are the identity */
static const uint8_t *item_id(const struct vmig_inspect_item *item)
{
	return item->section ? item->section->id :
	       item->rec->payload - sizeof(struct mtty_rec_head) +
	       offsetof(struct mtty_rec_head, source);
}

static void print_object(void *opaque, const struct vmig_inspect_item *item)
{
	const char **comma = opaque;
	char text[TEXT_MAX], hex[VMIG_ID_HEX_SIZE];

	printf("%s{\"offset\":%llu,", *comma, (unsigned long long)item->offset);
	*comma = ",\n";
	if (item->section) {
		section_text(item->section, text);
		migrate_json_string(stdout, "section",
				    vmig_section_name(item->section->marker));
		printf(",\"subflags\":%llu",
		       (unsigned long long)item->section->subflags);
	} else {
		rec_text(item->rec, text);
		migrate_json_string(stdout, "record",
				    vmig_stream_type_name(item->rec->type));
		printf(",\"seq\":%llu", (unsigned long long)item->rec->seq);
	}
	putchar(',');
	migrate_json_string(stdout, "identity", vmig_id_hex(item_id(item), hex));
	printf(",\"length\":%llu,",
	       (unsigned long long)(item->section ? item->section->len :
				    item->rec->len));
	migrate_json_string(stdout, "text", text);
	putchar('}');
}

static void print_nothing(void *opaque, const struct vmig_inspect_item *item)
{
}

static int inspect_as_json(int fd, const struct vmig_patience *patience,
			   struct vmig_inspect_result *result)
{
	const char *comma = "";
	int ret;

	printf("{\"items\":[");
	ret = vmig_inspect(fd, patience, print_object, &comma, result);
	printf("],\n\"bytes\":%llu,\"ok\":%s,\"where\":%llu,",
	       (unsigned long long)result->bytes, ret ? "false" : "true",
	       (unsigned long long)result->where);
	migrate_json_string(stdout, "error", result->why);
	printf("}\n");
	return ret;
}

static int inspect_as_table(int fd, const struct vmig_patience *patience,
			    struct vmig_inspect_result *result)
{
	int ret;

	printf("%10s  %s\n", "OFFSET", "SECTION, or RECORD #number version of config space");
	ret = vmig_inspect(fd, patience, print_row, NULL, result);
	if (!ret)
		printf("whole: %llu sections, %llu records, %llu bytes\n",
		       (unsigned long long)result->sections,
		       (unsigned long long)result->records,
		       (unsigned long long)result->bytes);
	else if (!result->read_error)
		printf("broken at byte %llu: %s\n",
		       (unsigned long long)result->where, result->why);
	return ret;
}

static enum migrate_exit inspect_channel(const struct migrate_options *options,
					 int fd,
					 const struct vmig_patience *patience)
{
	struct vmig_inspect_result result;
	int ret;

	if (options->json)
		ret = inspect_as_json(fd, patience, &result);
	else if (options->quiet)
		ret = vmig_inspect(fd, patience, print_nothing, NULL, &result);
	else
		ret = inspect_as_table(fd, patience, &result);
	if (ret && (options->quiet || result.read_error))
		fprintf(stderr, "vfio-migrate: inspect: %s: %s\n",
			options->stream, result.why);
	if (result.read_error)
		return MIGRATE_FAILED;
	return ret ? MIGRATE_BROKEN : MIGRATE_DONE;
}

int migrate_inspect(const struct migrate_options *options)
{
	const struct vmig_patience patience = {
		.timeout_ms = options->timeout_ms, .cancel_fd = -1,
	};
	enum migrate_exit status;
	struct vmig_channel channel;
	int ret;

	ret = vmig_channel_open(&channel, options->stream, VMIG_CHANNEL_READ,
				&patience);
	if (ret) {
		fprintf(stderr, "vfio-migrate: inspect: %s: %s\n",
			options->stream, strerror(-ret));
		return ret == -EINVAL || ret == -ENOTTY ? MIGRATE_USAGE :
							  MIGRATE_FAILED;
	}
	status = inspect_channel(options, channel.fd, &patience);
	/* A waiting source must not take this for a running destination */
	vmig_channel_abort(&channel);
	return migrate_flush(stdout, status);
}
