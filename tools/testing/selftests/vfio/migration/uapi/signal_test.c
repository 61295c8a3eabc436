// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals while much is read or written: a process that is killed ends soon, and a
 * data_fd returns what it has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mtty.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x4000000u
/* Behind the header, which cannot be written */
#define START		4096u
#define LEN		(SIZE - START)
/* A child that is done before it can be killed proves nothing */
#define TRIES		20

FIXTURE(signals) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_bytes stream;
	uint8_t *buf;
	int fd;
};

FIXTURE_SETUP(signals)
{
	const struct vmig_attrs attrs = { .capture_size = "64M" };

	self->fd = -1;
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1", VMIG_PATH_ANY,
				       &attrs));
	/* Seen by the child as well */
	self->buf = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->buf);
}

FIXTURE_TEARDOWN(signals)
{
	if (self->fd >= 0)
		close(self->fd);
	munmap(self->buf, SIZE);
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->td);
}

static uint64_t offset(FIXTURE_DATA(signals) *self)
{
	return self->dev->region[BAR2].offset + START;
}

/* The last byte, as the device has it */
static uint8_t last_byte(FIXTURE_DATA(signals) *self)
{
	uint8_t byte = 0;

	vmig_region_read(self->dev, BAR2, SIZE - 1, &byte, 1);
	return byte;
}

static uint8_t first_byte(FIXTURE_DATA(signals) *self)
{
	uint8_t byte = 0;

	vmig_region_read(self->dev, BAR2, START, &byte, 1);
	return byte;
}

/* A byte of the child's buffer */
static uint8_t shared_byte(FIXTURE_DATA(signals) *self, size_t at)
{
	return __atomic_load_n(self->buf + at, __ATOMIC_RELAXED);
}

/* Ended, and not with status 0; it can still be waited for */
static bool has_failed(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       (info.si_pid && info.si_status);
}

static void kill_and_wait(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* It may have come to its end before */
	EXPECT_EQ(0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/* Driver: pwrite() of a region: SIGKILL ends it, with what was written by then */
TEST_F(signals, killed_while_it_writes)
{
	unsigned int i;
	pid_t pid;

	for (i = 1; i <= TRIES; i++) {
		memset(self->buf, i, LEN);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(pwrite(self->dev->fd, self->buf, LEN,
				     offset(self)) != LEN);
		while (first_byte(self) != i)
			ASSERT_FALSE(has_failed(pid));
		kill_and_wait(_metadata, pid);
		if (last_byte(self) != i)
			return;
	}
	EXPECT_LT(i, TRIES) {
		TH_LOG("all was written each time");
	}
}

/* Driver: pread() of a region: SIGKILL ends it */
TEST_F(signals, killed_while_it_reads)
{
	unsigned int i;
	pid_t pid;

	memset(self->buf, 0x55, LEN);
	ASSERT_EQ(LEN, pwrite(self->dev->fd, self->buf, LEN, offset(self)));
	for (i = 0; i < TRIES; i++) {
		memset(self->buf, 0, LEN);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(pread(self->dev->fd, self->buf, LEN,
				    offset(self)) != LEN);
		while (!shared_byte(self, 0))
			ASSERT_FALSE(has_failed(pid));
		kill_and_wait(_metadata, pid);
		if (!shared_byte(self, LEN - 1))
			return;
	}
	EXPECT_LT(i, TRIES) {
		TH_LOG("all was read each time");
	}
}

static void nothing(int nr)
{
	(void)nr;
}

/* A signal every millisecond, without SA_RESTART */
static void start_timer(struct __test_metadata *_metadata)
{
	const struct sigaction action = { .sa_handler = nothing };
	const struct itimerval often = {
		.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000,
	};

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
}

static void stop_timer(void)
{
	const struct itimerval never = {};

	setitimer(ITIMER_REAL, &never, NULL);
}

/*
 * Driver: read() and write() of a data_fd: a signal makes them short, never empty, and
 * no byte is lost or sent twice
 */
TEST_F(signals, transfer_goes_on_after_each)
{
	unsigned int cut = 0;
	size_t done = 0;
	ssize_t n;

	memset(self->buf, 0x66, LEN);
	ASSERT_EQ(LEN, pwrite(self->dev->fd, self->buf, LEN, offset(self)));
	ASSERT_RET(0, vmig_bytes_reserve(&self->stream, 2 * SIZE), "room");
	memset(self->stream.data, 0, 2 * SIZE);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	start_timer(_metadata);
	while ((n = read(self->fd, self->stream.data + done, 2 * SIZE - done))) {
		ASSERT_LT(0, n);
		done += n;
		cut++;
	}
	EXPECT_LT(2, cut);
	EXPECT_LT(LEN, done);

	close(self->fd);
	self->fd = -1;
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	self->stream.len = done;
	for (done = 0, cut = 0; done < self->stream.len; done += n, cut++) {
		n = write(self->fd, self->stream.data + done,
			  self->stream.len - done);
		ASSERT_LT(0, n);
	}
	stop_timer();
	EXPECT_LT(2, cut);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	memset(self->buf, 0, LEN);
	ASSERT_EQ(LEN, pread(self->dev->fd, self->buf, LEN, offset(self)));
	for (done = 0; done < LEN && self->buf[done] == 0x66; done++)
		;
	EXPECT_EQ(LEN, done);
}

TEST_HARNESS_MAIN
