// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time of the character timeout, as the stream has it: in ns, and exact. It does not run
 * in STOP, so a test can load a time, access registers, and look at the time again. Waiting
 * for the timeout is in uart_timeout_test.c.
 */
#include <endian.h>
#include <stddef.h>
#include <time.h>

#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define FIFO_SIZE	16
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8)
#define NO_INT		(0xc0 | UART_IIR_NO_INT)
#define TIMEOUT		(0xc0 | UART_IIR_RX_TIMEOUT)

/* Four characters of 8n1 with divisor 1, in ns: 40 bits at 115200 baud */
#define FOUR_8N1	347223
/* The longest characters: 8 bits, parity, two stop bits */
#define FOUR_8E2	416667
/* The shortest: 5 bits */
#define FOUR_5N1	243056

/* Four characters take more than 20 seconds */
#define DIVISOR_SLOW	0xffff
#define POLLS		500

/*
 * @before: a record that was loaded, of a port with received bytes
 * @after:	the record that was saved then
 */
FIXTURE(uart_time) {
	DEVICE_MEMBERS;
	struct vmig_bytes reset;
	struct mtty_rec_uart before;
	struct mtty_rec_uart after;
};

PORT_VARIANTS(uart_time);

FIXTURE_SETUP(uart_time)
{
	OPEN_DEVICE("mtty-2");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->reset), "save");
	self->before = (struct mtty_rec_uart) {
		.port = variant->port,
		.fcr = FIFO,
		.lcr = UART_LCR_WLEN8,
		.ier = UART_IER_RDI,
		.dll = DIVISOR_SLOW & 0xff,
		.dlm = DIVISOR_SLOW >> 8,
		.fifo_len = 2,
		.fifo = { 'a', 'b' },
	};
}

FIXTURE_TEARDOWN(uart_time)
{
	vmig_bytes_free(&self->reset);
	CLOSE_DEVICE();
}

/* The stream of a device whose port is as in @before */
static int make_stream(FIXTURE_DATA(uart_time) *self, unsigned int port)
{
	struct vmig_rec rec;
	int ret;

	ret = vmig_bytes_copy(&self->stream, &self->reset);
	if (!ret)
		ret = vmig_stream_find(&self->stream, MTTY_REC_UART, port, &rec);
	if (!ret)
		ret = vmig_stream_poke(&self->stream, &rec, 0, &self->before,
				       sizeof(self->before));
	return ret ? ret : vmig_stream_fix_sums(&self->stream);
}

/* Load @before; the device is in STOP then */
static int load(FIXTURE_DATA(uart_time) *self, unsigned int port)
{
	int ret = vmig_device_reset(self->dev);

	if (!ret)
		ret = make_stream(self, port);
	return ret ? ret : vmig_transfer_load(self->dev, &self->stream);
}

/* Save @after */
static int save(FIXTURE_DATA(uart_time) *self, unsigned int port)
{
	struct vmig_rec rec;
	int ret;

	self->stream.len = 0;
	ret = vmig_transfer_save(self->dev, &self->stream);
	if (!ret)
		ret = vmig_stream_find(&self->stream, MTTY_REC_UART, port, &rec);
	if (!ret)
		memcpy(&self->after, rec.payload, sizeof(self->after));
	return ret;
}

#define LOAD()	ASSERT_RET(0, load(self, variant->port), "load")
#define SAVE()	ASSERT_RET(0, save(self, variant->port), "save")

static void set_time(struct mtty_rec_uart *rec, uint32_t quiet, uint16_t rest)
{
	rec->quiet = htole32(quiet);
	rec->quiet_rest = htole16(rest);
}

static void set_divisor(struct mtty_rec_uart *rec, uint16_t divisor)
{
	rec->dll = divisor & 0xff;
	rec->dlm = divisor >> 8;
}

#define EXPECT_TIME(_quiet, _rest, ...) do { \
	EXPECT_EQ(_quiet, le32toh(self->after.quiet)) { \
		TH_LOG(__VA_ARGS__); \
	} \
	EXPECT_EQ(_rest, le16toh(self->after.quiet_rest)) { \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)

