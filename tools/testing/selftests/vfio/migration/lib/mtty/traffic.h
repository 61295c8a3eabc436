/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that is busy: a thread for each port sends bytes, reads them back and
 * compares.  It can be stopped between any two register accesses, as the
 * processors of a guest can, and goes on where it was on another device.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_TRAFFIC_H
#define VMIG_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

#define VMIG_TRAFFIC_PORTS	2

struct vmig_traffic;

/**
 * struct vmig_traffic_report - what became of the bytes, by port
 * @sent:	bytes written to the transmitter
 * @received:	bytes read back; each was the next one, or @lost counts
 * @logged:	bytes of the capture log
 * @lost:	bytes that are missing or differ, in the log or at the receiver
 */
struct vmig_traffic_report {
	uint64_t sent[VMIG_TRAFFIC_PORTS];
	uint64_t received[VMIG_TRAFFIC_PORTS];
	uint64_t logged[VMIG_TRAFFIC_PORTS];
	uint64_t lost;
};

/**
 * vmig_traffic_start - set up both ports of a device and send
 * @traffic:	set to the guest
 * @dev:	a device with two ports, after a reset
 */
int vmig_traffic_start(struct vmig_traffic **traffic, struct vmig_device *dev);

/**
 * vmig_traffic_save - what another process needs to let the guest go on
 * @traffic:	paused
 * @state:	appended to: for each port bytes sent, bytes received, and bytes that
 *		were wrong, as little-endian 64-bit words
 */
int vmig_traffic_save(const struct vmig_traffic *traffic,
		      struct vmig_bytes *state);

/**
 * vmig_traffic_load - a guest from another process
 * @traffic:	set to the guest, paused by this thread
 * @dev:	the device that it had comes to be this one
 * @state:	from vmig_traffic_save(); -EBADMSG if it is not
 * @len:	bytes of it
 */
int vmig_traffic_load(struct vmig_traffic **traffic, struct vmig_device *dev,
		      const uint8_t *state, size_t len);

/** vmig_traffic_pause - no access is on its way any more, and none comes */
void vmig_traffic_pause(struct vmig_traffic *traffic);

/**
 * vmig_traffic_resume - go on where it was
 * @traffic:	paused, by the same thread
 * @dev:	where; may be another device
 */
void vmig_traffic_resume(struct vmig_traffic *traffic, struct vmig_device *dev);

/** vmig_traffic_sent - bytes sent so far, through all ports */
uint64_t vmig_traffic_sent(struct vmig_traffic *traffic);

/**
 * vmig_traffic_wait - let some traffic happen
 * @traffic:	running
 * @bytes:	how many more bytes shall have been sent
 *
 * Return: 0, or -ETIMEDOUT after ten seconds.
 */
int vmig_traffic_wait(struct vmig_traffic *traffic, uint64_t bytes);

/**
 * vmig_traffic_finish - end the threads, and see what became of the bytes
 * @traffic:	running; freed
 * @report:	filled in
 *
 * Return: 0, or the -errno of the first access that failed.
 */
int vmig_traffic_finish(struct vmig_traffic *traffic,
			struct vmig_traffic_report *report);

#endif /* VMIG_TRAFFIC_H */
