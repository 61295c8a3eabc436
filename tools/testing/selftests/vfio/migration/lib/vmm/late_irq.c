// SPDX-License-Identifier: GPL-2.0-only
/* See late_irq.h. */
#include <string.h>

#include "late_irq.h"
#include "lib/mtty/uart.h"

uint8_t vmig_late_irq_vector(unsigned int index)
{
	return index == VFIO_PCI_MSI_IRQ_INDEX ? VMIG_LATE_IRQ_MSI_VECTOR :
						 VMIG_IRQCHIP_INTX_VECTOR;
}

int vmig_late_irq_boot(struct vmig_pair *pair, unsigned int index)
{
	int ret;

	ret = vmig_uart_init(pair->src.dev, 0, UART_FCR_TRIGGER_1, 0);
	return ret ? ret : vmig_vmm_boot(&pair->src, index,
					 VMIG_LATE_IRQ_MSI_VECTOR);
}

bool vmig_late_irq_is_stop(const struct vmig_event *event)
{
	return event->kind == VMIG_EVENT_CALL &&
	       !strcmp(event->call, "VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE") &&
	       !strncmp(event->text, "STOP_COPY", 9);
}

static void observe(void *opaque, const struct vmig_event *event)
{
	struct vmig_vmm *src = opaque;

	if (vmig_late_irq_is_stop(event))
		vmig_late_irq_raise(src->dev);
}

void vmig_late_irq_when_stopped(struct vmig_vmm *src)
{
	src->observe = observe;
	src->opaque = src;
}

int vmig_late_irq_raise(struct vmig_device *dev)
{
	return vmig_uart_out(dev, 0, UART_IER, UART_IER_THRI);
}

int vmig_late_irq_handle(struct vmig_device *dev)
{
	uint8_t iir;
	int ret;

	ret = vmig_uart_in(dev, 0, UART_IIR, &iir);
	return ret ? ret : (iir & 0x0f) == UART_IIR_THRI;
}

int vmig_late_irq_load(struct vmig_pair *pair)
{
	int ret;

	do {
		ret = vmig_pair_load(pair);
	} while (!ret);
	return ret < 0 ? ret : 0;
}
