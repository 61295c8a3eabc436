// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine of KVM, and its irqfds; see kvm.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/vfio/irq.h"
#include "kvm.h"

#ifdef KVM_IRQFD

int vmig_kvm_call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int vmig_kvm_create_vm(struct vmig_kvm *kvm)
{
	int fd, ret = 0;

	*kvm = (struct vmig_kvm) { .vm = -1, .cpu = -1, .idle = { -1, -1 } };
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	kvm->run_size = ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	/* Fails if a signal is pending */
	do {
		kvm->vm = ioctl(fd, KVM_CREATE_VM, 0);
	} while (kvm->vm < 0 && errno == EINTR);
	if (kvm->vm < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int vmig_kvm_create_cpu(struct vmig_kvm *kvm, uint64_t address, size_t size)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = address, .memory_size = size,
	};
	void *map;

	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	kvm->memory = map;
	kvm->memory_size = size;
	slot.userspace_addr = (uintptr_t)map;
	if (ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &slot))
		return -errno;

	kvm->cpu = ioctl(kvm->vm, KVM_CREATE_VCPU, 0);
	if (kvm->cpu < 0)
		return -errno;
	map = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   kvm->cpu, 0);
	if (map == MAP_FAILED)
		return -errno;
	kvm->run = map;
	return 0;
}

void vmig_kvm_destroy(struct vmig_kvm *kvm)
{
	const int fds[4] = { kvm->cpu, kvm->vm, kvm->idle[0], kvm->idle[1] };
	unsigned int i;

	if (kvm->run)
		munmap(kvm->run, kvm->run_size);
	if (kvm->memory)
		munmap(kvm->memory, kvm->memory_size);
	for (i = 0; i < 4; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

int vmig_kvm_run(struct vmig_kvm *kvm)
{
	int ret;

	do {
		ret = ioctl(kvm->cpu, KVM_RUN, 0);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

int vmig_kvm_unexpected(const struct vmig_kvm *kvm)
{
	const struct kvm_run *run = kvm->run;

	printf("# KVM_RUN ended with exit reason %u", run->exit_reason);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		printf(", internal error %u", run->internal.suberror);
	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		printf(", hardware reason %#llx",
		       (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	printf("\n");
	return -EIO;
}

static int set_routes(struct vmig_irqchip *chip)
{
	struct vmig_kvm *kvm = chip->priv;
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[VMIG_IRQ_SOURCE_NR];
	} routes = { .head.nr = VMIG_IRQ_SOURCE_NR };

	routes.entry[VMIG_IRQ_MSI] = (struct kvm_irq_routing_entry) {
		.gsi = kvm->gsi[VMIG_IRQ_MSI],
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = kvm->msi_flags,
		.u.msi.address_lo = chip->msi_address,
		.u.msi.address_hi = chip->msi_address >> 32,
		.u.msi.data = chip->msi_data,
		.u.msi.devid = kvm->devid,
	};
	routes.entry[VMIG_IRQ_INTX] = (struct kvm_irq_routing_entry) {
		.gsi = kvm->gsi[VMIG_IRQ_INTX],
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.irqchip = kvm->irqchip,
		.u.irqchip.pin = kvm->gsi[VMIG_IRQ_INTX],
	};
	return vmig_kvm_call(kvm->vm, KVM_SET_GSI_ROUTING, &routes);
}

static int set_irqfd(struct vmig_irqchip *chip, enum vmig_irq_source source,
		     uint32_t flags)
{
	struct vmig_kvm *kvm = chip->priv;
	struct kvm_irqfd arg = {
		.fd = chip->fd[source],
		.gsi = kvm->gsi[source],
		.flags = flags,
	};

	if (source == VMIG_IRQ_INTX && !(flags & KVM_IRQFD_FLAG_DEASSIGN)) {
		arg.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		arg.resamplefd = chip->unmask_fd;
	}
	return vmig_kvm_call(kvm->vm, KVM_IRQFD, &arg);
}

static int assign_idle_irqfd(struct vmig_kvm *kvm)
{
	struct kvm_irqfd arg = {
		.gsi = kvm->gsi[VMIG_IRQ_INTX],
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
	};
	unsigned int i;

	if (kvm->idle[1] >= 0)
		return 0;
	for (i = 0; i < 2; i++) {
		kvm->idle[i] = vmig_eventfd_create();
		if (kvm->idle[i] < 0)
			return kvm->idle[i];
	}
	arg.fd = kvm->idle[0];
	arg.resamplefd = kvm->idle[1];
	return vmig_kvm_call(kvm->vm, KVM_IRQFD, &arg);
}

int vmig_kvm_connect(struct vmig_irqchip *chip, enum vmig_irq_source source)
{
	struct vmig_kvm *kvm = chip->priv;
	int ret;

	ret = set_routes(chip);
	if (!ret && source == VMIG_IRQ_INTX)
		ret = assign_idle_irqfd(kvm);
	if (ret || kvm->assigned[source])
		return ret;
	ret = set_irqfd(chip, source, 0);
	kvm->assigned[source] = !ret;
	return ret;
}

/*
 * KVM may inject from a work item. Deassigning an irqfd waits for it. Nothing is lost:
 * until the irqfd is assigned again, the eventfd counts.
 */
int vmig_kvm_flush(struct vmig_irqchip *chip)
{
	struct vmig_kvm *kvm = chip->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < VMIG_IRQ_SOURCE_NR; i++) {
		if (!kvm->assigned[i])
			continue;
		ret = set_irqfd(chip, i, KVM_IRQFD_FLAG_DEASSIGN);
		if (!ret)
			ret = set_irqfd(chip, i, 0);
		if (ret)
			return ret;
	}
	return 0;
}

int vmig_kvm_take(struct vmig_irqchip *chip, uint8_t vector, int number,
		  int (*accept)(struct vmig_kvm *kvm))
{
	int ret;

	ret = chip->ops->pending(chip, vector);
	if (ret <= 0)
		return ret;
	ret = accept(chip->priv);
	if (ret < 0)
		return ret;
	/* Another interrupt was more urgent, and has been taken */
	return ret == number ? 1 : -EBUSY;
}

#endif
