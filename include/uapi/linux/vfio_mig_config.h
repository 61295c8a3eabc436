/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/**
 * DOC: PCI config space and migration data
 *
 * A proposal that extends the v2 migration uAPI in vfio.h, second version.
 *
 * A device may need the PCI config space of the source before it can load migration
 * data.  The user asks whether it does, and opts in on both sides.  Then config space is
 * copied as a snapshot, which has an identity, and migration data carry the identity of
 * the snapshot that they were made under.  A destination detects data and config space
 * that do not belong together before it leaves RESUMING; if it needs the snapshot first, it
 * refuses such a record before any of the record is stored.
 *
 * A user that has not opted in finds a device as vfio.h describes it: no new ioctl on a
 * data_fd, ordinary writes to config space in RESUMING, and none of the errors below but
 * one, EPROTO of write() for data of a source that has opted in.
 *
 * The calls, for VFIO_MIG_CONFIG_BEFORE_DATA::
 *
 *   Source:
 *	VFIO_DEVICE_FEATURE GET		send the answer in the setup of the stream
 *	VFIO_DEVICE_FEATURE SET		opt in, with that answer
 *	enter PRE_COPY or STOP_COPY
 *	VFIO_MIG_GET_CONFIG		send the snapshot, then repeat:
 *	read()				send the data; on ESTALE go back to GET_CONFIG
 *   Destination:
 *	VFIO_DEVICE_FEATURE SET		opt in, with the answer from the stream
 *	enter RESUMING
 *	VFIO_MIG_SET_CONFIG, write()	in the order of the stream
 *	VFIO_MIG_CHECK_DATA		until it returns 0, the source must be kept
 *	enter STOP
 *
 * VFIO_MIG_CONFIG_NOT_NEEDED and VFIO_MIG_CONFIG_ANY_ORDER: the source can get and send the
 * snapshot at any time, at the latest after read() has returned 0.  VFIO_MIG_CONFIG_IN_DATA
 * needs no snapshot.  The user passes a snapshot on as it is, identity and bytes.
 *
 * Lifetimes::
 *
 *			session (data_fd)  content of config space  opt-in
 *   RESET		ends		   reset values		    stays
 *   to ERROR		ends		   stays		    stays
 *   close		ends		   reset values at open	    ends
 *   RESUMING to STOP	ends		   stays		    stays
 *   cancelled saving	ends		   stays		    stays
 *   cancelled loading	ends		   reset values		    stays
 *   to or from P2P	stays		   stays		    stays
 *
 * Cancelled saving is PRE_COPY to RUNNING or STOP_COPY to STOP.  Only VFIO_DEVICE_RESET
 * cancels loading.  The driver forgets which snapshots a session has got or loaded when the
 * session ends: a new saving session needs its own VFIO_MIG_GET_CONFIG, and a second
 * RESUMING session its own VFIO_MIG_SET_CONFIG.  Each opening of a device, from the first
 * open to the last close, gives new identities.
 *
 * Rules for drivers:
 *
 *  - The content of config space is the device's raw config region without bits that
 *    only report a state (PCI_STATUS_INTERRUPT, write-1-to-clear status, link state):
 *    these are zero in a snapshot.  Enable bits of MSI and MSI-X are content.  Loading
 *    them does not set up an interrupt; only VFIO_DEVICE_SET_IRQS does.
 *  - The identity changes at least when the content changes.  It is never the same for
 *    different content, two devices, or two openings of a device.  An identity of zeroes
 *    means none.  Only drivers interpret identities, and only those of one source have
 *    an order.  A driver refuses an identity that no driver makes (EINVAL).
 *  - The data of a session depend on config space if the user has opted in and the
 *    answer is VFIO_MIG_CONFIG_BEFORE_DATA or VFIO_MIG_CONFIG_ANY_ORDER.  Data carry an
 *    identity only then.
 *  - A record is data that the driver makes at one time, under one content of config
 *    space.  The user need not know where records end.
 *  - If several errors apply, ENOTTY is returned first.  The order of the others is the
 *    driver's choice.
 *  - A new way to depend on config space is a new answer.  A driver can continue to load
 *    older streams by accepting the older answer in VFIO_DEVICE_FEATURE SET.
 */
#ifndef _UAPI_VFIO_MIG_CONFIG_H
#define _UAPI_VFIO_MIG_CONFIG_H

#include <linux/types.h>

/*
 * Index for the VFIO_DEVICE_FEATURE ioctl.  It is provisional, so it is far from the
 * indexes in vfio.h.  The first version of the proposal had 0xff00: drivers return ENOTTY
 * for that index, so its users proceed as with a driver without the feature.
 */
