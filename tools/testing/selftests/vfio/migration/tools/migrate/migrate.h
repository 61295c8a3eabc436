/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-migrate: what its parts share.
 */
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
 * @MIGRATE_DONE:	all went well; save: over TCP it runs on the other side, else all
 *			was stored or handed over
 * @MIGRATE_FAILED:	save: the source runs on; load: nothing was started
 * @MIGRATE_USAGE:	the command line makes no sense
 * @MIGRATE_BROKEN:	load, inspect: the stream is broken, or was refused
 * @MIGRATE_DEVICE:	the device cannot be opened or used
 * @MIGRATE_UNSURE:	save: all was handed over, and nobody has confirmed it
 * @MIGRATE_LOST:	the guest has lost something
 * @MIGRATE_UNTOLD:	all went well, but what was to be printed could not be
 */
enum migrate_exit {
	MIGRATE_DONE,
	MIGRATE_FAILED,
	MIGRATE_USAGE,
	MIGRATE_BROKEN,
	MIGRATE_DEVICE,
	MIGRATE_UNSURE,
	MIGRATE_LOST,
	MIGRATE_UNTOLD,
};

/**
 * struct migrate_options - the command line
 * @command:	"save", "load" or "inspect"
 * @device:	UUID of the device
 * @stream:	as vmig_channel_open() takes it
 * @config:	when config space is sent
 * @config_word: the same, as it was given
 * @no_precopy:	stop at once
 * @max_rounds:	of pre-copy
 * @guest:	there is a guest
 * @guest_ms:	how long it runs before a save, and after a load or a failure
 * @busy_config: it rewrites its config space
 * @dirty_kib:	KiB of capture memory that it writes to; 0: to none
 * @dirty_rate_kib: how much of that in a second
 * @resume_if_unsure: the source shall run on though nobody has confirmed
 * @timeout_ms:	how long a peer may say nothing
 * @json:	one JSON object instead of words
 * @quiet:	no progress, no summary
 * @given:	which options there were, a bit for each
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
 * struct migrate_dirty - who writes to capture memory until the guest is stopped
 * @thread:	good while @is_started
 * @dev:	the device
 * @start:	offset in BAR2 of what is written to, in bytes
 * @pages:	of 4 KiB, from there on
 * @rate:	bytes per second; a page counts as a whole
 * @is_started:	to be stopped
 * @stop:	it has to end
 * @ret:	0, or the -errno that ended it
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
 * @traffic:	its ports; NULL without a guest
 * @churn:	its config space; NULL if it leaves that alone
 * @dirty:	its capture memory; also without @traffic
 * @paused:	it stands still
 * @wanted:	load: a guest that comes shall go on; if not, it is forgotten
 * @dev:	the device that it is on
 * @report:	what became of its bytes; good when @is_judged
 * @config_changes: how often it has written to config space
 * @config_reg:	first register that does not hold what it wrote last, or 0
 * @is_judged:	it has ended
 */
struct migrate_guest {
	struct vmig_traffic *traffic;
	struct vmig_config_writer *churn;
	struct migrate_dirty dirty;
	bool paused;
	bool wanted;
	struct vmig_device *dev;
	struct vmig_traffic_report report;
	uint64_t config_changes;
	unsigned int config_reg;
	bool is_judged;
};

/**
 * struct migrate - a save or a load
 * @options:	the command line
 * @dev:	the device
 * @chip:	its interrupt controller
 * @vmm:	its VMM
 * @guest:	its guest
 * @channel:	the stream
 * @patience:	for how long to wait for the other side; a signal cancels it
 * @is_out_taken: standard output is the stream
 * @error:	why it failed, in words; NULL if it did not
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

/* main.c */
int migrate_fail(struct migrate *mig, enum migrate_exit status,
		 const char *fmt, ...);
int migrate_open(struct migrate *mig, enum vmig_vmm_side side);
void migrate_close(struct migrate *mig);

/* signals.c: to be caught, and why a function that has failed did so, in words */
int migrate_catch_signals(void);
const char *migrate_reason(struct migrate *mig, int error);

/* save.c, load.c, inspect.c: the commands; each returns an exit status */
int migrate_save(struct migrate *mig);
int migrate_load(struct migrate *mig);
int migrate_inspect(const struct migrate_options *options);

/* guest.c: -errno, or 0; the last one, an exit status */
int migrate_guest_start(struct migrate_guest *guest, struct vmig_device *dev,
			const struct migrate_options *options);
void migrate_guest_run(const struct migrate *mig, unsigned int ms);
void migrate_guest_stop(void *opaque);
int migrate_guest_save(void *opaque, struct vmig_bytes *state);
int migrate_guest_load(void *opaque, const uint8_t *state, size_t len);
int migrate_go_on(struct migrate *mig, enum migrate_exit status);

/* dirty.c: 0 or -errno; -ENOSPC if capture memory is too small for it */
int migrate_dirty_start(struct migrate_dirty *dirty, struct vmig_device *dev,
			const struct migrate_options *options);
int migrate_dirty_stop(struct migrate_dirty *dirty);

/* progress.c: a line on the terminal while it works */
void migrate_progress_begin(struct vmig_vmm *vmm,
			    const struct migrate_options *options);
void migrate_progress_end(void);

/* report.c: what was done, on standard output; it returns the status to exit with */
bool migrate_is_output(int fd);
enum migrate_exit migrate_report(const struct migrate *mig,
				 enum migrate_exit status);
enum migrate_exit migrate_flush(FILE *out, enum migrate_exit status);

/* json.c */
void migrate_json_string(FILE *to, const char *key, const char *value);

#endif /* VFIO_MIGRATE_H */