/* By the data sheet: a start bit, 5 to 8 bits, perhaps a parity bit, 1 to 2 stop bits */
static unsigned int half_bits(uint8_t lcr)
{
	unsigned int bits = 5 + (lcr & UART_LCR_WLEN8);
	unsigned int half = 2 * (1 + bits + 1);

	if (lcr & UART_LCR_PARITY)
		half += 2;
	if (!(lcr & UART_LCR_STOP))
		return half;
	return half + (bits == 5 ? 1 : 2);
}

/*
 * Time of four characters with divisor 1, rounded up; a bit takes 16 periods of 1.8432 MHz
 */
static uint32_t four_characters(uint8_t lcr)
{
	return (4ull * half_bits(lcr) * 8 * 1000000000 + 1843199) / 1843200;
}

/* 16550: 8.1, 8.11: four characters, with the length that each LCR gives them */
TEST_F(uart_time, limit_of_each_format)
{
	unsigned int lcr;

	EXPECT_EQ(FOUR_8N1, four_characters(UART_LCR_WLEN8));
	for (lcr = 0; lcr < UART_LCR_SBC; lcr++) {
		self->before.lcr = lcr;
		set_time(&self->before, four_characters(lcr) - 1, 0);
		EXPECT_RET(0, load(self, variant->port), "LCR 0x%02x", lcr);
		set_time(&self->before, four_characters(lcr), 0);
		EXPECT_RET(-EINVAL, load(self, variant->port), "LCR 0x%02x", lcr);
	}
}

struct access {
	const char *name;
	uint8_t reg;
	/* -1 for a read */
	int val;
	/* Bytes that were received before */
	unsigned int len;
};

#define READ(_reg)		{ "read of " #_reg, _reg, -1, 2 }
#define WRITE(_reg, _val)	{ #_val " to " #_reg, _reg, _val, 2 }

static int do_access(struct vmig_device *dev, unsigned int port,
		     const struct access *access)
{
	uint8_t val;

	if (access->val >= 0)
		return vmig_uart_out(dev, port, access->reg, access->val);
	return vmig_uart_in(dev, port, access->reg, &val);
}

/* 16550: 8.11: a byte that is received or read, or an emptied FIFO, restarts the time */
TEST_F(uart_time, what_restarts_it)
{
	static const struct access accesses[] = {
		WRITE(UART_TX, 'x'),
		{ "byte that a full FIFO drops", UART_TX, 'x', FIFO_SIZE },
		READ(UART_RX),
		{ "read of the last byte", UART_RX, -1, 1 },
		WRITE(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC),
		WRITE(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR),
		WRITE(UART_FCR, 0),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		self->before.fifo_len = accesses[i].len;
		memset(self->before.fifo, 0, FIFO_SIZE);
		memset(self->before.fifo, 'f', accesses[i].len);
		set_time(&self->before, 1000, 7);
		LOAD();
		ASSERT_RET(0, do_access(self->dev, variant->port, &accesses[i]),
			   "%s", accesses[i].name);
		SAVE();
		EXPECT_TIME(0, 0, "%s", accesses[i].name);
		/* It is a state that a destination takes */
		EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "%s",
			   accesses[i].name);
	}
}

static const struct access harmless[] = {
	READ(UART_IER), READ(UART_IIR), READ(UART_LCR), READ(UART_MCR),
	READ(UART_LSR), READ(UART_MSR), READ(UART_SCR),
	WRITE(UART_IER, 0), WRITE(UART_IER, 0x0f),
	WRITE(UART_FCR, FIFO), WRITE(UART_FCR, FIFO | UART_FCR_CLEAR_XMIT),
	WRITE(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_1),
	WRITE(UART_LCR, UART_LCR_WLEN8 | UART_LCR_DLAB),
	WRITE(UART_LCR, UART_LCR_WLEN8 | UART_LCR_PARITY | UART_LCR_STOP),
	WRITE(UART_MCR, UART_MCR_LOOP), WRITE(UART_MCR, UART_MCR_RTS),
	WRITE(UART_LSR, 0xff), WRITE(UART_MSR, 0xff), WRITE(UART_SCR, 0x55),
};

