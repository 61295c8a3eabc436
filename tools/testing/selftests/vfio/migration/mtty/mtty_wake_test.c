// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll() of a saving data_fd, in step with read(): a thread that sleeps at the temporary end
 * is woken by each event after which read() returns something, and by no other; within the
 * stream poll() reports data before each byte.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PAGE	4096
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define BOTH	"stop_copy pre_copy p2p"
#define NO_P2P	"stop_copy pre_copy"

/* @mem: a page of the capture memory */
FIXTURE(wake) {
	DEVICE_MEMBERS;
	struct vmig_snapshot config;
	struct vmig_poll_thread thread;
	uint8_t *mem;
};

/* @announced: a change of config space is data to read */
FIXTURE_VARIANT(wake) {
	const char *policy;
	const char *features;
	bool opt_in;
	bool announced;
};

#define WAKE(_name, _policy, ...) \
	FIXTURE_VARIANT_ADD(wake, _name) { \
		.policy = _policy, .features = BOTH, ##__VA_ARGS__ }

WAKE(independent, "independent");
WAKE(before_data, "before-data");
WAKE(reorder, "reorder");
WAKE(embedded, "embedded", .announced = true);
WAKE(independent_opted_in, "independent", .opt_in = true);
WAKE(before_data_opted_in, "before-data", .opt_in = true, .announced = true);
WAKE(reorder_opted_in, "reorder", .opt_in = true, .announced = true);
WAKE(embedded_opted_in, "embedded", .opt_in = true, .announced = true);

FIXTURE_VARIANT_ADD(wake, without_p2p) {
	.policy = "embedded", .features = NO_P2P, .announced = true,
};

FIXTURE_SETUP(wake)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy, .capture_size = "64K",
		    .features = variant->features);
	if (variant->opt_in)
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	self->mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->dev->fd,
			 self->dev->region[BAR2].offset + 4 * PAGE);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
}

FIXTURE_TEARDOWN(wake)
{
	if (self->mem)
		munmap(self->mem, PAGE);
	CLOSE_DEVICE();
}

static short events(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

/* With a new snapshot where read() asks for one */
static ssize_t read_part(FIXTURE_DATA(wake) *self, void *buf, size_t len)
{
	ssize_t got = read(self->fd, buf, len);

	if (got >= 0 || errno != ESTALE || vmig_config_get(self->fd, &self->config))
		return got;
	return read(self->fd, buf, len);
}

/* To the end of the stream, or a temporary one: 0 or -errno */
static int drain(FIXTURE_DATA(wake) *self)
{
	char buf[PAGE];
	ssize_t got;

	do {
		got = read_part(self, buf, sizeof(buf));
	} while (got > 0);
	return got ? -errno : 0;
}

#define ENTER() \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY")

/* A thread sleeps in poll() at the temporary end, where read() returns ENOMSG */
#define SLEEP_AT_END() do { \
	ASSERT_RET(-ENOMSG, drain(self), "to the temporary end"); \
	ASSERT_RET(0, vmig_poll_thread_start(&self->thread, self->fd, POLLIN), "poll"); \
} while (0)

#define EXPECT_WOKEN(_events) do { \
	short woken_by = 0; \
	EXPECT_RET(0, vmig_poll_thread_join(&self->thread, &woken_by), "wake-up"); \
	EXPECT_EQ(_events, woken_by); \
} while (0)

/* No event so far; then a write shows that the thread can still be woken */
#define EXPECT_STILL_ASLEEP() do { \
	EXPECT_EQ(0, events(self->fd)); \
	EXPECT_RET(-ENOMSG, drain(self), "no data"); \
	ASSERT_EQ(0, vmig_region_write(self->dev, BAR2, PAGE, "x", 1)); \
	EXPECT_WOKEN(POLLIN); \
} while (0)

#define EXPECT_DATA() do { \
	char byte; \
	EXPECT_EQ(POLLIN, events(self->fd)); \
	EXPECT_EQ(1, read_part(self, &byte, 1)); \
} while (0)

/* Driver: poll() at the temporary end: woken by config space, if its change is data */
TEST_F(wake, by_a_write_to_config_space)
{
	ENTER();
	SLEEP_AT_END();
	ASSERT_RET(0, vmig_config_change(self->dev), "config space");
	if (!variant->announced) {
		EXPECT_STILL_ASLEEP();
		return;
	}
	EXPECT_WOKEN(POLLIN);
	EXPECT_DATA();
}

