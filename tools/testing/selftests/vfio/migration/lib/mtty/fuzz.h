/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A user who knows the uAPI and wishes no good: any call, at any time, with
 * arguments that are right, almost right, or nonsense, and migration streams that
 * are mutations of good ones.
 *
 * All that is done follows from a seed, so it can be done again.
 */
#ifndef VMIG_FUZZ_H
#define VMIG_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

#define VMIG_FUZZ_STREAMS	3

/**
 * struct vmig_fuzz - the user
 * @dev:	the device
 * @seed:	of what comes next
 * @good:	streams of such a device, to make others from; filled in by the caller
 * @config:	config space that goes with them, and
 * @generation:	its generation
 * @shared:	others use the device as well, so what it has become is not judged
 * @steps:	calls so far
 * @good_streams:	good streams that were begun, and
 * @streams:	mutated ones
 * @accepted:	how many of these a device has become
 * @what:	the last call, in words; and if it failed, what was wrong with it
 */
struct vmig_fuzz {
	struct vmig_device *dev;
	unsigned int seed;
	struct vmig_bytes good[VMIG_FUZZ_STREAMS];
	uint8_t config[256];
	uint64_t generation;
	bool shared;
	uint64_t steps;
	uint64_t good_streams;
	uint64_t streams;
	uint64_t accepted;
	char what[160];

	/* private: */
	int data_fd;
	int eventfd;
	struct vmig_bytes candidate;
	struct vmig_bytes offered;
	size_t pos;
	bool irqs_touched;
	bool memory_touched;
	bool config_touched;
	bool mutated;
};

/**
 * vmig_fuzz_learn - what streams of a device look like
 * @fuzz:	@good, @config and @generation are filled in
 * @dev:	the device, RUNNING and fresh from a reset; it has contents afterwards
 */
int vmig_fuzz_learn(struct vmig_fuzz *fuzz, struct vmig_device *dev);

/** vmig_fuzz_forget - undo vmig_fuzz_learn() */
void vmig_fuzz_forget(struct vmig_fuzz *fuzz);

/**
 * vmig_fuzz_begin - ready for the first step
 * @fuzz:	@good, @config, @generation and @shared filled in, the rest zero
 * @dev:	the device, RUNNING
 * @seed:	any number
 */
int vmig_fuzz_begin(struct vmig_fuzz *fuzz, struct vmig_device *dev,
		    unsigned int seed);

/**
 * vmig_fuzz_step - one call
 * @fuzz:	the user
 *
 * Return: 0 whether it was refused or not; -EPROTO if it was answered in a way
 * that the uAPI does not know, -EUCLEAN if the device has accepted a stream and
 * is not what that describes.  @what says which.
 */
int vmig_fuzz_step(struct vmig_fuzz *fuzz);

/** vmig_fuzz_end - let go of everything but the device */
void vmig_fuzz_end(struct vmig_fuzz *fuzz);

#endif /* VMIG_FUZZ_H */
