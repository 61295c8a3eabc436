// SPDX-License-Identifier: GPL-2.0-only
/*
 * The result of write() to a data_fd: the number of bytes that it has consumed. Cases: memory
 * that ends early, no bytes, a later record that is refused, a session that ends during the
 * copy, a signal during a wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"
#include "lib/vfio/slow_page.h"
#include "lib/vfio/thread.h"

#define PORTS	2
#define SEED	73
#define PAGE	4096

/* A copy that ends early may leave out the last words before the end of the memory */
#define WORDS	64

/* @edge: end of the memory that can be used; @stream: of a device with contents */
FIXTURE(write) {
	DEVICE_MEMBERS;
	uint8_t *edge;
};

FIXTURE_SETUP(write)
{
	OPEN_DEVICE("mtty-2", .config_policy = "embedded", .capture_size = "8K");
	self->edge = guarded_page_map();
	ASSERT_NE(NULL, self->edge);
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

FIXTURE_TEARDOWN(write)
{
	guarded_page_unmap(self->edge);
	CLOSE_DEVICE();
}

#define ENTER() \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, RESUMING, &self->fd), "RESUMING")
#define LEAVE() do { \
	close(self->fd); \
	self->fd = -1; \
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset"); \
} while (0)

/* Only the first @have bytes of the stream can be read; the rest is written after that */
static void write_short(struct __test_metadata *_metadata, FIXTURE_DATA(write) *self,
			size_t have)
{
	ssize_t done;

	ENTER();
	memcpy(self->edge - have, self->stream.data, have);
	done = write(self->fd, self->edge - have, self->stream.len);
	if (done < 0) {
		ASSERT_RET(-EFAULT, -errno, "%zu bytes", have);
		done = 0;
	}
	ASSERT_LE(done, (ssize_t)have);
	ASSERT_LE((ssize_t)have, done + WORDS);
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data + done,
					  self->stream.len - done,
					  VMIG_TRANSFER_CHUNK, NULL),
		   "the rest behind %zu of %zu bytes", done, have);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP, %zu bytes", have);
	if (have == PAGE)
		EXPECT_CONTENTS(self->dev, PORTS, SEED);
	LEAVE();
}

/* Driver: write() from memory that ends within it: what could be read is consumed, once */
TEST_F(write, memory_that_ends_at_every_byte)
{
	struct vmig_rec rec;
	size_t have;

	ASSERT_EQ(0, vmig_stream_find(&self->stream, MTTY_REC_CAPTURE, 0, &rec));
	ASSERT_LT(PAGE, self->stream.len);
	/* Within capture memory all bytes are alike */
	for (have = 1; have < rec.offset + 2 * sizeof(struct mtty_rec_head); have++)
		write_short(_metadata, self, have);
	write_short(_metadata, self, PAGE);
}

/* No bytes, good bytes at no address, and a byte at a bad address */
static void expect_nothing(struct __test_metadata *_metadata, FIXTURE_DATA(write) *self,
			   int none, int bad, const char *what)
{
	ssize_t done;

	done = write(self->fd, self->stream.data, 0);
	EXPECT_RET(none, done < 0 ? -errno : done, "%s: no bytes", what);
	done = write(self->fd, NULL, 0);
	EXPECT_RET(none, done < 0 ? -errno : done, "%s: no bytes at no address", what);
	done = write(self->fd, self->edge, 1);
	EXPECT_RET(bad, done < 0 ? -errno : done, "%s: a byte at a bad address", what);
}

/* Driver: write() of nothing, or from a bad address: the errno of any write() comes first */
TEST_F(write, nothing)
{
	ENTER();
	expect_nothing(_metadata, self, 0, -EFAULT, "begun");
	ASSERT_EQ(10, write(self->fd, self->stream.data, 10));
	expect_nothing(_metadata, self, 0, -EFAULT, "within a head");
	ASSERT_EQ(50, write(self->fd, self->stream.data + 10, 50));
	expect_nothing(_metadata, self, 0, -EFAULT, "within a record");
	/* Behind the head is the magic number */
	ASSERT_EQ(-1, write(self->fd, self->stream.data, 36));
	expect_nothing(_metadata, self, -EBADMSG, -EBADMSG, "refused");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_nothing(_metadata, self, -ENODEV, -ENODEV, "ended");
	LEAVE();

	ENTER();
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					  VMIG_TRANSFER_CHUNK, NULL), "all");
	expect_nothing(_metadata, self, 0, -EFAULT, "complete");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP");
	expect_nothing(_metadata, self, -ENODEV, -ENODEV, "ended by STOP");
}

/* Driver: one write() of several records, a later one is refused: its errno, no count */
TEST_F(write, refusal_behind_good_records)
{
	struct vmig_rec rec;
	unsigned int nr;
	uint8_t *byte;

	for (nr = 0; !vmig_stream_at(&self->stream, nr, &rec); nr++) {
		byte = self->stream.data + rec.offset + rec.size - 1;
		ENTER();
		*byte ^= 1;
		EXPECT_EQ(-1, write(self->fd, self->stream.data, self->stream.len));
		EXPECT_RET(-EBADMSG, -errno, "record %u", nr);
		*byte ^= 1;
		LEAVE();
	}
}

FIXTURE(before_data) {
	DEVICE_MEMBERS;
};

FIXTURE_SETUP(before_data)
{
	OPEN_DEVICE("mtty-2", .config_policy = "before-data");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ENTER();
}

