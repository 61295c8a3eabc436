// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() of a data_fd that is short: of every length, and into memory that ends after every
 * number of bytes. No byte is lost or repeated, and the next read() goes on.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS	2
#define SEED	17
#define PAGE	4096

/* Distance of the cuts in a stream that has pages of memory */
#define STRIDE	61

/* @edge: end of the memory that can be used; @whole: the stream, read at once */
FIXTURE(short_read) {
	DEVICE_MEMBERS;
	uint8_t *edge;
	struct vmig_bytes whole;
};

FIXTURE_VARIANT(short_read) {
	const char *policy;
	const char *capture;
	unsigned int stride;
};

FIXTURE_VARIANT_ADD(short_read, without_capture) {
	.policy = "independent", .capture = "0", .stride = 1,
};

FIXTURE_VARIANT_ADD(short_read, embedded) {
	.policy = "embedded", .capture = "0", .stride = 1,
};

FIXTURE_VARIANT_ADD(short_read, capture) {
	.policy = "independent", .capture = "8K", .stride = STRIDE,
};

FIXTURE_SETUP(short_read)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy,
		    .capture_size = variant->capture);
	self->edge = guarded_page_map();
	ASSERT_NE(NULL, self->edge);
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->whole), "save");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP, NULL), "STOP");
}

FIXTURE_TEARDOWN(short_read)
{
	guarded_page_unmap(self->edge);
	vmig_bytes_free(&self->whole);
	CLOSE_DEVICE();
}

/* A new session of the same device */
#define BEGIN() do { \
	if (self->fd >= 0) \
		close(self->fd); \
	self->stream.len = 0; \
	GO(STOP); \
	ASSERT_RET(0, vmig_mig_set_state(self->dev, STOP_COPY, &self->fd), "STOP_COPY"); \
	ASSERT_EQ(0, vmig_bytes_reserve(&self->stream, self->whole.len + PAGE)); \
} while (0)

/* The same records; START has a random number */
#define EXPECT_SAME(_cut) do { \
	const char *differs; \
	EXPECT_EQ(self->whole.len, self->stream.len) { \
		TH_LOG("cut at %zu", (size_t)(_cut)); \
	} \
	differs = vmig_dump_compare_streams(&self->whole, &self->stream, \
					    1u << MTTY_REC_START); \
	EXPECT_EQ(NULL, differs) { \
		TH_LOG("cut at %zu: %s", (size_t)(_cut), differs); \
	} \
} while (0)

/* Driver: read() of each length, then the rest: the same records */
TEST_F(short_read, of_each_length)
{
	size_t cut;

	for (cut = 1; cut <= self->whole.len; cut += variant->stride) {
		BEGIN();
		EXPECT_EQ(cut, read(self->fd, self->stream.data, cut));
		self->stream.len = cut;
		ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 2 * PAGE),
			   "rest");
		EXPECT_SAME(cut);
		if (_metadata->exit_code == KSFT_FAIL)
			return;
	}
}

/* Driver: read() into memory that ends early: the bytes before that, then the rest */
TEST_F(short_read, into_memory_that_ends)
{
	size_t cut, max = self->whole.len < PAGE ? self->whole.len : PAGE;

	for (cut = 1; cut <= max; cut += variant->stride) {
		BEGIN();
		EXPECT_EQ(cut, read(self->fd, self->edge - cut, self->whole.len + 1));
		memcpy(self->stream.data, self->edge - cut, cut);
		self->stream.len = cut;
		ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 2 * PAGE),
			   "rest");
		EXPECT_SAME(cut);
		if (_metadata->exit_code == KSFT_FAIL)
			return;
	}
}

/* Driver: read() after each byte, into no memory: EFAULT, and nothing is lost */
TEST_F(short_read, into_no_memory)
{
	size_t at;

	BEGIN();
	for (at = 0; at < self->whole.len; at++) {
		EXPECT_EQ(-1, read(self->fd, self->edge, 1 + at % 99));
		EXPECT_EQ(EFAULT, errno);
		ASSERT_EQ(1, read(self->fd, self->stream.data + at, 1));
	}
	self->stream.len = at;
	EXPECT_EQ(0, read(self->fd, self->edge, 1));
	EXPECT_SAME(at);
}

/* Driver: read() of 0 bytes: 0 anywhere, and nothing is lost */
TEST_F(short_read, of_no_bytes)
{
	size_t at;

	BEGIN();
	for (at = 0; at < self->whole.len; at++) {
		EXPECT_EQ(0, read(self->fd, self->edge, 0));
		ASSERT_EQ(1, read(self->fd, self->stream.data + at, 1));
	}
	self->stream.len = at;
	EXPECT_EQ(0, read(self->fd, self->edge, 0));
	EXPECT_SAME(at);
}

TEST_HARNESS_MAIN
