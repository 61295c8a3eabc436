/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The measurements of mig_bench: each function takes one sample of its rows, and of
 * the reference right after it.
 *
 * Functions return 0 or -errno.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/mtty/testdev.h"
#include "lib/vfio/util.h"

#define BENCH_MAX	32
#define BENCH_MIB	(1024UL * 1024)
#define BENCH_CHUNK	(256 * 1024)

/* For the main thread; an allocation would take as long as a read */
extern uint8_t bench_buf[BENCH_CHUNK];

/**
 * struct bench_sample - one line of the output
 * @row:	name of the row
 * @ours:	value of the device
 * @ref:	value of the reference, in the same unit
 */
struct bench_sample {
	char row[32];
	double ours;
	double ref;
};

/**
 * struct bench_out - result of a function
 * @turn:	number of the repetition: the order alternates
 * @nr:		number of samples
 * @sample:	the samples
 */
struct bench_out {
	unsigned int turn;
	unsigned int nr;
	struct bench_sample sample[BENCH_MAX];
};

/** bench_add - add a sample; -ENOSPC after BENCH_MAX */
int bench_add(struct bench_out *out, const char *row, double ours, double ref);

/**
 * bench_open - open a device, and write its capture memory
 * @td:		filled in
 * @size:	bytes of capture memory
 * @filled:	bytes to be written, from the begin of the log
 */
int bench_open(struct vmig_testdev *td, size_t size, size_t filled);

/**
 * bench_drain - read a data_fd to its end, into one buffer
 * @data_fd:	of a saving session
 * @buf:	overwritten by each read
 * @size:	of @buf in bytes
 * @bytes:	set to the number of bytes read; may be NULL
 *
 * Return: as vmig_transfer_read().
 */
int bench_drain(int data_fd, uint8_t *buf, size_t size, size_t *bytes);

/** bench_transfer - rate of save and load, compared with a memfd */
int bench_transfer(struct bench_out *out);

/** bench_dirty - bytes left for STOP_COPY, compared with the pages written */
int bench_dirty(struct bench_out *out);

/** bench_tracked - cost of dirty tracking, large device compared with a small one */
int bench_tracked(struct bench_out *out);

/** bench_many - rate of N devices at once, compared with the best N */
int bench_many(struct bench_out *out);

/** bench_memory - memory charged for a device, idle and saving */
int bench_memory(struct bench_out *out);

/** bench_scale - us for create to remove, and to migrate, 1000 compared with 100 devices */
int bench_scale(struct bench_out *out);

/**
 * bench_small - what the kernel's own mtty supports, too
 * @out:	the references are 0: they come from another module
 */
int bench_small(struct bench_out *out);

#endif /* BENCH_H */
