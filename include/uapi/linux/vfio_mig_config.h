/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * VFIO migration: does a device need its PCI config space before it can accept
 * migration data?  A proposal that extends the v2 migration uAPI in vfio.h.
 */
#ifndef _UAPI_VFIO_MIG_CONFIG_H
#define _UAPI_VFIO_MIG_CONFIG_H

#include <linux/types.h>

/*
 * Index for the VFIO_DEVICE_FEATURE ioctl.  It is provisional, so it is far from the
 * indexes in vfio.h.
 */
#define VFIO_DEVICE_FEATURE_MIG_CONFIG	0xff00

/**
 * struct vfio_device_feature_mig_config - config space in the migration stream
 *
 * @flags:	VFIO_MIG_CONFIG_* below.
 * @generation:	Version of the guest-visible content of config space.  It changes
 *		exactly when that content changes and is never zero.  Bits that
 *		only report the state of the device (PCI_STATUS_INTERRUPT) are
 *		not content.
 *
 * VFIO_DEVICE_FEATURE_GET works in every device state.  The user issues it on the
 * source: a migration stream may be a file, so the answer travels in the stream and
 * the destination compares it with its own.  At most one of the three policy flags is
 * set.  If none is set, the device does not need config space for its migration data,
 * and the user may send config space at the very end of the migration.
 *
 * VFIO_DEVICE_FEATURE_SET works in VFIO_DEVICE_STATE_RESUMING only, with @flags
 * equal to VFIO_MIG_CONFIG_LOADED and @generation as the source reported it.  It
 * declares that all writes to the config region since RESUMING was entered (or since
 * the last successful SET) are one complete snapshot of that generation.  The driver
 * checks the snapshot and loads it as a whole; if SET fails, config space is what it
 * was before the call.  The user may repeat SET with a newer snapshot whenever config
 * space of the source changes; each snapshot replaces the previous one.  Bytes that a
 * snapshot leaves out are as they were when RESUMING was entered.
 *
 * Writes to the config region without a SET take effect when RESUMING is left for
 * VFIO_DEVICE_STATE_STOP, as ordinary writes would.  Until then a read of the config
 * region returns the values that it will have.
 *
 * VFIO_MIG_CONFIG_REORDER: snapshots may come in any order.  The driver keeps the one
 * of the newest generation; it checks and then ignores older ones.  When all of the
 * migration data have been written, the snapshot of their generation replaces any
 * other.  The memory that the driver needs does not grow with the number of snapshots.
 *
 * VFIO_MIG_CONFIG_EMBEDDED: the user need not send config space.  Anything that it does
 * write, with or without SET, overrides config space in the migration data, in
 * whatever order the two arrive.  When the device has left RESUMING, its @generation
 * is that of the source, or the next one if the user's writes made config space
 * different from the source's.
 *
 * Errors of the ioctl:
 *   EINVAL  SET outside RESUMING; flags other than LOADED; generation zero; a
 *	     data area smaller than this structure; a snapshot that contradicts
 *	     this device (IDs or another read-only field, a BAR that is not
 *	     aligned to its size), under every policy
 *   EFAULT  the structure cannot be read or written
 *   ENOTTY  the driver does not have the feature: the user proceeds as if no
 *	     policy flag were set
 *
 * Error of read() on the data_fd while saving:
 *   ESTALE  VFIO_MIG_CONFIG_BEFORE_DATA, and config space has changed since the
 *	     last GET.  The user must issue GET and send the config space of the
 *	     generation that it returns; then read() continues where it was.
 *	     Otherwise the data could be of a config space that the user never read
 *	     and that no destination could load.  A user that has not issued GET
 *	     since the device was opened does not get this error.
 *
 * Errors of write() on the data_fd in RESUMING.  The call consumes none of its data,
 * so the user may repeat it after it has loaded the right config space:
 *   EPROTO  VFIO_MIG_CONFIG_BEFORE_DATA, and no snapshot has been loaded yet
 *   ESTALE  a snapshot has been loaded, and the data were made under another
 *	     generation; not under VFIO_MIG_CONFIG_REORDER or EMBEDDED
 *
 * Error of the change from RESUMING to STOP.  The device stays in RESUMING and loses
 * nothing, so the user may repeat the change after it has loaded the right config
 * space:
 *   ESTALE  all of the data have been written, and their last generation is not
 *	     that of the loaded snapshot; not under VFIO_MIG_CONFIG_EMBEDDED
 *
 * If the user has opted in to VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, on kernels that
 * have it, VFIO_PRECOPY_INFO_REINIT reports that config space of the source has
 * changed in the PRE_COPY states, once for all changes since the last report.
 */
struct vfio_device_feature_mig_config {
	__aligned_u64 flags;
/* The destination accepts migration data only after the config space */
#define VFIO_MIG_CONFIG_BEFORE_DATA	(1 << 0)
/* The driver accepts both in any order and uses the newest config space */
#define VFIO_MIG_CONFIG_REORDER		(1 << 1)
/* The driver includes config space in its migration data */
#define VFIO_MIG_CONFIG_EMBEDDED	(1 << 2)
/* A snapshot has been loaded in this RESUMING session */
#define VFIO_MIG_CONFIG_LOADED		(1 << 3)
	__aligned_u64 generation;
};

#endif /* _UAPI_VFIO_MIG_CONFIG_H */
