// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals during long calls: a killed process ends soon, read() and write() of a data_fd
 * become short, and a call that waits for another one goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/slow_page.h"
#include "lib/vfio/thread.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x4000000u
/* Behind the header, which cannot be written */
#define START		4096u
#define LEN		(SIZE - START)
/* Try again if the child was done before it was killed */
#define TRIES		20
/* Time for many of the signals that come once in a millisecond */
#define SIGNALS_MS	50
#define SOME		0x400000

FIXTURE(signals) {
	DEVICE_MEMBERS;
	uint8_t *buf;
};

FIXTURE_SETUP(signals)
{
	OPEN_DEVICE("mtty-1", .capture_size = "64M");
	/* Shared with the child */
	self->buf = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->buf);
}

FIXTURE_TEARDOWN(signals)
{
	munmap(self->buf, SIZE);
	CLOSE_DEVICE();
}

static uint64_t offset(FIXTURE_DATA(signals) *self)
{
	return self->dev->region[BAR2].offset + START;
}

static uint8_t device_byte(struct __test_metadata *_metadata,
			   FIXTURE_DATA(signals) *self, uint64_t at)
{
	uint8_t byte = 0;

	ASSERT_RET(0, vmig_region_read(self->dev, BAR2, at, &byte, 1), "read");
	return byte;
}

/* A byte of the child's buffer */
static uint8_t shared_byte(FIXTURE_DATA(signals) *self, size_t at)
{
	return __atomic_load_n(self->buf + at, __ATOMIC_RELAXED);
}

/* Exited with an error; does not reap it */
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
	/* It may have exited before */
	EXPECT_EQ(0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/* Driver: pwrite() of a region: SIGKILL ends it, a part is written */
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
		while (device_byte(_metadata, self, START) != i)
			ASSERT_FALSE(has_failed(pid));
		kill_and_wait(_metadata, pid);
		if (device_byte(_metadata, self, SIZE - 1) != i)
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

/* Driver: pread() and pwrite() of a region: only a signal that kills makes them short */
TEST_F(signals, other_signals_do_not_cut_an_access)
{
	int64_t start = vmig_now_ms();
	unsigned int i;

	vmig_signals_start(1000);
	/* The first call may be over before the first signal */
	for (i = 0; i < 2 || vmig_now_ms() - start < SIGNALS_MS; i++) {
		ASSERT_EQ(SOME, pwrite(self->dev->fd, self->buf, SOME, offset(self)));
		ASSERT_EQ(SOME, pread(self->dev->fd, self->buf, SOME, offset(self)));
	}
	vmig_signals_stop();
	EXPECT_LT(0, vmig_signals_seen());
}

/*
 * Driver: read() and write() of a data_fd: a signal makes them short, never empty, and
 * no byte is lost or sent twice
 */
TEST_F(signals, transfer_continues_after_each)
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
	vmig_signals_start(1000);
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
	vmig_signals_stop();
	EXPECT_LT(2, cut);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	memset(self->buf, 0, LEN);
	ASSERT_EQ(LEN, pread(self->dev->fd, self->buf, LEN, offset(self)));
	for (done = 0; done < LEN && self->buf[done] == 0x66; done++)
		;
	EXPECT_EQ(LEN, done);
}

/**
 * struct caller - a thread that makes one call on the data_fd
 * @fd:		the data_fd
 * @buf:	for read()
 * @len:	bytes of @buf; 0: VFIO_MIG_GET_CONFIG instead
 * @thread:	the thread
 * @tid:	its ID; 0 before it runs
 * @done:	the call has returned
 * @ret:	what it returned, or -errno
 */
struct caller {
	int fd;
	void *buf;
	size_t len;
	pthread_t thread;
	int tid;
	bool done;
	ssize_t ret;
};

static void *call(void *opaque)
{
	struct caller *caller = opaque;
	struct vmig_snapshot snapshot;

	__atomic_store_n(&caller->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (caller->len) {
		caller->ret = read(caller->fd, caller->buf, caller->len);
		if (caller->ret < 0)
			caller->ret = -errno;
	} else {
		caller->ret = vmig_config_get(caller->fd, &snapshot);
	}
	__atomic_store_n(&caller->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_done(struct caller *caller)
{
	return __atomic_load_n(&caller->done, __ATOMIC_ACQUIRE);
}

/* Returns false if @caller does not wait */
static bool wait_for_sleep(struct caller *caller)
{
	while (!is_done(caller)) {
		if (vmig_thread_sleeps(__atomic_load_n(&caller->tid, __ATOMIC_ACQUIRE)) > 0)
			return !is_done(caller);
		sched_yield();
	}
	return false;
}

static int handled;

static void handle(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

/*
 * Sends a signal to a call that waits for a read(), which is held by a page of its buffer.
 * Return: the result of the call
 */
static ssize_t interrupt_a_wait(struct __test_metadata *_metadata,
				FIXTURE_DATA(signals) *self, size_t len)
{
	char byte;
	struct vmig_slow_page slow;
	struct caller holder = { 0 }, caller = { .buf = &byte, .len = len };
	int before = __atomic_load_n(&handled, __ATOMIC_RELAXED);

	ASSERT_RET(0, vmig_slow_page_map(&slow), "slow page");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY, &self->fd),
		   "STOP_COPY");
	holder.fd = self->fd;
	holder.buf = slow.page;
	holder.len = slow.size;
	caller.fd = self->fd;
	ASSERT_EQ(0, pthread_create(&holder.thread, NULL, call, &holder));
	ASSERT_RET(0, vmig_slow_page_wait(&slow), "read() of the holder");
	ASSERT_EQ(0, pthread_create(&caller.thread, NULL, call, &caller));
	EXPECT_TRUE(wait_for_sleep(&caller));
	ASSERT_EQ(0, pthread_kill(caller.thread, SIGUSR1));
	while (!is_done(&caller) && __atomic_load_n(&handled, __ATOMIC_RELAXED) == before)
		sched_yield();
	EXPECT_FALSE(is_done(&holder));
	ASSERT_RET(0, vmig_slow_page_fill(&slow, "", 1), "fill");
	pthread_join(holder.thread, NULL);
	pthread_join(caller.thread, NULL);
	vmig_slow_page_unmap(&slow);
	close(self->fd);
	self->fd = -1;
	EXPECT_LT(0, holder.ret);
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	return caller.ret;
}

/* Driver: a call that waits for a read(): a signal with SA_RESTART does not end it */
TEST_F(signals, wait_is_restarted)
{
	static const size_t lens[] = { 1, 0 };
	struct sigaction act = { .sa_handler = handle, .sa_flags = SA_RESTART };
	struct vmig_slow_page slow;
	unsigned int i;
	int ret;

	ret = vmig_slow_page_map(&slow);
	if (ret)
		SKIP(return, "no userfaultfd (%s)", strerror(-ret));
	vmig_slow_page_unmap(&slow);
	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	/* More than the page of the holder */
	memset(self->buf, 0x77, SOME);
	ASSERT_EQ(SOME, pwrite(self->dev->fd, self->buf, SOME, offset(self)));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		EXPECT_EQ(lens[i], interrupt_a_wait(_metadata, self, lens[i])) {
			TH_LOG("row %u", i);
		}
	}
}

TEST_HARNESS_MAIN
