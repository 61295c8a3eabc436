/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capture memory (BAR2): the log of the bytes that the ports have transmitted.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CAPTURE_H
#define VMIG_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

/**
 * struct vmig_capture_head - struct mtty_cap_header in host byte order
 * @size:	bytes of BAR2
 * @capacity:	size of the log, in entries
 * @logged:	entries of the log that are used
 * @dropped:	bytes transmitted when the log was full
 */
struct vmig_capture_head {
	uint64_t size;
	uint64_t capacity;
	uint64_t logged;
	uint64_t dropped;
};

/**
 * vmig_capture_info - read the header of the log
 * @dev:	the device; -ENODEV if it has no capture memory
 * @info:	filled in; -EBADMSG if magic number or version is wrong
 */
int vmig_capture_info(struct vmig_device *dev, struct vmig_capture_head *info);

/** vmig_capture_map_start - where the part of BAR2 begins that can be mapped, in bytes */
uint64_t vmig_capture_map_start(void);

/**
 * vmig_capture_transmit - transmit bytes of 8 bits by the ports in turn
 * @dev:	the device, which has two ports; @nr bytes are added to its log
 * @nr:		number of bytes
 */
int vmig_capture_transmit(struct vmig_device *dev, unsigned int nr);

/**
 * vmig_capture_port - read the bytes that one port has transmitted
 * @dev:	the device
 * @port:	0 or 1
 * @buf:	set to the bytes, oldest first; the caller frees it
 * @len:	set to the number of bytes
 */
int vmig_capture_port(struct vmig_device *dev, unsigned int port,
		      uint8_t **buf, size_t *len);

/**
 * vmig_capture_apply - store the capture memory of a stream, as a destination does
 * @stream:	whole records: the start of a stream, or what follows a part of it
 * @image:	BAR2; what the stream does not have stays
 * @size:	bytes of @image
 *
 * Return: 0; -EBADMSG if a checksum of a payload is wrong; -ERANGE if a record exceeds
 * @image; -ENODATA if the stream ends in a record.
 */
int vmig_capture_apply(const struct vmig_bytes *stream, uint8_t *image, uint64_t size);

#endif /* VMIG_CAPTURE_H */
