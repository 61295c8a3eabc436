/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that never leaves its config space alone: a thread rewrites BARs, MSI
 * address and data, and the command register, again and again.  It can be stopped
 * between any two accesses, and goes on where it was on another device, or in
 * another process.
 *
 * I/O stays decoded, so that the ports can be used, and MSI stays as it is
 * enabled; interrupts arrive anywhere, or nowhere.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_CHURN_H
#define VMIG_CHURN_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "device.h"

struct vmig_churn;

/** vmig_churn_start - rewrite the config space of a device from now on */
int vmig_churn_start(struct vmig_churn **churn, struct vmig_device *dev);

/** vmig_churn_pause - no access is on its way any more, and none comes */
void vmig_churn_pause(struct vmig_churn *churn);

/**
 * vmig_churn_resume - go on where it was
 * @churn:	paused, by the same thread
 * @dev:	where; may be another device
 */
void vmig_churn_resume(struct vmig_churn *churn, struct vmig_device *dev);

/** vmig_churn_writes - registers written so far */
uint64_t vmig_churn_writes(struct vmig_churn *churn);

/**
 * vmig_churn_wait - let it write some more
 * @churn:	running
 * @writes:	how many times more
 *
 * Return: 0, or -ETIMEDOUT after ten seconds.
 */
int vmig_churn_wait(struct vmig_churn *churn, uint64_t writes);

/**
 * vmig_churn_check - does config space hold what was written last?
 * @churn:	paused
 * @dev:	a device that should
 * @reg:	set to the offset of the first register that does not; may be NULL
 *
 * Return: 0, -EUCLEAN if it does not, or another -errno.
 */
int vmig_churn_check(const struct vmig_churn *churn, struct vmig_device *dev,
		     unsigned int *reg);

/** vmig_churn_save - append what another process needs; see vmig_churn_load() */
int vmig_churn_save(const struct vmig_churn *churn, struct vmig_bytes *state);

/**
 * vmig_churn_load - go on with what another process did
 * @churn:	set to the guest, paused by this thread
 * @dev:	the device that it had comes to be this one
 * @state:	from vmig_churn_save(); -EBADMSG if it is not
 * @len:	bytes of it
 */
int vmig_churn_load(struct vmig_churn **churn, struct vmig_device *dev,
		    const uint8_t *state, size_t len);

/**
 * vmig_churn_finish - end the thread
 * @churn:	running; freed
 *
 * Return: 0, or the -errno of the first access that failed.
 */
int vmig_churn_finish(struct vmig_churn *churn);

#endif /* VMIG_CHURN_H */
