// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer and the clock behind the character timeout, on each port: they follow the
 * registers, the migration state and the life of the device. The 16550's own
 * rules are in uart_timeout_test.c.
 */
#include <linux/serial_reg.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define FIFO_BIT	0xc0
#define TIMED_OUT	(FIFO_BIT | UART_IIR_RX_TIMEOUT)
#define NO_INT		(FIFO_BIT | UART_IIR_NO_INT)

/* Four characters of 8n1 take this time, in ns */
#define TIME_NS(_divisor)	((int64_t)(_divisor) * 347222)

/* 0.35 ms, far less than a tick of the kernel's timers; 10, 50 and 100 ms */
#define TINY		1
#define SHORT		29
#define MIDDLE		144
#define LONG		288
/* 22 s: longer than any test waits */
#define ENDLESS		0xff00

/* How often to try what a VM that is not scheduled may be too late for */
#define TRIES		20
#define ROUNDS		6
#define ASSERT_IN_TIME(_divisor, _ns) \
	ASSERT_GT(TIME_NS(_divisor), _ns) { \
		TH_LOG("too late in each of %u tries", TRIES); \
	}
/* Three ticks of the kernel's timers, which take 10 ms at most */
#define TICKS_US	30000

FIXTURE(timer) {
	DEVICE_MEMBERS;
	int event;
};

FIXTURE_VARIANT(timer) {
	unsigned int port;
};

FIXTURE_VARIANT_ADD(timer, port_0) { .port = 0 };
FIXTURE_VARIANT_ADD(timer, port_1) { .port = 1 };

static int connect_msi(struct vmig_device *dev, int event)
{
	int ret = vmig_bus_master_enable(dev);

	return ret ? ret : vmig_irq_set_fd(dev, MSI, TRIGGER, event);
}

FIXTURE_SETUP(timer)
{
	self->event = vmig_eventfd_create();
	ASSERT_LE(0, self->event);
	OPEN_DEVICE("mtty-2");
	ASSERT_RET(0, connect_msi(self->dev, self->event), "MSI");
}

FIXTURE_TEARDOWN(timer)
{
	close(self->event);
	CLOSE_DEVICE();
}

/* An empty FIFO with a trigger level that no test reaches */
static int set_up(struct vmig_device *dev, unsigned int port, uint16_t divisor)
{
	int ret = vmig_uart_init(dev, port, UART_FCR_TRIGGER_8, UART_IER_RDI);

	return ret ? ret : vmig_uart_set_divisor(dev, port, divisor);
}

#define SET_UP(_port, _divisor) \
	ASSERT_RET(0, set_up(self->dev, _port, _divisor), "set up")
#define SEND(_port) \
	ASSERT_RET(0, vmig_uart_out(self->dev, _port, UART_TX, 't'), "send")
#define DIVISOR(_divisor) \
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port, _divisor), "divisor")
#define IIR(_port) ({ \
	uint8_t seen_iir = 0; \
	ASSERT_RET(0, vmig_uart_in(self->dev, _port, UART_IIR, &seen_iir), "IIR"); \
	seen_iir; \
})
#define EXPECT_COMES() \
	EXPECT_EQ(1, vmig_eventfd_wait(self->event, VMIG_IRQ_DEADLINE_MS))

/* Without sleeping, which would take a tick */
static void spin_until(int64_t end_ns)
{
	while (vmig_now_ns() < end_ns)
		;
}

/* Driver: character timeout: the interrupt is of the port whose time is over */
TEST_F(timer, each_port_has_its_own)
{
	unsigned int other = !variant->port;

	SET_UP(other, ENDLESS);
	SET_UP(variant->port, SHORT);
	SEND(other);
	SEND(variant->port);
	EXPECT_COMES();
	EXPECT_EQ(TIMED_OUT, IIR(variant->port));
	EXPECT_EQ(NO_INT, IIR(other));
}

/* 16550: 8.11: IIR shows the timeout when its time is over, not at the next tick */
TEST_F(timer, register_needs_no_timer)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		SET_UP(variant->port, TINY);
		SEND(variant->port);
		spin_until(vmig_now_ns() + 2 * TIME_NS(TINY));
		EXPECT_EQ(TIMED_OUT, IIR(variant->port)) {
			TH_LOG("round %u", i);
		}
	}
}

