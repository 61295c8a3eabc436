/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzzer of the uAPI: calls in random order, with valid, almost valid, and random
 * arguments, and migration streams that are mutations of valid ones.
 *
 * The seed determines all calls, so a failure can be repeated.
 */
#ifndef VMIG_FUZZ_H
#define VMIG_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"
#include "lib/vfio/feature.h"

#define VMIG_FUZZ_STREAMS	3
/* Snapshots of a session that are remembered */
#define VMIG_FUZZ_LOADS		8

/**
 * struct vmig_fuzz - the fuzzer
 * @dev:	the device
 * @seed:	state of the random number generator
 * @opt_in:	vmig_fuzz_record() opts in to VFIO_DEVICE_FEATURE_MIG_CONFIG; else no call
 *		may do so
 * @good:	valid streams of the device
 * @config:	their snapshots, if @opt_in is set
 * @shared:	other threads use the device too, so do not check accepted streams
 * @steps:	number of calls
 * @good_streams:	number of valid streams that were loaded
 * @streams:	number of mutated streams that were loaded
 * @accepted:	number of mutated streams that the device has accepted
 * @what:	the last call, and the reason if it failed
 */
struct vmig_fuzz {
	struct vmig_device *dev;
	unsigned int seed;
	bool opt_in;
	struct vmig_bytes good[VMIG_FUZZ_STREAMS];
	struct vmig_snapshot config[VMIG_FUZZ_STREAMS];
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
	unsigned int chosen;
	struct vmig_snapshot got;
	struct vmig_snapshot loaded[VMIG_FUZZ_LOADS];
	unsigned int loads;
	bool irqs_touched;
	bool memory_touched;
	bool config_touched;
	bool mutated;
};

/**
 * vmig_fuzz_record - record valid streams
 * @fuzz:	@opt_in set; @good and @config are filled in
 * @dev:	the device, RUNNING, after a reset; its contents change
 */
int vmig_fuzz_record(struct vmig_fuzz *fuzz, struct vmig_device *dev);

/** vmig_fuzz_free - undo vmig_fuzz_record() */
void vmig_fuzz_free(struct vmig_fuzz *fuzz);

/**
 * vmig_fuzz_begin - prepare for the first step
 * @fuzz:	@opt_in, @good, @config and @shared set, the rest zero
 * @dev:	the device, RUNNING
 * @seed:	any number
 */
int vmig_fuzz_begin(struct vmig_fuzz *fuzz, struct vmig_device *dev,
		    unsigned int seed);

/**
 * vmig_fuzz_step - make one call
 * @fuzz:	after vmig_fuzz_begin()
 *
 * Return: 0 for success, and for an errno that the uAPI or the device documents;
 * -EPROTO for any other; -EUCLEAN if the device does not have the contents of a stream
 * that it has accepted. @what has the reason.
 */
int vmig_fuzz_step(struct vmig_fuzz *fuzz);

/** vmig_fuzz_end - undo vmig_fuzz_begin() */
void vmig_fuzz_end(struct vmig_fuzz *fuzz);

#endif /* VMIG_FUZZ_H */
