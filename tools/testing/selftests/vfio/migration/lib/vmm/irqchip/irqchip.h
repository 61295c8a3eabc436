/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interrupt controller that must be restored before interrupts are enabled: a new
 * one is disabled, and drops what a device signals.
 *
 * It is KVM's, in the kernel (kvm_x86.c, kvm_arm64.c), or without KVM a model with the
 * same rules (model.c); vmig_irqchip_name() tells them apart.
 *
 * No guest runs: an interrupt stays pending until vmig_irqchip_take() handles it.
 *
 * Functions return 0 or -errno.  Calls for the same controller must be serialised.
 */
#ifndef VMIG_IRQCHIP_H
#define VMIG_IRQCHIP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"

/* The vector of INTx */
#define VMIG_IRQCHIP_INTX_VECTOR	0x51

/* A message that raises @vector on the only processor: on arm64 through the ITS */
#ifdef __aarch64__
#define VMIG_IRQCHIP_MSI_ADDRESS	0x08090040u
#else
#define VMIG_IRQCHIP_MSI_ADDRESS	0xfee00000u
#endif
#define VMIG_IRQCHIP_MSI_DATA(vector)	(vector)

/**
 * enum vmig_irqchip_kind - a choice of controller
 * @VMIG_IRQCHIP_AUTO:	KVM's, or the model if there is none
 * @VMIG_IRQCHIP_KVM:	KVM's, or -errno
 * @VMIG_IRQCHIP_MODEL:	the model
 */
enum vmig_irqchip_kind {
	VMIG_IRQCHIP_AUTO,
	VMIG_IRQCHIP_KVM,
	VMIG_IRQCHIP_MODEL,
};

struct vmig_irqchip;

/**
 * vmig_irqchip_create - create a controller, disabled as after power on
 * @chip:	set to the controller
 * @kind:	VMIG_IRQCHIP_KVM returns -EOPNOTSUPP on architectures without such a
 *		controller, otherwise the error of /dev/kvm
 */
int vmig_irqchip_create(struct vmig_irqchip **chip,
			enum vmig_irqchip_kind kind);

/** vmig_irqchip_destroy - free a controller or NULL, and close its eventfds */
void vmig_irqchip_destroy(struct vmig_irqchip *chip);

/** vmig_irqchip_name - name for users */
const char *vmig_irqchip_name(const struct vmig_irqchip *chip);

/** vmig_irqchip_guest_setup - enable it as a guest's kernel does at boot */
int vmig_irqchip_guest_setup(struct vmig_irqchip *chip);

/* An edge on a masked line: a GIC keeps it, an IOAPIC does not */
#ifdef __aarch64__
#define VMIG_IRQCHIP_KEEPS_MASKED_EDGE	1
#else
#define VMIG_IRQCHIP_KEEPS_MASKED_EDGE	0
#endif

/* Other ways to use the line of INTx than that of vmig_irqchip_guest_setup() */
#define VMIG_INTX_EDGE		0x1u
#define VMIG_INTX_MASKED	0x2u

/**
 * vmig_irqchip_guest_intx - program the line of INTx as a guest's kernel does
 * @chip:	the controller
 * @mode:	VMIG_INTX_*; 0: level-triggered, not masked
 *
 * Return: 0 or -errno; -EOPNOTSUPP for the model, which has level-triggered lines only.
 */
int vmig_irqchip_guest_intx(struct vmig_irqchip *chip, unsigned int mode);

/** vmig_irqchip_is_ready - 1 if a message would arrive now, 0 if not, or -errno */
int vmig_irqchip_is_ready(struct vmig_irqchip *chip);

/**
 * vmig_irqchip_save - save the state, with pending interrupts
 * @chip:	the controller
 * @blob:	the state is appended, for vmig_irqchip_restore()
 */
int vmig_irqchip_save(struct vmig_irqchip *chip, struct vmig_bytes *blob);

/**
 * vmig_irqchip_restore - restore the state of another controller
 * @chip:	the controller; its eventfds stay connected
 * @blob:	from vmig_irqchip_save()
 * @len:	its length
 *
 * Return: 0, -EBADMSG for other data, -EXDEV for another kind of controller, or
 * another -errno.
 */
int vmig_irqchip_restore(struct vmig_irqchip *chip, const void *blob,
			 size_t len);

/**
 * vmig_irqchip_connect_msi - get an eventfd that sends a message
 * @chip:	the controller
 * @address:	of the message, as the guest wrote it to config space
 * @data:	of the message
 *
 * Return: the eventfd for VFIO_IRQ_SET_ACTION_TRIGGER, which belongs to the
 * controller and is the same in each call, or -errno.
 */
int vmig_irqchip_connect_msi(struct vmig_irqchip *chip, uint64_t address,
			     uint32_t data);

/**
 * vmig_irqchip_connect_intx - get an eventfd that raises the line of INTx
 * @chip:	the controller
 * @unmask_fd:	set to the eventfd for VFIO_IRQ_SET_ACTION_UNMASK, which the controller
 *		signals when the guest has ended an interrupt
 *
 * Return: as for vmig_irqchip_connect_msi().
 */
int vmig_irqchip_connect_intx(struct vmig_irqchip *chip, int *unmask_fd);

/**
 * vmig_irqchip_pending - is an interrupt pending?
 * @chip:	the controller
 * @vector:	of the interrupt
 *
 * The answer includes everything that was signalled before the call.
 *
 * Return: 1 or 0, or -errno.
 */
int vmig_irqchip_pending(struct vmig_irqchip *chip, uint8_t vector);

/**
 * vmig_irqchip_wait - wait until an interrupt is pending
 * @chip:	the controller
 * @vector:	of the interrupt
 * @deadline_ms: limit
 *
 * Return: 0, -ETIMEDOUT or another -errno.
 */
int vmig_irqchip_wait(struct vmig_irqchip *chip, uint8_t vector,
		      int deadline_ms);

/**
 * vmig_irqchip_take - handle a pending interrupt as a guest would
 * @chip:	the controller
 * @vector:	of the interrupt; the end of VMIG_IRQCHIP_INTX_VECTOR signals the unmask
 *		eventfd
 *
 * With KVM's controller a processor takes it and writes to the EOI register.
 *
 * Return: number of signals since it was last taken (KVM's controller: 1), 0 if it is
 * not pending, or -errno; -EBUSY if one with a higher vector was taken instead.
 */
int vmig_irqchip_take(struct vmig_irqchip *chip, uint8_t vector);

#endif /* VMIG_IRQCHIP_H */
