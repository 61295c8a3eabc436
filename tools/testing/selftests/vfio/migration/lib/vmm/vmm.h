/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model VMM: a device, an interrupt controller, and the workflow of a live
 * migration, step by step or as a whole.
 *
 *   source				what goes into the stream
 *   save_setup				the answer of the query
 *   save_iterate, repeated		config space if the device needs it first
 *					and it has changed; device data
 *   save_complete_precopy		the same again, from the stopped device
 *   save_guest				the guest, if there is one to be moved
 *   save_irqchip			the interrupt controller
 *   save_state				config space if it has not been sent and
 *					is needed, and "enable interrupts"
 *   save_end				the end
 *
 * The destination goes by what it reads, section by section, and runs the device
 * with load_start.  Nothing ever goes back to the source.
 *
 * Steps may be called in a wrong order on purpose; it is the device, or the load
 * side, that has to notice.
 *
 * Functions return 0 or -errno, with the reason in words in vmig_vmm.why; they
 * neither judge nor print.  They are not to be called by two threads for the
 * same struct vmig_vmm.
 */
#ifndef VMIG_VMM_H
#define VMIG_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"
#include "lib/vfio/io.h"
#include "lib/vmm/irqchip/irqchip.h"
#include "vmstream.h"

enum vmig_vmm_side {
	VMIG_VMM_SOURCE,
	VMIG_VMM_DESTINATION,
};

/**
 * enum vmig_vmm_config - when a source sends config space
 * @VMIG_VMM_CONFIG_AUTO:	as the driver answers the query: before data if the
 *				device needs that, when it has changed; not at all
 *				if the device's own data carry it; else at last
 * @VMIG_VMM_CONFIG_ALWAYS:	every time, before data and at last
 * @VMIG_VMM_CONFIG_NEVER:	not at all
 * @VMIG_VMM_CONFIG_LAST:	at last
 */
enum vmig_vmm_config {
	VMIG_VMM_CONFIG_AUTO,
	VMIG_VMM_CONFIG_ALWAYS,
	VMIG_VMM_CONFIG_NEVER,
	VMIG_VMM_CONFIG_LAST,
};

/* Stop at once, even if the device could pre-copy */
#define VMIG_VMM_NO_PRECOPY		0x1
/*
 * The VMM that started it all: it knows no subflags, and enables interrupts as
 * soon as it has loaded config space that says so.
 */
#define VMIG_VMM_IRQ_WITH_CONFIG	0x2

enum vmig_event_kind {
	VMIG_EVENT_STEP,	/* a step begins */
	VMIG_EVENT_CALL,	/* the uAPI was called */
	VMIG_EVENT_SECTION,	/* a section was written, or is read */
	VMIG_EVENT_VIOLATION,	/* interrupts enabled without a controller */
};

/**
 * struct vmig_event - what an observer is told
 * @kind:	what happened
 * @side:	to whom
 * @step:	in which step
 * @call:	VMIG_EVENT_CALL: of the uAPI
 * @text:	what was asked or answered, in words; may be empty
 * @section:	VMIG_EVENT_SECTION: which; good for the time of the call
 */
struct vmig_event {
	enum vmig_event_kind kind;
	enum vmig_vmm_side side;
	const char *step;
	const char *call;
	const char *text;
	const struct vmig_section *section;
};

/**
 * struct vmig_vmm_stats - what was done
 * @bytes_precopy:	device data read while the source ran
 * @bytes_stopcopy:	device data read after it stopped
 * @rounds:		of pre-copy
 * @config_sections:	config sections with config space in them
 * @config_bytes:	of config space in them
 * @config_repeats:	how many of them were of the generation of the one before, so
 *			that they need not have been sent
 * @flag_sections:	config sections with subflags alone
 * @config_writes:	write() to config space
 * @set_irqs:		VFIO_DEVICE_SET_IRQS
 * @violations:		interrupts enabled before the controller was restored
 * @started_at:		when the source began, CLOCK_MONOTONIC in ns
 * @stopped_at:		when the source was told to stop, CLOCK_MONOTONIC in ns
 * @running_at:		when the destination ran, CLOCK_MONOTONIC in ns
 */
