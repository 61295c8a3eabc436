/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that rewrites its config space all the time: a thread writes BARs, MSI
 * address and data, and the command register. It can be paused between any two
 * accesses, and resumed on another device or in another process.
 *
 * The ports can be used: I/O decoding stays enabled. MSI enable does not change, but
 * messages go to changing addresses.
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

/** vmig_config_writer_start - start a guest on @dev; -ENOENT if it has no MSI */
int vmig_config_writer_start(struct vmig_config_writer **writer,
			     struct vmig_device *dev);

/** vmig_config_writer_pause - wait for the current access, and start no other */
void vmig_config_writer_pause(struct vmig_config_writer *writer);

/**
 * vmig_config_writer_resume - undo vmig_config_writer_pause()
 * @writer:	paused by the calling thread
 * @dev:	the device to write to from now on
 */
void vmig_config_writer_resume(struct vmig_config_writer *writer,
			       struct vmig_device *dev);

/** vmig_config_writer_writes - number of writes so far */
uint64_t vmig_config_writer_writes(struct vmig_config_writer *writer);

/**
 * vmig_config_writer_wait - wait for some more writes
 * @writer:	running
 * @writes:	number of further writes
 *
 * Return: 0, or -ETIMEDOUT after ten seconds.
 */
int vmig_config_writer_wait(struct vmig_config_writer *writer, uint64_t writes);

/**
 * vmig_config_writer_check - does config space have the last value of each register?
 * @writer:	paused
 * @dev:	the device to check
 * @reg:	set to the offset of the first register that differs; may be NULL
 *
 * Return: 0, -EUCLEAN if a register differs, or another -errno.
 */
int vmig_config_writer_check(const struct vmig_config_writer *writer,
			     struct vmig_device *dev, unsigned int *reg);

/** vmig_config_writer_save - append what vmig_config_writer_load() needs; paused */
int vmig_config_writer_save(const struct vmig_config_writer *writer,
			    struct vmig_bytes *state);

/**
 * vmig_config_writer_load - continue the guest of another process
 * @writer:	set to the guest, paused by the calling thread
 * @dev:	destination of the migration of its device
 * @state:	from vmig_config_writer_save(); -EBADMSG if @len is wrong
 * @len:	bytes of @state
 */
int vmig_config_writer_load(struct vmig_config_writer **writer,
			    struct vmig_device *dev, const uint8_t *state,
			    size_t len);

/**
 * vmig_config_writer_finish - end the thread
 * @writer:	running; is freed
 *
 * Return: 0, or the -errno of the first access that failed.
 */
int vmig_config_writer_finish(struct vmig_config_writer *writer);

#endif /* VMIG_CONFIG_WRITER_H */
