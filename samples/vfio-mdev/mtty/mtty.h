/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device.
 *
 * Locks, outermost first:
 *   mtty_session.io	serialises read() or write() of one data_fd; the only lock
 *			held while user memory is accessed
 *   mtty.lock		the device
 *   mtty_irq.lock	what the user's mask and unmask eventfds change at any time
 */
#ifndef MTTY_H
#define MTTY_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "capture.h"
#include "irq.h"
#include "mig_config.h"
#include "mtty_format.h"
#include "pci.h"
#include "uart.h"

struct mtty_session;

/**
 * struct mtty_port - a serial port
 * @mtty:	the device
 * @uart:	the registers
 * @rx_timeout:	armed while the character timeout can raise an interrupt
 * @due:	ktime_get_ns() at which @rx_timeout has to look at @uart, 0 if it is
 *		not armed
 * @time:	ktime_get_ns() up to which @uart has counted; valid only while the
 *		device runs and mtty_uart_counts()
 *
 * mtty.lock protects all members but @mtty, which does not change.
 */
struct mtty_port {
	struct mtty *mtty;
	struct mtty_uart uart;
	struct delayed_work rx_timeout;
	u64 due;
	u64 time;
};

/**
 * struct mtty - one device
 * @vdev:	the device in VFIO
 * @nr_ports:	1 or 2, by its mdev type
 * @name:	of the mediated device; a copy, as a data_fd may outlive that
 * @lock:	protects all members below, except for what @irq says
 * @is_open:	the device is open
 * @running:	the device may change state and signal without an access
 * @state:	migration state
 * @logging:	DMA logging was started
 * @defect_early_irq: signal interrupts from the stream in RESUMING; changes only
 *		while the device is closed
 * @config:	config space in a migration
 * @pci:	config space
 * @port:	the ports
 * @cap:	capture memory
 * @irq:	interrupts
 * @session:	the data transfer session, or NULL
 * @wait:	woken when a data_fd becomes readable or its session ends
 */
struct mtty {
	struct vfio_device vdev;
	unsigned int nr_ports;
	char name[UUID_STRING_LEN + 1];

	struct mutex lock; /* the device */
	bool is_open;
	bool running;
	enum vfio_device_mig_state state;
	bool logging;
	bool defect_early_irq;
	struct mig_config config;
	struct mtty_pci pci;
	struct mtty_port port[MTTY_MAX_PORTS];
	struct mtty_cap cap;
	struct mtty_irq irq;
	struct mtty_session *session;
	wait_queue_head_t wait;
};

static inline struct mtty *to_mtty(struct vfio_device *vdev)
{
	return container_of(vdev, struct mtty, vdev);
}

#endif /* MTTY_H */
