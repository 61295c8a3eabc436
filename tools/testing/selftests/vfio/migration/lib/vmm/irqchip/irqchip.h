/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interrupt controller that has to be restored before anything may enable
 * interrupts: fresh from creation it is switched off, and what a device signals
 * then is lost without a word.
 *
 * The one that counts is KVM's own, in the kernel, with no guest running
 * (irqchip_kvm.c on x86, irqchip_gic.c on arm64).  Where there is none, a small
 * model with the same rules stands in (irqchip_model.c); vmig_irqchip_name() says
 * which one it is.
 *
 * No guest runs, so no processor takes interrupts away: they stay pending until
 * vmig_irqchip_take() does what a guest's handler would have done.
 *
 * Functions return 0 or -errno; they neither judge nor print.  None of them may
 * run at the same time as another one for the same controller.
 */
#ifndef VMIG_IRQCHIP_H
#define VMIG_IRQCHIP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"

/* What the guest's kernel has programmed for the line of INTx */
#define VMIG_IRQCHIP_INTX_VECTOR	0x51

/* A message that raises @vector on the only processor: on arm64 through the ITS */
#ifdef __aarch64__
#define VMIG_IRQCHIP_MSI_ADDRESS	0x08090040u
#else
#define VMIG_IRQCHIP_MSI_ADDRESS	0xfee00000u
#endif
#define VMIG_IRQCHIP_MSI_DATA(vector)	(vector)

/**
 * enum vmig_irqchip_kind - which controller is wanted
 * @VMIG_IRQCHIP_AUTO:	KVM's, or else the model
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
 * vmig_irqchip_create - a controller as after power on: switched off
 * @chip:	set to the controller
 * @kind:	which one; without KVM for this architecture, VMIG_IRQCHIP_KVM
 *		gives -EOPNOTSUPP, otherwise what /dev/kvm says
 */
int vmig_irqchip_create(struct vmig_irqchip **chip,
			enum vmig_irqchip_kind kind);

/** vmig_irqchip_destroy - and close its eventfds; NULL is fine */
void vmig_irqchip_destroy(struct vmig_irqchip *chip);

/** vmig_irqchip_name - what it is, in words */
const char *vmig_irqchip_name(const struct vmig_irqchip *chip);

/** vmig_irqchip_guest_setup - what a guest's kernel does with it at boot */
int vmig_irqchip_guest_setup(struct vmig_irqchip *chip);

/* An edge on a masked line of KVM's: a GIC remembers it, an IOAPIC does not */
#ifdef __aarch64__
#define VMIG_IRQCHIP_KEEPS_MASKED_EDGE	1
#else
#define VMIG_IRQCHIP_KEEPS_MASKED_EDGE	0
#endif

/* How a guest uses the line of INTx, when not as vmig_irqchip_guest_setup() does */
#define VMIG_INTX_EDGE		0x1u
#define VMIG_INTX_MASKED	0x2u

/**
 * vmig_irqchip_guest_intx - what a guest's kernel does with the line of INTx
 * @chip:	the controller
 * @mode:	of VMIG_INTX_*; 0: level-triggered, and not masked
 *
 * Return: 0, or -errno; -EOPNOTSUPP: the model has level-triggered lines only.
 */
int vmig_irqchip_guest_intx(struct vmig_irqchip *chip, unsigned int mode);

/** vmig_irqchip_is_ready - 1 if a message would arrive now, 0 if not, or -errno */
int vmig_irqchip_is_ready(struct vmig_irqchip *chip);

/**
 * vmig_irqchip_save - its state, pending interrupts included
 * @chip:	the controller
 * @blob:	what is appended is for vmig_irqchip_restore() alone
 */
int vmig_irqchip_save(struct vmig_irqchip *chip, struct vmig_bytes *blob);

/**
 * vmig_irqchip_restore - become what another controller was
 * @chip:	the controller; its eventfds stay connected
 * @blob:	from vmig_irqchip_save()
 * @len:	its length; -EBADMSG if it is not such a blob, -EXDEV if it is one
 *		of another kind of controller
 */
int vmig_irqchip_restore(struct vmig_irqchip *chip, const void *blob,
			 size_t len);

/**
 * vmig_irqchip_connect_msi - an eventfd that stands for a message
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
 * vmig_irqchip_connect_intx - an eventfd that stands for a level-triggered line
 * @chip:	the controller
 * @unmask_fd:	set to the eventfd for VFIO_IRQ_SET_ACTION_UNMASK, which the
 *		controller signals when the guest is through with an interrupt
 *
 * Return: as for vmig_irqchip_connect_msi().
 */
int vmig_irqchip_connect_intx(struct vmig_irqchip *chip, int *unmask_fd);

/**
 * vmig_irqchip_pending - did an interrupt arrive?
 * @chip:	the controller
 * @vector:	which
 *
 * Everything that was signalled before the call has been dealt with when it
 * looks, so there is no need to wait for silence.
 *
 * Return: 1 or 0, or -errno.
 */
int vmig_irqchip_pending(struct vmig_irqchip *chip, uint8_t vector);

/**
 * vmig_irqchip_wait - wait for an interrupt that must come
 * @chip:	the controller
 * @vector:	which
 * @deadline_ms: how long to wait at most
 *
 * Return: 0, -ETIMEDOUT or another -errno.
 */
int vmig_irqchip_wait(struct vmig_irqchip *chip, uint8_t vector,
		      int deadline_ms);

/**
 * vmig_irqchip_take - handle a pending interrupt as a guest would
 * @chip:	the controller
 * @vector:	which; the end of VMIG_IRQCHIP_INTX_VECTOR signals the unmask eventfd
 *
 * With KVM's controller a processor takes it and writes to its EOI register.
 *
 * Return: how often it was signalled since it was taken last, 0 if it is not
 * pending, or -errno; -EBUSY if a more urgent one (a higher vector) was taken in its
 * place.  KVM's controller cannot tell more than one from one.
 */
int vmig_irqchip_take(struct vmig_irqchip *chip, uint8_t vector);

#endif /* VMIG_IRQCHIP_H */
