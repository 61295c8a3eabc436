// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that affects interrupts, at the same time: line, eventfds, mask, reset, migration
 * state. The kernel must not log a report, no call may fail in an unexpected way, and the
 * device must work afterwards.
 */
#include <pthread.h>

#include "lib/mtty.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK

/*
 * Enough rounds for fast and slow threads to run at the same time. A kernel with
 * sanitizers in an emulated VM reaches the time limit first.
 */
#define ROUNDS		4000
#define RUN_S		5
#define TIMEOUT_S	120

/**
 * struct crowd - shared by all threads
 * @dev:	the device
 * @trigger:	two eventfds for TRIGGER
 * @mask:	one for MASK
 * @unmask:	one for UNMASK
 */
struct crowd {
	struct vmig_device *dev;
	int trigger[2];
	int mask;
	int unmask;
};

/* One round of a thread; 0 or -errno */
typedef int (*round_fn)(struct crowd *crowd, unsigned int round);

/*
 * EINVAL is no failure: INTx may be disabled at the time, or the other index may be
 * enabled.
 */
static int unless_einval(int ret)
{
	return ret == -EINVAL ? 0 : ret;
}

static int toggle_line(struct crowd *crowd, unsigned int round)
{
	unsigned int port = round / 2 % 2;

	return round % 2 ? vmig_port_irq_lower(crowd->dev, port) :
			   vmig_port_irq_raise(crowd->dev, port);
}

/* Bytes, so that there are character timeouts */
static int transmit(struct crowd *crowd, unsigned int round)
{
	uint8_t val;
	int ret;

	ret = vmig_uart_out(crowd->dev, 1, UART_FCR, UART_FCR_ENABLE_FIFO |
			    UART_FCR_TRIGGER_8);
	if (!ret)
		ret = vmig_uart_out(crowd->dev, 1, UART_IER, UART_IER_RDI);
	if (!ret)
		ret = vmig_uart_out(crowd->dev, 1, UART_TX, round);
	if (!ret && round % 3 == 0)
		ret = vmig_uart_in(crowd->dev, 1, UART_RX, &val);
	return ret;
}

static int connect_intx(struct crowd *crowd, unsigned int round)
{
	static const unsigned int nr = 3;
	int ret;

	if (round % nr == nr - 1)
		return vmig_irq_disable(crowd->dev, INTX);

	ret = vmig_irq_set_fd(crowd->dev, INTX, TRIGGER, crowd->trigger[round % nr]);
	return unless_einval(ret);
}

static int connect_msi(struct crowd *crowd, unsigned int round)
{
	int fd = round % 2 ? -1 : crowd->trigger[round / 2 % 2];

	return unless_einval(vmig_irq_set_fd(crowd->dev, MSI, TRIGGER, fd));
}

static int mask_by_ioctl(struct crowd *crowd, unsigned int round)
{
	uint32_t action = round % 2 ? UNMASK : MASK;

	return unless_einval(vmig_irq_action(crowd->dev, INTX, action));
}

static int bind_hooks(struct crowd *crowd, unsigned int round)
{
	bool is_mask = round % 2;
	int fd = is_mask ? crowd->mask : crowd->unmask;

	return unless_einval(vmig_irq_set_fd(crowd->dev, INTX,
					     is_mask ? MASK : UNMASK,
					     round % 6 < 4 ? fd : -1));
}

static int mask_by_eventfd(struct crowd *crowd, unsigned int round)
{
	return vmig_eventfd_signal(round % 2 ? crowd->unmask : crowd->mask);
}

/* Close an eventfd that is bound, perhaps before its action was performed */
static int close_bound_eventfd(struct crowd *crowd, unsigned int round)
{
	int fd = vmig_eventfd_create(), ret;

	if (fd < 0)
		return fd;
	ret = vmig_irq_set_fd(crowd->dev, INTX, round % 2 ? UNMASK : TRIGGER, fd);
	if (!ret)
		ret = vmig_eventfd_signal(fd);
	close(fd);
	return unless_einval(ret);
}

static int reset(struct crowd *crowd, unsigned int round)
{
	int ret;

	ret = vmig_device_reset(crowd->dev);
	return ret ? ret : vmig_bus_master_enable(crowd->dev);
}

static int stop_and_go(struct crowd *crowd, unsigned int round)
{
	return vmig_mig_set_state(crowd->dev, round % 2 ?
				  VFIO_DEVICE_STATE_RUNNING :
				  VFIO_DEVICE_STATE_STOP, NULL);
}

