// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device between its parts: regions lead to config space, ports and capture
 * memory, and whatever changes there becomes the interrupt line.
 *
 * Bounds are checked here, once, for every access.  All functions but init, open
 * and close are called with the lock of the device held.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "mtty_trace.h"

static u16 mtty_device_pci_status(const struct mtty *mtty)
{
	unsigned int i;

	for (i = 0; i < mtty->nr_ports; i++)
		if (mtty_uart_asserts(&mtty->port[i].uart))
			return PCI_STATUS_INTERRUPT;

	return 0;
}

/**
 * mtty_device_update_irq - something that the interrupt depends on has changed
 * @mtty:	the device
 *
 * A device with the early defect signals while RESUMING: then a staged write to the
 * command register counts, as on hardware that knows no staging.
 */
void mtty_device_update_irq(struct mtty *mtty)
{
	lockdep_assert_held(&mtty->lock);

	mtty_irq_update(&mtty->irq, mtty_device_pci_status(mtty),
			mtty_pci_command_read(&mtty->pci));
}

static void mtty_device_pass_time(struct mtty_port *port)
{
	u64 now = ktime_get_ns();

	mtty_uart_pass(&port->uart, now - port->time);
	port->time = now;
}

/* Before an access: add the time until now, if the port counts time */
static bool mtty_device_count_time(struct mtty_port *port)
{
	bool counts = mtty_uart_counts(&port->uart);

	if (counts && port->mtty->running)
		mtty_device_pass_time(port);

	return counts;
}

/* After it: start at now, if the port has just begun to count time */
static void mtty_device_start_time(struct mtty_port *port, bool counted)
{
	if (!counted && mtty_uart_counts(&port->uart))
		port->time = ktime_get_ns();
}

/*
 * An earlier time is set here. A later one is set by mtty_device_rx_timeout(), when it has come
 * too early: that costs less than to move the timer with each byte. @port->time is now
 * wherever this arms anything.
 */
static void mtty_device_arm_timeout(struct mtty_port *port)
{
	u64 ns = port->mtty->running ? mtty_uart_timeout_ns(&port->uart) : 0;
	u64 due = port->time + ns;

	if (!ns || (port->due && port->due <= due))
		return;

	port->due = due;
	cancel_delayed_work(&port->rx_timeout);
	schedule_delayed_work(&port->rx_timeout, nsecs_to_jiffies(ns) + 1);
}

static void mtty_device_rx_timeout(struct work_struct *work)
{
	struct mtty_port *port = container_of(to_delayed_work(work),
					      struct mtty_port, rx_timeout);
	struct mtty *mtty = port->mtty;

	guard(mutex)(&mtty->lock);

	port->due = 0;
	if (!mtty->running)
		return;

	mtty_device_count_time(port);
	mtty_device_arm_timeout(port);
	mtty_device_update_irq(mtty);
}

/**
 * mtty_device_init - first of all calls
 * @mtty:	zeroed, but for what VFIO has put there
 */
void mtty_device_init(struct mtty *mtty)
{
	unsigned int i;

	mutex_init(&mtty->lock);
	init_waitqueue_head(&mtty->wait);
	mtty_irq_init(&mtty->irq, mtty->name);
	for (i = 0; i < MTTY_MAX_PORTS; i++) {
		mtty->port[i].mtty = mtty;
		INIT_DELAYED_WORK(&mtty->port[i].rx_timeout,
				  mtty_device_rx_timeout);
	}
}

/**
 * mtty_device_run - the device may act by itself
 * @mtty:	the device
 */
void mtty_device_run(struct mtty *mtty)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports && !mtty->running; i++)
		mtty->port[i].time = ktime_get_ns();
	mtty->running = true;
	for (i = 0; i < mtty->nr_ports; i++)
		mtty_device_arm_timeout(&mtty->port[i]);
	mtty_irq_run(&mtty->irq);
}

/**
 * mtty_device_quiesce - the device does nothing by itself
 * @mtty:	the device
 *
 * The ports keep how much time has passed, and go on from there when the device
 * runs again.
 */
void mtty_device_quiesce(struct mtty *mtty)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports; i++)
		mtty_device_count_time(&mtty->port[i]);
	/* One that has come by now is still of a device that runs */
	mtty_device_update_irq(mtty);
	mtty->running = false;
	mtty_irq_quiesce(&mtty->irq);
}

