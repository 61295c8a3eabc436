// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits of the library (lib/vfio/io.h): each ends at its limit, also under signals, and
 * no byte is lost.
 */
#include <poll.h>
#include <sys/wait.h>

#define WITHOUT_DEVICE
#include "tools/fixture.h"

#define DEADLINE_MS	30000

FIXTURE(io) {
	struct vmig_patience patience;
	pid_t child;
};

FIXTURE_SETUP(io)
{
	self->patience = (struct vmig_patience) { SILENCE_MS, -1 };
}

FIXTURE_TEARDOWN(io)
{
	if (self->child) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
}

/* Library: a wait ends at its limit, under signals with a handler */
TEST_F(io, limit_of_a_wait_under_signals)
{
	int64_t begin = vmig_now_ms();
	int fd[2];

	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	vmig_signals_start(SIGNALS_US);
	EXPECT_RET(-ETIMEDOUT, vmig_io_wait(fd[0], POLLIN, &self->patience),
		   "wait");
	EXPECT_LE(SILENCE_MS, vmig_now_ms() - begin);
	EXPECT_GT(DEADLINE_MS, vmig_now_ms() - begin);
	/* With a limit of 0 it still looks once */
	self->patience.timeout_ms = 0;
	EXPECT_RET(-ETIMEDOUT, vmig_io_wait(fd[0], POLLIN, &self->patience),
		   "no time");
	ASSERT_EQ(1, write(fd[1], "x", 1));
	EXPECT_RET(0, vmig_io_wait(fd[0], POLLIN, &self->patience), "no time");
	vmig_signals_stop();
	close(fd[0]);
	close(fd[1]);
}

/* Library: vmig_eventfd_wait() ends at its limit, under signals */
TEST_F(io, limit_of_an_eventfd_under_signals)
{
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	vmig_signals_start(SIGNALS_US);
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(fd, SILENCE_MS));
	vmig_signals_stop();
	close(fd);
}

static uint8_t nth(size_t n)
{
	return n * 31 + (n >> 8);
}

/* Read slowly, in odd parts; 0 if each byte is right */
static int read_slowly(int fd)
{
	static const struct vmig_patience patience = { DEADLINE_MS, -1 };
	uint8_t buf[4097];
	size_t len = 0;
	ssize_t n, i;

	while ((n = vmig_io_read(fd, buf, sizeof(buf), &patience)) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] != nth(len + i))
				return 2;
		}
		len += n;
		usleep(500);
	}
	return n || len != LEN;
}

static void transfer_all(struct __test_metadata *_metadata,
			 FIXTURE_DATA(io) *self, int fd[2], const char *what)
{
	uint8_t *data = malloc(LEN);
	int status;
	size_t i;

	ASSERT_NE(NULL, data);
	for (i = 0; i < LEN; i++)
		data[i] = nth(i);
	self->child = fork();
	if (!self->child) {
		close(fd[1]);
		vmig_signals_start(SIGNALS_US);
		_exit(read_slowly(fd[0]));
	}
	close(fd[0]);
	self->patience.timeout_ms = DEADLINE_MS;
	vmig_signals_start(SIGNALS_US);
	EXPECT_RET(0, vmig_io_write(fd[1], data, LEN, &self->patience), "%s",
		   what);
	close(fd[1]);
	while (waitpid(self->child, &status, 0) < 0 && errno == EINTR)
		;
	vmig_signals_stop();
	self->child = 0;
	EXPECT_EQ(0, status) TH_LOG("%s", what);
	free(data);
}

/* Library: under signals, no byte is lost on any descriptor, O_NONBLOCK or not */
TEST_F(io, nothing_is_lost_under_signals)
{
	int fd[2], flag;

	for (flag = 0; flag <= O_NONBLOCK; flag += O_NONBLOCK) {
		ASSERT_EQ(0, pipe2(fd, O_CLOEXEC | flag));
		transfer_all(_metadata, self, fd,
			     flag ? "O_NONBLOCK pipe" : "pipe");
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
					(flag ? SOCK_NONBLOCK : 0), 0, fd));
		transfer_all(_metadata, self, fd,
			     flag ? "SOCK_NONBLOCK" : "socket");
	}
}

/* Library: without a peer, read and write end at the limit on any descriptor */
TEST_F(io, silence_has_a_limit)
{
	static const uint8_t data[LEN];
	int fd[2], round;
	char byte;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, round ? socketpair(AF_UNIX, SOCK_STREAM, 0, fd) :
				     pipe2(fd, O_CLOEXEC));
		EXPECT_RET(-ETIMEDOUT, vmig_io_read(fd[0], &byte, 1,
						    &self->patience), "read");
		EXPECT_RET(-ETIMEDOUT, vmig_io_write(fd[1], data, LEN,
						     &self->patience), "write");
		close(fd[0]);
		close(fd[1]);
	}
}

/* Library: vmig_irqchip_create() makes the same controller under signals */
TEST_F(io, irqchip_under_signals)
{
	struct vmig_irqchip *chip;
	unsigned int i;
	char calm[64];

	ASSERT_RET(0, vmig_irqchip_create(&chip, VMIG_IRQCHIP_AUTO), "calm");
	snprintf(calm, sizeof(calm), "%s", vmig_irqchip_name(chip));
	vmig_irqchip_destroy(chip);
	vmig_signals_start(100);
	for (i = 0; i < 50; i++) {
		ASSERT_RET(0, vmig_irqchip_create(&chip, VMIG_IRQCHIP_AUTO),
			   "round %u", i);
		ASSERT_STREQ(calm, vmig_irqchip_name(chip)) TH_LOG("round %u", i);
		vmig_irqchip_destroy(chip);
	}
	vmig_signals_stop();
}

TEST_HARNESS_MAIN
