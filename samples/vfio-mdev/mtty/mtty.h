/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device as a whole.
 *
 * Locks, outermost first:
 *   mtty_session.io	serialises read() or write() of one data_fd, and is the
 *			only one held while user memory is touched
 *   mtty.lock		everything about the device
 *   mtty_irq.lock	what an eventfd of the user may change at any time
 */
#ifndef MTTY_H
#define MTTY_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/vfio_mig_config.h>

#include "capture.h"
#include "irq.h"
#include "mtty_format.h"
#include "pci.h"
#include "policy.h"
#include "stream.h"
#include "uart.h"

/**
 * enum mtty_session_kind - which way a data_fd goes
 * @MTTY_SAVING:	read()
 * @MTTY_LOADING:	write()
 */
enum mtty_session_kind {
	MTTY_SAVING,
	MTTY_LOADING,
};

/**
 * enum mtty_save_step - what of the device a saving session sends next
 * @MTTY_SAVE_START:	the first record
 * @MTTY_SAVE_CAPTURE:	capture memory, until there is no more, and for good
 *			once the device has stopped
 * @MTTY_SAVE_LOG:	how far the log has come
 * @MTTY_SAVE_UART:	the ports, one after the other
 * @MTTY_SAVE_IRQ:	the interrupts
 * @MTTY_SAVE_END:	the last record
 * @MTTY_SAVE_DONE:	nothing
 */
enum mtty_save_step {
	MTTY_SAVE_START,
	MTTY_SAVE_CAPTURE,
	MTTY_SAVE_LOG,
	MTTY_SAVE_UART,
	MTTY_SAVE_IRQ,
	MTTY_SAVE_END,
	MTTY_SAVE_DONE,
};

/**
 * struct mtty_session - a data transfer session and its data_fd
 * @mtty:	the device; the data_fd holds a reference on it, so it stays even
 *		when it is closed and removed
 * @kind:	which way
 * @file:	the data_fd; the device holds a reference until the session ends
 * @io:		serialises read() or write(); protects the five members below
 * @buf:	room for one record, or all of it but @piece
 * @piece:	capture memory that follows behind what is in @buf
 * @id:		random, for MTTY_REC_START
 * @chain:	where in the stream a saving session is
 * @parser:	where in the stream a loading session is; also under mtty.lock
 * @pci:	config space on its way into a loading session's device
 * @began:	generation of config space that was loaded when the current record
 *		of a loading session began to come, or 0
 * @told:	generation of config space that a saving session's stream knows of
 * @noticed:	generation that its user has been told of, or will be
 * @reinit:	the next VFIO_MIG_GET_PRECOPY_INFO tells him
 * @live:	the session has not ended; protected by mtty.lock, as the rest
 * @initial:	what is in @buf counts as initial data
 * @len:	bytes of the record, @piece included
 * @pos:	how many of them have been read
 * @step:	what comes next
 * @port:	which port, in MTTY_SAVE_UART
 */
struct mtty_session {
	struct mtty *mtty;
	enum mtty_session_kind kind;
	struct file *file;
	struct mutex io; /* one read() or write() at a time */

	u8 *buf;
	struct mtty_cap_piece piece;
	u64 id;
	struct mtty_stream_chain chain;
	struct mtty_stream_parser parser;

	struct mtty_pci_load pci;
	u64 began;
	u64 told;
	u64 noticed;
	bool reinit;
	bool live;
	bool initial;
	size_t len;
	size_t pos;
	enum mtty_save_step step;
	u8 port;
};

/**
 * struct mtty_port - a serial port
 * @mtty:	the device
 * @uart:	what a guest sees of it; protected by mtty.lock
 * @rx_timeout:	armed while received bytes wait and the driver wants to be told
 * @due:	when it looks at them, or 0; in ns, as @time
 * @time:	of ktime_get(), up to which @uart has been told that time passes;
 *		means nothing unless the device runs and mtty_uart_counts()
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
 * @vdev:	the device as VFIO knows it
 * @nr_ports:	1 or 2, by the type it was created as
 * @name:	of the mediated device, which a data_fd may outlive
 * @lock:	protects everything below, but for what @irq says
 * @is_open:	somebody has the device open
 * @running:	the device may act by itself; follows from @state
 * @state:	state of the migration state machine
 * @logging:	DMA logging was started
 * @defect_early_irq: what a stream says is pending is signalled while RESUMING;
 *		changes only while the device is closed
 * @policy:	config space in the migration
 * @pci:	config space
 * @port:	the ports
 * @cap:	what they have transmitted
 * @irq:	interrupts
 * @session:	the data transfer session, or NULL
 * @wait:	who polls a data_fd
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
	struct mtty_policy policy;
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

/* Which region an offset on the device fd belongs to, as vfio-pci has it */
#define MTTY_REGION_SHIFT	40
#define MTTY_REGION_MASK	(BIT_ULL(MTTY_REGION_SHIFT) - 1)

/* device.c: what the guest and the user do to the device */
void mtty_device_init(struct mtty *mtty);
int mtty_device_open(struct mtty *mtty);
void mtty_device_close(struct mtty *mtty);
void mtty_device_reset(struct mtty *mtty);
void mtty_device_run(struct mtty *mtty);
void mtty_device_quiesce(struct mtty *mtty);
void mtty_device_update_irq(struct mtty *mtty);
u64 mtty_device_region_size(const struct mtty *mtty, unsigned int index);
int mtty_device_read(struct mtty *mtty, unsigned int index, u64 offset, u8 *buf,
		     size_t len);
int mtty_device_write(struct mtty *mtty, unsigned int index, u64 offset,
		      const u8 *buf, size_t len);

void mtty_device_save(struct mtty *mtty, struct mtty_stream_state *st);
void mtty_device_load(struct mtty *mtty, const struct mtty_stream_state *st);

/* migration.c: the state machine, and the life of a session */
extern const struct vfio_migration_ops mtty_mig_ops;
void mtty_mig_session_end(struct mtty *mtty);
void mtty_mig_stream_id(const struct mtty *mtty, struct mtty_stream_id *id);
int mtty_mig_release(struct inode *inode, struct file *file);

/* save.c and load.c: the two directions of a data_fd */
extern const struct file_operations mtty_save_fops;
extern const struct file_operations mtty_load_fops;
u64 mtty_save_stop_copy_size(const struct mtty *mtty);
u64 mtty_load_generation(const struct mtty *mtty);
int mtty_load_finish(struct mtty *mtty);

/* dma_log.c */
extern const struct vfio_log_ops mtty_log_ops;

/* mmap.c: BAR2 as memory of the user */
int mtty_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
int mtty_mmap_info(const struct mtty *mtty, struct vfio_region_info *info,
		   struct vfio_info_cap *caps);

/* sysfs.c */
extern const struct attribute_group *mtty_groups[];

#endif /* MTTY_H */