struct vmig_vmm_stats {
	uint64_t bytes_precopy;
	uint64_t bytes_stopcopy;
	unsigned int rounds;
	unsigned int config_sections;
	uint64_t config_bytes;
	unsigned int config_repeats;
	unsigned int flag_sections;
	unsigned int config_writes;
	unsigned int set_irqs;
	unsigned int violations;
	uint64_t started_at;
	uint64_t stopped_at;
	uint64_t running_at;
};

/**
 * struct vmig_vmm - one side of a migration
 * @side:	which
 * @dev:	its device
 * @chip:	its interrupt controller
 * @options:	VMIG_VMM_*; to be set before the first step
 * @config:	when a source sends config space; to be set before the first step
 * @max_rounds:	save_iterate is repeated at most so often before the source is
 *		stopped
 * @patience:	for how long to wait for the other side of a stream; may be NULL
 * @observe:	is told each thing that happens; may be NULL
 * @opaque:	for @observe
 * @guest:	for the next three, of which any may be NULL
 * @stop_guest:	the source's processors have to stop
 * @save_guest:	append the stopped guest's state, at most VMIG_GUEST_MAX bytes
 * @load_guest:	take over a guest that runs as soon as the device does
 * @stats:	what was done so far
 * @why:	reason of the last failure, in words; empty if there is none
 * @read_error:	the -errno, if a load has failed because the stream could not be read
 * @step:	current step
 * @data_fd:	session of the device, or -1
 * @has_query:	the driver answers VFIO_DEVICE_FEATURE_MIG_CONFIG
 * @policy:	VFIO_MIG_CONFIG_* of its answer
 * @mig_flags:	VFIO_MIGRATION_* of the device
 * @generation:	of config space: source, as sent last, or 0; destination, as
 *		loaded last, or 0
 * @irq_enabled: interrupts have been enabled on the destination
 * @chip_restored: the interrupt controller has been restored
 * @held:	data that the device would not take yet
 * @buf:	VMIG_DATA_MAX bytes
 */
struct vmig_vmm {
	enum vmig_vmm_side side;
	struct vmig_device *dev;
	struct vmig_irqchip *chip;
	unsigned int options;
	enum vmig_vmm_config config;
	unsigned int max_rounds;
	const struct vmig_patience *patience;
	void (*observe)(void *opaque, const struct vmig_event *event);
	void *opaque;
	void *guest;
	void (*stop_guest)(void *guest);
	int (*save_guest)(void *guest, struct vmig_bytes *state);
	int (*load_guest)(void *guest, const uint8_t *state, size_t len);
	struct vmig_vmm_stats stats;
	char why[200];
	int read_error;

	const char *step;
	int data_fd;
	bool has_query;
	uint64_t policy;
	uint64_t mig_flags;
	uint64_t generation;
	bool irq_enabled;
	bool chip_restored;
	struct vmig_bytes held;
	uint8_t *buf;
};

/**
 * vmig_vmm_init - a VMM
 * @vmm:	filled in
 * @side:	source or destination
 * @dev:	its device, RUNNING
 * @chip:	its interrupt controller
 */
int vmig_vmm_init(struct vmig_vmm *vmm, enum vmig_vmm_side side,
		  struct vmig_device *dev, struct vmig_irqchip *chip);

/** vmig_vmm_exit - end the session, if any; device and controller stay */
void vmig_vmm_exit(struct vmig_vmm *vmm);

/**
 * vmig_vmm_enable_interrupts - connect what config space says is enabled
 * @vmm:	source or destination
 *
 * MSI, if the guest has enabled that; INTx otherwise, unless the guest has
 * disabled it.
 */
int vmig_vmm_enable_interrupts(struct vmig_vmm *vmm);

