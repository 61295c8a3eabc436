// SPDX-License-Identifier: GPL-2.0-only
/* Both sides of the model VMM: device, interrupts, observer, stream; see vmm.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/irq.h"
#include "vmm_int.h"

int vmig_vmm_init(struct vmig_vmm *vmm, enum vmig_vmm_side side,
		  struct vmig_device *dev, struct vmig_irqchip *chip)
{
	memset(vmm, 0, sizeof(*vmm));
	vmm->side = side;
	vmm->dev = dev;
	vmm->chip = chip;
	vmm->max_rounds = 8;
	vmm->step = "";
	vmm->data_fd = -1;
	vmm->buf = malloc(VMIG_DATA_MAX);
	return vmm->buf ? 0 : -ENOMEM;
}

void vmig_vmm_exit(struct vmig_vmm *vmm)
{
	vmig_vmm_close_data(vmm);
	vmig_bytes_free(&vmm->refused);
	free(vmm->buf);
	vmm->buf = NULL;
}

uint64_t vmig_vmm_downtime_ns(const struct vmig_vmm *src,
			      const struct vmig_vmm *dst)
{
	return dst->stats.running_at - src->stats.stopped_at;
}

static void notify(struct vmig_vmm *vmm, struct vmig_event event)
{
	if (!vmm->observe)
		return;

	event.side = vmm->side;
	event.step = vmm->step;
	if (!event.text)
		event.text = "";
	vmm->observe(vmm->opaque, &event);
}

void vmig_vmm_begin_step(struct vmig_vmm *vmm, const char *step)
{
	vmm->step = step;
	vmm->why[0] = '\0';
	notify(vmm, (struct vmig_event) { .kind = VMIG_EVENT_STEP });
}

void vmig_vmm_report_call(struct vmig_vmm *vmm, const char *call,
			  const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	notify(vmm, (struct vmig_event) {
		.kind = VMIG_EVENT_CALL, .call = call, .text = text,
	});
}

void vmig_vmm_report_section(struct vmig_vmm *vmm,
			     const struct vmig_section *section)
{
	notify(vmm, (struct vmig_event) {
		.kind = VMIG_EVENT_SECTION, .section = section,
	});
}

int vmig_vmm_fail(struct vmig_vmm *vmm, int error, const char *fmt, ...)
{
	va_list args;

	if (vmm->why[0])
		return error;
	va_start(args, fmt);
	vsnprintf(vmm->why, sizeof(vmm->why), fmt, args);
	va_end(args);
	return error;
}

int vmig_vmm_query(struct vmig_vmm *vmm, struct vmig_config_answer *answer)
{
	int ret;

	*answer = (struct vmig_config_answer) {};
	ret = vmig_config_query(vmm->dev, answer);
	if (ret && ret != -ENOTTY)
		return vmig_vmm_fail(vmm, ret, "query: %s", strerror(-ret));
	vmig_vmm_report_call(vmm, "VFIO_DEVICE_FEATURE GET MIG_CONFIG",
			     ret ? "not supported" : "%s, %u bytes",
			     vmig_need_name(answer->need), answer->size);
	return 0;
}

int vmig_vmm_opt_in(struct vmig_vmm *vmm)
{
	int ret;

	vmm->opted_in = false;
	vmm->has_config = false;
	if (!vmm->answer.size)
		return 0;
	ret = vmig_config_opt_in(vmm->dev, &vmm->answer);
	if (ret)
		return ret;
	vmm->opted_in = true;
	vmig_vmm_report_call(vmm, "VFIO_DEVICE_FEATURE SET MIG_CONFIG", "%s",
			     vmig_need_name(vmm->answer.need));
	return 0;
}

void vmig_vmm_close_data(struct vmig_vmm *vmm)
{
	if (vmm->data_fd >= 0)
		close(vmm->data_fd);
	vmm->data_fd = -1;
}

int vmig_vmm_set_state(struct vmig_vmm *vmm, enum vfio_device_mig_state state)
{
	const char *name = vmig_state_name(state);
	int data_fd = -1;
	int ret;

	ret = vmig_mig_set_state(vmm->dev, state, &data_fd);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "%s: %s", name, strerror(-ret));
	if (data_fd >= 0) {
		vmig_vmm_close_data(vmm);
		vmm->data_fd = data_fd;
	}
	vmig_vmm_report_call(vmm, "VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE",
			     "%s%s", name,
			     data_fd >= 0 ? ", returns a data_fd" : "");
	return 0;
}

int vmig_vmm_write_section(struct vmig_vmm *vmm, int fd,
			   const struct vmig_section *section)
{
	int ret;

	ret = vmig_section_write(fd, section, vmm->patience);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "stream: %s", strerror(-ret));
	vmig_vmm_report_section(vmm, section);
	return 0;
}

static int set_irq_fd(struct vmig_vmm *vmm, unsigned int index, uint32_t action,
		      int fd)
{
	const char *what = index == VFIO_PCI_MSI_IRQ_INDEX ? "MSI" : "INTx";
	int ret;

	if (fd < 0)
		return vmig_vmm_fail(vmm, fd, "interrupt controller, %s: %s",
				     what, strerror(-fd));
	ret = vmig_irq_set_fd(vmm->dev, index, action, fd);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "VFIO_DEVICE_SET_IRQS, %s: %s",
				     what, strerror(-ret));
	vmm->stats.set_irqs++;
	vmig_vmm_report_call(vmm, "VFIO_DEVICE_SET_IRQS", "%s, %s by eventfd",
			     what, action == VFIO_IRQ_SET_ACTION_TRIGGER ?
			     "trigger" : "unmask");
	return 0;
}

static int enable_msi(struct vmig_vmm *vmm, unsigned int cap)
{
	uint32_t lo, hi;
	uint16_t data;
	int ret, fd;

	ret = vmig_config_read32(vmm->dev, cap + PCI_MSI_ADDRESS_LO, &lo);
	if (!ret)
		ret = vmig_config_read32(vmm->dev, cap + PCI_MSI_ADDRESS_HI,
					 &hi);
	if (!ret)
		ret = vmig_config_read16(vmm->dev, cap + PCI_MSI_DATA_64, &data);
	if (ret)
		return ret;

	fd = vmig_irqchip_connect_msi(vmm->chip, (uint64_t)hi << 32 | lo, data);
	return set_irq_fd(vmm, VFIO_PCI_MSI_IRQ_INDEX,
			  VFIO_IRQ_SET_ACTION_TRIGGER, fd);
}

static int enable_intx(struct vmig_vmm *vmm)
{
	int unmask_fd = -1;
	int ret, fd;

	fd = vmig_irqchip_connect_intx(vmm->chip, &unmask_fd);
	ret = set_irq_fd(vmm, VFIO_PCI_INTX_IRQ_INDEX,
			 VFIO_IRQ_SET_ACTION_TRIGGER, fd);
	if (!ret)
		ret = set_irq_fd(vmm, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_SET_ACTION_UNMASK, unmask_fd);
	return ret;
}

int vmig_vmm_enable_interrupts(struct vmig_vmm *vmm)
{
	uint16_t command, flags = 0;
	unsigned int cap;
	int ret, cap_ret;

	ret = vmig_config_read16(vmm->dev, PCI_COMMAND, &command);
	cap_ret = vmig_config_find_cap(vmm->dev, PCI_CAP_ID_MSI, &cap);
	if (!ret && !cap_ret)
		ret = vmig_config_read16(vmm->dev, cap + PCI_MSI_FLAGS, &flags);
	else if (!ret && cap_ret != -ENOENT)
		ret = cap_ret;
	if (ret)
		return vmig_vmm_fail(vmm, ret, "config space: %s",
				     strerror(-ret));

	if (vmm->side == VMIG_VMM_DESTINATION && !vmm->chip_restored) {
		vmm->stats.violations++;
		notify(vmm, (struct vmig_event) {
			.kind = VMIG_EVENT_VIOLATION,
			.text = "interrupts enabled, controller not restored",
		});
	}
	vmm->irq_enabled = true;

	if (flags & PCI_MSI_FLAGS_ENABLE)
		return enable_msi(vmm, cap);
	if (command & PCI_COMMAND_INTX_DISABLE)
		return 0;
	return enable_intx(vmm);
}

static int write_msi(struct vmig_device *dev, unsigned int cap, uint8_t vector)
{
	int ret;

	ret = vmig_config_write32(dev, cap + PCI_MSI_ADDRESS_LO,
				  VMIG_IRQCHIP_MSI_ADDRESS);
	if (!ret)
		ret = vmig_config_write16(dev, cap + PCI_MSI_DATA_64,
					  VMIG_IRQCHIP_MSI_DATA(vector));
	if (!ret)
		ret = vmig_config_write16(dev, cap + PCI_MSI_FLAGS,
					  PCI_MSI_FLAGS_ENABLE);
	return ret;
}

int vmig_vmm_boot(struct vmig_vmm *vmm, unsigned int index, uint8_t vector)
{
	uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			   PCI_COMMAND_MASTER;
	unsigned int cap;
	int ret;

	ret = vmig_irqchip_guest_setup(vmm->chip);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "interrupt controller: %s",
				     strerror(-ret));
	vmm->chip_restored = true;

	if (index == VFIO_PCI_MSI_IRQ_INDEX)
		command |= PCI_COMMAND_INTX_DISABLE;
	ret = vmig_config_write16(vmm->dev, PCI_COMMAND, command);
	if (!ret && index == VFIO_PCI_MSI_IRQ_INDEX) {
		ret = vmig_config_find_cap(vmm->dev, PCI_CAP_ID_MSI, &cap);
		if (!ret)
			ret = write_msi(vmm->dev, cap, vector);
	}
	if (ret)
		return vmig_vmm_fail(vmm, ret, "config space: %s",
				     strerror(-ret));
	return vmig_vmm_enable_interrupts(vmm);
}
