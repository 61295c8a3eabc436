// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character timeout of a 16550A: there are bytes in the FIFO, and for the time of
 * four characters none was received or read. Its priority is in uart_irq_test.c.
 */

#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"

#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define TIMEOUT		(0xc0 | UART_IIR_RX_TIMEOUT)
#define FIFO		(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8)
#define NO_INT		(0xc0 | UART_IIR_NO_INT)

/* A character of 8n1 has ten bits: four characters take 25 ms */
#define DIVISOR_SHORT	72
#define SHORT_MS	25
#define DIVISOR_LONG	(8 * DIVISOR_SHORT)
#define LONG_MS		(8 * SHORT_MS)
/* Four characters take more than 20 seconds: the timeout does not come */
#define DIVISOR_SLOW	0xffff

/* Timers of the kernel count in ticks of at most 10 ms */
#define TICKS_MS	20

/*
 * How often to try something that must be done before the time is over: a VM that was
 * not scheduled may miss it.
 */
#define TRIES		20
/* The time gets longer in each of these tries, so fewer suffice; a divisor has 16 bits */
#define LONG_TRIES	8
#define TIMEOUT_S	90

FIXTURE(uart_timeout) {
	DEVICE_MEMBERS;
	int eventfd;
};

PORT_VARIANTS(uart_timeout);

#define INIT(_port, _trigger, _ier) \
	ASSERT_RET(0, vmig_uart_init(self->dev, _port, _trigger, _ier), "port")
#define DIVISOR(_divisor) \
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port, _divisor), "divisor")

FIXTURE_SETUP(uart_timeout)
{
	self->eventfd = vmig_eventfd_create();
	ASSERT_LE(0, self->eventfd);
	OPEN_DEVICE("mtty-2");
	INIT(variant->port, UART_FCR_TRIGGER_8, UART_IER_RDI);
	DIVISOR(DIVISOR_SHORT);
	ASSERT_EQ(0, vmig_bus_master_enable(self->dev));
	ASSERT_EQ(0, vmig_irq_set_fd(self->dev, MSI, TRIGGER, self->eventfd));
}

FIXTURE_TEARDOWN(uart_timeout)
{
	close(self->eventfd);
	CLOSE_DEVICE();
}

#define STATE(_state) \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, _state, NULL), "state")

#define EXPECT_COMES() \
	EXPECT_EQ(1, vmig_eventfd_wait(self->eventfd, VMIG_IRQ_DEADLINE_MS))

/* Waits for the time of several timeouts */
#define EXPECT_DOES_NOT_COME() do { \
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->eventfd, 3 * SHORT_MS)); \
	EXPECT_EQ(NO_INT, IN(UART_IIR)); \
} while (0)

/* 16550: 8.11: the time of four characters, by LCR and the divisor */
TEST_F(uart_timeout, takes_four_characters)
{
	static const struct {
		uint8_t lcr;
		unsigned int half_bits;
	} formats[] = {
		{ UART_LCR_WLEN5, 14 },
		{ UART_LCR_WLEN5 | UART_LCR_STOP, 15 },
		{ UART_LCR_WLEN6 | UART_LCR_STOP, 18 },
		{ UART_LCR_WLEN7, 18 },
		{ UART_LCR_WLEN8, 20 },
		{ UART_LCR_WLEN8 | UART_LCR_PARITY, 22 },
		{ UART_LCR_WLEN8 | UART_LCR_STOP, 22 },
		{ UART_LCR_WLEN8 | UART_LCR_PARITY | UART_LCR_STOP, 24 },
	};
	unsigned int i;

	DIVISOR(2 * DIVISOR_SHORT);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		int64_t due = 2 * SHORT_MS * formats[i].half_bits / 20, start;

		OUT(UART_LCR, formats[i].lcr);
		start = vmig_now_ms();
		OUT(UART_TX, 0x15);
		EXPECT_COMES();
		EXPECT_LE(due - 1, vmig_now_ms() - start)
			TH_LOG("LCR 0x%02x", formats[i].lcr);
		EXPECT_EQ(0x15, IN(UART_RX));
	}
}

typedef int (*move_fn)(struct vmig_device *dev, unsigned int port);

