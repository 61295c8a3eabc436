/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that uses its ports: a thread for each port sends bytes, receives them and
 * compares them. It can be paused between any two register accesses, as the vCPUs of a
 * guest, and resumed on another device or in another process.
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
 * struct vmig_traffic_report - counts of bytes
 * @sent:	bytes written to the transmitter, by port
 * @received:	bytes read from the receiver, by port
 * @logged:	bytes in the capture log, by port
 * @lost:	bytes that are missing or differ, in the receivers and in the log
 */
struct vmig_traffic_report {
	uint64_t sent[VMIG_TRAFFIC_PORTS];
	uint64_t received[VMIG_TRAFFIC_PORTS];
	uint64_t logged[VMIG_TRAFFIC_PORTS];
	uint64_t lost;
};

/**
 * vmig_traffic_start - start a guest
 * @traffic:	set to the guest
 * @dev:	a device with two ports, after a reset
 */
int vmig_traffic_start(struct vmig_traffic **traffic, struct vmig_device *dev);

/**
 * vmig_traffic_save - save the guest for vmig_traffic_load()
 * @traffic:	paused
 * @state:	appended, for each port: bytes sent, bytes received, and errors, as
 *		little-endian 64-bit words
 */
int vmig_traffic_save(const struct vmig_traffic *traffic,
		      struct vmig_bytes *state);

/**
 * vmig_traffic_load - continue the guest of another process
 * @traffic:	set to the guest, paused by the calling thread
 * @dev:	destination of the migration of its device
 * @state:	from vmig_traffic_save(); -EBADMSG if it is invalid
 * @len:	bytes of @state
 */
int vmig_traffic_load(struct vmig_traffic **traffic, struct vmig_device *dev,
		      const uint8_t *state, size_t len);

/** vmig_traffic_pause - wait for the current accesses, and start no others */
void vmig_traffic_pause(struct vmig_traffic *traffic);

/**
 * vmig_traffic_resume - undo vmig_traffic_pause()
 * @traffic:	paused by the calling thread
 * @dev:	the device to use from now on
 */
void vmig_traffic_resume(struct vmig_traffic *traffic, struct vmig_device *dev);

/** vmig_traffic_sent - number of bytes sent so far, by both ports */
uint64_t vmig_traffic_sent(struct vmig_traffic *traffic);

/**
 * vmig_traffic_wait - wait for some more traffic
 * @traffic:	running
 * @bytes:	number of further bytes to be sent, by both ports
 *
 * Return: 0, or -ETIMEDOUT after ten seconds.
 */
int vmig_traffic_wait(struct vmig_traffic *traffic, uint64_t bytes);

/**
 * vmig_traffic_finish - end the threads, and compare sent bytes with the capture log
 * @traffic:	running; is freed
 * @report:	filled in
 *
 * Return: 0, or the -errno of the first access that failed.
 */
int vmig_traffic_finish(struct vmig_traffic *traffic,
			struct vmig_traffic_report *report);

#endif /* VMIG_TRAFFIC_H */