/* 16550: 8.11: no other access to a register restarts the time */
TEST_F(uart_time, what_does_not_restart_it)
{
	static const uint32_t quiet[] = { 0, 1000, FOUR_8N1 - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++) {
		uint32_t ns = quiet[i % ARRAY_SIZE(quiet)];

		set_time(&self->before, ns, 7);
		LOAD();
		ASSERT_RET(0, do_access(self->dev, variant->port, &harmless[i]), "%s",
			   harmless[i].name);
		SAVE();
		EXPECT_TIME(ns, 7, "%s", harmless[i].name);
	}
}

/* Driver: mtty_rec_uart.quiet_rest: a new divisor begins a new bit, with the same time */
TEST_F(uart_time, divisor_keeps_the_characters)
{
	static const uint16_t divisors[] = { 0, 1, 8, 9, 10, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(divisors); i++) {
		set_divisor(&self->before, 9);
		set_time(&self->before, 1000, 8);
		LOAD();
		ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port,
						    divisors[i]), "divisor");
		SAVE();
		EXPECT_TIME(1000, 0, "divisor %u", divisors[i]);
		EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream),
			   "divisor %u", divisors[i]);
	}
}

/* 16550: 8.11: a time that is over for shorter characters is over */
TEST_F(uart_time, characters_become_shorter)
{
	static const struct {
		uint32_t quiet;
		uint8_t iir;
	} times[] = {
		{ FOUR_5N1 - 1, NO_INT }, { FOUR_5N1, TIMEOUT },
		{ FOUR_5N1 + 1, TIMEOUT }, { FOUR_8E2 - 1, TIMEOUT },
	};
	unsigned int i;

	self->before.lcr = UART_LCR_WLEN8 | UART_LCR_PARITY | UART_LCR_STOP;
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		bool over = times[i].iir == TIMEOUT;

		set_time(&self->before, times[i].quiet, 7);
		LOAD();
		EXPECT_EQ(NO_INT, IN(UART_IIR));
		OUT(UART_LCR, UART_LCR_WLEN5);
		EXPECT_EQ(times[i].iir, IN(UART_IIR)) TH_LOG("%u ns", times[i].quiet);
		SAVE();
		EXPECT_EQ(over, self->after.flags == MTTY_REC_UART_TIMEOUT);
		EXPECT_TIME(over ? 0 : times[i].quiet, over ? 0 : 7, "%u ns",
			    times[i].quiet);
	}
}

/* 16550: 8.11: a timeout that has come ends with a read of a byte, or with all bytes */
TEST_F(uart_time, what_ends_a_timeout)
{
	static const struct access accesses[] = {
		READ(UART_RX),
		{ "read of the last byte", UART_RX, -1, 1 },
		WRITE(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR),
		WRITE(UART_FCR, 0),
	};
	unsigned int i;

	self->before.flags = MTTY_REC_UART_TIMEOUT;
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		self->before.fifo_len = accesses[i].len;
		self->before.fifo[1] = accesses[i].len == 2 ? 'b' : 0;
		LOAD();
		EXPECT_EQ(TIMEOUT, IN(UART_IIR));
		ASSERT_RET(0, do_access(self->dev, variant->port, &accesses[i]),
			   "%s", accesses[i].name);
		EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR) & 0x0f)
			TH_LOG("%s", accesses[i].name);
		SAVE();
		EXPECT_EQ(0, self->after.flags) TH_LOG("%s", accesses[i].name);
	}
}

/* 16550: 8.11: nothing else ends a timeout: no byte that is received, no register */
TEST_F(uart_time, what_does_not_end_a_timeout)
{
	static const struct access bytes[] = {
		WRITE(UART_TX, 'x'),
		{ "byte that a full FIFO drops", UART_TX, 'x', FIFO_SIZE },
		WRITE(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC),
	};
	unsigned int i;

	self->before.flags = MTTY_REC_UART_TIMEOUT;
	for (i = 0; i < ARRAY_SIZE(bytes) + ARRAY_SIZE(harmless); i++) {
		const struct access *access = i < ARRAY_SIZE(bytes) ? &bytes[i] :
					      &harmless[i - ARRAY_SIZE(bytes)];

		self->before.fifo_len = access->len;
		memset(self->before.fifo, 0, FIFO_SIZE);
		memset(self->before.fifo, 'f', access->len);
		LOAD();
		ASSERT_RET(0, do_access(self->dev, variant->port, access), "%s",
			   access->name);
		SAVE();
		EXPECT_TRUE(self->after.flags & MTTY_REC_UART_TIMEOUT)
			TH_LOG("%s", access->name);
		EXPECT_TIME(0, 0, "%s", access->name);
	}
}

