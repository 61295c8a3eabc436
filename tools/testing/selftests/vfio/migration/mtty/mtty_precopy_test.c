// SPDX-License-Identifier: GPL-2.0-only
/*
 * PRE_COPY with a large capture memory: how much is sent, what is sent again, and how many
 * bytes VFIO_MIG_GET_PRECOPY_INFO says. The clauses of vfio.h are judged in uapi/.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		60

/* So many that a page leaked by each is more than the lag of the memory counter */
#define SESSIONS	1000

/* A dirty page may take this much of the stream */
#define PAGE		4096
#define PAGE_COST	(PAGE + 64)

#define LOG_BYTES	((1 << 20) - MTTY_CAP_LOG_OFFSET)

/* All records but those of the capture memory */
#define TAIL_MAX	1024

FIXTURE(precopy) {
	DEVICE_MEMBERS;
	struct vmig_bytes image;
};

FIXTURE_SETUP(precopy)
{
	OPEN_DEVICE("mtty-2", .capture_size = "1M");
}

FIXTURE_TEARDOWN(precopy)
{
	vmig_bytes_free(&self->image);
	CLOSE_DEVICE();
}

/* Memory that was never written is not sent, so write all of it */
static int fill(struct vmig_device *dev)
{
	uint8_t *buf = malloc(LOG_BYTES);
	int ret = -ENOMEM;

	if (buf) {
		memset(buf, 'f', LOG_BYTES);
		ret = vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
					MTTY_CAP_LOG_OFFSET, buf, LOG_BYTES);
	}
	free(buf);
	return ret;
}

static void enter(struct __test_metadata *_metadata,
		  FIXTURE_DATA(precopy) *self)
{
	ASSERT_RET(0, fill(self->dev), "fill");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
}

/* Reads up to the temporary end; returns the number of bytes */
static size_t drain(struct __test_metadata *_metadata,
		    FIXTURE_DATA(precopy) *self)
{
	size_t before = self->stream.len;

	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream,
					       VMIG_TRANSFER_CHUNK),
		   "to the temporary end");
	return self->stream.len - before;
}

/* Stops, and reads the rest; returns the number of bytes */
static size_t finish(struct __test_metadata *_metadata,
		     FIXTURE_DATA(precopy) *self)
{
	size_t before = self->stream.len;

	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 NULL), "STOP_COPY");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream,
					 VMIG_TRANSFER_CHUNK), "to the end");
	return self->stream.len - before;
}

/* Overwrites the first byte of pages of the log, counted from 0 */
static void dirty_pages(struct __test_metadata *_metadata,
			FIXTURE_DATA(precopy) *self, unsigned int first,
			unsigned int step, unsigned int nr, char value)
{
	uint64_t at = MTTY_CAP_LOG_OFFSET + first * PAGE;

	for (; nr; nr--, at += step * PAGE)
		ASSERT_RET(0, vmig_region_write(self->dev,
						VFIO_PCI_BAR2_REGION_INDEX, at,
						&value, 1),
			   "at %#llx", (unsigned long long)at);
}

/* Loads the stream into the same device after a reset: nothing may be missing */
static void expect_loads(struct __test_metadata *_metadata,
			 FIXTURE_DATA(precopy) *self)
{
	struct vmig_bytes loaded = { 0 };

	ASSERT_RET(0, vmig_dump_memory(&self->image, self->dev), "source");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
	ASSERT_RET(0, vmig_dump_memory(&loaded, self->dev), "destination");
	EXPECT_EQ(0, memcmp(self->image.data, loaded.data, loaded.len));
	vmig_bytes_free(&loaded);
}

static struct vfio_precopy_info ask(struct __test_metadata *_metadata,
				    FIXTURE_DATA(precopy) *self)
{
	struct vfio_precopy_info info = { 0 };

	EXPECT_RET(0, vmig_precopy_info(self->fd, &info), "info");
	return info;
}

/*
 * Reads to the temporary end. After each read() initial_bytes must be less by what was
 * read. Returns the number of bytes.
 */
static size_t count_down(struct __test_metadata *_metadata,
			 FIXTURE_DATA(precopy) *self)
{
	uint64_t before = ask(_metadata, self).initial_bytes;
	struct vfio_precopy_info info = { 0 };
	size_t total = 0, chunk = 50000;
	char *buf = malloc(chunk);
	ssize_t got;

	ASSERT_NE(NULL, buf);
	for (; (got = read(self->fd, buf, chunk)) > 0; before = info.initial_bytes) {
		total += got;
		info = ask(_metadata, self);
		EXPECT_GE(before - got, info.initial_bytes);
		EXPECT_EQ(0, info.dirty_bytes);
		EXPECT_EQ(0, info.flags);
	}
	EXPECT_RET(-ENOMSG, -errno, "temporary end");
	EXPECT_EQ(0, info.initial_bytes);
	free(buf);
	return total;
}

