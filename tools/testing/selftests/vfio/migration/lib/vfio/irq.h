/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO_DEVICE_SET_IRQS and eventfds.
 *
 * Functions return 0 or -errno. Those that connect eventfds may also return the number of
 * interrupts that the host has for the index, if they are fewer than were asked for: none
 * is connected then.
 */
#ifndef VMIG_IRQ_H
#define VMIG_IRQ_H

#include <stdint.h>
#include <linux/vfio.h>

#include "device.h"

/* Timeout for an interrupt that must arrive */
#define VMIG_IRQ_DEADLINE_MS	5000

/**
 * vmig_irq_info - VFIO_DEVICE_GET_IRQ_INFO
 * @dev:	the device
 * @index:	VFIO_PCI_*_IRQ_INDEX
 * @info:	filled in
 */
int vmig_irq_info(struct vmig_device *dev, unsigned int index,
		  struct vfio_irq_info *info);

/**
 * vmig_irq_set_fd - bind an eventfd to an action (VFIO_IRQ_SET_DATA_EVENTFD)
 * @dev:	the device
 * @index:	VFIO_PCI_*_IRQ_INDEX
 * @action:	VFIO_IRQ_SET_ACTION_TRIGGER, _MASK or _UNMASK
 * @fd:		the eventfd, or -1 to unbind
 */
int vmig_irq_set_fd(struct vmig_device *dev, unsigned int index,
		    uint32_t action, int fd);

/**
 * vmig_irq_set_fds - bind eventfds to the interrupts of an index, as for MSI-X
 * @dev:	the device
 * @index:	VFIO_PCI_*_IRQ_INDEX
 * @action:	VFIO_IRQ_SET_ACTION_TRIGGER, _MASK or _UNMASK
 * @start:	first interrupt
 * @count:	number of interrupts
 * @fds:	an eventfd or -1 for each
 */
int vmig_irq_set_fds(struct vmig_device *dev, unsigned int index, uint32_t action,
		     unsigned int start, unsigned int count, const int32_t *fds);

/** vmig_irq_action - perform an action now (VFIO_IRQ_SET_DATA_NONE, count 1) */
int vmig_irq_action(struct vmig_device *dev, unsigned int index,
		    uint32_t action);

/**
 * vmig_irq_action_bool - VFIO_IRQ_SET_DATA_BOOL for one interrupt
 * @dev:	the device
 * @index:	VFIO_PCI_*_IRQ_INDEX
 * @action:	VFIO_IRQ_SET_ACTION_TRIGGER, _MASK or _UNMASK
 * @val:	0: do nothing; else perform the action
 */
int vmig_irq_action_bool(struct vmig_device *dev, unsigned int index,
			 uint32_t action, uint8_t val);

/** vmig_irq_disable - disable a whole index (VFIO_IRQ_SET_DATA_NONE, count 0) */
int vmig_irq_disable(struct vmig_device *dev, unsigned int index);

/** vmig_command_enable - set bits of PCI_COMMAND, unless they are set */
int vmig_command_enable(struct vmig_device *dev, uint16_t bits);

/**
 * vmig_bus_master_enable - set PCI_COMMAND_MASTER, as a guest's driver does
 * @dev:	the device
 *
 * Without it a function must not write to memory, nor send MSI (PCI 3.0, 6.2.2 and
 * 6.8). A reset clears it.
 */
int vmig_bus_master_enable(struct vmig_device *dev);

/** vmig_eventfd_signal - add 1 to an eventfd's count */
int vmig_eventfd_signal(int fd);

/** vmig_eventfd_create - a non-blocking eventfd with a count of 0, or -errno */
int vmig_eventfd_create(void);

/**
 * vmig_eventfd_wait - wait for a signal, and reset the count
 * @fd:		from vmig_eventfd_create()
 * @deadline_ms: timeout in milliseconds
 *
 * Return: number of signals since the count was reset, -ETIMEDOUT if there was none,
 * or another -errno.
 */
int64_t vmig_eventfd_wait(int fd, int deadline_ms);

/** vmig_eventfd_take - reset the count; number of signals since the last reset */
int64_t vmig_eventfd_take(int fd);

#endif /* VMIG_IRQ_H */
