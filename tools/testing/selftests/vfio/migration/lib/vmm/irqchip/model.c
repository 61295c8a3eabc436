// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of an interrupt controller, for where KVM has none; see irqchip.h.
 *
 * It has no thread: each function first reads the eventfds, which count signals.  So
 * each signal sees the state that the controller had when it was sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/vfio/irq.h"
#include "ops.h"

/* The state that migrates, within one program */
struct model_state {
	uint8_t enabled;
	uint32_t arrived[256];
};

static void arrive(struct model_state *state, uint8_t vector, uint32_t times)
{
	if (state->enabled)
		state->arrived[vector] += times;
}

/* A level that is signalled again is still one interrupt */
static void arrive_level(struct model_state *state, uint8_t vector,
			 uint32_t times)
{
	if (state->enabled && times)
		state->arrived[vector] = 1;
}

static int read_eventfds(struct vmig_irqchip *chip)
{
	struct model_state *state = chip->priv;
	int64_t times;

	if (chip->fd[VMIG_IRQ_MSI] >= 0) {
		times = vmig_eventfd_take(chip->fd[VMIG_IRQ_MSI]);
		if (times < 0)
			return times;
		if (chip->msi_address == VMIG_IRQCHIP_MSI_ADDRESS)
			arrive(state, chip->msi_data, times);
	}
	if (chip->fd[VMIG_IRQ_INTX] >= 0) {
		times = vmig_eventfd_take(chip->fd[VMIG_IRQ_INTX]);
		if (times < 0)
			return times;
		arrive_level(state, VMIG_IRQCHIP_INTX_VECTOR, times);
	}
	return 0;
}

static int model_create(struct vmig_irqchip *chip)
{
	chip->priv = calloc(1, sizeof(struct model_state));
	return chip->priv ? 0 : -ENOMEM;
}

static void model_destroy(struct vmig_irqchip *chip)
{
	free(chip->priv);
}

static int model_guest_setup(struct vmig_irqchip *chip)
{
	struct model_state *state = chip->priv;
	int ret = read_eventfds(chip);

	state->enabled = 1;
	return ret;
}

static int model_is_ready(struct vmig_irqchip *chip)
{
	const struct model_state *state = chip->priv;

	return state->enabled;
}

static int model_save(struct vmig_irqchip *chip, struct vmig_bytes *blob)
{
	int ret = read_eventfds(chip);

	return ret ? ret : vmig_bytes_add(blob, chip->priv,
					  sizeof(struct model_state));
}

static int model_restore(struct vmig_irqchip *chip, const void *state,
			 size_t len)
{
	int ret = read_eventfds(chip);

	if (ret)
		return ret;
	if (len != sizeof(struct model_state))
		return -EBADMSG;
	memcpy(chip->priv, state, len);
	return 0;
}

static int model_connect(struct vmig_irqchip *chip, enum vmig_irq_source source)
{
	(void)source;
	return read_eventfds(chip);
}

static int model_pending(struct vmig_irqchip *chip, uint8_t vector)
{
	const struct model_state *state = chip->priv;
	int ret = read_eventfds(chip);

	return ret ? ret : !!state->arrived[vector];
}

static int model_take(struct vmig_irqchip *chip, uint8_t vector)
{
	struct model_state *state = chip->priv;
	int ret = read_eventfds(chip);

	if (ret)
		return ret;
	ret = state->arrived[vector];
	state->arrived[vector] = 0;
	if (ret && vector == VMIG_IRQCHIP_INTX_VECTOR && chip->unmask_fd >= 0 &&
	    eventfd_write(chip->unmask_fd, 1))
		return -errno;
	return ret;
}

const struct vmig_irqchip_ops vmig_irqchip_model = {
	.name = "model (in the test library)",
	.id = 0x4d4f444c,	/* "MODL" */
	.create = model_create,
	.destroy = model_destroy,
	.guest_setup = model_guest_setup,
	.is_ready = model_is_ready,
	.save = model_save,
	.restore = model_restore,
	.connect = model_connect,
	.pending = model_pending,
	.take = model_take,
};
