/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model VMM: a device, an interrupt controller, and the steps of a live migration.
 *
 *   step of the source			sections in the stream
 *   save_setup				the answer of the query, with which both sides
 *					opt in
 *   save_iterate, repeated		config space if the device needs it first
 *					and it has changed; device data
 *   save_complete_precopy		the same again, from the stopped device
 *   save_guest				the guest, if there is one
 *   save_irqchip			the interrupt controller
 *   save_state				config space if it is needed and was not sent,
 *					and "enable interrupts"
 *   save_end				the end
 *
 * The destination loads section by section, and runs the device in load_start.
 * Nothing is sent back to the source.
 *
 * A test may call steps in the wrong order: the device or the destination must
 * refuse them.
 *
 * Functions return 0 or -errno, with the reason as text in vmig_vmm.why.  Calls for
 * the same struct vmig_vmm must be serialised.
 */
#ifndef VMIG_VMM_H
#define VMIG_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/io.h"
#include "lib/vmm/irqchip/irqchip.h"
#include "vmstream.h"

enum vmig_vmm_side {
	VMIG_VMM_SOURCE,
	VMIG_VMM_DESTINATION,
};

/**
 * enum vmig_vmm_config - when a source sends config space
 * @VMIG_VMM_CONFIG_AUTO:	by the driver's answer to the query: before data, again
 *				after each change, if the device needs that; never
 *				if the device's data have it; else at the end
 * @VMIG_VMM_CONFIG_ALWAYS:	each time before data, and at the end
 * @VMIG_VMM_CONFIG_NEVER:	never
 * @VMIG_VMM_CONFIG_LAST:	at the end
 * @VMIG_VMM_CONFIG_PLAIN:	at the end, by access to the config region, as a VMM that
 *				does not know the query; also for a destination
 */
enum vmig_vmm_config {
	VMIG_VMM_CONFIG_AUTO,
	VMIG_VMM_CONFIG_ALWAYS,
	VMIG_VMM_CONFIG_NEVER,
	VMIG_VMM_CONFIG_LAST,
	VMIG_VMM_CONFIG_PLAIN,
};

/* Stop at once, even if the device supports pre-copy */
#define VMIG_VMM_NO_PRECOPY		0x1
/* An old VMM: ignores subflags, and enables interrupts with config space */
#define VMIG_VMM_IRQ_WITH_CONFIG	0x2

enum vmig_event_kind {
	VMIG_EVENT_STEP,	/* a step begins */
	VMIG_EVENT_CALL,	/* the uAPI was called */
	VMIG_EVENT_SECTION,	/* a section was written, or will be loaded */
	VMIG_EVENT_VIOLATION,	/* interrupts enabled before their controller */
};

/**
 * struct vmig_event - argument of an observer
 * @kind:	type of the event
 * @side:	source or destination
 * @step:	name of the current step
 * @call:	VMIG_EVENT_CALL: name of the call
 * @text:	argument or answer as text; may be empty
 * @section:	VMIG_EVENT_SECTION: the section; valid during the call of the observer
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
 * struct vmig_vmm_stats - counters
 * @bytes_precopy:	device data read while the source ran
 * @bytes_stopcopy:	device data read after it stopped
 * @rounds:		of pre-copy
 * @config_sections:	config sections with config space in them
 * @config_bytes:	of config space in them
 * @config_repeats:	unnecessary ones: of the same identity as the one before
 * @flag_sections:	config sections with subflags only
 * @config_writes:	VFIO_MIG_SET_CONFIG, or write() to config space
 * @set_irqs:		VFIO_DEVICE_SET_IRQS
 * @violations:		interrupts enabled before the controller was restored
 * @started_at:		source: begin of save_setup, CLOCK_MONOTONIC in ns
 * @stopped_at:		source: before the device is stopped, CLOCK_MONOTONIC in ns
 * @running_at:		destination: the device is RUNNING, CLOCK_MONOTONIC in ns
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
 * @side:	source or destination
 * @dev:	the device
 * @chip:	the interrupt controller
 * @options:	VMIG_VMM_*; set before the first step
 * @config:	when a source sends config space; set before the first step
 * @max_rounds:	limit of save_iterate before the source is stopped
 * @patience:	limit for each wait for the other side of the stream; may be NULL
 * @observe:	called for each event; may be NULL
 * @opaque:	for @observe
 * @guest:	for the next three functions, of which any may be NULL
 * @stop_guest:	stop the source's processors
 * @save_guest:	append the stopped guest's state, at most VMIG_GUEST_MAX bytes
 * @load_guest:	load a guest that runs when the device does
 * @stats:	counters
 * @why:	reason of the last failure as text, or empty
 * @read_error:	-errno if a load failed because the stream could not be read
 * @step:	name of the current step
 * @data_fd:	data_fd of the device's session, or -1
 * @answer:	of the source; zeroes if it did not opt in
 * @opted_in:	to VFIO_DEVICE_FEATURE_MIG_CONFIG, for the present migration
 * @mig_flags:	VFIO_MIGRATION_* of the device
 * @has_config:	config space was sent or loaded
 * @id:		identity of the last one
 * @irq_enabled: interrupts were enabled
 * @chip_restored: the interrupt controller was restored
 * @refused:	data that the device refused, for vmig_vmm_retry_data()
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
	struct vmig_config_answer answer;
	bool opted_in;
	uint64_t mig_flags;
	bool has_config;
	uint8_t id[VFIO_MIG_CONFIG_ID_SIZE];
	bool irq_enabled;
	bool chip_restored;
	struct vmig_bytes refused;
	uint8_t *buf;
};

/**
 * vmig_vmm_init - initialise a VMM
 * @vmm:	filled in
 * @side:	source or destination
 * @dev:	the device, RUNNING
 * @chip:	the interrupt controller
 */
