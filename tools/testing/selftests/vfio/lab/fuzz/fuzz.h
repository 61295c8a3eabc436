/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between libFuzzer and the fuzzers.
 */
#ifndef MTTY_FUZZ_H
#define MTTY_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <linux/types.h>

/* libFuzzer has no header for C */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);

/* Report a finding; libFuzzer keeps the input of a process that aborts */
#define FUZZ_CHECK(cond, fmt, ...) do { \
	if (!(cond)) { \
		fprintf(stderr, "FINDING: %s:%d: %s: " fmt "\n", __FILE__, \
			__LINE__, #cond, ##__VA_ARGS__); \
		abort(); \
	} \
} while (0)

/* Pseudo-random numbers (xorshift), the same for the same input */
struct fuzz_random {
	u64 state;
};

static inline u64 fuzz_random(struct fuzz_random *rnd)
{
	/* 0 would stay 0 */
	if (!rnd->state)
		rnd->state = 0x9e3779b97f4a7c15ULL;
	rnd->state ^= rnd->state << 13;
	rnd->state ^= rnd->state >> 7;
	rnd->state ^= rnd->state << 17;

	return rnd->state;
}

/* From 0 to @limit - 1 */
static inline size_t fuzz_below(struct fuzz_random *rnd, size_t limit)
{
	return (fuzz_random(rnd) >> 8) % limit;
}

/* Exactly @size bytes of heap: the sanitizer detects accesses beyond both ends */
static inline void *fuzz_alloc(size_t size)
{
	void *mem = malloc(size);

	if (!mem) {
		fprintf(stderr, "error: no memory\n");
		exit(1);
	}

	return mem;
}

#endif /* MTTY_FUZZ_H */