static int put(struct vmig_device *dev, unsigned int port)
{
	return vmig_uart_out(dev, port, UART_TX, 'p');
}

static int get(struct vmig_device *dev, unsigned int port)
{
	uint8_t val;

	return vmig_uart_in(dev, port, UART_RX, &val);
}

/* Moved one after the other, they take longer than the time of a timeout */
#define NR_MOVES	8

/*
 * Move bytes so often that there is no timeout of @ms, then wait for one. @last is a time
 * before the last byte.
 * Return: ms from the last byte to the interrupt, -EAGAIN if bytes were moved too
 * late, or another -errno.
 */
static int64_t move_and_wait(struct vmig_device *dev, unsigned int port, int fd,
			     move_fn move, int64_t last, int64_t ms)
{
	int64_t before, ret;
	unsigned int i;

	for (i = 0; i < NR_MOVES; i++) {
		usleep(ms / 5 * 1000);
		before = vmig_now_ms();
		ret = move(dev, port);
		if (ret)
			return ret;
		if (vmig_now_ms() - last >= ms - TICKS_MS)
			return -EAGAIN;
		last = before;
	}
	ret = vmig_eventfd_wait(fd, VMIG_IRQ_DEADLINE_MS);

	return ret < 0 ? ret : vmig_now_ms() - last;
}

