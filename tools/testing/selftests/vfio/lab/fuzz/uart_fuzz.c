// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares uart.c with a model of the data sheet.
 *
 * The input is a sequence of operations, see uart_ops.h.  After each, the driver's port and the
 * model must agree in all registers, the interrupt, the timeout, and the record of the
 * migration stream, which must load to the same port.
 */
#include <errno.h>
#include <string.h>
#include <linux/serial_reg.h>

#include "fuzz.h"
#include "uart.h"
#include "uart_model.h"
#include "uart_ops.h"

/* The number of saved ports; loading ignores it */
#define PORT		1

struct pair {
	struct mtty_uart *uart;
	struct uart_model model;
};

_Static_assert(sizeof(struct mtty_rec_uart) == UART_MODEL_REC_SIZE,
	       "the record of a port has another size");

static void check_read(const struct mtty_uart *uart,
		       const struct uart_model *model, unsigned int reg)
{
	struct mtty_uart a = *uart;
	struct uart_model b = *model;
	u8 seen = mtty_uart_read(&a, reg);
	u8 want = uart_model_read(&b, reg);

	FUZZ_CHECK(seen == want, "register %u: %#x, not %#x", reg, seen, want);
}

/* Reads copies, with and without DLAB: reads have side effects */
static void check_registers(const struct pair *pair)
{
	struct mtty_uart a = *pair->uart;
	struct uart_model b = pair->model;
	unsigned int reg;

	for (reg = 0; reg < MTTY_UART_NR_REGS; reg++) {
		check_read(&a, &b, reg);
		FUZZ_CHECK(mtty_uart_transmits(&a, reg) ==
			   uart_model_sends(&b, reg), "register %u", reg);
	}
	FUZZ_CHECK(mtty_uart_word(&a, 0xff) == uart_model_wire(&b, 0xff),
		   "LCR %#x", a.lcr);

	mtty_uart_write(&a, UART_LCR, a.lcr ^ UART_LCR_DLAB);
	uart_model_write(&b, UART_LCR, b.line ^ UART_LCR_DLAB);
	for (reg = 0; reg < 2; reg++)
		check_read(&a, &b, reg);
}

static void check_signals(const struct pair *pair)
{
	u64 ns = mtty_uart_timeout_ns(pair->uart);
	u64 want_ns = uart_model_timeout_ns(&pair->model);
	u8 id = mtty_uart_pending(pair->uart);
	u8 want_id = uart_model_interrupt(&pair->model);

	FUZZ_CHECK(id == want_id, "%#x, not %#x", id, want_id);
	FUZZ_CHECK(mtty_uart_asserts(pair->uart) == !(want_id & 1),
		   "interrupt %#x", want_id);
	FUZZ_CHECK(ns == want_ns, "%llu, not %llu", ns, want_ns);
	FUZZ_CHECK(mtty_uart_counts(pair->uart) ||
		   !uart_model_left_ns(&pair->model), "time does not count");
}

/* Not zeroed: loading must write each member */
static struct mtty_uart *alloc_uart(void)
{
	struct mtty_uart *uart = fuzz_alloc(sizeof(*uart));

	memset(uart, 0xa5, sizeof(*uart));

	return uart;
}

static struct mtty_uart *load_saved(const struct mtty_uart *uart)
{
	struct mtty_uart *loaded = alloc_uart();
	struct mtty_rec_uart rec;
	int ret;

	mtty_uart_save(uart, PORT, &rec);
	ret = mtty_uart_load(loaded, &rec);
	FUZZ_CHECK(!ret, "%d: a port that is cannot be loaded", ret);

	return loaded;
}

static void check_saved(const struct pair *pair)
{
	u8 seen[UART_MODEL_REC_SIZE], want[UART_MODEL_REC_SIZE];
	struct mtty_rec_uart rec;
	struct pair loaded = { .model = pair->model };
	unsigned int i;

	memset(&rec, 0xa5, sizeof(rec));
	mtty_uart_save(pair->uart, PORT, &rec);
	memcpy(seen, &rec, sizeof(seen));
	uart_model_save(&pair->model, PORT, want);
	for (i = 0; i < sizeof(seen); i++)
		FUZZ_CHECK(seen[i] == want[i], "byte %u: %#x, not %#x", i,
			   seen[i], want[i]);

	loaded.uart = load_saved(pair->uart);
	mtty_uart_save(loaded.uart, PORT, &rec);
	FUZZ_CHECK(!memcmp(&rec, want, sizeof(want)),
		   "saved, loaded and saved again: another record");
	check_signals(&loaded);
	check_registers(&loaded);
	free(loaded.uart);
}