/* Driver: 8.11: what is left of the time is the timer's, and then the time is 0 */
TEST_F(uart_time, only_the_rest_is_waited_for)
{
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	/* 1 ns is left of 22 seconds */
	set_time(&self->before, FOUR_8N1 - 1, DIVISOR_SLOW - 1);
	LOAD();
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, VFIO_PCI_INTX_IRQ_INDEX,
				      VFIO_IRQ_SET_ACTION_TRIGGER, fd), "INTx");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	EXPECT_EQ(1, vmig_eventfd_wait(fd, VMIG_IRQ_DEADLINE_MS));
	SAVE();
	EXPECT_EQ(MTTY_REC_UART_TIMEOUT, self->after.flags);
	EXPECT_TIME(0, 0, "the time is over");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load again");
	close(fd);
}

/* Driver: mtty_rec_uart.quiet: times of many seconds are right, too; in ns they need 64 bits */
TEST_F(uart_time, long_times_do_not_wrap)
{
	const struct timespec more = { .tv_nsec = 2000000 };
	/* In ns, 21 seconds are left: 65530 more than 5 * 2^32 */
	const uint32_t quiet = FOUR_8N1 - 327686;

	set_time(&self->before, quiet, 0);
	LOAD();
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	nanosleep(&more, NULL);
	EXPECT_EQ(NO_INT, IN(UART_IIR));
	SAVE();
	EXPECT_EQ(0, self->after.flags);
	EXPECT_LE(quiet + more.tv_nsec / DIVISOR_SLOW, le32toh(self->after.quiet));
}

/* The time in a record, in ns */
static uint64_t time_of(const struct mtty_rec_uart *rec)
{
	uint16_t divisor = rec->dll | rec->dlm << 8;

	return (uint64_t)le32toh(rec->quiet) * divisor + le16toh(rec->quiet_rest);
}

/*
 * 16550: 8.11: the time is that since the last byte, neither more nor less, however often
 * the registers are read and written
 */
TEST_F(uart_time, all_time_is_counted_once)
{
	static const uint16_t divisors[] = { DIVISOR_SLOW, 0x8001 };
	uint64_t begin[2], end[2];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(divisors); i++) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_uart_init(self->dev, variant->port,
					     UART_FCR_TRIGGER_8, 0), "init");
		ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port,
						    divisors[i]), "divisor");
		begin[0] = vmig_now_ns();
		OUT(UART_TX, 'a');
		begin[1] = vmig_now_ns();
		for (n = 0; n < POLLS; n++) {
			EXPECT_EQ(NO_INT, IN(UART_IIR));
			OUT(UART_SCR, n);
		}
		end[0] = vmig_now_ns();
		ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
						 NULL), "STOP");
		end[1] = vmig_now_ns();
		SAVE();
		EXPECT_EQ(0, self->after.flags & MTTY_REC_UART_TIMEOUT);
		EXPECT_LE(end[0] - begin[1], time_of(&self->after));
		EXPECT_GE(end[1] - begin[0], time_of(&self->after));
	}
}

/* Driver: 8.11: STOP counts the time since the last access, and none after that */
TEST_F(uart_time, stop_counts_to_the_end)
{
	const struct timespec more = { .tv_nsec = 2000000 };
	uint64_t begin, end, first;

	LOAD();
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	nanosleep(&more, NULL);
	SAVE();
	first = time_of(&self->after);
	EXPECT_LE(more.tv_nsec, first);
	nanosleep(&more, NULL);

	/* All that counts is between these two */
	begin = vmig_now_ns();
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP, NULL), "STOP");
	end = vmig_now_ns();
	SAVE();
	EXPECT_LT(first, time_of(&self->after));
	EXPECT_GE(end - begin, time_of(&self->after) - first);
}

TEST_HARNESS_MAIN
