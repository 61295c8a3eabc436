/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz.c makes the calls, fuzz_stream.c the streams; see fuzz.h */
#ifndef VMIG_FUZZ_INT_H
#define VMIG_FUZZ_INT_H

#include <stdlib.h>

#include "fuzz.h"

/* A random number below @nr */
static inline unsigned int vmig_fuzz_pick(struct vmig_fuzz *fuzz, unsigned int nr)
{
	return rand_r(&fuzz->seed) % nr;
}

/* Set @fuzz->what, and return @ret */
int vmig_fuzz_result(struct vmig_fuzz *fuzz, int ret, const char *fmt, ...);

/* A session has begun: nothing was written to it yet */
void vmig_fuzz_stream_begin(struct vmig_fuzz *fuzz);

/* Make the next stream, in @fuzz->candidate */
int vmig_fuzz_stream_next(struct vmig_fuzz *fuzz);

/* The device has accepted a stream: check it. Return: 0, -EUCLEAN or -EPROTO */
int vmig_fuzz_stream_accepted(struct vmig_fuzz *fuzz);

#endif /* VMIG_FUZZ_INT_H */
