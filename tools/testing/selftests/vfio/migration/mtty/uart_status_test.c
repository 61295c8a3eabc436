// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each bit of a port that something has set: which accesses clear it, that no other one
 * does, that it is in the stream, and that a reset and a close clear it.
 *
 * The bits of registers that are stored as written are in uart_test.c.
 */
#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14)
#define FIFO_SIZE	16
#define WLEN8		UART_LCR_WLEN8
#define ODD		(UART_LCR_WLEN8 | UART_LCR_PARITY)
#define LOOP		UART_MCR_LOOP
#define THRI		UART_IER_THRI
/* IIR reads as this; UART_IIR_ID would not do, as the code of MSI is 0 */
#define IIR_MASK	0x0f

struct write {
	uint8_t reg;
	uint8_t val;
};

#define NR_WRITES	6

/**
 * struct bit - a bit of a register, and how it is set
 * @name:	for messages
 * @writes:	set the bit; ends with a write to UART_MSR, which has no effect
 * @repeat:	how often the first write is repeated
 * @reg:	the register with the bit
 * @mask:	the bit; the others of @reg may change
 * @want:	what is in @mask then
 * @cleared_by:	bitmap of the registers whose read clears the bit
 * @by_fcr:	emptying the FIFO clears it
 */
struct bit {
	const char *name;
	struct write writes[NR_WRITES];
	unsigned int repeat;
	uint8_t reg;
	uint8_t mask;
	uint8_t want;
	unsigned int cleared_by;
	bool by_fcr;
};

#define END		{ UART_MSR, 0 }
#define BY(_reg)	(1u << (_reg))

/* A bit that is 1 when it is set */
#define BIT(_name, _reg, _mask, ...) \
	{ .name = _name, .reg = _reg, .mask = _mask, .want = _mask, __VA_ARGS__ }
#define WRITES(...)	.writes = { __VA_ARGS__, END }

static const struct bit bits[] = {
	BIT("OE, FIFO off", UART_LSR, UART_LSR_OE, .cleared_by = BY(UART_LSR), .repeat = 1,
	    WRITES({ UART_TX, 'a' })),
	BIT("OE, FIFO on", UART_LSR, UART_LSR_OE, .cleared_by = BY(UART_LSR),
	    WRITES({ UART_TX, 'a' }, { UART_TX, 'b' }, { UART_FCR, FIFO })),
	BIT("BI, FIFO off", UART_LSR, UART_LSR_BI, .cleared_by = BY(UART_LSR),
	    WRITES({ UART_LCR, WLEN8 | UART_LCR_SBC }, { UART_LCR, WLEN8 })),
	BIT("FE, FIFO off", UART_LSR, UART_LSR_FE, .cleared_by = BY(UART_LSR),
	    WRITES({ UART_LCR, WLEN8 | UART_LCR_SBC }, { UART_LCR, WLEN8 })),
	BIT("PE, FIFO off", UART_LSR, UART_LSR_PE, .cleared_by = BY(UART_LSR),
	    WRITES({ UART_LCR, ODD | UART_LCR_SBC }, { UART_LCR, WLEN8 })),
	BIT("errors, then FIFO on", UART_LSR, UART_LSR_BRK_ERROR_BITS,
	    .cleared_by = BY(UART_LSR),
	    WRITES({ UART_TX, 'a' }, { UART_LCR, ODD | UART_LCR_SBC },
		   { UART_LCR, WLEN8 }, { UART_FCR, FIFO })),
	BIT("DR, FIFO off", UART_LSR, UART_LSR_DR, .cleared_by = BY(UART_RX), .by_fcr = true,
	    WRITES({ UART_TX, 'a' })),
	BIT("DR, FIFO on", UART_LSR, UART_LSR_DR, .cleared_by = BY(UART_RX), .by_fcr = true,
	    WRITES({ UART_FCR, FIFO }, { UART_TX, 'a' })),
	BIT("BI, FIFO on", UART_LSR, UART_LSR_BI, .cleared_by = BY(UART_LSR) | BY(UART_RX),
	    .by_fcr = true,
	    WRITES({ UART_FCR, FIFO }, { UART_LCR, WLEN8 | UART_LCR_SBC },
		   { UART_LCR, WLEN8 })),
	BIT("PE, FIFO on", UART_LSR, UART_LSR_PE, .cleared_by = BY(UART_LSR) | BY(UART_RX),
	    .by_fcr = true,
	    WRITES({ UART_FCR, FIFO }, { UART_LCR, ODD | UART_LCR_SBC },
		   { UART_LCR, WLEN8 })),
	BIT("FIFO error of the next byte", UART_LSR, UART_LSR_FIFOE,
	    .cleared_by = BY(UART_LSR) | BY(UART_RX), .by_fcr = true,
	    WRITES({ UART_FCR, FIFO }, { UART_LCR, WLEN8 | UART_LCR_SBC },
		   { UART_LCR, WLEN8 })),
	BIT("FIFO error of another byte", UART_LSR, UART_LSR_FIFOE, .by_fcr = true,
	    WRITES({ UART_FCR, FIFO }, { UART_TX, 'a' },
		   { UART_LCR, WLEN8 | UART_LCR_SBC }, { UART_LCR, WLEN8 })),
	BIT("DCTS", UART_MSR, UART_MSR_DCTS, .cleared_by = BY(UART_MSR),
	    WRITES({ UART_MCR, UART_MCR_RTS })),
	BIT("DDSR", UART_MSR, UART_MSR_DDSR, .cleared_by = BY(UART_MSR),
	    WRITES({ UART_MCR, UART_MCR_DTR })),
	BIT("DDCD", UART_MSR, UART_MSR_DDCD, .cleared_by = BY(UART_MSR),
	    WRITES({ UART_MCR, LOOP | UART_MCR_OUT2 })),
	BIT("TERI", UART_MSR, UART_MSR_TERI, .cleared_by = BY(UART_MSR),
	    WRITES({ UART_MCR, LOOP | UART_MCR_OUT1 }, { UART_MCR, LOOP })),
	BIT("all deltas", UART_MSR, UART_MSR_ANY_DELTA, .cleared_by = BY(UART_MSR),
	    WRITES({ UART_MCR, LOOP | 0x0f }, { UART_MCR, LOOP })),
	{ .name = "THRI", .reg = UART_IIR, .mask = IIR_MASK, .want = UART_IIR_THRI,
	  .cleared_by = BY(UART_IIR), WRITES({ UART_IER, THRI }) },
	{ .name = "THRI after a byte", .reg = UART_IIR, .mask = IIR_MASK,
	  .want = UART_IIR_THRI, .cleared_by = BY(UART_IIR),
	  WRITES({ UART_TX, 'a' }, { UART_IER, THRI }) },
};

