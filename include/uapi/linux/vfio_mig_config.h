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
 * policy flags is set; none of them means that the device does not need config
 * space for its migration data, and that the user may leave config space to the
 * very end of the migration.
 *
 * VFIO_DEVICE_FEATURE_SET works in VFIO_DEVICE_STATE_RESUMING only, with @flags
 * equal to VFIO_MIG_CONFIG_LOADED and @generation as the source reported it.  It
 * declares that everything written to the config region since RESUMING was
 * entered (or since the last successful SET) is one complete snapshot of that
 * generation.  The driver checks the snapshot and then takes it over as a whole;
 * if it fails, config space is what it was before the call.  It may be repeated,
 * with a newer snapshot, as often as the source's config space changes; each
 * replaces the one before.  What a snapshot leaves out is as it was when RESUMING
 * was entered.
 *
 * What is written to the config region and never declared complete takes effect
 * when RESUMING is left for VFIO_DEVICE_STATE_STOP, as an ordinary write would.
 * Until then a read of the config region shows what it will become.
 *
 * VFIO_MIG_CONFIG_REORDER: snapshots may also come in any order.  The one of the
 * newest generation counts, an older one is checked and then ignored; once all of
 * the migration data have come, the one of their generation counts.  Memory that
 * the driver needs for this does not grow with what it is given.
 *
 * VFIO_MIG_CONFIG_EMBEDDED: the user need not send config space at all.  What he
 * does write, declared complete or not, comes before what the migration data
 * carry, in whatever order the two arrive.  When the device has left RESUMING its
 * @generation is the source's, or the next one if the user's writes made config
 * space another than the source's.
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
 *	     generation; not under VFIO_MIG_CONFIG_REORDER, nor EMBEDDED
 *
 * Error of the change from RESUMING to STOP.  The device stays in RESUMING and
 * has lost nothing, so it may be repeated once the right config space has been
 * loaded:
 *   ESTALE  all of the data have come, and they end under another generation
 *	     than that of the snapshot that has been loaded; not under
 *	     VFIO_MIG_CONFIG_EMBEDDED
 *
 * A user who has opted in to VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, where the
 * kernel has it, is told of a change of the source's config space in the PRE_COPY
 * states by VFIO_PRECOPY_INFO_REINIT, once for all changes since he last asked.
 */
struct vfio_device_feature_mig_config {
	__aligned_u64 flags;
/* The destination accepts migration data only after the config space */
#define VFIO_MIG_CONFIG_BEFORE_DATA	(1 << 0)
/* The driver takes both in any order, and goes by the newest config space */
#define VFIO_MIG_CONFIG_REORDER		(1 << 1)
/* The driver carries config space in its own migration data */
#define VFIO_MIG_CONFIG_EMBEDDED	(1 << 2)
/* A snapshot has been loaded in this RESUMING session */
#define VFIO_MIG_CONFIG_LOADED		(1 << 3)
	__aligned_u64 generation;
};

#endif /* _UAPI_VFIO_MIG_CONFIG_H */
