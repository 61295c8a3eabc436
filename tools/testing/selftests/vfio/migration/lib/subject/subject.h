/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device under test. VFIO_DEVICE names it, and after a comma a second one:
 *
 *   PARENT/TYPE[:ATTR=VALUE]...	an mdev that is created for each case, such as
 *				"mtty/mtty-1:migration/features=stop_copy p2p"
 *   UUID			an mdev that exists
 *   0000:00:08.0		a PCI function that is bound to a vfio driver
 *   /dev/vfio/devices/vfio0	a cdev; opened by iommufd
 *
 * Without VFIO_DEVICE it is "mtty/mtty-1". The second of a device that is created is one
 * of the same kind.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_SUBJECT_H
#define VMIG_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/vfio/device.h"
#include "ops.h"

/* Features that a case may need; the words of "Needs:" in uapi/clauses */
enum vmig_has {
	VMIG_HAS_MIGRATION = 1 << 0,
	VMIG_HAS_P2P = 1 << 1,
	VMIG_HAS_PRE_COPY = 1 << 2,
	VMIG_HAS_PRECOPY_V2 = 1 << 3,
	VMIG_HAS_DATA_SIZE = 1 << 4,
	VMIG_HAS_DMA_LOGGING = 1 << 5,
	VMIG_HAS_RESET = 1 << 6,
	VMIG_HAS_PCI = 1 << 7,
	VMIG_HAS_INTX = 1 << 8,
	VMIG_HAS_MSI = 1 << 9,
	VMIG_HAS_MSIX = 1 << 10,
	VMIG_HAS_MMAP = 1 << 11,
	VMIG_HAS_MDEV = 1 << 12,
	VMIG_HAS_GROUP = 1 << 13,
	VMIG_HAS_CDEV = 1 << 14,
	VMIG_HAS_DMA = 1 << 15,
	VMIG_HAS_VGA = 1 << 16,
	VMIG_HAS_IRQ = 1 << 17,
	VMIG_HAS_REGION = 1 << 18,
};

#define VMIG_HAS_NR		19

/**
 * struct vmig_subject - a device under test that is open
 * @mdev:	the device, if it was created
 * @dev:	the open device
 * @ops:	what can be done with it; not NULL
 * @has:	VMIG_HAS_*
 * @sysfs:	its directory
 * @path:	how it is opened
 */
struct vmig_subject {
	struct vmig_mdev mdev;
	struct vmig_device dev;
	const struct vmig_ops *ops;
	uint32_t has;
	char sysfs[128];
	enum vmig_path path;
};

/**
 * vmig_subject_missing - the reason why there is no device, and how to give one
 *
 * Loads the module of a device that is created, until this process exits (vmig_module_use()).
 *
 * Return: NULL if a device was named, or one can be created, and there is a way to open it.
 */
const char *vmig_subject_missing(void);

/** vmig_subject_given - was the device there before the test, and may others need it? */
bool vmig_subject_given(void);

/**
 * vmig_subject_open - create the device if it has to be, and open it
 * @subject:	filled in
 *
 * Return: 0, -EINVAL for a name that is none, -ENODEV if there is no such device, or
 * another -errno of creating or opening it.
 */
int vmig_subject_open(struct vmig_subject *subject);

/**
 * vmig_subject_open_second - the same for the second device; -ENODEV if there is none
 * @subject:	filled in
 *
 * The list of calls goes on: what the first device did belongs to it.
 */
int vmig_subject_open_second(struct vmig_subject *subject);

/**
 * vmig_subject_open_untouched - vmig_subject_open() without a call of the device
 * @subject:	filled in; it has nothing, and no operations, before vmig_subject_learn()
 */
int vmig_subject_open_untouched(struct vmig_subject *subject);

/** vmig_subject_learn - ask an open device what it has */
int vmig_subject_learn(struct vmig_subject *subject);

/**
 * vmig_subject_reopen - close the device and open it, without removing it
 * @subject:	that was opened
 */
int vmig_subject_reopen(struct vmig_subject *subject);

/** vmig_subject_close - reset and close a device, and remove it if it was created */
void vmig_subject_close(struct vmig_subject *subject);

/** vmig_subject_lacks - name of the first of these VMIG_HAS_* that it has not, or NULL */
const char *vmig_subject_lacks(const struct vmig_subject *subject, uint32_t needs);

#endif /* VMIG_SUBJECT_H */