FIXTURE(uart_status) {
	DEVICE_MEMBERS;
};

PORT_VARIANTS(uart_status);

FIXTURE_SETUP(uart_status)
{
	OPEN_DEVICE("mtty-2");
}

FIXTURE_TEARDOWN(uart_status)
{
	CLOSE_DEVICE();
}

static int write_all(struct vmig_device *dev, unsigned int port, const struct bit *bit)
{
	unsigned int i, n = 1 + bit->repeat;
	int ret;

	ret = vmig_uart_out(dev, port, UART_LCR, WLEN8);
	while (!ret && n--)
		ret = vmig_uart_out(dev, port, bit->writes[0].reg, bit->writes[0].val);
	for (i = 1; !ret && i < NR_WRITES && bit->writes[i].reg != UART_MSR; i++)
		ret = vmig_uart_out(dev, port, bit->writes[i].reg, bit->writes[i].val);
	return ret;
}

/* After a reset, set the bit */
#define SET(_bit) do { \
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset"); \
	ASSERT_RET(0, write_all(self->dev, variant->port, _bit), "%s", (_bit)->name); \
} while (0)

#define EXPECT_SET(_bit, ...) \
	EXPECT_EQ((_bit)->want, IN((_bit)->reg) & (_bit)->mask) { \
		TH_LOG("%s", (_bit)->name); \
		TH_LOG(__VA_ARGS__); \
	}

/* IIR has another code than @want; other registers have no bit of @mask */
#define EXPECT_CLEARED(_bit, ...) do { \
	uint8_t cleared_want = (_bit)->reg == UART_IIR ? UART_IIR_NO_INT : 0; \
	EXPECT_EQ(cleared_want, IN((_bit)->reg) & (_bit)->mask) { \
		TH_LOG("%s", (_bit)->name); \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)

/* 16550: 8.4, 8.6, 8.9: each bit is cleared by the reads that the data sheet names only */
TEST_F(uart_status, reads)
{
	unsigned int i, reg;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (reg = UART_RX; reg <= UART_SCR; reg++) {
			SET(&bits[i]);
			IN(reg);
			if (bits[i].cleared_by & BY(reg))
				EXPECT_CLEARED(&bits[i], "read of register %u", reg);
			else
				EXPECT_SET(&bits[i], "read of register %u", reg);
		}
	}
}

