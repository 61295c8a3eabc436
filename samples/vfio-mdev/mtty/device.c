// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: dispatches region accesses to config space, ports and capture memory,
 * and computes the interrupt level from them.
 *
 * All bounds of accesses are checked here.
 *
 * Locking: mtty.lock, for all functions but init, open and close.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/random.h>
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
 * mtty_device_update_irq - call after changes that the interrupt may depend on
 * @mtty:	the device
 */
void mtty_device_update_irq(struct mtty *mtty)
{
	lockdep_assert_held(&mtty->lock);

	mtty_irq_update(&mtty->irq, mtty_device_pci_status(mtty),
			mtty_pci_command(&mtty->pci));
}

/**
 * mtty_device_config_written - call after a write to config space
 * @mtty:	the device
 * @changed:	the content has changed
 */
void mtty_device_config_written(struct mtty *mtty, bool changed)
{
	if (changed) {
		mig_config_changed(&mtty->config);
		trace_mtty_config(mtty->name, "changed",
				  mtty->config.id.version);
	}
	mtty_device_update_irq(mtty);
}

/* Before an access: add the time until now, if the port counts */
static bool mtty_device_count_time(struct mtty_port *port)
{
	bool counts = mtty_uart_counts(&port->uart);

	if (counts && port->mtty->running) {
		u64 now = ktime_get_ns();

		mtty_uart_pass(&port->uart, now - port->time);
		port->time = now;
	}

	return counts;
}

/* After an access: start at now, if the port did not count before */
static void mtty_device_start_time(struct mtty_port *port, bool counted)
{
	if (!counted && mtty_uart_counts(&port->uart))
		port->time = ktime_get_ns();
}

/*
 * Moves the timer to an earlier time only.  If it expires too early,
 * mtty_device_rx_timeout() arms it again: this is cheaper than moving it with each
 * byte.  @port->time is the current time if the port counts.
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
 * mtty_device_init - initialise
 * @mtty:	zeroed, except for what VFIO has set
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
 * mtty_device_run - start time and interrupts
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
 * mtty_device_quiesce - stop time and interrupts
 * @mtty:	the device
 *
 * The ports keep the time counted so far and continue when the device runs again.
 */
void mtty_device_quiesce(struct mtty *mtty)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports; i++)
		mtty_device_count_time(&mtty->port[i]);
	/* Signal a timeout that has occurred by now */
	mtty_device_update_irq(mtty);
	mtty->running = false;
	mtty_irq_quiesce(&mtty->irq);
}

/**
 * mtty_device_reset - set the state after power-on, RUNNING
 * @mtty:	the device; it has no session
 *
 * The eventfds of the interrupts stay.
 */
void mtty_device_reset(struct mtty *mtty)
{
	unsigned int i;

	lockdep_assert_held(&mtty->lock);

	for (i = 0; i < mtty->nr_ports; i++)
		mtty_uart_reset(&mtty->port[i].uart);
	mtty_cap_clear(&mtty->cap);
	if (mtty_pci_reset(&mtty->pci, mtty->nr_ports, mtty->cap.size))
		mig_config_changed(&mtty->config);
	mtty->logging = false;
	mtty_irq_reset(&mtty->irq);

	mtty->state = VFIO_DEVICE_STATE_RUNNING;
	mtty_device_run(mtty);
}

/**
 * mtty_device_open - open the device
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
	mig_config_open(&mtty->config, get_random_u64() | 1);
	mtty->is_open = true;
	trace_mtty_open(mtty->name, mtty->state);

	return 0;
}

/**
 * mtty_device_close - close the device, and undo all that the user set up
 * @mtty:	the device; it has no session
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

	/* Without mtty.lock, which the work takes */
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

	/* Only these two depend on the time or restart it */
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

/* A wide access is a sequence of accesses to byte registers */
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
		/* Do not transmit a byte that cannot be logged */
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

static int mtty_device_write_config(struct mtty *mtty, unsigned int offset,
				    const u8 *buf, size_t len)
{
	/* Data depend on config space, so it can only be loaded with its identity */
	if (mtty->state == VFIO_DEVICE_STATE_RESUMING &&
	    mig_config_depends(&mtty->config))
		return -EBUSY;

	mtty_device_config_written(mtty, mtty_pci_write(&mtty->pci, offset, buf,
							len));

	return 0;
}

/**
 * mtty_device_read - read from a region
 * @mtty:	the device
 * @index:	VFIO_PCI_*_REGION_INDEX
 * @offset:	bytes from the start of the region
 * @buf:	filled in completely on success
 * @len:	bytes
 *
 * Return: 0, or -EINVAL with no side effects if the range exceeds the region.
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
 * Return: 0; -EINVAL with no side effects if the range exceeds the region; -EBUSY if
 * config space belongs to a session; or -ENOMEM, with the bytes before the failing one
 * written.
 */
int mtty_device_write(struct mtty *mtty, unsigned int index, u64 offset,
		      const u8 *buf, size_t len)
{
	int ret = 0;

	lockdep_assert_held(&mtty->lock);

	if (!mtty_device_in_region(mtty, index, offset, len))
		return -EINVAL;

	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		ret = mtty_device_write_config(mtty, offset, buf, len);
	else if (index == VFIO_PCI_BAR2_REGION_INDEX)
		ret = mtty_cap_write(&mtty->cap, offset, buf, len);
	else
		ret = mtty_device_write_port(mtty, &mtty->port[index], offset,
					     buf, len);

	/* The access may have made capture memory dirty */
	if (mtty->session)
		wake_up_interruptible(&mtty->wait);

	return ret;
}

/**
 * mtty_device_stream_id - the properties that a stream must match
 * @mtty:	the device
 * @id:		filled in
 */
void mtty_device_stream_id(const struct mtty *mtty, struct mtty_stream_id *id)
{
	*id = (struct mtty_stream_id) {
		.nr_ports = mtty->nr_ports,
		.need = mtty->config.need,
		.features = mtty->vdev.migration_flags,
		.capture_size = mtty->cap.size,
	};
}

/**
 * mtty_device_save - get the state to migrate, without capture memory
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
 * mtty_device_load - set the migrated state
 * @mtty:	the device, not running
 * @st:		from mtty_device_save() of the source, checked for this device
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
