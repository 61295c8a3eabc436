// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the seeds of the fuzzers: streams as devices send them, register accesses
 * as drivers make them, and the calls of a migration.  The files are the same in each run.
 *
 * Usage: make_seeds DIRECTORY
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <linux/serial_reg.h>

#include "config_ops.h"
#include "fuzz.h"
#include "stream_input.h"
#include "uart_ops.h"

#define FIFO_ON		(UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR)

#define WRITE(_reg, _val)	UART_OP(UART_OP_WRITE, _reg), (_val)
#define READ(_reg)		UART_OP(UART_OP_READ, _reg)
/* _n is odd */
#define SEND(_n, _val)		UART_OP(UART_OP_SEND, (_n) / 2), (_val)
#define RECEIVE(_n)		UART_OP(UART_OP_RECEIVE, (_n) / 2)
#define EXPIRE			UART_OP(UART_OP_PASS, UART_OP_ALL), 0
#define ALMOST			UART_OP(UART_OP_PASS, UART_OP_ALL), 1
#define MIGRATE			UART_OP(UART_OP_MIGRATE, 0)
#define RESET			UART_OP(UART_OP_RESET, 0)

static void put_file(const char *dir, const char *name, const u8 *bytes,
		     size_t len)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file)) {
		fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void put_stream(const char *dir, const char *name,
		       const struct stream_input_device *device,
		       const enum mtty_rec_type *types, u8 feed, u8 tamper)
{
	u8 input[4096] = { 0 };
	struct fuzz_random rnd = { 0 };
	size_t len = STREAM_INPUT_RECORDS;
	struct mtty_stream_id id;
	u8 port = 0;

	input[STREAM_INPUT_DEVICE] = stream_input_device(device);
	input[STREAM_INPUT_FIX] = STREAM_FIX_ALL;
	input[STREAM_INPUT_FEED] = feed;
	input[STREAM_INPUT_SEED] = tamper;
	input[STREAM_INPUT_TAMPER] = tamper;
	input[STREAM_INPUT_WHERE] = 1 + tamper;
	stream_input_id(input[STREAM_INPUT_DEVICE], &id);

	for (; *types; types++) {
		size_t at = len;

		len += stream_template(input + at, *types, &id, &rnd);
		if (*types == MTTY_REC_UART)
			input[at + STREAM_HEAD_SIZE] = port++;
	}
	put_file(dir, name, input, len);
}

static void put_streams(const char *dir)
{
	static const enum mtty_rec_type small[] = {
		MTTY_REC_START, MTTY_REC_LOG, MTTY_REC_UART, MTTY_REC_IRQ,
		MTTY_REC_END, 0
	};
	static const enum mtty_rec_type large[] = {
		MTTY_REC_START, MTTY_REC_CAPTURE, MTTY_REC_REINIT,
		MTTY_REC_CAPTURE, MTTY_REC_LOG, MTTY_REC_UART, MTTY_REC_UART,
		MTTY_REC_IRQ, MTTY_REC_END, 0
	};
	static const enum mtty_rec_type embedded[] = {
		MTTY_REC_START, MTTY_REC_CONFIG, MTTY_REC_CAPTURE, MTTY_REC_LOG,
		MTTY_REC_UART, MTTY_REC_IRQ, MTTY_REC_END, 0
	};

	put_stream(dir, "no-capture",
		   &(struct stream_input_device){ .ports = 0, .size = 0 },
		   small, STREAM_FEED_BYTES, STREAM_TAMPER_CHANGE);
	put_stream(dir, "two-ports",
		   &(struct stream_input_device){ .ports = 1, .size = 1 },
		   large, STREAM_FEED_SMALL | STREAM_FEED_UNFEED,
		   STREAM_TAMPER_SWAP_RECORDS);
	put_stream(dir, "reorder",
		   &(struct stream_input_device){ .ports = 1, .need = 2,
						  .features = 1, .size = 5 },
		   large, STREAM_FEED_ANY | STREAM_FEED_UNFEED,
		   STREAM_TAMPER_SPLICE);
	put_stream(dir, "embedded",
		   &(struct stream_input_device){ .need = 3, .size = 2 },
		   embedded, STREAM_FEED_ANY, STREAM_TAMPER_CUT);
}

static void put_ports(const char *dir)
{
	static const u8 polled[] = {
		WRITE(UART_LCR, 0x83), WRITE(UART_DLL, 12), WRITE(UART_DLM, 0),
		WRITE(UART_LCR, 0x03), WRITE(UART_SCR, 0x5a), READ(UART_SCR),
		WRITE(UART_TX, 'a'), READ(UART_LSR), WRITE(UART_TX, 'b'),
		READ(UART_LSR), READ(UART_RX), READ(UART_LSR),
	};
	static const u8 fifo[] = {
		WRITE(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_8),
		WRITE(UART_IER, 0x0f), READ(UART_IIR), SEND(7, 'a'), EXPIRE,
		READ(UART_IIR), MIGRATE, READ(UART_RX), SEND(11, 'A'),
		READ(UART_IIR), READ(UART_LSR), RECEIVE(15), RECEIVE(3),
		WRITE(UART_FCR, UART_FCR_ENABLE_FIFO), SEND(3, 0), RESET,
		READ(UART_IIR),
	};
	static const u8 modem[] = {
		WRITE(UART_IER, UART_IER_MSI), WRITE(UART_MCR, 0x0b),
		READ(UART_IIR), READ(UART_MSR), WRITE(UART_MCR, 0x1f),
		WRITE(UART_MCR, 0x10), MIGRATE, READ(UART_MSR),
	};
	static const u8 loaded[] = {
		UART_OP(UART_OP_LOAD, 0), 1, 0x05, 0x81, 0x03, 0x0b, 0x01, 0x33,
		1, 0, 0x01, 3, 0x02, 0x10, 0x27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		'x', 0, 'z', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		READ(UART_LSR), EXPIRE, READ(UART_IIR), RECEIVE(3),
	};
	static const u8 line[] = {
		WRITE(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14),
		WRITE(UART_IER, 0x04), WRITE(UART_LCR, 0x0a), SEND(3, 0xfe),
		WRITE(UART_LCR, 0x4b), READ(UART_IIR), MIGRATE, SEND(1, 'x'),
		RECEIVE(3), READ(UART_IIR), READ(UART_LSR), READ(UART_RX),
		WRITE(UART_MCR, 0x10), SEND(1, 'l'), WRITE(UART_MCR, 0),
		WRITE(UART_FCR, 0), WRITE(UART_LCR, 0), WRITE(UART_LCR, 0x40),
		READ(UART_RX), READ(UART_IIR), MIGRATE, READ(UART_LSR),
	};
	static const u8 quiet[] = {
		WRITE(UART_FCR, FIFO_ON | UART_FCR_TRIGGER_4), SEND(5, 'q'),
		ALMOST, MIGRATE, WRITE(UART_LCR, 0x07), WRITE(UART_IER, 0x01),
		WRITE(UART_FCR, 0xc1), ALMOST, WRITE(UART_LCR, 0x80),
		READ(UART_IIR), READ(UART_RX), ALMOST, WRITE(UART_DLM, 1),
		WRITE(UART_LCR, 0x03), EXPIRE, READ(UART_IIR),
	};

	put_file(dir, "polled", polled, sizeof(polled));
	put_file(dir, "fifo", fifo, sizeof(fifo));
	put_file(dir, "modem", modem, sizeof(modem));
	put_file(dir, "loaded", loaded, sizeof(loaded));
	put_file(dir, "line", line, sizeof(line));
	put_file(dir, "quiet", quiet, sizeof(quiet));
}

/* Device 0 saves to device 2; the byte after an opt-in is the answer */
static void put_configs(const char *dir)
{
	static const u8 before_data[] = {
		CONFIG_OP_NEEDS(1, 1),
		CONFIG_OP(CONFIG_OP_OPT_IN, 0), 1,
		CONFIG_OP(CONFIG_OP_OPT_IN, 2), 1,
		CONFIG_OP(CONFIG_OP_SAVE, 0), CONFIG_OP(CONFIG_OP_RESUME, 2),
		CONFIG_OP(CONFIG_OP_CHANGE, 0), CONFIG_OP(CONFIG_OP_READ, 0),
		CONFIG_OP(CONFIG_OP_GET, 0), CONFIG_OP(CONFIG_OP_READ, 0),
		CONFIG_OP(CONFIG_OP_SET, 2), 0, CONFIG_OP(CONFIG_OP_HEAD, 2), 0,
		CONFIG_OP(CONFIG_OP_BODY, 2), CONFIG_OP(CONFIG_OP_CHANGE, 0),
		CONFIG_OP(CONFIG_OP_HEAD, 2), 0, CONFIG_OP(CONFIG_OP_SET, 2), 0,
		CONFIG_OP(CONFIG_OP_HEAD, 2), 0, CONFIG_OP(CONFIG_OP_SET, 2), 1,
		CONFIG_OP(CONFIG_OP_END, 2), CONFIG_OP(CONFIG_OP_SET, 2), 0,
	};
	static const u8 any_order[] = {
		CONFIG_OP_NEEDS(2, 2),
		CONFIG_OP(CONFIG_OP_OPT_IN, 0), 2,
		CONFIG_OP(CONFIG_OP_OPT_IN, 2), 2,
		CONFIG_OP(CONFIG_OP_SAVE, 0), CONFIG_OP(CONFIG_OP_RESUME, 2),
		CONFIG_OP(CONFIG_OP_CHANGE, 0), CONFIG_OP(CONFIG_OP_CHANGE, 0),
		CONFIG_OP(CONFIG_OP_HEAD, 2), 1, CONFIG_OP(CONFIG_OP_SET, 2), 0,
		CONFIG_OP(CONFIG_OP_SET, 2), 1, CONFIG_OP(CONFIG_OP_END, 2),
		CONFIG_OP(CONFIG_OP_SET, 2), 0, CONFIG_OP(CONFIG_OP_SET, 2), 1,
	};
	static const u8 not_opted_in[] = {
		CONFIG_OP_NEEDS(1, 1),
		CONFIG_OP(CONFIG_OP_SAVE, 0), CONFIG_OP(CONFIG_OP_READ, 0),
		CONFIG_OP(CONFIG_OP_RESUME, 2), CONFIG_OP(CONFIG_OP_HEAD, 2),
		CONFIG_OP_NONE, CONFIG_OP(CONFIG_OP_END, 2),
		CONFIG_OP(CONFIG_OP_STOP, 2), CONFIG_OP(CONFIG_OP_OPEN, 2),
	};
	static const u8 in_data[] = {
		CONFIG_OP_NEEDS(3, 0),
		CONFIG_OP(CONFIG_OP_OPT_IN, 0), 3,
		CONFIG_OP(CONFIG_OP_OPT_IN, 2), 8,
		CONFIG_OP(CONFIG_OP_RESUME, 2), CONFIG_OP(CONFIG_OP_SET, 2),
		CONFIG_OP_NONE, CONFIG_OP(CONFIG_OP_BITS, 0),
		0x5a, 0x0f, 0x5b, 0xff, 0x01, 0xf0,
	};

	put_file(dir, "before-data", before_data, sizeof(before_data));
	put_file(dir, "any-order", any_order, sizeof(any_order));
	put_file(dir, "not-opted-in", not_opted_in, sizeof(not_opted_in));
	put_file(dir, "in-data", in_data, sizeof(in_data));
}

int main(int argc, char **argv)
{
	char dir[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: make_seeds DIRECTORY\n");
		return 2;
	}

	mkdir(argv[1], 0777);
	snprintf(dir, sizeof(dir), "%s/stream", argv[1]);
	mkdir(dir, 0777);
	put_streams(dir);
	snprintf(dir, sizeof(dir), "%s/uart", argv[1]);
	mkdir(dir, 0777);
	put_ports(dir);
	snprintf(dir, sizeof(dir), "%s/config", argv[1]);
	mkdir(dir, 0777);
	put_configs(dir);

	return 0;
}