/* 16550: 8.4, 8.6, 8.9: no write clears a bit, but for those of FCR that empty the FIFO */
TEST_F(uart_status, writes)
{
	static const struct write writes[] = {
		{ UART_IER, 0x0f }, { UART_LCR, WLEN8 }, { UART_LCR, WLEN8 | UART_LCR_STOP },
		{ UART_MCR, UART_MCR_DTR | UART_MCR_RTS }, { UART_MCR, LOOP },
		{ UART_MCR, 0 }, { UART_LSR, 0 }, { UART_LSR, 0xff }, { UART_MSR, 0 },
		{ UART_MSR, 0xff }, { UART_SCR, 0 }, { UART_SCR, 0xff },
	};
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (n = 0; n < ARRAY_SIZE(writes); n++) {
			/* THRI is below the other interrupts that IER would enable */
			if (bits[i].reg == UART_IIR && writes[n].reg == UART_IER)
				continue;
			SET(&bits[i]);
			OUT(writes[n].reg, writes[n].val);
			EXPECT_SET(&bits[i], "write of 0x%02x to register %u",
				   writes[n].val, writes[n].reg);
		}
	}
}

/* 16550: 8.5: emptying the FIFO clears what belongs to its bytes, and nothing else */
TEST_F(uart_status, emptied_fifo)
{
	static const uint8_t fcrs[][2] = {
		{ FIFO, FIFO | UART_FCR_CLEAR_RCVR }, { FIFO, 0 },
		{ FIFO | UART_FCR_CLEAR_RCVR, FIFO | UART_FCR_CLEAR_RCVR },
	};
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (n = 0; n < ARRAY_SIZE(fcrs); n++) {
			SET(&bits[i]);
			OUT(UART_FCR, fcrs[n][0]);
			OUT(UART_FCR, fcrs[n][1]);
			if (bits[i].by_fcr)
				EXPECT_CLEARED(&bits[i], "FCR 0x%02x", fcrs[n][1]);
			else
				EXPECT_SET(&bits[i], "FCR 0x%02x", fcrs[n][1]);
		}
	}
}

/* 16550: 8.4, OE: a 17th byte sets it; emptying the FIFO does not clear it */
TEST_F(uart_status, overrun_of_a_fifo)
{
	unsigned int i;

	OUT(UART_LCR, WLEN8);
	OUT(UART_FCR, FIFO);
	for (i = 0; i <= FIFO_SIZE; i++)
		OUT(UART_TX, i);
	OUT(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR);
	EXPECT_EQ(UART_LSR_OE | UART_LSR_THRE | UART_LSR_TEMT, IN(UART_LSR));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, IN(UART_LSR));
}

/* Clause: STOP, RUNNING, the two P2P and PRE_COPY states: no arc changes a bit */
TEST_F(uart_status, arcs)
{
	static const enum vfio_device_mig_state path[] = {
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP,
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING,
	};
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		for (n = 0; n < ARRAY_SIZE(path); n++)
			ASSERT_RET(0, vmig_mig_set_state(self->dev, path[n], NULL), "%s",
				   vmig_state_name(path[n]));
		EXPECT_SET(&bits[i], "through all states");
	}
}

/* Clause: RESUMING to STOP: the bit is set, whatever bit the destination had set before */
TEST_F(uart_status, load)
{
	unsigned int i, other;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		self->stream.len = 0;
		ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");

		other = (i + 7) % ARRAY_SIZE(bits);
		SET(&bits[other]);
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
		EXPECT_SET(&bits[i], "loaded over %s", bits[other].name);
	}
}

/* Clause: RESUMING to STOP: what the destination had set before is not set any more */
TEST_F(uart_status, load_clears)
{
	unsigned int i;

	ASSERT_RET(0, vmig_uart_out(self->dev, variant->port, UART_IER, THRI), "IER");
	IN(UART_IIR);
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
		EXPECT_CLEARED(&bits[i], "loaded");
	}
}

/* Clause: VFIO_DEVICE_RESET: clears each bit */
TEST_F(uart_status, reset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_CLEARED(&bits[i], "reset");
	}
}

/* Driver: close: releases everything: each bit is cleared at the next open */
TEST_F(uart_status, close)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		vmig_device_close(self->dev);
		ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY),
			   "open");
		EXPECT_CLEARED(&bits[i], "closed and opened");
	}
}

/* Driver: the ports share nothing: accesses to one clear no bit of the other */
TEST_F(uart_status, other_port)
{
	unsigned int i, reg;
	uint8_t val;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		SET(&bits[i]);
		for (reg = UART_RX; reg <= UART_SCR; reg++) {
			ASSERT_RET(0, vmig_uart_in(self->dev, !variant->port, reg, &val),
				   "read");
			ASSERT_RET(0, vmig_uart_out(self->dev, !variant->port, reg, 0),
				   "write");
		}
		EXPECT_SET(&bits[i], "the other port");
	}
}

TEST_HARNESS_MAIN