/**
 * mtty_device_reset - back to the state after power-on, RUNNING
 * @mtty:	the device; no session is left
 *
 * What the user connected to the interrupts stays connected.
 */
void mtty_device_reset(struct mtty *mtty)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports; i++)
		mtty_uart_reset(&mtty->port[i].uart);
	mtty_cap_clear(&mtty->cap);
	if (mtty_pci_reset(&mtty->pci, mtty->nr_ports, mtty->cap.size))
		mtty_policy_config_changed(&mtty->policy);
	mtty->logging = false;
	mtty_irq_reset(&mtty->irq);

	mtty->state = VFIO_DEVICE_STATE_RUNNING;
	mtty_device_run(mtty);
}

/**
 * mtty_device_open - for its first user
 * @mtty:	the device
 *
 * Return: 0 or -ENOMEM.
 */
int mtty_device_open(struct mtty *mtty)
{
	int ret;

	guard(mutex)(&mtty->lock);

	ret = mtty_cap_alloc(&mtty->cap);
	if (ret)
		return ret;

	mtty_device_reset(mtty);
	mtty_policy_open(&mtty->policy);
	mtty->is_open = true;
	trace_mtty_open(mtty->name, mtty->state);

	return 0;
}

/**
 * mtty_device_close - when its last user has gone, with all that was set up
 * @mtty:	the device
 */
void mtty_device_close(struct mtty *mtty)
{
	unsigned int i;

	scoped_guard(mutex, &mtty->lock) {
		mtty_device_quiesce(mtty);
		mtty_irq_release(&mtty->irq);
		mtty_cap_free(&mtty->cap);
		mtty->is_open = false;
	}

	/* A timeout that is under way finds the device not running */
	for (i = 0; i < mtty->nr_ports; i++) {
		cancel_delayed_work_sync(&mtty->port[i].rx_timeout);
		mtty->port[i].due = 0;
	}
}

/**
 * mtty_device_region_size - size of a region in bytes
 * @mtty:	the device
 * @index:	VFIO_PCI_*_REGION_INDEX
 *
 * Return: the size, 0 if there is no such region.
 */
u64 mtty_device_region_size(const struct mtty *mtty, unsigned int index)
{
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return PCI_CFG_SPACE_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX:
	case VFIO_PCI_BAR1_REGION_INDEX:
		return index < mtty->nr_ports ? MTTY_UART_NR_REGS : 0;
	case VFIO_PCI_BAR2_REGION_INDEX:
		return mtty->cap.size;
	default:
		return 0;
	}
}

static bool mtty_device_in_region(const struct mtty *mtty, unsigned int index,
				  u64 offset, size_t len)
{
	u64 size = mtty_device_region_size(mtty, index);

	return offset <= size && len <= size - offset;
}

static bool mtty_device_decodes_io(const struct mtty *mtty)
{
	return mtty_pci_command(&mtty->pci) & PCI_COMMAND_IO;
}

static u8 mtty_device_read_reg(struct mtty_port *port, unsigned int reg)
{
	bool counted;
	u8 val;

	/* Only these two restart the time, or show that it is over */
	if (reg != UART_RX && reg != UART_IIR)
		return mtty_uart_read(&port->uart, reg);

	counted = mtty_device_count_time(port);
	val = mtty_uart_read(&port->uart, reg);
	mtty_device_start_time(port, counted);

	return val;
}

static void mtty_device_write_reg(struct mtty_port *port, unsigned int reg,
				  u8 val)
{
	bool counted = mtty_device_count_time(port);

	mtty_uart_write(&port->uart, reg, val);
	mtty_device_start_time(port, counted);
}

/* A wide access to registers of one byte is one access after the other */
static void mtty_device_read_port(struct mtty *mtty, struct mtty_port *port,
				  unsigned int reg, u8 *buf, size_t len)
{
	if (!mtty_device_decodes_io(mtty)) {
		memset(buf, 0xff, len);
		return;
	}

	while (len--)
		*buf++ = mtty_device_read_reg(port, reg++);
	mtty_device_arm_timeout(port);
	mtty_device_update_irq(mtty);
}