static void check_restarts(struct __test_metadata *_metadata,
			   FIXTURE_DATA(uart_timeout) *self,
			   const FIXTURE_VARIANT(uart_timeout) *variant,
			   move_fn move)
{
	const uint8_t fifo = UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14;
	int64_t ret = -EAGAIN, ms = 0, start;
	unsigned int i, n;

	for (i = 0; i < LONG_TRIES && ret == -EAGAIN; i++) {
		ms = LONG_MS * (i + 1);
		DIVISOR(DIVISOR_LONG * (i + 1));
		OUT(UART_IER, 0);
		OUT(UART_FCR, fifo | UART_FCR_CLEAR_RCVR);
		vmig_eventfd_take(self->eventfd);
		start = vmig_now_ms();
		/* Below the level: put() adds eight bytes, get() leaves one */
		for (n = 0; n < (move == get ? NR_MOVES + 1 : 5); n++)
			OUT(UART_TX, 'a' + n);
		OUT(UART_IER, UART_IER_RDI);
		ret = move_and_wait(self->dev, variant->port, self->eventfd, move, start,
				    ms);
	}
	EXPECT_LE(ms - TICKS_MS, ret);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: a byte that is received restarts the time */
TEST_F_TIMEOUT(uart_timeout, each_byte_restarts_the_time, TIMEOUT_S)
{
	check_restarts(_metadata, self, variant, put);
}

/* 16550: 8.11: a byte that is read restarts the time of the others */
TEST_F_TIMEOUT(uart_timeout, each_read_restarts_the_time, TIMEOUT_S)
{
	check_restarts(_metadata, self, variant, get);
}

/* Driver: the ports share nothing: bytes of the other port do not restart the time */
TEST_F(uart_timeout, other_port_does_not_restart_the_time)
{
	int64_t end, signals = 0;
	uint8_t val;

	INIT(!variant->port, UART_FCR_TRIGGER_14, 0);
	DIVISOR(DIVISOR_LONG);
	end = vmig_now_ms() + VMIG_IRQ_DEADLINE_MS;
	OUT(UART_TX, 'a');
	while (!signals && vmig_now_ms() < end) {
		ASSERT_EQ(0, vmig_uart_out(self->dev, !variant->port, UART_TX, 'b'));
		ASSERT_EQ(0, vmig_uart_in(self->dev, !variant->port, UART_RX, &val));
		signals = vmig_eventfd_take(self->eventfd);
	}
	EXPECT_EQ(1, signals);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: reads of LSR do not restart the time */
TEST_F(uart_timeout, polling_does_not_restart_the_time)
{
	int64_t end, signals = 0;

	DIVISOR(DIVISOR_LONG);
	end = vmig_now_ms() + VMIG_IRQ_DEADLINE_MS;
	OUT(UART_TX, 'a');
	while (!signals && vmig_now_ms() < end) {
		EXPECT_EQ(UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT, IN(UART_LSR));
		OUT(UART_SCR, signals);
		signals = vmig_eventfd_take(self->eventfd);
	}
	EXPECT_EQ(1, signals);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: no timeout for an empty FIFO */
TEST_F(uart_timeout, not_for_an_empty_fifo)
{
	OUT(UART_TX, 'a');
	EXPECT_EQ('a', IN(UART_RX));
	/* It may have come between write and read */
	vmig_eventfd_take(self->eventfd);
	EXPECT_DOES_NOT_COME();
	OUT(UART_TX, 'a');
	OUT(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR);
	vmig_eventfd_take(self->eventfd);
	EXPECT_DOES_NOT_COME();
}

/* 16550: 8.11: clearing the FIFO, or switching it off, ends a timeout */
TEST_F(uart_timeout, ends_with_the_fifo)
{
	static const uint8_t fcrs[] = {
		FIFO | UART_FCR_CLEAR_RCVR, 0,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fcrs); i++) {
		OUT(UART_TX, 'a');
		EXPECT_COMES();
		OUT(UART_FCR, fcrs[i]);
		EXPECT_EQ(UART_IIR_NO_INT, IN(UART_IIR) & 0x0f);
		OUT(UART_FCR, FIFO);
		EXPECT_DOES_NOT_COME();
	}
}

/* 16550: 8.11: reported only with IER bit 0, also for bytes received before that */
TEST_F(uart_timeout, needs_the_enable_bit)
{
	OUT(UART_IER, UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI);
	OUT(UART_TX, 'a');
	/* The transmitter is always empty */
	EXPECT_EQ(0xc0 | UART_IIR_THRI, IN(UART_IIR));
	vmig_eventfd_take(self->eventfd);
	EXPECT_DOES_NOT_COME();
	OUT(UART_IER, UART_IER_RDI);
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* Send bytes, then wait for the time of four characters */
static int send_and_wait(struct vmig_device *dev, unsigned int port, unsigned int n)
{
	int64_t end;
	int ret = 0;

	while (n-- && !ret)
		ret = vmig_uart_out(dev, port, UART_TX, 'a' + n);
	end = vmig_now_ms() + SHORT_MS + 1;
	while (!ret && vmig_now_ms() <= end)
		usleep(1000);

	return ret;
}

/* 16550: 8.11: the time does not depend on IER; enabled after it, the timeout is due */
TEST_F(uart_timeout, enabled_late_it_comes_at_once)
{
	OUT(UART_IER, 0);
	ASSERT_RET(0, send_and_wait(self->dev, variant->port, 1), "send");
	EXPECT_EQ(0, vmig_eventfd_take(self->eventfd));
	OUT(UART_IER, UART_IER_RDI);
	EXPECT_EQ(1, vmig_eventfd_take(self->eventfd));
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	/* Disabling it does not end it */
	OUT(UART_IER, 0);
	EXPECT_EQ(NO_INT, IN(UART_IIR));
	OUT(UART_IER, UART_IER_RDI);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: the time runs above the trigger level, too; a higher level shows it */
TEST_F(uart_timeout, trigger_raised_late_it_comes_at_once)
{
	ASSERT_RET(0, send_and_wait(self->dev, variant->port, 8), "send");
	EXPECT_EQ(0xc0 | UART_IIR_RDI, IN(UART_IIR));
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	/* With a lower level both are due, and IIR reports the level */
	OUT(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_4);
	EXPECT_EQ(0xc0 | UART_IIR_RDI, IN(UART_IIR));
	IN(UART_RX);
	EXPECT_EQ(0xc0 | UART_IIR_RDI, IN(UART_IIR));
}

/* 16550: 8.11: only a byte that is read ends it, no byte that is received */
TEST_F(uart_timeout, received_byte_does_not_end_it)
{
	OUT(UART_TX, 'a');
	EXPECT_COMES();
	DIVISOR(DIVISOR_SLOW);
	OUT(UART_TX, 'b');
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	EXPECT_EQ('a', IN(UART_RX));
	EXPECT_EQ(NO_INT, IN(UART_IIR));
}

/* Driver: 8.11: at most two ticks late, also where the time has become shorter */
TEST_F(uart_timeout, comes_when_the_time_becomes_shorter)
{
	DIVISOR(DIVISOR_SLOW);
	OUT(UART_TX, 'a');
	DIVISOR(DIVISOR_SHORT);
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: reading one of several bytes ends a timeout and restarts the time */
TEST_F(uart_timeout, one_read_ends_it_before_it_is_reported)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		int64_t start;

		OUT(UART_IER, 0);
		ASSERT_RET(0, send_and_wait(self->dev, variant->port, 3), "send");
		IN(UART_RX);
		start = vmig_now_ms();
		OUT(UART_IER, UART_IER_RDI);
		/* A VM that was not scheduled is too late: try again */
		if (vmig_eventfd_take(self->eventfd) == 0)
			break;
		ASSERT_LE(SHORT_MS - 1, vmig_now_ms() - start);
		OUT(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR);
	}
	ASSERT_GT(TRIES, i);
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: only bytes restart the time, no write to a register */
TEST_F(uart_timeout, writes_do_not_restart_the_time)
{
	static const struct {
		const char *name;
		uint8_t reg;
		uint8_t val[2];
	} writes[] = {
		{ "IER", UART_IER, { 0, UART_IER_RDI } },
		{ "IER THRI", UART_IER,
		  { UART_IER_RDI | UART_IER_THRI, UART_IER_RDI } },
		{ "LCR", UART_LCR,
		  { UART_LCR_WLEN8 | UART_LCR_PARITY, UART_LCR_WLEN8 } },
		{ "DLAB", UART_LCR,
		  { UART_LCR_WLEN8 | UART_LCR_DLAB, UART_LCR_WLEN8 } },
		{ "MCR", UART_MCR, { UART_MCR_LOOP, 0 } },
		{ "FCR", UART_FCR,
		  { UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_1, FIFO } },
		{ "CLEAR_XMIT", UART_FCR, { FIFO | UART_FCR_CLEAR_XMIT, FIFO } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		int64_t end = vmig_now_ms() + VMIG_IRQ_DEADLINE_MS;
		uint8_t iir = NO_INT;

		OUT(UART_TX, 'a');
		while (iir != TIMEOUT && vmig_now_ms() < end) {
			OUT(writes[i].reg, writes[i].val[0]);
			OUT(writes[i].reg, writes[i].val[1]);
			iir = IN(UART_IIR);
		}
		EXPECT_EQ(TIMEOUT, iir) TH_LOG("%s", writes[i].name);
		EXPECT_EQ('a', IN(UART_RX));
	}
}

/* Driver: divisor 0: stops the time, and does not restart it */
TEST_F(uart_timeout, clock_off_and_on)
{
	int64_t end = vmig_now_ms() + VMIG_IRQ_DEADLINE_MS;

	OUT(UART_TX, 'a');
	while (IN(UART_IIR) != TIMEOUT && vmig_now_ms() < end) {
		DIVISOR(0);
		usleep(1000);
		DIVISOR(DIVISOR_SHORT);
		usleep(1000);
	}
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: a break is a character that is received, and starts the time */
TEST_F(uart_timeout, comes_after_a_break)
{
	OUT(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	EXPECT_EQ(0, IN(UART_RX));
	/* A byte sent during the break is not received, so it does not start the time */
	vmig_eventfd_take(self->eventfd);
	OUT(UART_TX, 'a');
	EXPECT_DOES_NOT_COME();
}

/* 16550: 8.6: RX_TIMEOUT: a lower priority than RLSI, a higher one than THRI, MSI */
TEST_F(uart_timeout, among_all_the_others)
{
	unsigned int i;

	OUT(UART_IER, 0);
	for (i = 0; i < 17; i++)
		OUT(UART_TX, 'a' + i);
	for (i = 0; i < 13; i++)
		EXPECT_EQ('a' + i, IN(UART_RX));
	OUT(UART_IER, UART_IER_RDI);
	EXPECT_COMES();
	OUT(UART_MCR, UART_MCR_RTS);
	OUT(UART_IER, UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI);
	EXPECT_EQ(0xc0 | UART_IIR_RLSI, IN(UART_IIR));
	EXPECT_EQ(UART_LSR_OE, IN(UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	EXPECT_EQ('a' + 13, IN(UART_RX));
	EXPECT_EQ(0xc0 | UART_IIR_THRI, IN(UART_IIR));
	EXPECT_EQ(0xc0 | UART_IIR_MSI, IN(UART_IIR));
	IN(UART_MSR);
	EXPECT_EQ(NO_INT, IN(UART_IIR));
}

/* Clause: STOP, STOP_COPY: internal state does not change, so no time starts */
TEST_F(uart_timeout, stopped_device_starts_no_time)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		STATE(states[i]);
		OUT(UART_TX, 'a');
		EXPECT_DOES_NOT_COME();
		STATE(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_COMES();
		EXPECT_EQ(TIMEOUT, IN(UART_IIR));
		EXPECT_EQ('a', IN(UART_RX));
	}
}

/* Clause: STOP: internal state does not change, so the time stops */
TEST_F_TIMEOUT(uart_timeout, stopping_stops_the_time, TIMEOUT_S)
{
	int64_t start, late = LONG_MS;
	unsigned int i;

	DIVISOR(DIVISOR_LONG);
	for (i = 0; i < TRIES && late >= LONG_MS - TICKS_MS; i++) {
		STATE(VFIO_DEVICE_STATE_RUNNING);
		OUT(UART_FCR, FIFO | UART_FCR_CLEAR_RCVR);
		vmig_eventfd_take(self->eventfd);
		start = vmig_now_ms();
		OUT(UART_TX, 'a');
		STATE(VFIO_DEVICE_STATE_STOP);
		late = vmig_now_ms() - start;
	}
	ASSERT_GT(LONG_MS - TICKS_MS, late);
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->eventfd, 2 * LONG_MS));
	EXPECT_EQ(NO_INT, IN(UART_IIR));
	STATE(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* Driver: the time continues after a stop, it does not restart */
TEST_F(uart_timeout, stops_do_not_restart_the_time)
{
	int64_t end = vmig_now_ms() + VMIG_IRQ_DEADLINE_MS;
	int signals = 0;

	OUT(UART_TX, 'a');
	while (!signals && vmig_now_ms() < end) {
		usleep(1000);
		STATE(VFIO_DEVICE_STATE_STOP);
		STATE(VFIO_DEVICE_STATE_RUNNING);
		signals = vmig_eventfd_take(self->eventfd);
	}
	EXPECT_EQ(1, signals);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* Clause: RUNNING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P: the time runs */
TEST_F(uart_timeout, comes_in_every_running_state)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_RUNNING,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		STATE(states[i]);
		OUT(UART_TX, 'a');
		EXPECT_COMES();
		EXPECT_EQ(TIMEOUT, IN(UART_IIR))
			TH_LOG("%s", vmig_state_name(states[i]));
		EXPECT_EQ('a', IN(UART_RX));
	}
}

/* Driver: close: releases everything, also a timeout whose time runs */
TEST_F(uart_timeout, does_not_last_until_the_next_open)
{
	DIVISOR(DIVISOR_LONG);
	OUT(UART_TX, 'a');
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	INIT(variant->port, UART_FCR_TRIGGER_8, UART_IER_RDI);
	DIVISOR(2 * DIVISOR_LONG);
	ASSERT_EQ(0, vmig_bus_master_enable(self->dev));
	ASSERT_EQ(0, vmig_irq_set_fd(self->dev, MSI, TRIGGER, self->eventfd));
	OUT(UART_TX, 'b');
	EXPECT_COMES();
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	EXPECT_EQ('b', IN(UART_RX));
}

/* Clause: VFIO_DEVICE_RESET: ends a timeout that has come, and one whose time runs */
TEST_F(uart_timeout, reset_ends_it)
{
	int over;

	for (over = 0; over < 2; over++) {
		INIT(variant->port, UART_FCR_TRIGGER_8, UART_IER_RDI);
		DIVISOR(DIVISOR_SHORT);
		OUT(UART_TX, 'a');
		if (over)
			EXPECT_COMES();
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "master");
		vmig_eventfd_take(self->eventfd);
		OUT(UART_FCR, FIFO);
		OUT(UART_IER, UART_IER_RDI);
		EXPECT_DOES_NOT_COME();
	}
}

TEST_HARNESS_MAIN