#define VFIO_DEVICE_FEATURE_MIG_CONFIG	0xff01

/**
 * enum vfio_mig_config_need - does the destination need config space for its data?
 *
 * @VFIO_MIG_CONFIG_NOT_NEEDED:	No.  The user may copy config space at any time.
 * @VFIO_MIG_CONFIG_BEFORE_DATA: Data can be loaded only after the snapshot that they
 *		were made under.
 * @VFIO_MIG_CONFIG_ANY_ORDER:	Yes, but the driver accepts data and snapshots in any
 *		order.  The snapshot of the last record must be loaded before RESUMING is
 *		left.
 * @VFIO_MIG_CONFIG_IN_DATA:	The driver includes config space in its data.  The user
 *		need not copy it.  A write of the user in RESUMING, with
 *		VFIO_MIG_SET_CONFIG or to the config region, overrides the data byte by
 *		byte.  The order in which the two arrive does not matter.
 */
enum vfio_mig_config_need {
	VFIO_MIG_CONFIG_NOT_NEEDED = 0,
	VFIO_MIG_CONFIG_BEFORE_DATA = 1,
	VFIO_MIG_CONFIG_ANY_ORDER = 2,
	VFIO_MIG_CONFIG_IN_DATA = 3,
};

/**
 * struct vfio_device_feature_mig_config - config space and migration data
 *
 * @need:	enum vfio_mig_config_need
 * @size:	bytes of a snapshot
 *
 * VFIO_DEVICE_FEATURE_GET returns the same answer in every device state and has no side
 * effect.  The user issues it on the source: a migration stream may be a file, so the
 * answer travels in the stream.
 *
 * VFIO_DEVICE_FEATURE_SET opts in, with what GET has returned on the source: the source
 * passes its own answer, the destination the one from the stream.  It applies to the data
 * transfer sessions that begin afterwards and lasts until the device is closed.  It may
 * be repeated.
 *
 * The structure may grow.  A driver reads and writes the part that it knows; the user
 * zeroes the structure before GET.  The two members below are enough for each version.  A
 * member that a driver must not ignore comes with a new answer.
 *
 * Errors:
 *
 * EINVAL
 *	SET: @need is no answer of the enum; GET, SET: a data area smaller than
 *	this structure
 * EOPNOTSUPP
 *	SET: this device cannot load the data of a source with this answer and
 *	size
 * EBUSY
 *	SET: a data transfer session is open
 * EFAULT
 *	the structure cannot be read or written
 * ENOTTY
 *	the driver does not have the feature.  GET: the source sends no answer,
 *	neither side opts in, and the migration proceeds as vfio.h describes it.
 *	SET on the destination: the migration fails
 */
struct vfio_device_feature_mig_config {
	__u32 need;
	__u32 size;
};

#define VFIO_MIG_CONFIG_ID_SIZE		16

/**
 * struct vfio_mig_config - a snapshot: config space and its identity
 *
 * @argsz:	bytes of this structure and of @data; at least sizeof(struct
 *		vfio_mig_config) plus the size of the device's snapshot
 * @flags:	zero
 * @id:		identity, opaque to the user
 * @size:	bytes at @data; GET sets it, in SET it must be the size of the device's
 *		snapshot
 * @reserved:	zero
 * @data:	content of config space
 */
struct vfio_mig_config {
	__u32 argsz;
	__u32 flags;
	__u8 id[VFIO_MIG_CONFIG_ID_SIZE];
	__u32 size;
	__u32 reserved;
	__u8 data[];
};

/*
 * The following ioctls of a data_fd need VFIO_TYPE and VFIO_BASE of vfio.h.  Their numbers
 * are provisional, at the end of vfio.h's range.  Errors common to them:
 *   ENOTTY	the user had not opted in when the session began, or the session transfers
 *		data in the other direction
 *   ENODEV	the session has ended
 *   EINVAL	@argsz is too small; @flags or @reserved is not zero
 *   EFAULT	the structure cannot be read or written
 *   EINTR	a signal interrupted the wait for another call on the data_fd
 * A call that fails changes nothing in the device or the session.
 */