FIXTURE_TEARDOWN(before_data)
{
	CLOSE_DEVICE();
}

/* Proposal: EPROTO: no write() before a snapshot, not even of nothing */
TEST_F(before_data, nothing)
{
	uint8_t *edge = guarded_page_map();

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(-1, write(self->fd, edge, 0));
	EXPECT_RET(-EPROTO, -errno, "no bytes");
	EXPECT_EQ(-1, write(self->fd, edge, 1));
	EXPECT_RET(-EPROTO, -errno, "a byte at a bad address");
	guarded_page_unmap(edge);
}

/**
 * struct writer - a thread that writes once
 * @fd:		the data_fd
 * @from:	the bytes
 * @len:	their number
 * @thread:	the thread
 * @tid:	its number in /proc; 0 until it runs
 * @ret:	of write(), or -errno
 * @done:	write() has returned
 */
struct writer {
	int fd;
	const uint8_t *from;
	size_t len;
	pthread_t thread;
	pid_t tid;
	int ret;
	bool done;
};

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	ssize_t ret;

	__atomic_store_n(&writer->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	ret = write(writer->fd, writer->from, writer->len);
	writer->ret = ret < 0 ? -errno : ret;
	__atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* @slow: the page that the first writer waits for */
FIXTURE(slow) {
	DEVICE_MEMBERS;
	struct vmig_slow_page slow;
	bool mapped;
	struct writer first;
	struct writer second;
};

FIXTURE_SETUP(slow)
{
	int ret = vmig_slow_page_map(&self->slow);

	OPEN_DEVICE("mtty-2", .config_policy = "embedded", .capture_size = "8K");
	if (ret)
		SKIP(return, "no userfaultfd (%s)", strerror(-ret));
	self->mapped = true;
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ENTER();
	self->first = (struct writer) {
		.fd = self->fd, .from = self->slow.page, .len = PAGE,
	};
	ASSERT_EQ(0, pthread_create(&self->first.thread, NULL, writer_run, &self->first));
	ASSERT_RET(0, vmig_slow_page_wait(&self->slow), "write() of the first");
}

FIXTURE_TEARDOWN(slow)
{
	if (self->mapped)
		vmig_slow_page_unmap(&self->slow);
	CLOSE_DEVICE();
}

static void release(struct __test_metadata *_metadata, FIXTURE_DATA(slow) *self)
{
	ASSERT_RET(0, vmig_slow_page_fill(&self->slow, self->stream.data, PAGE), "fill");
	ASSERT_EQ(0, pthread_join(self->first.thread, NULL));
}

/* Driver: the session ends while write() copies: ENODEV, and the device is not touched */
TEST_F(slow, session_ends_during_a_write)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	release(_metadata, self);
	EXPECT_RET(-ENODEV, self->first.ret, "write()");
	EXPECT_STATE(RUNNING, self->dev, "after it");
	EXPECT_CONTENTS(self->dev, PORTS, SEED + 1);
}

static bool is_done(const struct writer *writer)
{
	return __atomic_load_n(&writer->done, __ATOMIC_ACQUIRE);
}

/* Or until its write() has returned, which is a failure */
static void wait_until_asleep(const struct writer *writer)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	do {
		nanosleep(&tick, NULL);
	} while (!is_done(writer) &&
		 vmig_thread_sleeps(__atomic_load_n(&writer->tid, __ATOMIC_ACQUIRE)) <= 0);
}

static unsigned int handled;

static void count_signal(int number)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELEASE);
}

/* The second writer has the rest of the stream. SIGUSR1 is counted, with SA_* in @flags. */
static void start_second(struct __test_metadata *_metadata, FIXTURE_DATA(slow) *self,
			 int flags)
{
	const struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->second = (struct writer) {
		.fd = self->fd, .from = self->stream.data + PAGE,
		.len = self->stream.len - PAGE,
	};
	ASSERT_EQ(0, pthread_create(&self->second.thread, NULL, writer_run,
				    &self->second));
}

/* Driver: write() that waits for another one: a signal with SA_RESTART does not end it */
TEST_F(slow, waiting_write_is_restarted)
{
	unsigned int i;

	start_second(_metadata, self, SA_RESTART);
	for (i = 1; i <= 3 && !is_done(&self->second); i++) {
		wait_until_asleep(&self->second);
		ASSERT_EQ(0, pthread_kill(self->second.thread, SIGUSR1));
		while (!is_done(&self->second) &&
		       __atomic_load_n(&handled, __ATOMIC_ACQUIRE) < i)
			sched_yield();
	}
	release(_metadata, self);
	ASSERT_EQ(0, pthread_join(self->second.thread, NULL));
	EXPECT_RET(PAGE, self->first.ret, "first");
	EXPECT_RET((int)(self->stream.len - PAGE), self->second.ret, "second");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* Driver: the same: without SA_RESTART it is EINTR, and nothing was consumed */
TEST_F(slow, waiting_write_is_interrupted)
{
	start_second(_metadata, self, 0);
	wait_until_asleep(&self->second);
	ASSERT_EQ(0, pthread_kill(self->second.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(self->second.thread, NULL));
	EXPECT_RET(-EINTR, self->second.ret, "second");
	release(_metadata, self);
	EXPECT_RET(PAGE, self->first.ret, "first");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->second.from, self->second.len,
					  VMIG_TRANSFER_CHUNK, NULL), "again");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

TEST_HARNESS_MAIN
