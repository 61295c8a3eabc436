/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * VFIO migration: does a device need its PCI config space before it can accept
 * migration data?  A proposal, on top of the v2 migration uAPI in vfio.h.
 */
#ifndef _UAPI_VFIO_MIG_CONFIG_H
#define _UAPI_VFIO_MIG_CONFIG_H

#include <linux/types.h>

/*
 * Index for the VFIO_DEVICE_FEATURE ioctl.  Provisional, and far away from the
 * indexes that vfio.h hands out one by one.
 */
#define VFIO_DEVICE_FEATURE_MIG_CONFIG	0xff00

/**
 * struct vfio_device_feature_mig_config - config space in the migration stream
 *
 * @flags:	VFIO_MIG_CONFIG_* below.
 * @generation:	Version of the guest-visible content of config space.  It moves
 *		exactly when that content changes and is never zero.  Bits that
 *		only report the state of the device (PCI_STATUS_INTERRUPT) are
 *		not content.
 *
 * VFIO_DEVICE_FEATURE_GET works in every device state.  It is meant for the
 * source: a migration stream may be a file, so the answer travels in the stream
 * and the destination compares it with its own.  At most one of the three
 * policy flags is set; none of them means that config space and migration data
 * may be restored in any order, and that the user may leave config space to the
 * very end of the migration.
 *
 * VFIO_DEVICE_FEATURE_SET works in VFIO_DEVICE_STATE_RESUMING only, with @flags
 * equal to VFIO_MIG_CONFIG_LOADED and @generation as the source reported it.  It
 * declares that everything written to the config region since RESUMING was
 * entered (or since the last successful SET) is one complete snapshot of that
 * generation.  The driver checks the snapshot and then takes it over as a whole;
 * if it fails, config space is what it was before the call.  It may be repeated,
 * with a newer snapshot, as often as the source's config space changes.
 *
 * Errors of the ioctl:
 *   EINVAL  SET outside RESUMING; flags other than LOADED; generation zero; a
 *	     data area smaller than this structure; a snapshot that contradicts
 *	     this device (IDs or another read-only field, a BAR that is not
 *	     aligned to its size)
 *   EFAULT  the structure cannot be read or written
 *   ENOTTY  the driver does not have the feature: the user proceeds as if no
 *	     policy flag were set
 *
 * Error of read() on the data_fd while saving:
 *   ESTALE  VFIO_MIG_CONFIG_BEFORE_DATA, and config space has changed since the
 *	     last GET; a GET, and sending the config space that goes with its
 *	     answer, lets read() go on where it was.  Without it, data might be
 *	     made under a config space that the user never saw, and that no
 *	     destination could load.  It concerns only users who have asked since
 *	     the device was opened.
 *
 * Errors of write() on the data_fd in RESUMING.  Neither of them consumes any
 * of the data of that call, so it may be repeated once the right config space
 * has been loaded:
 *   EPROTO  VFIO_MIG_CONFIG_BEFORE_DATA, and no snapshot has been loaded yet
 *   ESTALE  a snapshot has been loaded, and the data were made under another
 *	     generation
 */
struct vfio_device_feature_mig_config {
	__aligned_u64 flags;
/* The destination accepts migration data only after the config space */
#define VFIO_MIG_CONFIG_BEFORE_DATA	(1 << 0)
/* The driver takes both in any order, and applies config space first */
#define VFIO_MIG_CONFIG_REORDER		(1 << 1)
/* The driver carries config space in its own migration data */
#define VFIO_MIG_CONFIG_EMBEDDED	(1 << 2)
/* A snapshot has been loaded in this RESUMING session */
#define VFIO_MIG_CONFIG_LOADED		(1 << 3)
	__aligned_u64 generation;
};

#endif /* _UAPI_VFIO_MIG_CONFIG_H */