/* Driver: poll() at the temporary end: woken by each way to write to capture memory */
TEST_F(wake, by_each_write_to_memory)
{
	unsigned int i;

	ENTER();
	for (i = 0; i < 2; i++) {
		SLEEP_AT_END();
		ASSERT_EQ(0, vmig_region_write(self->dev, BAR2, 2 * PAGE, "x", 1));
		EXPECT_WOKEN(POLLIN);
		EXPECT_DATA();

		SLEEP_AT_END();
		__atomic_store_n(self->mem, i, __ATOMIC_RELAXED);
		EXPECT_WOKEN(POLLIN);
		EXPECT_DATA();

		/* By either port */
		SLEEP_AT_END();
		ASSERT_EQ(0, vmig_uart_out(self->dev, i, UART_TX, 'x'));
		EXPECT_WOKEN(POLLIN);
		EXPECT_DATA();
	}
}

/* Driver: poll() at the temporary end: not woken by what STOP_COPY sends, nor by P2P */
TEST_F(wake, not_without_data)
{
	uint64_t flags = 0;
	uint8_t val = 0;

	ASSERT_RET(0, vmig_mig_get_flags(self->dev, &flags), "flags");
	ENTER();
	SLEEP_AT_END();
	ASSERT_EQ(0, vmig_uart_out(self->dev, 1, UART_SCR, 0x5a));
	ASSERT_EQ(0, vmig_uart_in(self->dev, 1, UART_SCR, &val));
	/* The same value is no change */
	ASSERT_EQ(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &val));
	ASSERT_EQ(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, val));
	if (flags & VFIO_MIGRATION_P2P) {
		GO(PRE_COPY_P2P);
		EXPECT_EQ(0, events(self->fd));
		GO(PRE_COPY);
	}
	EXPECT_STILL_ASLEEP();
}

#define ENDED	(POLLIN | POLLERR | POLLHUP)

/* Driver: poll() at the temporary end: woken by each change of state that ends the wait */
TEST_F(wake, by_each_end)
{
	char byte;

	ENTER();
	SLEEP_AT_END();
	GO(STOP_COPY);
	EXPECT_WOKEN(POLLIN);
	EXPECT_DATA();
	GO(RUNNING);
	close(self->fd);

	ENTER();
	SLEEP_AT_END();
	GO(RUNNING);
	EXPECT_WOKEN(ENDED);
	close(self->fd);

	ENTER();
	SLEEP_AT_END();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_WOKEN(ENDED);
	close(self->fd);

	ENTER();
	SLEEP_AT_END();
	munmap(self->mem, PAGE);
	self->mem = NULL;
	vmig_device_close(self->dev);
	EXPECT_WOKEN(ENDED);
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(ENODEV, errno);
}

/* poll() and read() in parts of this size must agree, to the end that is expected */
#define EXPECT_AGREE(_len, _end) do { \
	char part_buf[_len]; \
	short part_seen; \
	ssize_t part_got; \
	do { \
		part_seen = events(self->fd); \
		part_got = read_part(self, part_buf, sizeof(part_buf)); \
		EXPECT_EQ(part_got >= 0 ? POLLIN : 0, part_seen); \
	} while (part_got > 0 && _metadata->exit_code != KSFT_FAIL); \
	EXPECT_RET(_end, part_got < 0 ? -errno : 0, "end"); \
} while (0)

/* Driver: poll() within a stream: POLLIN if and only if read() returns data or the end */
TEST_F(wake, agrees_with_read_in_each_part)
{
	ASSERT_EQ(0, vmig_region_write(self->dev, BAR2, 2 * PAGE, "x", 1));
	ENTER();
	EXPECT_AGREE(7, -ENOMSG);
	ASSERT_RET(0, vmig_config_change(self->dev), "config space");
	EXPECT_AGREE(7, -ENOMSG);
	ASSERT_EQ(0, vmig_region_write(self->dev, BAR2, 2 * PAGE, "y", 1));
	EXPECT_AGREE(61, -ENOMSG);
	ASSERT_RET(0, vmig_config_change(self->dev), "config space");
	ASSERT_EQ(0, vmig_region_write(self->dev, BAR2, 6 * PAGE, "y", 1));
	GO(STOP_COPY);
	EXPECT_AGREE(7, 0);
	EXPECT_EQ(POLLIN, events(self->fd));
}

TEST_HARNESS_MAIN