static int mtty_device_write_port(struct mtty *mtty, struct mtty_port *port,
				  unsigned int reg, const u8 *buf, size_t len)
{
	int ret = 0;

	if (!mtty_device_decodes_io(mtty))
		return 0;

	for (; len--; reg++, buf++) {
		/* What cannot be logged is not transmitted */
		if (mtty_uart_transmits(&port->uart, reg))
			ret = mtty_cap_append(&mtty->cap, port - mtty->port,
					      mtty_uart_word(&port->uart, *buf));
		if (ret)
			break;
		mtty_device_write_reg(port, reg, *buf);
	}
	mtty_device_arm_timeout(port);
	mtty_device_update_irq(mtty);

	return ret;
}

static void mtty_device_write_config(struct mtty *mtty, unsigned int offset,
				     const u8 *buf, size_t len)
{
	if (mtty_pci_write(&mtty->pci, offset, buf, len))
		mtty_policy_config_changed(&mtty->policy);
	mtty_device_update_irq(mtty);
}

/**
 * mtty_device_read - read from a region
 * @mtty:	the device
 * @index:	VFIO_PCI_*_REGION_INDEX
 * @offset:	bytes from the start of the region
 * @buf:	filled in completely on success
 * @len:	bytes
 *
 * Return: 0, or -EINVAL with no register touched if not all of it is inside.
 */
int mtty_device_read(struct mtty *mtty, unsigned int index, u64 offset, u8 *buf,
		     size_t len)
{
	lockdep_assert_held(&mtty->lock);

	if (!mtty_device_in_region(mtty, index, offset, len))
		return -EINVAL;

	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		mtty_pci_read(&mtty->pci, offset, buf, len,
			      mtty_device_pci_status(mtty));
	else if (index == VFIO_PCI_BAR2_REGION_INDEX)
		mtty_cap_read(&mtty->cap, offset, buf, len);
	else
		mtty_device_read_port(mtty, &mtty->port[index], offset, buf,
				      len);

	return 0;
}

/**
 * mtty_device_write - write to a region
 * @mtty:	the device
 * @index:	VFIO_PCI_*_REGION_INDEX
 * @offset:	bytes from the start of the region
 * @buf:	what to write
 * @len:	bytes
 *
 * Return: 0, -EINVAL with no register touched if not all of it is inside, or
 * -ENOMEM if there is no memory to log what a port should transmit.
 */
int mtty_device_write(struct mtty *mtty, unsigned int index, u64 offset,
		      const u8 *buf, size_t len)
{
	int ret = 0;

	lockdep_assert_held(&mtty->lock);

	if (!mtty_device_in_region(mtty, index, offset, len))
		return -EINVAL;

	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		mtty_device_write_config(mtty, offset, buf, len);
	else if (index == VFIO_PCI_BAR2_REGION_INDEX)
		ret = mtty_cap_write(&mtty->cap, offset, buf, len);
	else
		ret = mtty_device_write_port(mtty, &mtty->port[index], offset,
					     buf, len);

	/* Somebody may be waiting for capture memory to become dirty */
	if (mtty->session)
		wake_up_interruptible(&mtty->wait);

	return ret;
}

/**
 * mtty_device_stream_id - what a stream says about the device it is from
 * @mtty:	the device
 * @id:		filled in
 */
void mtty_device_stream_id(const struct mtty *mtty, struct mtty_stream_id *id)
{
	*id = (struct mtty_stream_id) {
		.nr_ports = mtty->nr_ports,
		.policy = mtty->policy.flag,
		.features = mtty->vdev.migration_flags,
		.capture_size = mtty->cap.size,
	};
}

/**
 * mtty_device_save - what the migration stream needs beside capture memory
 * @mtty:	the device, not running
 * @st:		filled in
 */
void mtty_device_save(struct mtty *mtty, struct mtty_stream_state *st)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	*st = (struct mtty_stream_state) {
		.irq_flags = mtty_irq_save(&mtty->irq),
		.logged = mtty->cap.logged,
		.dropped = mtty->cap.dropped,
	};
	for (i = 0; i < mtty->nr_ports; i++)
		st->uart[i] = mtty->port[i].uart;
}

/**
 * mtty_device_load - undo mtty_device_save(), on another device
 * @mtty:	the device, not running
 * @st:		complete, and checked for this device
 */
void mtty_device_load(struct mtty *mtty, const struct mtty_stream_state *st)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports; i++)
		mtty->port[i].uart = st->uart[i];
	mtty->cap.logged = st->logged;
	mtty->cap.dropped = st->dropped;
	mtty_irq_load(&mtty->irq, st->irq_flags);
	mtty_device_update_irq(mtty);
}
