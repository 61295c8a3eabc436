// SPDX-License-Identifier: GPL-2.0-only
/* The irqfds of a machine of KVM's; see irqchip_irqfd.h. */
#include <errno.h>
#include <unistd.h>
#include <sys/ioctl.h>

#if __has_include("asm/kvm.h")
#include <linux/kvm.h>
#endif

#include "lib/vfio/irq.h"
#include "irqchip_irqfd.h"

#ifdef KVM_IRQFD

void vmig_irqfds_init(struct vmig_irqfds *fds)
{
	*fds = (struct vmig_irqfds) { .vm = -1, .holder = { -1, -1 } };
}

void vmig_irqfds_close(struct vmig_irqfds *fds)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (fds->holder[i] >= 0)
			close(fds->holder[i]);
	}
}

static int set_irqfd(struct vmig_irqfds *fds, struct vmig_irqchip *chip,
		     enum vmig_irq_source source, uint32_t flags)
{
	struct kvm_irqfd arg = {
		.fd = chip->fd[source],
		.gsi = fds->gsi[source],
		.flags = flags,
	};

	if (source == VMIG_IRQ_INTX && !(flags & KVM_IRQFD_FLAG_DEASSIGN)) {
		arg.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		arg.resamplefd = chip->unmask_fd;
	}
	return ioctl(fds->vm, KVM_IRQFD, &arg) ? -errno : 0;
}

static int hold_line(struct vmig_irqfds *fds)
{
	struct kvm_irqfd arg = {
		.gsi = fds->gsi[VMIG_IRQ_INTX],
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
	};
	unsigned int i;

	if (fds->holder[1] >= 0)
		return 0;
	for (i = 0; i < 2; i++) {
		fds->holder[i] = vmig_eventfd_create();
		if (fds->holder[i] < 0)
			return fds->holder[i];
	}
	arg.fd = fds->holder[0];
	arg.resamplefd = fds->holder[1];
	return ioctl(fds->vm, KVM_IRQFD, &arg) ? -errno : 0;
}

int vmig_irqfds_assign(struct vmig_irqfds *fds, struct vmig_irqchip *chip,
		       enum vmig_irq_source source)
{
	int ret = 0;

	if (source == VMIG_IRQ_INTX)
		ret = hold_line(fds);
	if (ret || fds->assigned[source])
		return ret;
	ret = set_irqfd(fds, chip, source, 0);
	fds->assigned[source] = !ret;
	return ret;
}

/*
 * KVM injects from a work item, except where it can do so at once.  Taking an irqfd
 * away waits for it, and nothing is lost: until it is back, the eventfd keeps what
 * comes.
 */
int vmig_irqfds_flush(struct vmig_irqfds *fds, struct vmig_irqchip *chip)
{
	unsigned int i;
	int ret;

	for (i = 0; i < VMIG_IRQ_SOURCE_NR; i++) {
		if (!fds->assigned[i])
			continue;
		ret = set_irqfd(fds, chip, i, KVM_IRQFD_FLAG_DEASSIGN);
		if (!ret)
			ret = set_irqfd(fds, chip, i, 0);
		if (ret)
			return ret;
	}
	return 0;
}

#endif