/**
 * vmig_vmm_boot - what guest and VMM do on a source before it migrates
 * @vmm:	source
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 * @vector:	of the MSI
 *
 * Sets up interrupt controller and config space, and enables interrupts.
 */
int vmig_vmm_boot(struct vmig_vmm *vmm, unsigned int index, uint8_t vector);

/* Source, step by step.  Each step ends with END_OF_STATE or END_OF_STREAM. */
int vmig_vmm_save_setup(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_save_iterate - one round of pre-copy
 * @vmm:	source
 * @fd:		the stream
 *
 * Return: 1 if nothing is left for now, 0 if something is, or -errno.
 */
int vmig_vmm_save_iterate(struct vmig_vmm *vmm, int fd);

int vmig_vmm_save_complete_precopy(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_guest(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_irqchip(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_state(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_end(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_save_config - write a config section, whether it is needed or not
 * @vmm:	source
 * @fd:		the stream
 * @subflags:	VMIG_CONFIG_*; without VMIG_CONFIG_SETUP it has no payload
 */
int vmig_vmm_save_config(struct vmig_vmm *vmm, int fd, uint64_t subflags);

/**
 * vmig_vmm_save - all of the steps
 * @vmm:	source
 * @fd:		the stream
 *
 * If one fails, END_OF_STREAM has not been written, and the device runs on. If none
 * does, the device stands still: channel.h says what can be known then.
 */
int vmig_vmm_save(struct vmig_vmm *vmm, int fd);

/** vmig_vmm_save_cancel - the device runs on, as if nothing had been saved */
int vmig_vmm_save_cancel(struct vmig_vmm *vmm);

/**
 * vmig_vmm_load_section - do what one section says
 * @vmm:	destination
 * @section:	any, in any order
 *
 * Return: 0 or -errno; among the latter
 *   -EXDEV	the source's device answers the query differently
 *   -EPROTO	data before config space; interrupts to be enabled before the
 *		controller is restored; any section before the setup section
 *   -ESTALE	data of another generation than the config space loaded
 *   -EALREADY	interrupts to be enabled twice
 *   -EOPNOTSUPP	a guest, and nobody to take it over
 * After -EPROTO or -ESTALE for data, what the device would not take is kept for
 * vmig_vmm_load_held().
 */
int vmig_vmm_load_section(struct vmig_vmm *vmm,
			  const struct vmig_section *section);

/** vmig_vmm_load_held - offer again what the device would not take */
int vmig_vmm_load_held(struct vmig_vmm *vmm);

/**
 * vmig_vmm_load_step - read and do what one step of the source has written
 * @vmm:	destination
 * @reader:	the stream
 *
 * Return: 1 behind END_OF_STREAM, 0 behind END_OF_STATE, or -errno.
 */
int vmig_vmm_load_step(struct vmig_vmm *vmm, struct vmig_reader *reader);

/**
 * vmig_vmm_load_start - run the device
 * @vmm:	destination
 *
 * Return: 0 or -errno; among the latter
 *   -EPROTO	nobody has enabled interrupts
 *   -ENODATA	the device's data are not complete
 *   -ESTALE	they are of another generation than the config space loaded; it may
 *		be loaded, and this be called, again
 */
int vmig_vmm_load_start(struct vmig_vmm *vmm);

/** vmig_vmm_load - all that is in a stream up to END_OF_STREAM, then run the device */
int vmig_vmm_load(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_migrate - save and load at the same time, in one process
 * @src:	source; runs on if anything fails
 * @dst:	destination
 *
 * Return: 0, the -errno of the side that failed first.
 */
int vmig_vmm_migrate(struct vmig_vmm *src, struct vmig_vmm *dst);

/** vmig_vmm_downtime_ns - from STOP on the source to RUNNING on the destination */
uint64_t vmig_vmm_downtime_ns(const struct vmig_vmm *src,
			      const struct vmig_vmm *dst);

#endif /* VMIG_VMM_H */
