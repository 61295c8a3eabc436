/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is measured, apart from how it is printed: each function takes one sample of
 * its rows, ours and the reference right after each other.
 *
 * Functions return 0 or -errno; they neither judge nor print.
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

/* Of whoever reads in the main thread: to get memory would take as long as to read */
extern uint8_t bench_buf[BENCH_CHUNK];

/**
 * struct bench_sample - one line of the output
 * @row:	what was measured
 * @ours:	value of the device
 * @ref:	value of what it is compared with, in the same unit
 */
struct bench_sample {
	char row[32];
	double ours;
	double ref;
};

/**
 * struct bench_out - what a function has measured
 * @turn:	number of the repetition: who goes first alternates with it
 * @nr:		how many samples
 * @sample:	the samples
 */
struct bench_out {
	unsigned int turn;
	unsigned int nr;
	struct bench_sample sample[BENCH_MAX];
};

/** bench_add - add a sample; -ENOSPC if there are too many */
int bench_add(struct bench_out *out, const char *row, double ours, double ref);

/**
 * bench_open - a device with capture memory that is written all over
 * @td:		filled in
 * @size:	bytes of capture memory
 * @filled:	how many of them are written, counted from the log's first
 */
int bench_open(struct vmig_testdev *td, size_t size, size_t filled);

/**
 * bench_drain - read all that a data_fd has, into the same buffer again and again
 * @data_fd:	of a saving session
 * @buf:	the buffer
 * @size:	of it, in bytes
 * @bytes:	how many came; may be NULL
 *
 * Return: as vmig_transfer_read().
 */
int bench_drain(int data_fd, uint8_t *buf, size_t size, size_t *bytes);

/** bench_transfer - save and load of a large device, against a memfd */
int bench_transfer(struct bench_out *out);

/** bench_dirty - what is left for STOP_COPY, against the pages written */
int bench_dirty(struct bench_out *out);

/** bench_tracked - what the size of a tracked device costs, against a small one */
int bench_tracked(struct bench_out *out);

/** bench_many - devices that save at once, against the best of those numbers */
int bench_many(struct bench_out *out);

/** bench_memory - what a device is charged for, idle and saving */
int bench_memory(struct bench_out *out);

/** bench_scale - a device's life, and migration, of 1,000 at once against 100, in us */
int bench_scale(struct bench_out *out);

/**
 * bench_small - what can be asked of any mtty, also of the kernel's own
 * @out:	the references are 0: they come from another module
 */
int bench_small(struct bench_out *out);

#endif /* BENCH_H */