static int loopback(struct crowd *crowd, unsigned int round)
{
	return unless_einval(vmig_irq_action(crowd->dev, round % 2 ? INTX : MSI,
					     TRIGGER));
}

/**
 * struct worker - one thread
 * @fn:		its round
 * @name:	name of @fn
 * @crowd:	shared with the others
 * @thread:	its id
 * @started:	there is a thread to join
 * @ret:	0, or the error of its last round
 * @rounds:	rounds done
 */
struct worker {
	round_fn fn;
	const char *name;
	struct crowd *crowd;
	pthread_t thread;
	bool started;
	int ret;
	unsigned int rounds;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	int64_t end = vmig_now_ms() + RUN_S * 1000;

	do {
		worker->ret = worker->fn(worker->crowd, worker->rounds++);
	} while (!worker->ret && worker->rounds < ROUNDS && vmig_now_ms() < end);
	return NULL;
}

FIXTURE(irq_stress) {
	DEVICE_MEMBERS;
	struct crowd crowd;
};

FIXTURE_SETUP(irq_stress)
{
	struct crowd *crowd = &self->crowd;
	int *fds[] = {
		&crowd->trigger[0], &crowd->trigger[1], &crowd->mask, &crowd->unmask,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		*fds[i] = vmig_eventfd_create();
		ASSERT_LE(0, *fds[i]);
	}
	OPEN_DEVICE("mtty-2", .capture_size = "8K");
	crowd->dev = self->dev;
}

FIXTURE_TEARDOWN(irq_stress)
{
	close(self->crowd.trigger[0]);
	close(self->crowd.trigger[1]);
	close(self->crowd.mask);
	close(self->crowd.unmask);
	CLOSE_DEVICE();
}

static void run(struct __test_metadata *_metadata, struct worker *worker,
		unsigned int nr, struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		worker[i].crowd = crowd;
		EXPECT_EQ(0, pthread_create(&worker[i].thread, NULL, work, &worker[i])) {
			continue;
		}
		worker[i].started = true;
	}
	for (i = 0; i < nr; i++) {
		if (worker[i].started)
			EXPECT_EQ(0, pthread_join(worker[i].thread, NULL));
		EXPECT_RET(0, worker[i].ret, "%s, round %u", worker[i].name,
			   worker[i].rounds);
	}
}

/* Each assertion is signalled once: by INTx, unmasked by eventfd, and by MSI */
static void expect_works(struct __test_metadata *_metadata, struct crowd *crowd)
{
	struct vmig_device *dev = crowd->dev;
	unsigned int index;
	int fd = crowd->trigger[0];

	ASSERT_RET(0, vmig_irq_disable(dev, INTX), "disable");
	ASSERT_RET(0, vmig_irq_disable(dev, MSI), "disable");
	ASSERT_RET(0, vmig_device_reset(dev), "reset");
	ASSERT_RET(0, vmig_bus_master_enable(dev), "master");
	vmig_eventfd_take(fd);
	vmig_eventfd_take(crowd->unmask);
	for (index = INTX; index <= MSI; index++) {
		ASSERT_RET(0, vmig_irq_set_fd(dev, index, TRIGGER, fd),
			   "index %u", index);
		EXPECT_EQ(0, vmig_eventfd_take(fd));
		EXPECT_RET(0, vmig_port_irq_raise(dev, 1), "raise");
		EXPECT_EQ(1, vmig_eventfd_take(fd));
		if (index == INTX) {
			EXPECT_RET(0, vmig_irq_set_fd(dev, INTX, UNMASK,
						      crowd->unmask), "bind");
			EXPECT_RET(0, vmig_eventfd_signal(crowd->unmask), "");
			EXPECT_EQ(1, vmig_eventfd_wait(fd, VMIG_IRQ_DEADLINE_MS));
		}
		EXPECT_RET(0, vmig_port_irq_lower(dev, 1), "lower");
		EXPECT_RET(0, vmig_irq_disable(dev, index), "disable");
	}
	EXPECT_EQ(0, vmig_eventfd_take(crowd->trigger[0]));
}

#define WORKER(_fn)	{ .fn = _fn, .name = #_fn }

