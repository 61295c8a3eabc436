// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "calls.h"
#include "io.h"
#include "irq.h"

int vmig_irq_info(struct vmig_device *dev, unsigned int index,
		  struct vfio_irq_info *info)
{
	*info = (struct vfio_irq_info) {
		.argsz = sizeof(*info), .index = index,
	};

	return vmig_call_error(vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, info));
}

static int set_irqs(struct vmig_device *dev, unsigned int index, uint32_t flags,
		    unsigned int start, unsigned int count, const void *data,
		    size_t size)
{
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + size);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = sizeof(*set) + size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (size)
		memcpy(set->data, data, size);
	ret = vmig_call_ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set);
	if (ret < 0)
		ret = -errno;
	free(set);

	return ret;
}

int vmig_irq_set_fds(struct vmig_device *dev, unsigned int index, uint32_t action,
		     unsigned int start, unsigned int count, const int32_t *fds)
{
	return set_irqs(dev, index, VFIO_IRQ_SET_DATA_EVENTFD | action, start, count,
			fds, count * sizeof(*fds));
}

int vmig_irq_set_fd(struct vmig_device *dev, unsigned int index,
		    uint32_t action, int fd)
{
	int32_t data = fd;

	return set_irqs(dev, index, VFIO_IRQ_SET_DATA_EVENTFD | action, 0, 1,
			&data, sizeof(data));
}

int vmig_irq_action(struct vmig_device *dev, unsigned int index,
		    uint32_t action)
{
	return set_irqs(dev, index, VFIO_IRQ_SET_DATA_NONE | action, 0, 1,
			NULL, 0);
}

int vmig_irq_action_bool(struct vmig_device *dev, unsigned int index,
			 uint32_t action, uint8_t val)
{
	return set_irqs(dev, index, VFIO_IRQ_SET_DATA_BOOL | action, 0, 1,
			&val, sizeof(val));
}

int vmig_irq_disable(struct vmig_device *dev, unsigned int index)
{
	return set_irqs(dev, index, VFIO_IRQ_SET_DATA_NONE |
			VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0);
}

int vmig_eventfd_create(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int vmig_command_enable(struct vmig_device *dev, uint16_t bits)
{
	uint16_t command;
	int ret;

	ret = vmig_config_read16(dev, PCI_COMMAND, &command);
	if (ret || (command & bits) == bits)
		return ret;

	return vmig_config_write16(dev, PCI_COMMAND, command | bits);
}

int vmig_bus_master_enable(struct vmig_device *dev)
{
	return vmig_command_enable(dev, PCI_COMMAND_MASTER);
}

int vmig_eventfd_signal(int fd)
{
	const uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

int64_t vmig_eventfd_take(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		return count;

	return errno == EAGAIN ? 0 : -errno;
}

int64_t vmig_eventfd_wait(int fd, int deadline_ms)
{
	const struct vmig_patience patience = {
		.timeout_ms = deadline_ms, .cancel_fd = -1,
	};
	int ret;

	ret = vmig_io_wait(fd, POLLIN, &patience);
	return ret ? ret : vmig_eventfd_take(fd);
}
