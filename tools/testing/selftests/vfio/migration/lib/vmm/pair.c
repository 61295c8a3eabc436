// SPDX-License-Identifier: GPL-2.0-only
/* See pair.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "lib/vfio/irq.h"
#include "pair.h"

/* Two open files of one memfd: writer and reader each have a position */
static int open_stream(struct vmig_pair *pair)
{
	char path[32];
	int fd;

	pair->fd = memfd_create("stream", MFD_CLOEXEC);
	if (pair->fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pair->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	vmig_reader_init(&pair->reader, fd);
	return 0;
}

static void close_stream(struct vmig_pair *pair)
{
	if (pair->fd >= 0)
		close(pair->fd);
	if (pair->reader.fd >= 0)
		close(pair->reader.fd);
	vmig_reader_exit(&pair->reader);
	pair->reader.fd = -1;
	pair->fd = -1;
}

int vmig_pair_open(struct vmig_pair *pair, const struct vmig_attrs *attrs,
		   enum vmig_irqchip_kind kind)
{
	unsigned int i;
	int ret;

	memset(pair, 0, sizeof(*pair));
	pair->kind = kind;
	pair->fd = -1;
	pair->reader.fd = -1;
	pair->td[0].dev = VMIG_DEVICE_CLOSED;
	pair->td[1].dev = VMIG_DEVICE_CLOSED;

	ret = open_stream(pair);
	for (i = 0; i < 2 && !ret; i++) {
		ret = vmig_testdev_open(&pair->td[i], "mtty-2",
					VMIG_PATH_ANY, attrs);
		if (!ret)
			ret = vmig_irqchip_create(&pair->chip[i], kind);
	}
	if (!ret)
		ret = vmig_vmm_init(&pair->src, VMIG_VMM_SOURCE,
				    &pair->td[0].dev, pair->chip[0]);
	if (!ret)
		ret = vmig_vmm_init(&pair->dst, VMIG_VMM_DESTINATION,
				    &pair->td[1].dev, pair->chip[1]);
	if (ret)
		vmig_pair_close(pair);
	return ret;
}

void vmig_pair_close(struct vmig_pair *pair)
{
	unsigned int i;

	if (pair->src.buf)
		vmig_vmm_exit(&pair->src);
	if (pair->dst.buf)
		vmig_vmm_exit(&pair->dst);
	for (i = 0; i < 2; i++) {
		vmig_testdev_close(&pair->td[i]);
		vmig_irqchip_destroy(pair->chip[i]);
		pair->chip[i] = NULL;
	}
	close_stream(pair);
}

int vmig_pair_load(struct vmig_pair *pair)
{
	return vmig_vmm_load_step(&pair->dst, &pair->reader);
}

int vmig_pair_load_all(struct vmig_pair *pair)
{
	int ret;

	do {
		ret = vmig_pair_load(pair);
	} while (!ret);
	return ret < 0 ? ret : vmig_vmm_load_start(&pair->dst);
}

int vmig_pair_read_section(struct vmig_pair *pair, struct vmig_section *section)
{
	return vmig_section_read(&pair->reader, section);
}

static int make_destination(struct vmig_pair *pair, struct vmig_device *dev)
{
	int ret;

	ret = vmig_irq_disable(dev, VFIO_PCI_MSI_IRQ_INDEX);
	if (!ret)
		ret = vmig_irq_disable(dev, VFIO_PCI_INTX_IRQ_INDEX);
	if (!ret)
		ret = vmig_device_reset(dev);
	if (ret)
		return ret;

	vmig_irqchip_destroy(pair->chip[1]);
	pair->chip[1] = NULL;
	ret = vmig_irqchip_create(&pair->chip[1], pair->kind);
	if (ret)
		return ret;
	return vmig_vmm_init(&pair->dst, VMIG_VMM_DESTINATION, dev,
			     pair->chip[1]);
}

int vmig_pair_swap(struct vmig_pair *pair)
{
	struct vmig_device *old_src = pair->src.dev;
	struct vmig_device *old_dst = pair->dst.dev;
	struct vmig_irqchip *chip = pair->chip[0];
	int ret;

	vmig_vmm_exit(&pair->src);
	vmig_vmm_exit(&pair->dst);
	close_stream(pair);

	pair->chip[0] = pair->chip[1];
	pair->chip[1] = chip;
	ret = open_stream(pair);
	if (!ret)
		ret = vmig_vmm_init(&pair->src, VMIG_VMM_SOURCE, old_dst,
				    pair->chip[0]);
	return ret ? ret : make_destination(pair, old_src);
}
