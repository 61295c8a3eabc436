// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads write to the pages of BAR2 in each way while pre-copy sends them: no write is
 * missed. One writer at a time: mmap_test.c.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "lib/mtty.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		0x100000u
#define START		vmig_capture_map_start()
/* Three through the mapping, two by write(), two by a port */
#define WRITERS		7
#define HOT_PAGES	4
#define ROUNDS		60
/* At least so many, also on a busy machine */
#define MIN_ROUNDS	10
#define RUN_S		10
#define TIMEOUT_S	120

FIXTURE(writers) {
	DEVICE_MEMBERS;
	uint64_t page;
	uint8_t *mem;
	uint8_t *image;
};

FIXTURE_SETUP(writers)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->image = calloc(1, SIZE);
	ASSERT_NE(NULL, self->image);
	OPEN_DEVICE("mtty-2", .capture_size = "1M");
	self->mem = mmap(NULL, SIZE - START, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->dev->fd, self->dev->region[BAR2].offset + START);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
}

FIXTURE_TEARDOWN(writers)
{
	munmap(self->mem, SIZE - START);
	CLOSE_DEVICE();
	free(self->image);
}

struct writer {
	pthread_t thread;
	struct vmig_device *dev;
	pthread_rwlock_t *gate;
	uint8_t *mem;
	uint64_t page;
	unsigned int nr;
	bool quit;
	uint64_t writes;
	int ret;
};

/* Few pages, so that each is sent and written at the same time, by all threads */
static uint64_t *word_of(const struct writer *writer, uint64_t n)
{
	return (uint64_t *)(writer->mem + n % HOT_PAGES * 2 * writer->page) +
	       writer->nr;
}

static int write_once(struct writer *writer)
{
	uint64_t *word = word_of(writer, ++writer->writes);

	if (writer->nr < 3)
		__atomic_store_n(word, writer->writes, __ATOMIC_RELAXED);
	else if (writer->nr < 5)
		return vmig_region_write(writer->dev, BAR2,
					 START + ((uint8_t *)word - writer->mem),
					 &writer->writes, sizeof(*word));
	else
		return vmig_uart_out(writer->dev, writer->nr - 5, UART_TX, writer->writes);
	return 0;
}

static void *write_all_the_time(void *opaque)
{
	struct writer *writer = opaque;
	bool quit = false;
	unsigned int i;

	while (!quit && !writer->ret) {
		pthread_rwlock_rdlock(writer->gate);
		for (i = 0; i < 50 && !writer->ret; i++)
			writer->ret = write_once(writer);
		quit = writer->quit;
		pthread_rwlock_unlock(writer->gate);
	}
	return NULL;
}

static void read_some(struct __test_metadata *_metadata,
		      FIXTURE_DATA(writers) *self, unsigned int times)
{
	while (times--) {
		uint8_t chunk[16384];
		ssize_t n = read(self->fd, chunk, sizeof(chunk));

		if (n < 0)
			ASSERT_EQ(ENOMSG, errno);
		if (n > 0)
			ASSERT_EQ(0, vmig_bytes_add(&self->stream, chunk, n));
	}
}

/* At the temporary end, the stream makes @image equal to the memory; no thread writes */
static void expect_all_sent(struct __test_metadata *_metadata, FIXTURE_DATA(writers) *self,
			    unsigned int round)
{
	ASSERT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, VMIG_TRANSFER_CHUNK),
		   "drain");
	EXPECT_RET(0, vmig_capture_apply(&self->stream, self->image, SIZE), "stream");
	self->stream.len = 0;
	EXPECT_EQ(0, memcmp(self->image + START, self->mem, SIZE - START)) {
		TH_LOG("round %u", round);
	}
}

/* More often than the rounds, or with an error, after which a thread does not go on */
static bool all_have_written(const struct writer *writers, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < WRITERS; i++) {
		if (writers[i].writes <= round && !writers[i].ret)
			return false;
	}
	return true;
}

/* Driver: pre-copy: at its temporary end, all writes were read, whichever way they came */
TEST_F_TIMEOUT(writers, no_write_is_missed, TIMEOUT_S)
{
	struct writer writers[WRITERS];
	pthread_rwlockattr_t attr;
	pthread_rwlock_t gate;
	unsigned int i, round;
	bool last = false;
	int64_t end;

	/* Without this, busy readers of the lock keep the writer out */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&gate, &attr);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY, &self->fd),
		   "PRE_COPY");
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer) {
			.gate = &gate, .dev = self->dev, .mem = self->mem,
			.page = self->page, .nr = i,
		};
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL,
					    write_all_the_time, &writers[i]));
	}
	end = vmig_now_ms() + RUN_S * 1000;
	for (round = 1; !last; round++) {
		read_some(_metadata, self, 30);
		pthread_rwlock_wrlock(&gate);
		expect_all_sent(_metadata, self, round);
		last = round >= MIN_ROUNDS && (round >= ROUNDS || vmig_now_ms() > end) &&
		       all_have_written(writers, round);
		for (i = 0; i < WRITERS; i++)
			writers[i].quit = last;
		pthread_rwlock_unlock(&gate);
	}
	for (i = 0; i < WRITERS; i++) {
		ASSERT_EQ(0, pthread_join(writers[i].thread, NULL));
		EXPECT_RET(0, writers[i].ret, "writer %u", i);
	}
	pthread_rwlock_destroy(&gate);
}

TEST_HARNESS_MAIN
