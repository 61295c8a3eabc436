// SPDX-License-Identifier: GPL-2.0-only
/*
 * Version 5 of the stream, byte for byte: streams are kept in files, and come from other
 * hosts, so a change of the layout needs another version. The header that driver and tests
 * share cannot show such a change; these bytes were written by an earlier driver.
 */
#include <ctype.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define PORTS	2

/* The seed of vmig_contents_set(); pages that are zero are not in the stream */
#define SEED	50
#define LINE	0x0b

/* Bytes of a head; offsets in it */
#define HEAD	48
#define LEN	4

static const char * const version_5[] = {
	/* START */
	"0100000030000000000000000000000000000000000000000000000000000000",
	"25d1850989ced5514168f44bbe6ba62b4d5454594d4947520500000002000000",
	"0300000000000000070000000000000000200000000000000485d3e54e07687f",
	/* CONFIG */
	"0700000000010000000000000000000000000000000000000100000000000000",
	"e9d490fcfdf02a2649e87371b6ae1bba48435332010010021002000700000000",
	"0100000001000000000000000000000000000000000000000000000048435332",
	"0000000050000000000000000b01000000000000000000000000000000000000",
	"0500800000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"00000000000000000000000000000000",
	/* CAPTURE */
	"020000001c000000000000000000000000000000000000000200000000000000",
	"7f0925dc15946288c71e995d7f65d5c600100000000000003200330034003500",
	"360096019701980199019a01",
	/* CAPTURE */
	"0200000010000000000000000000000000000000000000000300000000000000",
	"04aee1044af192d1a2b7b4373967174df81f0000000000006d74747920656e64",
	/* LOG */
	"0300000010000000000000000000000000000000000000000400000000000000",
	"b74d272cbc46924a5406cbb04b07d0940a000000000000000000000000000000",
	/* UART */
	"0400000038000000000000000000000000000000000000000500000000000000",
	"f802e5759306cbef5d2f16560ed538b2000c810f090a3232ff0105000a000000",
	"7790000000000000323334353600000000000000000000000000000000000000",
	"0000000000000000",
	/* UART */
	"0400000038000000000000000000000000000000000000000600000000000000",
	"861b64273c8e9db5950ee6e1071efa01010c810f090a9696ff01050009000000",
	"63e6000000000000969798999a00000000000000000000000000000000000000",
	"0000000000000000",
	/* IRQ */
	"0500000008000000000000000000000000000000000000000700000000000000",
	"bb1bdbcacd6ac934ac47e36f24eddab20000000000000000",
	/* END */
	"0600000008000000000000000000000000000000000000000800000000000000",
	"4e24ac59698cb4f228fe2536fab24b2f0800000000000000",
};

DEVICE_FIXTURE(version, "mtty-2", .config_policy = "embedded", .capture_size = "8K");

static unsigned int digit(char c)
{
	return isdigit(c) ? c - '0' : c - 'a' + 10;
}

static int decode(struct vmig_bytes *out)
{
	const char *hex;
	unsigned int i;
	uint8_t byte;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(version_5); i++) {
		for (hex = version_5[i]; *hex && !ret; hex += 2) {
			byte = digit(hex[0]) << 4 | digit(hex[1]);
			ret = vmig_bytes_add(out, &byte, 1);
		}
	}
	return ret;
}

/* Driver: a stream of version 5 that was recorded in the past: loaded, with its contents */
TEST_F(version, is_loaded)
{
	uint8_t line, log[2 * PORTS * VMIG_CONTENTS_BYTES];
	unsigned int i;

	ASSERT_EQ(0, decode(&self->stream));
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	EXPECT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line), "config");
	EXPECT_EQ(LINE, line);
	/* An entry of the log is the byte, then the port */
	EXPECT_RET(0, vmig_region_read(self->dev, BAR2, 4096, log, sizeof(log)), "log");
	for (i = 0; i < PORTS * VMIG_CONTENTS_BYTES; i++) {
		EXPECT_EQ(i / VMIG_CONTENTS_BYTES, log[2 * i + 1]);
		EXPECT_EQ(SEED + 100 * (i / VMIG_CONTENTS_BYTES) +
			  i % VMIG_CONTENTS_BYTES, log[2 * i]);
	}
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* The record at @at: its type and its size with the head */
static uint32_t type_at(const struct vmig_bytes *stream, size_t at)
{
	return stream->data[at];
}

static size_t size_at(const struct vmig_bytes *stream, size_t at)
{
	return HEAD + (stream->data[at + LEN] | stream->data[at + LEN + 1] << 8);
}

/* Offset of the @nth record of a type; the length of the stream if there is none */
static size_t find(const struct vmig_bytes *stream, uint32_t type, unsigned int nth)
{
	size_t at;

	for (at = 0; at < stream->len; at += size_at(stream, at))
		if (type_at(stream, at) == type && !nth--)
			break;
	return at;
}

/* Driver: the device that loaded it saves the same bytes, but for sums and a random number */
TEST_F(version, is_saved)
{
	/* START without the random number, CONFIG, LOG, both UART, IRQ */
	static const struct {
		uint32_t type;
		unsigned int nth;
		size_t len;
	} rows[] = {
		{ 1, 0, 40 }, { 7, 0, 256 }, { 3, 0, 16 }, { 4, 0, 56 }, { 4, 1, 56 },
		{ 5, 0, 8 },
	};
	struct vmig_bytes old = { 0 };
	unsigned int i;
	size_t a, b;

	ASSERT_EQ(0, decode(&old));
	ASSERT_RET(0, vmig_transfer_load(self->dev, &old), "load");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		a = find(&old, rows[i].type, rows[i].nth);
		b = find(&self->stream, rows[i].type, rows[i].nth);
		ASSERT_LT(a, old.len);
		ASSERT_LT(b, self->stream.len);
		EXPECT_EQ(size_at(&old, a), size_at(&self->stream, b));
		EXPECT_EQ(0, memcmp(old.data + a + HEAD, self->stream.data + b + HEAD,
				    rows[i].len)) {
			TH_LOG("type %u, number %u", rows[i].type, rows[i].nth);
		}
	}
	/* END counts the records before it: one CAPTURE now */
	b = find(&self->stream, 6, 0);
	ASSERT_EQ(b + HEAD + 8, self->stream.len);
	EXPECT_EQ(7, self->stream.data[b + HEAD]);
	vmig_bytes_free(&old);
}

TEST_HARNESS_MAIN