/* Driver: vfio_precopy_info.initial_bytes: at least what is left */
TEST_F(precopy, initial_bytes_count_down)
{
	uint64_t first;
	size_t total;

	enter(_metadata, self);
	first = ask(_metadata, self).initial_bytes;
	total = count_down(_metadata, self);
	EXPECT_LE(LOG_BYTES, total);
	EXPECT_GE(first, total);
}

/* Driver: vfio_precopy_info.dirty_bytes: each dirty page once, at least what is sent */
TEST_F(precopy, dirty_bytes_count_pages)
{
	uint64_t one, two;

	enter(_metadata, self);
	drain(_metadata, self);
	dirty_pages(_metadata, self, 3, 1, 1, 'a');
	one = ask(_metadata, self).dirty_bytes;
	dirty_pages(_metadata, self, 3, 1, 1, 'b');
	EXPECT_EQ(one, ask(_metadata, self).dirty_bytes);
	EXPECT_EQ(0, ask(_metadata, self).initial_bytes);
	dirty_pages(_metadata, self, 100, 1, 1, 'a');
	two = ask(_metadata, self).dirty_bytes;
	EXPECT_LT(one, two);
	EXPECT_GE(2 * PAGE_COST, two);
	EXPECT_GE(two, drain(_metadata, self));
	EXPECT_EQ(0, ask(_metadata, self).dirty_bytes);
}

/* Driver: PRE_COPY: changes before the first read() are sent only once */
TEST_F(precopy, changes_before_the_first_read_cost_nothing)
{
	uint64_t first;

	enter(_metadata, self);
	first = ask(_metadata, self).initial_bytes;
	dirty_pages(_metadata, self, 0, 1, 100, 'e');
	EXPECT_EQ(first, ask(_metadata, self).initial_bytes);
	EXPECT_EQ(0, ask(_metadata, self).dirty_bytes);
	EXPECT_GE(first, drain(_metadata, self));
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Clause: vfio_precopy_info: ENOMSG if and only if both fields are zero */
TEST_F(precopy, end_of_stream_iff_both_are_zero)
{
	struct vfio_precopy_info info;
	unsigned int i, ends = 0;
	char buf[4000];

	enter(_metadata, self);
	drain(_metadata, self);
	for (i = 0; i < 200; i++) {
		ssize_t got;

		if (i % 5 == 0)
			dirty_pages(_metadata, self, i, 1, 1, i);
		ASSERT_RET(0, vmig_precopy_info(self->fd, &info), "info");
		got = read(self->fd, buf, i % 2 ? sizeof(buf) : 777);
		if (info.initial_bytes + info.dirty_bytes) {
			EXPECT_LT(0, got);
			continue;
		}
		EXPECT_EQ(-1, got);
		EXPECT_RET(-ENOMSG, -errno, "round %u", i);
		ends++;
	}
	EXPECT_LT(0, ends);
}

/*
 * Driver: vfio_precopy_info.argsz: EINVAL if too small, and nothing is written; else each
 * field is, whatever was in it, and nothing behind
 */
TEST_F(precopy, info_argsz_is_checked)
{
	static const struct {
		uint32_t argsz;
		int ret;
	} row[] = {
		{ 0, -EINVAL }, { 4, -EINVAL }, { 8, -EINVAL }, { 16, -EINVAL },
		{ 23, -EINVAL }, { 24, 0 }, { 25, 0 }, { 4096, 0 },
		{ 0xffffffff, 0 },
	};
	struct {
		struct vfio_precopy_info info;
		uint8_t behind[64];
	} arg, before;
	struct vfio_precopy_info want;
	unsigned int i;

	enter(_metadata, self);
	dirty_pages(_metadata, self, 1, 2, 3, 'x');
	want = ask(_metadata, self);
	EXPECT_EQ(0, want.flags);
	EXPECT_LT(0, want.initial_bytes);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		memset(&arg, i % 2 ? 0x55 : 0xff, sizeof(arg));
		arg.info.argsz = row[i].argsz;
		before = arg;
		if (!row[i].ret) {
			before.info = want;
			before.info.argsz = row[i].argsz;
		}
		EXPECT_RET(row[i].ret, vmig_call_error(ioctl(self->fd, VFIO_MIG_GET_PRECOPY_INFO,
							     &arg)),
			   "argsz %u", row[i].argsz);
		EXPECT_EQ(0, memcmp(&before, &arg, sizeof(arg))) {
			TH_LOG("argsz %u: flags %#x, initial_bytes %llu, dirty_bytes %llu",
			       row[i].argsz, arg.info.flags, arg.info.initial_bytes,
			       arg.info.dirty_bytes);
		}
	}
}