static void check(const struct pair *pair)
{
	check_signals(pair);
	check_registers(pair);
	check_saved(pair);
}

static void do_write(struct pair *pair, unsigned int reg, u8 val)
{
	mtty_uart_write(pair->uart, reg, val);
	uart_model_write(&pair->model, reg, val);
}

static void do_read(struct pair *pair, unsigned int reg)
{
	u8 seen = mtty_uart_read(pair->uart, reg);
	u8 want = uart_model_read(&pair->model, reg);

	FUZZ_CHECK(seen == want, "register %u: %#x, not %#x", reg, seen, want);
}

static void do_pass(struct pair *pair, u8 byte, u8 operand)
{
	u64 left = uart_model_left_ns(&pair->model);
	u64 ns = UART_OP_NS(byte, operand);

	if (UART_OP_REG(byte) == UART_OP_ALL)
		ns = left > operand ? left - operand : left;
	mtty_uart_pass(pair->uart, ns);
	uart_model_pass(&pair->model, ns);
}

static void do_migrate(struct pair *pair)
{
	struct mtty_uart *loaded = load_saved(pair->uart);

	free(pair->uart);
	pair->uart = loaded;
}

static void do_load(struct pair *pair, const u8 *bytes)
{
	struct mtty_uart before = *pair->uart;
	struct mtty_rec_uart rec;
	bool possible;
	int ret;

	memcpy(&rec, bytes, sizeof(rec));
	ret = mtty_uart_load(pair->uart, &rec);
	possible = uart_model_load(&pair->model, bytes);
	FUZZ_CHECK(ret == (possible ? 0 : -EINVAL), "%d, %s", ret,
		   possible ? "possible" : "not possible");
	FUZZ_CHECK(!ret || !memcmp(&before, pair->uart, sizeof(before)),
		   "a refused record has changed the port");
}

/* Number of argument bytes */
static size_t operands(enum uart_op op)
{
	switch (op) {
	case UART_OP_WRITE:
	case UART_OP_SEND:
	case UART_OP_PASS:
		return 1;
	case UART_OP_LOAD:
		return UART_MODEL_REC_SIZE;
	default:
		return 0;
	}
}

static void do_op(struct pair *pair, u8 byte, const u8 *operand)
{
	unsigned int i;

	switch (UART_OP_OF(byte)) {
	case UART_OP_WRITE:
		do_write(pair, UART_OP_REG(byte), *operand);
		break;
	case UART_OP_READ:
		do_read(pair, UART_OP_REG(byte));
		break;
	case UART_OP_SEND:
		for (i = 0; i < UART_OP_TIMES(byte); i++)
			do_write(pair, UART_TX, *operand + i);
		break;
	case UART_OP_RECEIVE:
		for (i = 0; i < UART_OP_TIMES(byte); i++)
			do_read(pair, UART_RX);
		break;
	case UART_OP_PASS:
		do_pass(pair, byte, *operand);
		break;
	case UART_OP_MIGRATE:
		do_migrate(pair);
		break;
	case UART_OP_LOAD:
		do_load(pair, operand);
		break;
	default:
		mtty_uart_reset(pair->uart);
		uart_model_reset(&pair->model);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pair pair = { .uart = alloc_uart() };

	mtty_uart_reset(pair.uart);
	uart_model_reset(&pair.model);
	check(&pair);

	while (size && size - 1 >= operands(UART_OP_OF(*data))) {
		size_t len = 1 + operands(UART_OP_OF(*data));

		do_op(&pair, *data, data + 1);
		check(&pair);
		data += len;
		size -= len;
	}
	free(pair.uart);

	return 0;
}
