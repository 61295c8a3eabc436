/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of vfio-migrate. */
#ifndef VFIO_MIGRATE_H
#define VFIO_MIGRATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/vmm/channel.h"
#include "lib/vfio/device.h"
#include "lib/mtty/traffic.h"
#include "lib/vmm/vmm.h"

/**
 * enum migrate_exit - exit status
 * @MIGRATE_DONE:	success; save: over TCP the destination runs, else the stream was
 *			stored or handed over
 * @MIGRATE_FAILED:	save: the source continues to run; load: nothing runs
 * @MIGRATE_USAGE:	the command line is invalid
 * @MIGRATE_BROKEN:	load, inspect: the stream is broken, or was refused
 * @MIGRATE_DEVICE:	the device cannot be opened or used
 * @MIGRATE_UNSURE:	save: handed over, but not confirmed
 * @MIGRATE_LOST:	the guest has lost data
 * @MIGRATE_NO_OUTPUT:	success, but the output could not be written
 */
enum migrate_exit {
	MIGRATE_DONE,
	MIGRATE_FAILED,
	MIGRATE_USAGE,
	MIGRATE_BROKEN,
	MIGRATE_DEVICE,
	MIGRATE_UNSURE,
	MIGRATE_LOST,
	MIGRATE_NO_OUTPUT,
};

/**
 * struct migrate_options - the command line
 * @command:	"save", "load" or "inspect"
 * @device:	UUID of the device
 * @stream:	as vmig_channel_open() takes it
 * @config:	when config space is sent
 * @config_word: @config as text
 * @no_precopy:	stop at once
 * @max_rounds:	limit of pre-copy rounds
 * @guest:	there is a guest
 * @guest_ms:	how long it runs before a save, and after a load or a failure
 * @busy_config: the guest writes its config space
 * @dirty_kib:	KiB of capture memory that are written, or 0
 * @dirty_rate_kib: KiB of them per second
 * @resume_if_unsure: resume the source without a confirmation
 * @timeout_ms:	limit of each wait for the other side
 * @json:	print one JSON object instead of text
 * @quiet:	no progress, no summary
 * @given:	bit mask of the options given
 */
struct migrate_options {
	const char *command;
	char device[VMIG_UUID_LEN + 1];
	const char *stream;
	enum vmig_vmm_config config;
	const char *config_word;
	bool no_precopy;
	unsigned int max_rounds;
	bool guest;
	unsigned int guest_ms;
	bool busy_config;
	unsigned int dirty_kib;
	unsigned int dirty_rate_kib;
	bool resume_if_unsure;
	unsigned int timeout_ms;
	bool json;
	bool quiet;
	unsigned int given;
};

/**
 * struct migrate_dirty - a thread that writes to capture memory
 * @thread:	valid while @is_started
 * @dev:	the device
 * @start:	offset in BAR2 of the first page, in bytes
 * @pages:	number of pages of 4 KiB
 * @rate:	bytes per second; each write counts as a page
 * @is_started:	the thread runs
 * @stop:	ask the thread to end
 * @ret:	0, or the -errno that ended the thread
 */
struct migrate_dirty {
	pthread_t thread;
	struct vmig_device *dev;
	uint64_t start;
	uint64_t pages;
	uint64_t rate;
	bool is_started;
	bool stop;
	int ret;
};

/**
 * struct migrate_guest - a guest that uses the device, or none
 * @traffic:	uses the ports; NULL without a guest
 * @config_writer: writes config space, or NULL
 * @dirty:	writes capture memory; also without @traffic
 * @paused:	the guest is stopped
 * @wanted:	load: run a guest that is in the stream, instead of ignoring it
 * @dev:	the device
 * @report:	result; valid when @is_finished
 * @config_changes: number of writes to config space
 * @config_reg:	first register without the value written last, or 0
 * @is_finished: the guest has ended
 */
struct migrate_guest {
	struct vmig_traffic *traffic;
	struct vmig_config_writer *config_writer;
	struct migrate_dirty dirty;
	bool paused;
	bool wanted;
	struct vmig_device *dev;
	struct vmig_traffic_report report;
	uint64_t config_changes;
	unsigned int config_reg;
	bool is_finished;
};

/**
 * struct migrate - a save or a load
 * @options:	the command line
 * @dev:	the device
 * @chip:	its interrupt controller
 * @vmm:	its VMM
 * @guest:	its guest
 * @channel:	the stream
 * @patience:	limit of each wait for the other side; a signal cancels it
 * @is_out_taken: standard output is the stream
 * @error:	reason of the failure as text, or NULL
 */
struct migrate {
	const struct migrate_options *options;
	struct vmig_device dev;
	struct vmig_irqchip *chip;
	struct vmig_vmm vmm;
	struct migrate_guest guest;
	struct vmig_channel channel;
	struct vmig_patience patience;
	bool is_out_taken;
	char *error;
};

/* device.c: -fail() adds a reason and returns @status */
int migrate_fail(struct migrate *mig, enum migrate_exit status,
		 const char *fmt, ...);
int migrate_open(struct migrate *mig, enum vmig_vmm_side side);
void migrate_close(struct migrate *mig);

/* signals.c: a descriptor that a signal makes readable, and the reason of an error */
int migrate_catch_signals(void);
const char *migrate_reason(struct migrate *mig, int error);

/* save.c, load.c, inspect.c: the commands; each returns an exit status */
int migrate_save(struct migrate *mig);
int migrate_load(struct migrate *mig);
int migrate_inspect(const struct migrate_options *options);

/* guest.c: 0 or -errno; migrate_guest_finish() returns an exit status */
int migrate_guest_start(struct migrate_guest *guest, struct vmig_device *dev,
			const struct migrate_options *options);
void migrate_guest_run(const struct migrate *mig, unsigned int ms);
void migrate_guest_stop(void *opaque);
int migrate_guest_save(void *opaque, struct vmig_bytes *state);
int migrate_guest_load(void *opaque, const uint8_t *state, size_t len);
int migrate_guest_finish(struct migrate *mig, enum migrate_exit status);

/* dirty.c: 0 or -errno; -ENOSPC if capture memory is too small for it */
int migrate_dirty_start(struct migrate_dirty *dirty, struct vmig_device *dev,
			const struct migrate_options *options);
int migrate_dirty_stop(struct migrate_dirty *dirty);

/* progress.c: a line on the terminal */
void migrate_progress_begin(struct vmig_vmm *vmm,
			    const struct migrate_options *options);
void migrate_progress_end(void);

/* report.c: summary on standard output; returns the exit status */
bool migrate_is_output(int fd);
enum migrate_exit migrate_report(const struct migrate *mig,
				 enum migrate_exit status);
enum migrate_exit migrate_flush(FILE *out, enum migrate_exit status);

/* json.c */
void migrate_json_string(FILE *to, const char *key, const char *value);

#endif /* VFIO_MIGRATE_H */
