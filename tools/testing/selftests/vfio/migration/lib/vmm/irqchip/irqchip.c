// SPDX-License-Identifier: GPL-2.0-only
/* Shared by all interrupt controllers; see irqchip.h. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "lib/vfio/irq.h"
#include "lib/vfio/util.h"
#include "ops.h"

#define BLOB_MAGIC	0x49524351u	/* "IRCQ" */

/* Before the state in a blob, big-endian */
struct blob_head {
	uint32_t magic;
	uint32_t id;
};

static int create_as(struct vmig_irqchip **chip,
		     const struct vmig_irqchip_ops *ops)
{
	struct vmig_irqchip *new = calloc(1, sizeof(*new));
	unsigned int i;
	int ret;

	if (!new)
		return -ENOMEM;

	for (i = 0; i < VMIG_IRQ_SOURCE_NR; i++)
		new->fd[i] = -1;
	new->unmask_fd = -1;
	new->ops = ops;

	ret = ops->create(new);
	if (ret) {
		free(new);
		return ret;
	}
	*chip = new;
	return 0;
}

int vmig_irqchip_create(struct vmig_irqchip **chip, enum vmig_irqchip_kind kind)
{
	int ret = -EOPNOTSUPP;

	*chip = NULL;
	if (kind != VMIG_IRQCHIP_MODEL)
		ret = create_as(chip, &vmig_irqchip_kvm);
	if (!ret || kind == VMIG_IRQCHIP_KVM)
		return ret;
	return create_as(chip, &vmig_irqchip_model);
}

void vmig_irqchip_destroy(struct vmig_irqchip *chip)
{
	unsigned int i;

	if (!chip)
		return;

	chip->ops->destroy(chip);
	for (i = 0; i < VMIG_IRQ_SOURCE_NR; i++) {
		if (chip->fd[i] >= 0)
			close(chip->fd[i]);
	}
	if (chip->unmask_fd >= 0)
		close(chip->unmask_fd);
	free(chip);
}

const char *vmig_irqchip_name(const struct vmig_irqchip *chip)
{
	return chip->ops->name;
}

int vmig_irqchip_guest_setup(struct vmig_irqchip *chip)
{
	return chip->ops->guest_setup(chip);
}

int vmig_irqchip_guest_intx(struct vmig_irqchip *chip, unsigned int mode)
{
	if (!chip->ops->guest_intx)
		return -EOPNOTSUPP;
	return chip->ops->guest_intx(chip, mode);
}

int vmig_irqchip_is_ready(struct vmig_irqchip *chip)
{
	return chip->ops->is_ready(chip);
}

int vmig_irqchip_save(struct vmig_irqchip *chip, struct vmig_bytes *blob)
{
	struct blob_head head = {
		.magic = htobe32(BLOB_MAGIC),
		.id = htobe32(chip->ops->id),
	};
	int ret;

	ret = vmig_bytes_add(blob, &head, sizeof(head));
	return ret ? ret : chip->ops->save(chip, blob);
}

int vmig_irqchip_restore(struct vmig_irqchip *chip, const void *blob,
			 size_t len)
{
	struct blob_head head;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, blob, sizeof(head));
	if (be32toh(head.magic) != BLOB_MAGIC)
		return -EBADMSG;
	if (be32toh(head.id) != chip->ops->id)
		return -EXDEV;

	return chip->ops->restore(chip, (const char *)blob + sizeof(head),
				  len - sizeof(head));
}

static int connect_source(struct vmig_irqchip *chip,
			  enum vmig_irq_source source)
{
	int ret;

	if (chip->fd[source] < 0) {
		ret = vmig_eventfd_create();
		if (ret < 0)
			return ret;
		chip->fd[source] = ret;
	}
	ret = chip->ops->connect(chip, source);
	return ret ? ret : chip->fd[source];
}

int vmig_irqchip_connect_msi(struct vmig_irqchip *chip, uint64_t address,
			     uint32_t data)
{
	/* Earlier signals stand for the old message */
	if (chip->fd[VMIG_IRQ_MSI] >= 0)
		chip->ops->pending(chip, 0);

	chip->msi_address = address;
	chip->msi_data = data;
	return connect_source(chip, VMIG_IRQ_MSI);
}

int vmig_irqchip_connect_intx(struct vmig_irqchip *chip, int *unmask_fd)
{
	if (chip->unmask_fd < 0) {
		int fd = vmig_eventfd_create();

		if (fd < 0)
			return fd;
		chip->unmask_fd = fd;
	}
	*unmask_fd = chip->unmask_fd;
	return connect_source(chip, VMIG_IRQ_INTX);
}

int vmig_irqchip_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	return chip->ops->pending(chip, vector);
}

int vmig_irqchip_wait(struct vmig_irqchip *chip, uint8_t vector,
		      int deadline_ms)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	int64_t end = vmig_now_ms() + deadline_ms;
	int ret;

	for (;;) {
		ret = vmig_irqchip_pending(chip, vector);
		if (ret)
			return ret < 0 ? ret : 0;
		if (vmig_now_ms() > end)
			return -ETIMEDOUT;
		nanosleep(&tick, NULL);
	}
}

int vmig_irqchip_take(struct vmig_irqchip *chip, uint8_t vector)
{
	return chip->ops->take(chip, vector);
}