/**
 * VFIO_MIG_GET_CONFIG - _IO(VFIO_TYPE, VFIO_BASE + 24)
 *
 * Get the snapshot that the next byte of read() belongs to, on the data_fd of a saving
 * session.  While bytes of a record are unread, this is the content that the record was
 * made under.  After the end of the stream it is that of the last record.  Otherwise, also
 * at the temporary end of the stream (ENOMSG), it is the present content.  Bytes and identity
 * are one consistent copy.
 *
 * The driver notes for this session alone which snapshot the user got last: use the data_fd
 * in one thread.
 *
 * Errors of read() on the data_fd, VFIO_MIG_CONFIG_BEFORE_DATA only:
 *
 * ESTALE
 *	there is a record to read, and the snapshot that the user got last is not
 *	the present content, or the user has got none.  Nothing is lost: the user
 *	gets and sends the new snapshot, then read() continues.  It is never
 *	returned in the middle of a record, in place of ENOMSG, or after the end
 *	of the stream.  As a guest can change config space all the time, the user
 *	limits how often it repeats this before it stops the guest.
 *
 * If data depend on config space, a change of config space in the PRE_COPY states is
 * itself data to read: poll() wakes, VFIO_MIG_GET_PRECOPY_INFO counts it, and, if the
 * user has opted in to VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 on kernels that have it,
 * reports VFIO_PRECOPY_INFO_REINIT once for all changes since the last report.
 */
#define VFIO_MIG_GET_CONFIG	_IO(VFIO_TYPE, VFIO_BASE + 24)

/**
 * VFIO_MIG_SET_CONFIG - _IO(VFIO_TYPE, VFIO_BASE + 25)
 *
 * Load a snapshot, on the data_fd of a resuming session.  The driver checks it and
 * commits it as a whole, at once.
 *
 * Errors:
 *
 * EINVAL
 *	@size is not that of the device.  Or read-only bits (IDs, capabilities,
 *	size of a BAR) are not those of this device, or bits that only report a
 *	state are not zero.  Or data depend on config space, and no driver makes
 *	the identity, such as one of zeroes
 * ESTALE
 *	Data depend on config space, and the snapshot is of another source than
 *	the data or snapshots so far: only VFIO_DEVICE_RESET helps.  Or all data
 *	were written, and the snapshot is newer than they are.  Or, with
 *	VFIO_MIG_CONFIG_BEFORE_DATA, all data were written, and were made under
 *	another snapshot
 * EBUSY
 *	VFIO_MIG_CONFIG_BEFORE_DATA, and the record that is half written was made
 *	under another snapshot: the rest of the record must be written first.
 *	EBUSY precedes the last ESTALE above
 *
 * VFIO_MIG_CONFIG_ANY_ORDER: a snapshot older than the loaded one is checked and ignored.
 * After all data, the snapshot that the last record was made under replaces any other.
 *
 * While data depend on config space, a write to the config region in RESUMING fails with
 * EBUSY.  Otherwise it is an ordinary write, and VFIO_MIG_SET_CONFIG replaces the whole
 * content, whatever the identity.  In RESUMING, reads of the config region return the
 * content, with all answers.
 *
 * Errors of write() on the data_fd.  The call consumes none of its data.  If it had
 * consumed other records before, it returns their bytes and the next call fails.
 *
 * EPROTO
 *	- VFIO_MIG_CONFIG_BEFORE_DATA, and no snapshot was loaded yet: the user
 *	  loads one and repeats the call
 *	- data depend on config space, but carry no identity: the source had not
 *	  opted in.  Only VFIO_DEVICE_RESET helps
 *	- data carry an identity, but do not depend on config space here: the
 *	  destination had not opted in.  Only VFIO_DEVICE_RESET helps
 * ESTALE
 *	- VFIO_MIG_CONFIG_BEFORE_DATA, and data were made under another snapshot of
 *	  their source than the loaded one: the user loads that and repeats the
 *	  call
 *	- data depend on config space, and are of another source than the data or
 *	  snapshots so far.  Only VFIO_DEVICE_RESET helps
 */
#define VFIO_MIG_SET_CONFIG	_IO(VFIO_TYPE, VFIO_BASE + 25)

/**
 * VFIO_MIG_CHECK_DATA - _IO(VFIO_TYPE, VFIO_BASE + 26)
 *
 * Check whether the change from RESUMING to STOP would succeed now, on the data_fd of a
 * resuming session.  There is no argument.  The user can keep the source until the
 * destination has all that it needs.
 *
 * Return: 0, or the error that the change would fail with.  Two errors leave the device in
 * RESUMING, and the user can write or load the rest there:
 *
 * ENODATA
 *	the data are not complete
 * ESTALE
 *	VFIO_MIG_CONFIG_ANY_ORDER, and the snapshot that the last record was made
 *	under is not loaded
 *
 * After an error that only VFIO_DEVICE_RESET helps against, they never will be.  Any other
 * error is damage that write() has returned as well.
 */
#define VFIO_MIG_CHECK_DATA	_IO(VFIO_TYPE, VFIO_BASE + 26)

#endif /* _UAPI_VFIO_MIG_CONFIG_H */