/* Driver: PRE_COPY: only changed pages are sent again */
TEST_F(precopy, only_changes_are_sent_again)
{
	static const unsigned int nr[] = { 1, 2, 7, 50, 120 };
	unsigned int i;
	size_t first;

	enter(_metadata, self);
	first = drain(_metadata, self);
	EXPECT_LE(LOG_BYTES, first);
	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		size_t again;

		dirty_pages(_metadata, self, i, 2, nr[i], 'A' + i);
		again = drain(_metadata, self);
		EXPECT_LT(0, again);
		EXPECT_GE(nr[i] * PAGE_COST, again) {
			TH_LOG("%u pages", nr[i]);
		}
	}
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY: transmitted bytes dirty only the page of the log that has them */
TEST_F(precopy, traffic_costs_its_log_pages)
{
	struct vmig_device *dev = self->dev;
	uint8_t tx[512], rx[512];

	enter(_metadata, self);
	ASSERT_RET(0, vmig_uart_init(dev, 0, UART_FCR_TRIGGER_8, 0), "init");
	drain(_metadata, self);
	memset(tx, 't', sizeof(tx));
	ASSERT_RET(0, vmig_uart_exchange(dev, 0, tx, rx, sizeof(tx)), "send");
	EXPECT_GE(PAGE_COST, drain(_metadata, self));
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY on an idle device: no data after the first round */
TEST_F(precopy, idle_device_has_nothing_to_add)
{
	enter(_metadata, self);
	drain(_metadata, self);
	EXPECT_EQ(0, drain(_metadata, self));
	EXPECT_EQ(0, drain(_metadata, self));
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY: memory that was never written is not sent */
TEST_F(precopy, unused_memory_costs_nothing)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	/* the first page of the log, and the last one */
	EXPECT_GE(2 * PAGE_COST + TAIL_MAX, drain(_metadata, self));
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: STOP_COPY after pre-copy: only changes and the rest are sent */
TEST_F(precopy, stop_copy_sends_only_the_rest)
{
	enter(_metadata, self);
	drain(_metadata, self);
	dirty_pages(_metadata, self, 10, 1, 5, 'l');
	EXPECT_GE(5 * PAGE_COST + TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: STOP_COPY with nothing read in PRE_COPY: all of the memory is sent */
TEST_F(precopy, nothing_read_nothing_lost)
{
	enter(_metadata, self);
	EXPECT_LE(LOG_BYTES, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: STOP_COPY in the middle of a record of memory: the record is completed */
TEST_F(precopy, half_a_record_is_completed)
{
	enter(_metadata, self);
	ASSERT_EQ(0, vmig_bytes_reserve(&self->stream, 200001));
	ASSERT_EQ(200001, read(self->fd, self->stream.data, 200001));
	self->stream.len = 200001;
	finish(_metadata, self);
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY: a page that changes while it is being read is sent again */
TEST_F(precopy, change_in_mid_record_is_not_lost)
{
	unsigned int i;

	enter(_metadata, self);
	ASSERT_EQ(0, vmig_bytes_reserve(&self->stream, 1 << 21));
	/* After each read() pages before and behind its end change */
	for (i = 0; i < 20; i++) {
		uint8_t *at = self->stream.data + self->stream.len;

		ASSERT_EQ(10007, read(self->fd, at, 10007));
		self->stream.len += 10007;
		dirty_pages(_metadata, self, 0, 1, 2 * i + 4, 'a' + i);
	}
	finish(_metadata, self);
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY -> RUNNING within a record: memory of the session is freed */
TEST_F(precopy, half_a_record_is_freed)
{
	unsigned int i, chunk = 10007;
	long long before, after;
	uint8_t *buf = malloc(chunk);

	ASSERT_NE(NULL, buf);
	ASSERT_RET(0, fill(self->dev), "fill");
	if (vmig_cgroup_enter())
		SKIP(return, "no memory controller of cgroup2 here");
	before = vmig_cgroup_charged();
	for (i = 0; i < SESSIONS; i++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_PRE_COPY,
						 &self->fd), "PRE_COPY");
		EXPECT_EQ(chunk, read(self->fd, buf, chunk));
		dirty_pages(_metadata, self, 0, 1, 8, i);
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		close(self->fd);
		self->fd = -1;
	}
	after = vmig_cgroup_charged();
	vmig_cgroup_leave();
	free(buf);
	ASSERT_LE(0, before);
	ASSERT_LE(0, after);
	EXPECT_GT(before + SESSIONS * PAGE, after);
}

/* Driver: PRE_COPY <-> PRE_COPY_P2P in the middle of a record: no byte is lost */
TEST_F(precopy, going_to_p2p_and_back_keeps_the_session)
{
	enum vfio_device_mig_state to = VFIO_DEVICE_STATE_PRE_COPY_P2P;
	unsigned int i;

	enter(_metadata, self);
	ASSERT_EQ(0, vmig_bytes_reserve(&self->stream, 1 << 21));
	for (i = 0; i < 10; i++) {
		uint8_t *at = self->stream.data + self->stream.len;

		ASSERT_EQ(4999, read(self->fd, at, 4999));
		self->stream.len += 4999;
		ASSERT_RET(0, vmig_mig_set_state(self->dev, to, NULL), "%s",
			   vmig_state_name(to));
		to = i % 2 ? VFIO_DEVICE_STATE_PRE_COPY_P2P :
			     VFIO_DEVICE_STATE_PRE_COPY;
		dirty_pages(_metadata, self, i, 1, 1, 'p');
	}
	drain(_metadata, self);
	EXPECT_GE(TAIL_MAX, finish(_metadata, self));
	expect_loads(_metadata, self);
}

/* Driver: PRE_COPY -> RUNNING -> PRE_COPY: all of the memory is sent again */
TEST_F(precopy, cancelled_and_tried_again)
{
	struct vfio_precopy_info info;
	unsigned int i;
	char part[30000];

	enter(_metadata, self);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(sizeof(part), read(self->fd, part, sizeof(part)));
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING,
						 NULL), "cancel %u", i);
		close(self->fd);
		dirty_pages(_metadata, self, i, 1, 1, 'c');
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_PRE_COPY,
						 &self->fd), "again %u", i);
		info = ask(_metadata, self);
		EXPECT_LE(LOG_BYTES, info.initial_bytes);
		EXPECT_EQ(0, info.dirty_bytes);
	}
	drain(_metadata, self);
	finish(_metadata, self);
	expect_loads(_metadata, self);
}

/* A read() of this length goes on for some time without the lock of the device */
#define LONG_READ	0x10000u
#define ROUNDS		25

/**
 * struct asker - a thread that calls VFIO_MIG_GET_PRECOPY_INFO all the time
 * @fd:		the data_fd
 * @stop:	it is to end
 * @calls:	that it has made
 * @ret:	0, -EUCLEAN if there were more bytes than before, or another -errno
 */
struct asker {
	int fd;
	bool stop;
	unsigned int calls;
	int ret;
};

static void *ask_all_the_time(void *arg)
{
	struct asker *asker = arg;
	struct vfio_precopy_info info;
	uint64_t last = UINT64_MAX;

	while (!asker->ret && !__atomic_load_n(&asker->stop, __ATOMIC_ACQUIRE)) {
		asker->ret = vmig_precopy_info(asker->fd, &info);
		if (!asker->ret && info.initial_bytes + info.dirty_bytes > last)
			asker->ret = -EUCLEAN;
		last = info.initial_bytes + info.dirty_bytes;
		__atomic_add_fetch(&asker->calls, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Driver: VFIO_MIG_GET_PRECOPY_INFO while another thread reads: the bytes only get fewer */
TEST_F(precopy, info_while_another_thread_reads)
{
	struct asker asker;
	pthread_t thread;
	unsigned int i;
	ssize_t n;
	void *buf;

	buf = mmap(NULL, LONG_READ, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_RET(0, fill(self->dev), "fill");
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
						 &self->fd), "PRE_COPY");
		asker = (struct asker) { .fd = self->fd };
		ASSERT_EQ(0, pthread_create(&thread, NULL, ask_all_the_time, &asker));
		while (!__atomic_load_n(&asker.calls, __ATOMIC_ACQUIRE))
			sched_yield();
		do {
			/* Faults make it longer */
			EXPECT_EQ(0, madvise(buf, LONG_READ, MADV_DONTNEED));
			n = read(self->fd, buf, LONG_READ);
		} while (n > 0);
		EXPECT_EQ(-ENOMSG, n ? -errno : 0);
		__atomic_store_n(&asker.stop, true, __ATOMIC_RELEASE);
		EXPECT_EQ(0, pthread_join(thread, NULL));
		EXPECT_RET(0, asker.ret, "call %u", asker.calls);
		ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
						 NULL), "RUNNING");
		close(self->fd);
		self->fd = -1;
	}
	munmap(buf, LONG_READ);
}

TEST_HARNESS_MAIN