int vmig_vmm_init(struct vmig_vmm *vmm, enum vmig_vmm_side side,
		  struct vmig_device *dev, struct vmig_irqchip *chip);

/** vmig_vmm_exit - end the session, if any; device and controller stay open */
void vmig_vmm_exit(struct vmig_vmm *vmm);

/**
 * vmig_vmm_enable_interrupts - connect the interrupt that config space enables
 * @vmm:	source or destination
 *
 * MSI if it is enabled, otherwise INTx unless it is disabled.
 */
int vmig_vmm_enable_interrupts(struct vmig_vmm *vmm);

/**
 * vmig_vmm_boot - set up the source as guest and VMM do
 * @vmm:	source
 * @index:	VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_INTX_IRQ_INDEX
 * @vector:	of the MSI
 *
 * Sets up interrupt controller and config space, and enables interrupts.
 */
int vmig_vmm_boot(struct vmig_vmm *vmm, unsigned int index, uint8_t vector);

/* Steps of the source.  Each ends with END_OF_STATE or END_OF_STREAM. */
int vmig_vmm_save_setup(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_save_iterate - one round of pre-copy
 * @vmm:	source
 * @fd:		the stream
 *
 * Return: 1 if the device has no more data for now, 0 if it has, or -errno.
 */
int vmig_vmm_save_iterate(struct vmig_vmm *vmm, int fd);

int vmig_vmm_save_complete_precopy(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_guest(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_irqchip(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_state(struct vmig_vmm *vmm, int fd);
int vmig_vmm_save_end(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_save_config - write a config section, needed or not
 * @vmm:	source
 * @fd:		the stream
 * @subflags:	VMIG_CONFIG_*; without VMIG_CONFIG_SETUP it has no payload, with it the
 *		session must have begun if the source has opted in
 */
int vmig_vmm_save_config(struct vmig_vmm *vmm, int fd, uint64_t subflags);

/**
 * vmig_vmm_save - all steps
 * @vmm:	source
 * @fd:		the stream
 *
 * After a failure END_OF_STREAM was not written, and the device is RUNNING again.
 * After success the device is in STOP: see channel.h for the state of the destination.
 */
int vmig_vmm_save(struct vmig_vmm *vmm, int fd);

/** vmig_vmm_save_cancel - set the device to RUNNING again */
int vmig_vmm_save_cancel(struct vmig_vmm *vmm);

/**
 * vmig_vmm_load_section - load one section
 * @vmm:	destination
 * @section:	any, in any order
 *
 * Return: 0 or -errno; among the latter
 *
 * * -EOPNOTSUPP - this device cannot load data of a source with this answer; a guest, and
 *   no @load_guest
 * * -EPROTO - data before config space; only one side has opted in; "enable
 *   interrupts" before the controller is restored; any section before the
 *   setup section
 * * -ESTALE - data and config space do not belong together
 * * -EINVAL - config space of another device; data of an impossible state
 * * -EALREADY - a second "enable interrupts"
 *
 * After -EPROTO or -ESTALE for data, the refused data are kept for
 * vmig_vmm_retry_data().
 */
int vmig_vmm_load_section(struct vmig_vmm *vmm,
			  const struct vmig_section *section);

/** vmig_vmm_retry_data - write the refused data again */
int vmig_vmm_retry_data(struct vmig_vmm *vmm);

/**
 * vmig_vmm_load_step - read and load the sections of one step of the source
 * @vmm:	destination
 * @reader:	the stream
 *
 * Return: 1 after END_OF_STREAM, 0 after END_OF_STATE, or -errno.
 */
int vmig_vmm_load_step(struct vmig_vmm *vmm, struct vmig_reader *reader);

/**
 * vmig_vmm_load_start - run the device
 * @vmm:	destination
 *
 * Return: 0 or -errno; among the latter
 *
 * * -EPROTO - interrupts are not enabled
 * * -ENODATA - the device's data are not complete
 * * -ESTALE - the config space that they were made under is not loaded; load that, and
 *   call this again
 */
int vmig_vmm_load_start(struct vmig_vmm *vmm);

/** vmig_vmm_load - load a stream up to END_OF_STREAM, then run the device */
int vmig_vmm_load(struct vmig_vmm *vmm, int fd);

/**
 * vmig_vmm_migrate - save and load at the same time, in one process
 * @src:	source; RUNNING again after a failure
 * @dst:	destination
 *
 * Return: 0, or the -errno of the side that failed first.
 */
int vmig_vmm_migrate(struct vmig_vmm *src, struct vmig_vmm *dst);

/** vmig_vmm_downtime_ns - from STOP on the source to RUNNING on the destination */
uint64_t vmig_vmm_downtime_ns(const struct vmig_vmm *src,
			      const struct vmig_vmm *dst);

#endif /* VMIG_VMM_H */
