/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fixture with an mtty device that can send messages, and two eventfds.
 */
#ifndef VMIG_IRQ_FIXTURE_H
#define VMIG_IRQ_FIXTURE_H

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define IRQ_MEMBERS \
	DEVICE_MEMBERS; \
	int a; \
	int b
#define OPEN_IRQ_DEVICE(_type, _attrs...) \
	OPEN_IRQ_DEVICE_BY(VMIG_PATH_ANY, _type, _attrs)
#define OPEN_IRQ_DEVICE_BY(_path, _type, _attrs...) do { \
	OPEN_DEVICE_BY(_path, _type, _attrs); \
	self->a = vmig_eventfd_create(); \
	ASSERT_LE(0, self->a); \
	self->b = vmig_eventfd_create(); \
	ASSERT_LE(0, self->b); \
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master"); \
} while (0)
#define CLOSE_IRQ_DEVICE() do { \
	close(self->a); \
	close(self->b); \
	CLOSE_DEVICE(); \
} while (0)
#define IRQ_FIXTURE(_name, _type, _attrs...) \
FIXTURE(_name) { \
	IRQ_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_IRQ_DEVICE(_type, _attrs); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_IRQ_DEVICE(); \
} \
struct _name##_needs_a_semicolon

#define RAISE()	ASSERT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise")
#define LOWER()	ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower")

#endif /* VMIG_IRQ_FIXTURE_H */
