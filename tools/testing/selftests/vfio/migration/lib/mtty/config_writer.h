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
 * Functions return 0 or -errno.
 */
#ifndef VMIG_CONFIG_WRITER_H
#define VMIG_CONFIG_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/device.h"

struct vmig_config_writer;

/** vmig_config_writer_start - rewrite the config space of a device from now on */
int vmig_config_writer_start(struct vmig_config_writer **churn, struct vmig_device *dev);

/** vmig_config_writer_pause - no access is on its way any more, and none comes */
void vmig_config_writer_pause(struct vmig_config_writer *churn);

/**
 * vmig_config_writer_resume - go on where it was
 * @churn:	paused, by the same thread
 * @dev:	where; may be another device
 */
void vmig_config_writer_resume(struct vmig_config_writer *churn, struct vmig_device *dev);

/** vmig_config_writer_writes - registers written so far */
uint64_t vmig_config_writer_writes(struct vmig_config_writer *churn);

/**
 * vmig_config_writer_wait - let it write some more
 * @churn:	running
 * @writes:	how many times more
 *
 * Return: 0, or -ETIMEDOUT after ten seconds.
 */
int vmig_config_writer_wait(struct vmig_config_writer *churn, uint64_t writes);

/**
 * vmig_config_writer_check - does config space hold what was written last?
 * @churn:	paused
 * @dev:	a device that should
 * @reg:	set to the offset of the first register that does not; may be NULL
 *
 * Return: 0, -EUCLEAN if it does not, or another -errno.
 */
int vmig_config_writer_check(const struct vmig_config_writer *churn, struct vmig_device *dev,
		     unsigned int *reg);

/** vmig_config_writer_save - append what another process needs; see vmig_config_writer_load() */
int vmig_config_writer_save(const struct vmig_config_writer *churn, struct vmig_bytes *state);

/**
 * vmig_config_writer_load - go on with what another process did
 * @churn:	set to the guest, paused by this thread
 * @dev:	the device that it had comes to be this one
 * @state:	from vmig_config_writer_save(); -EBADMSG if it is not
 * @len:	bytes of it
 */
int vmig_config_writer_load(struct vmig_config_writer **churn, struct vmig_device *dev,
		    const uint8_t *state, size_t len);

/**
 * vmig_config_writer_finish - end the thread
 * @churn:	running; freed
 *
 * Return: 0, or the -errno of the first access that failed.
 */
int vmig_config_writer_finish(struct vmig_config_writer *churn);

#endif /* VMIG_CONFIG_WRITER_H */
