// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals during long calls: a killed process ends soon, read() and write() of a data_fd
 * become short, and a call that waits for another one goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mtty.h"

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

/* Memory whose read() takes so long that another call has to wait */
#define LONG		0x1000000u

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

/* Returns true when @caller sleeps while @holder still works */
static bool wait_for_sleep(struct caller *caller, struct caller *holder)
{
	char path[64], line[512];
	const char *state;
	int tid;

	while (!is_done(holder) && !is_done(caller)) {
		tid = __atomic_load_n(&caller->tid, __ATOMIC_ACQUIRE);
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		if (!tid || vmig_read_file(path, line, sizeof(line)))
			continue;
		state = strrchr(line, ')');
		if (state && !strncmp(state, ") S", 3))
			return !is_done(holder) && !is_done(caller);
	}
	return false;
}

static int handled;

static void handle(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

/* Does a call that waits for a long read() go on after a signal? @waited: it did wait */
static ssize_t interrupt_a_wait(struct __test_metadata *_metadata,
				FIXTURE_DATA(signals) *self, size_t len, bool *waited)
{
	char byte;
	struct caller holder = { .buf = self->buf, .len = LONG };
	struct caller caller = { .buf = &byte, .len = len };
	int before = __atomic_load_n(&handled, __ATOMIC_RELAXED);

	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY, &self->fd),
		   "STOP_COPY");
	holder.fd = self->fd;
	caller.fd = self->fd;
	ASSERT_EQ(0, pthread_create(&holder.thread, NULL, call, &holder));
	while (!__atomic_load_n(&holder.tid, __ATOMIC_ACQUIRE))
		;
	ASSERT_EQ(0, pthread_create(&caller.thread, NULL, call, &caller));
	*waited = wait_for_sleep(&caller, &holder);
	if (*waited) {
		pthread_kill(caller.thread, SIGUSR1);
		while (__atomic_load_n(&handled, __ATOMIC_RELAXED) == before)
			;
		/* Else the wait may have ended before the signal came */
		*waited = !is_done(&holder);
	}
	pthread_join(holder.thread, NULL);
	pthread_join(caller.thread, NULL);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(LONG, holder.ret);
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	return caller.ret;
}

/* Driver: a call that waits for a read(): a signal with SA_RESTART does not end it */
TEST_F(signals, wait_is_restarted)
{
	static const size_t lens[] = { 1, 0 };
	struct sigaction act = { .sa_handler = handle, .sa_flags = SA_RESTART };
	unsigned int i, tries;
	bool waited;

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	memset(self->buf, 0x77, LONG);
	ASSERT_EQ(LONG, pwrite(self->dev->fd, self->buf, LONG, offset(self)));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (tries = 0, waited = false; tries < TRIES && !waited; tries++)
			EXPECT_EQ(lens[i], interrupt_a_wait(_metadata, self, lens[i],
							    &waited));
		EXPECT_TRUE(waited);
	}
}

TEST_HARNESS_MAIN
