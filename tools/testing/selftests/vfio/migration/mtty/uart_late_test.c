// SPDX-License-Identifier: GPL-2.0-only
/*
 * A character timeout whose time is over, while the driver's timer has not acted: the next
 * access, or STOP, raises it.
 *
 * The tests keep the CPU while they do not sleep, so the timer's work item is late.
 */
#include "lib/mtty.h"
#include "lib/mtty/uart_expect.h"
#include "lib/vfio/thread.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define TIMEOUT		(0xc0 | UART_IIR_RX_TIMEOUT)

/* A character of 8n1 has ten bits: four characters take 10 ms */
#define DIVISOR		29
#define OVER_MS		12

FIXTURE(uart_late) {
	DEVICE_MEMBERS;
	int eventfd;
};

PORT_VARIANTS(uart_late);

FIXTURE_SETUP(uart_late)
{
	self->eventfd = vmig_eventfd_create();
	ASSERT_LE(0, self->eventfd);
	OPEN_DEVICE("mtty-2");
	ASSERT_RET(0, vmig_uart_init(self->dev, variant->port, UART_FCR_TRIGGER_8,
				     UART_IER_RDI), "init");
	ASSERT_RET(0, vmig_uart_set_divisor(self->dev, variant->port, DIVISOR), "divisor");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, VFIO_IRQ_SET_ACTION_TRIGGER,
				      self->eventfd), "INTx");
	ASSERT_RET(0, vmig_keep_cpu(), "SCHED_FIFO");
}

FIXTURE_TEARDOWN(uart_late)
{
	close(self->eventfd);
	CLOSE_DEVICE();
}

/* Bytes are received, and their time passes */
static int receive(struct vmig_device *dev, unsigned int port, unsigned int nr)
{
	int64_t end;
	int ret = 0;

	while (nr-- && !ret)
		ret = vmig_uart_out(dev, port, UART_TX, 'a');
	end = vmig_now_ms() + OVER_MS;
	while (!ret && vmig_now_ms() < end)
		;
	return ret;
}

#define RECEIVE(_nr)	ASSERT_RET(0, receive(self->dev, variant->port, _nr), "receive")

/* Driver: 8.11: a read of IIR raises it at once */
TEST_F(uart_late, read_of_iir)
{
	RECEIVE(1);
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
	EXPECT_EQ(1, vmig_eventfd_take(self->eventfd));
}

/* Driver: 8.11: a write to any register raises it at once */
TEST_F(uart_late, write)
{
	RECEIVE(1);
	OUT(UART_SCR, 0);
	EXPECT_EQ(1, vmig_eventfd_take(self->eventfd));
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* 16550: 8.11: a timeout that is due comes before the next byte */
TEST_F(uart_late, another_byte)
{
	RECEIVE(1);
	OUT(UART_TX, 'b');
	EXPECT_EQ(1, vmig_eventfd_take(self->eventfd));
	EXPECT_EQ(TIMEOUT, IN(UART_IIR));
}

/* Driver: 8.11: STOP raises it at once, and the next access is not needed */
TEST_F(uart_late, stop)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY,
	};
	unsigned int i;
	uint8_t val;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		RECEIVE(1);
		ASSERT_RET(0, vmig_mig_set_state(self->dev, states[i], NULL), "stop");
		EXPECT_EQ(1, vmig_eventfd_take(self->eventfd))
			TH_LOG("%s", vmig_state_name(states[i]));
		EXPECT_EQ(TIMEOUT, IN(UART_IIR));
		ASSERT_RET(0, vmig_uart_in(self->dev, variant->port, UART_RX, &val), "RX");
		ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		ASSERT_RET(0, vmig_irq_action(self->dev, INTX,
					      VFIO_IRQ_SET_ACTION_UNMASK), "unmask");
		EXPECT_EQ(0, vmig_eventfd_take(self->eventfd));
	}
}

TEST_HARNESS_MAIN
