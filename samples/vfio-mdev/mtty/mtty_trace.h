/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events.  Each begins with the name of the device.
 *
 * An event with a result is written after the action: mtty_signal of a pending
 * interrupt comes before the mtty_state or mtty_set_irqs that caused it.  All but
 * mtty_data are in order, as they are written under the locks of the device.  Register
 * accesses have no event, because that would slow them down.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mtty

#if !defined(MTTY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MTTY_TRACE_H

#include <linux/tracepoint.h>
#include <linux/vfio.h>

/* For user space tools, which cannot resolve the names in an enum */
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_ERROR);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_STOP);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RUNNING);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_STOP_COPY);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RESUMING);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RUNNING_P2P);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_PRE_COPY);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_PRE_COPY_P2P);
TRACE_DEFINE_ENUM(VFIO_PCI_INTX_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSI_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSIX_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_ERR_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_REQ_IRQ_INDEX);

#define mtty_show_state(state) \
	__print_symbolic(state, \
		{ VFIO_DEVICE_STATE_ERROR, "ERROR" }, \
		{ VFIO_DEVICE_STATE_STOP, "STOP" }, \
		{ VFIO_DEVICE_STATE_RUNNING, "RUNNING" }, \
		{ VFIO_DEVICE_STATE_STOP_COPY, "STOP_COPY" }, \
		{ VFIO_DEVICE_STATE_RESUMING, "RESUMING" }, \
		{ VFIO_DEVICE_STATE_RUNNING_P2P, "RUNNING_P2P" }, \
		{ VFIO_DEVICE_STATE_PRE_COPY, "PRE_COPY" }, \
		{ VFIO_DEVICE_STATE_PRE_COPY_P2P, "PRE_COPY_P2P" })

#define mtty_show_index(index) \
	__print_symbolic(index, \
		{ VFIO_PCI_INTX_IRQ_INDEX, "INTx" }, \
		{ VFIO_PCI_MSI_IRQ_INDEX, "MSI" }, \
		{ VFIO_PCI_MSIX_IRQ_INDEX, "MSI-X" }, \
		{ VFIO_PCI_ERR_IRQ_INDEX, "ERR" }, \
		{ VFIO_PCI_REQ_IRQ_INDEX, "REQ" })

#define mtty_show_irq_set(flags) \
	__print_flags(flags, "|", \
		{ VFIO_IRQ_SET_DATA_NONE, "NONE" }, \
		{ VFIO_IRQ_SET_DATA_BOOL, "BOOL" }, \
		{ VFIO_IRQ_SET_DATA_EVENTFD, "EVENTFD" }, \
		{ VFIO_IRQ_SET_ACTION_MASK, "MASK" }, \
		{ VFIO_IRQ_SET_ACTION_UNMASK, "UNMASK" }, \
		{ VFIO_IRQ_SET_ACTION_TRIGGER, "TRIGGER" })

/* An arc was taken or refused; a failure may leave the device in ERROR */
TRACE_EVENT(mtty_state,
	TP_PROTO(const char *name, u32 old, u32 next, u32 now, int ret),
	TP_ARGS(name, old, next, now, ret),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, old)
		__field(u32, next)
		__field(u32, now)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->old = old;
		__entry->next = next;
		__entry->now = now;
		__entry->ret = ret;
	),
	TP_printk("%s %s -> %s ret=%d now=%s", __get_str(name),
		  mtty_show_state(__entry->old), mtty_show_state(__entry->next),
		  __entry->ret, mtty_show_state(__entry->now))
);

/* An eventfd is signalled; why is "running", "early" (a defect) or "user" */
TRACE_EVENT(mtty_signal,
	TP_PROTO(const char *name, unsigned int index, const char *why),
	TP_ARGS(name, index, why),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, index)
		__string(why, why)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->index = index;
		__assign_str(why);
	),
	TP_printk("%s %s why=%s", __get_str(name),
		  mtty_show_index(__entry->index), __get_str(why))
);

/* VFIO_DEVICE_SET_IRQS; data is the eventfd, the bool, or 0 without data */
TRACE_EVENT(mtty_set_irqs,
	TP_PROTO(const char *name, const struct vfio_irq_set *set, s32 data,
		 int ret),
	TP_ARGS(name, set, data, ret),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, index)
		__field(u32, flags)
		__field(u32, start)
		__field(u32, count)
		__field(s32, data)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->index = set->index;
		__entry->flags = set->flags;
		__entry->start = set->start;
		__entry->count = set->count;
		__entry->data = data;
		__entry->ret = ret;
	),
	TP_printk("%s %s %s start=%u count=%u data=%d ret=%d", __get_str(name),
		  mtty_show_index(__entry->index),
		  mtty_show_irq_set(__entry->flags), __entry->start,
		  __entry->count, __entry->data, __entry->ret)
);

/*
 * Config space: what is "changed" and "read", with the version of this device; or
 * "loaded" and "superseded", with that of the source, 0 if it has none
 */
TRACE_EVENT(mtty_config,
	TP_PROTO(const char *name, const char *what, u64 version),
	TP_ARGS(name, what, version),
	TP_STRUCT__entry(
		__string(name, name)
		__string(what, what)
		__field(u64, version)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(what);
		__entry->version = version;
	),
	TP_printk("%s %s version=%llu", __get_str(name), __get_str(what),
		  __entry->version)
);

/* One read() or write() of a data_fd; ret is the bytes transferred or an errno */
TRACE_EVENT(mtty_data,
	TP_PROTO(const char *name, const char *call, size_t count, ssize_t ret),
	TP_ARGS(name, call, count, ret),
	TP_STRUCT__entry(
		__string(name, name)
		__string(call, call)
		__field(size_t, count)
		__field(ssize_t, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(call);
		__entry->count = count;
		__entry->ret = ret;
	),
	TP_printk("%s %s count=%zu ret=%zd", __get_str(name), __get_str(call),
		  __entry->count, __entry->ret)
);

/* The state is the one after open, or before close and reset */
DECLARE_EVENT_CLASS(mtty_device,
	TP_PROTO(const char *name, u32 state),
	TP_ARGS(name, state),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, state)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->state = state;
	),
	TP_printk("%s state=%s", __get_str(name),
		  mtty_show_state(__entry->state))
);

DEFINE_EVENT(mtty_device, mtty_open,
	TP_PROTO(const char *name, u32 state),
	TP_ARGS(name, state)
);

DEFINE_EVENT(mtty_device, mtty_close,
	TP_PROTO(const char *name, u32 state),
	TP_ARGS(name, state)
);

DEFINE_EVENT(mtty_device, mtty_reset,
	TP_PROTO(const char *name, u32 state),
	TP_ARGS(name, state)
);

#endif /* MTTY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE mtty_trace
#include <trace/define_trace.h>
