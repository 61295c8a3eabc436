/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the fuzzing user share; see fuzz.h. */
#ifndef VMIG_FUZZ_INT_H
#define VMIG_FUZZ_INT_H

#include <stdlib.h>

#include "fuzz.h"

/* A number below @nr */
static inline unsigned int vmig_fuzz_pick(struct vmig_fuzz *fuzz, unsigned int nr)
{
	return rand_r(&fuzz->seed) % nr;
}

/* Returns @ret, with the reason in @fuzz->what */
int vmig_fuzz_say(struct vmig_fuzz *fuzz, int ret, const char *fmt, ...);

/* A session to load has begun: nothing was offered to it yet */
void vmig_fuzz_stream_begin(struct vmig_fuzz *fuzz);

/* Makes the stream that is offered next */
int vmig_fuzz_stream_next(struct vmig_fuzz *fuzz);

/* The device has become what was offered; 0, -EUCLEAN or -EPROTO */
int vmig_fuzz_stream_accepted(struct vmig_fuzz *fuzz);

#endif /* VMIG_FUZZ_INT_H */
