/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names for what libxxhash has under others */
#ifndef FUZZ_LINUX_XXHASH_H
#define FUZZ_LINUX_XXHASH_H

/* For a state that lives on the stack, as those of the kernel may */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#include <linux/types.h>

struct xxh64_state {
	XXH64_state_t state;
};

static inline u64 xxh64(const void *input, size_t length, u64 seed)
{
	return XXH64(input, length, seed);
}

static inline void xxh64_reset(struct xxh64_state *state, u64 seed)
{
	XXH64_reset(&state->state, seed);
}

static inline int xxh64_update(struct xxh64_state *state, const void *input,
			       size_t length)
{
	return XXH64_update(&state->state, input, length) == XXH_OK ? 0 : -1;
}

static inline u64 xxh64_digest(const struct xxh64_state *state)
{
	return XXH64_digest(&state->state);
}

#endif /* FUZZ_LINUX_XXHASH_H */