/* 16550: 8.11: time that has passed was counted with the divisor that it had */
TEST_F(timer, divisor_is_for_later_time)
{
	int64_t start, late = INT64_MAX;
	uint8_t iir = 0;
	unsigned int i;

	for (i = 0; i < TRIES && late >= TIME_NS(SHORT); i++) {
		SET_UP(variant->port, ENDLESS);
		SEND(variant->port);
		spin_until(vmig_now_ns() + 3 * TIME_NS(SHORT));
		start = vmig_now_ns();
		DIVISOR(SHORT);
		iir = IIR(variant->port);
		late = vmig_now_ns() - start;
	}
	ASSERT_IN_TIME(SHORT, late);
	EXPECT_EQ(NO_INT, iir);
}

/* 16550: 8.11: the time begins with the first byte, whatever was before */
TEST_F(timer, begins_with_the_first_byte)
{
	int64_t start, late = INT64_MAX;
	uint8_t iir = 0;
	unsigned int i;

	SET_UP(variant->port, MIDDLE);
	for (i = 0; i < TRIES && late >= TIME_NS(MIDDLE); i++) {
		usleep(2 * TIME_NS(MIDDLE) / 1000);
		ASSERT_RET(0, vmig_uart_out(self->dev, variant->port, UART_FCR,
					    UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8 |
					    UART_FCR_CLEAR_RCVR), "clear the FIFO");
		start = vmig_now_ns();
		SEND(variant->port);
		iir = IIR(variant->port);
		late = vmig_now_ns() - start;
	}
	ASSERT_IN_TIME(MIDDLE, late);
	EXPECT_EQ(NO_INT, iir);
}

/* Clause: STOP: internal state does not change, so time in STOP does not count */
TEST_F(timer, does_not_count_in_stop)
{
	int64_t start, ran = INT64_MAX;
	uint8_t iir = 0;
	unsigned int i;

	for (i = 0; i < TRIES && ran >= TIME_NS(LONG); i++) {
		SET_UP(variant->port, LONG);
		vmig_eventfd_take(self->event);
		start = vmig_now_ns();
		SEND(variant->port);
		GO(STOP);
		ran = vmig_now_ns() - start;
		usleep(2 * TIME_NS(LONG) / 1000);
		start = vmig_now_ns();
		GO(RUNNING);
		iir = IIR(variant->port);
		ran += vmig_now_ns() - start;
	}
	ASSERT_IN_TIME(LONG, ran);
	EXPECT_EQ(NO_INT, iir);
	/* The timer of before has expired in STOP */
	EXPECT_COMES();
	EXPECT_EQ(TIMED_OUT, IIR(variant->port));
}

/* Driver: character timeout: the time continues after a stop, it does not restart */
TEST_F(timer, continues_after_a_stop)
{
	const int64_t more_than_half = TIME_NS(MIDDLE) * 6 / 10;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		SET_UP(variant->port, MIDDLE);
		SEND(variant->port);
		spin_until(vmig_now_ns() + more_than_half);
		GO(STOP);
		GO(RUNNING);
		spin_until(vmig_now_ns() + more_than_half);
		ASSERT_EQ(TIMED_OUT, IIR(variant->port)) {
			TH_LOG("round %u", i);
		}
	}
}

/* Driver: character timeout: over before a stop, while its timer is not: it is not lost */
TEST_F(timer, is_not_lost_by_a_stop)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		SET_UP(variant->port, TINY);
		vmig_eventfd_take(self->event);
		SEND(variant->port);
		spin_until(vmig_now_ns() + 2 * TIME_NS(TINY));
		GO(STOP);
		/* Until the timer has expired: it was armed for one of the next two ticks */
		usleep(TICKS_US);
		GO(RUNNING);
		ASSERT_EQ(1, vmig_eventfd_wait(self->event, VMIG_IRQ_DEADLINE_MS)) {
			TH_LOG("round %u", i);
		}
	}
}

/* Driver: close: a timer that is armed does not keep the next user from arming it */
TEST_F(timer, next_user_can_arm_it)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		SET_UP(variant->port, MIDDLE);
		SEND(variant->port);
		vmig_device_close(self->dev);
		ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY),
			   "open");
		ASSERT_RET(0, connect_msi(self->dev, self->event), "MSI");
		vmig_eventfd_take(self->event);
		/* Due later than the one before */
		SET_UP(variant->port, LONG);
		SEND(variant->port);
		EXPECT_COMES();
		EXPECT_EQ(TIMED_OUT, IIR(variant->port));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	}
}

/* Driver: VFIO_DEVICE_RESET: a timer that is armed does not keep the next one from arming */
TEST_F(timer, reset_device_can_arm_it)
{
	SET_UP(variant->port, SHORT);
	SEND(variant->port);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	vmig_eventfd_take(self->event);
	SET_UP(variant->port, MIDDLE);
	SEND(variant->port);
	EXPECT_COMES();
	EXPECT_EQ(TIMED_OUT, IIR(variant->port));
}

TEST_HARNESS_MAIN