/* Driver: VFIO_DEVICE_SET_IRQS, line and reset at the same time: every call succeeds */
TEST_F_TIMEOUT(irq_stress, everything_at_once, TIMEOUT_S)
{
	struct worker worker[] = {
		WORKER(toggle_line), WORKER(transmit), WORKER(connect_intx),
		WORKER(mask_by_ioctl), WORKER(bind_hooks),
		WORKER(mask_by_eventfd), WORKER(close_bound_eventfd),
		WORKER(reset), WORKER(loopback),
	};

	run(_metadata, worker, ARRAY_SIZE(worker), &self->crowd);
	expect_works(_metadata, &self->crowd);
}

/* Driver: VFIO_DEVICE_SET_IRQS: only one of INTx and MSI is enabled at a time */
TEST_F_TIMEOUT(irq_stress, indexes_take_turns, TIMEOUT_S)
{
	struct worker worker[] = {
		WORKER(toggle_line), WORKER(connect_intx), WORKER(connect_msi),
		WORKER(bind_hooks), WORKER(mask_by_eventfd), WORKER(loopback),
	};

	run(_metadata, worker, ARRAY_SIZE(worker), &self->crowd);
	expect_works(_metadata, &self->crowd);
}

/* Driver: MASK and UNMASK, by calls and by eventfds at the same time: every call succeeds */
TEST_F_TIMEOUT(irq_stress, masks_at_once, TIMEOUT_S)
{
	struct worker worker[] = { WORKER(mask_by_ioctl), WORKER(mask_by_eventfd) };
	struct crowd *crowd = &self->crowd;

	ASSERT_RET(0, vmig_irq_set_fd(crowd->dev, INTX, TRIGGER, crowd->trigger[0]), "connect");
	ASSERT_RET(0, vmig_irq_set_fd(crowd->dev, INTX, MASK, crowd->mask), "mask");
	ASSERT_RET(0, vmig_irq_set_fd(crowd->dev, INTX, UNMASK, crowd->unmask), "unmask");
	run(_metadata, worker, ARRAY_SIZE(worker), crowd);
	expect_works(_metadata, crowd);
}

/* Driver: VFIO_DEVICE_SET_IRQS while the state changes: every call succeeds */
TEST_F_TIMEOUT(irq_stress, stopping_and_going, TIMEOUT_S)
{
	struct worker worker[] = {
		WORKER(toggle_line), WORKER(transmit), WORKER(connect_intx),
		WORKER(connect_msi), WORKER(mask_by_ioctl),
		WORKER(mask_by_eventfd), WORKER(bind_hooks),
		WORKER(stop_and_go),
	};

	run(_metadata, worker, ARRAY_SIZE(worker), &self->crowd);
	expect_works(_metadata, &self->crowd);
}

/* As KVM does for a level: unmask after each signal */
static int resample(struct crowd *crowd, unsigned int round)
{
	if (vmig_eventfd_take(crowd->trigger[0]) <= 0)
		return 0;
	return vmig_eventfd_signal(crowd->unmask);
}

/* Clause: VFIO_IRQ_SET_ACTION_UNMASK by eventfd: no interrupt is lost */
TEST_F_TIMEOUT(irq_stress, resampled_level_is_not_lost, TIMEOUT_S)
{
	struct worker worker[] = {
		WORKER(toggle_line), WORKER(resample), WORKER(resample),
	};
	struct crowd *crowd = &self->crowd;
	struct vmig_device *dev = crowd->dev;
	unsigned int i;

	ASSERT_RET(0, vmig_irq_set_fd(dev, INTX, TRIGGER, crowd->trigger[0]), "connect");
	ASSERT_RET(0, vmig_irq_set_fd(dev, INTX, UNMASK, crowd->unmask), "bind");
	for (i = 0; i < 5; i++) {
		worker[0].rounds = 0;
		worker[1].rounds = 0;
		worker[2].rounds = 0;
		run(_metadata, worker, ARRAY_SIZE(worker), crowd);
		/* An asserted line that is unmasked is signalled */
		ASSERT_RET(0, vmig_port_irq_raise(dev, 0), "raise");
		ASSERT_RET(0, vmig_eventfd_signal(crowd->unmask), "unmask");
		EXPECT_LE(1, vmig_eventfd_wait(crowd->trigger[0], VMIG_IRQ_DEADLINE_MS));
		ASSERT_RET(0, vmig_eventfd_signal(crowd->unmask), "unmask");
		EXPECT_LE(1, vmig_eventfd_wait(crowd->trigger[0], VMIG_IRQ_DEADLINE_MS));
	}
	expect_works(_metadata, crowd);
}

TEST_HARNESS_MAIN
