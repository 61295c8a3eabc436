/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer that grows.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_BYTES_H
#define VMIG_BYTES_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct vmig_bytes - a buffer that grows; empty when all members are 0
 * @data:	the bytes
 * @len:	bytes used
 * @room:	bytes allocated
 */
struct vmig_bytes {
	uint8_t *data;
	size_t len;
	size_t room;
};

/** vmig_bytes_free - free the memory; the buffer is empty afterwards */
void vmig_bytes_free(struct vmig_bytes *bytes);

/** vmig_bytes_reserve - make room for @more bytes at the end */
int vmig_bytes_reserve(struct vmig_bytes *bytes, size_t more);

/** vmig_bytes_add - append a copy of @len bytes */
int vmig_bytes_add(struct vmig_bytes *bytes, const void *data, size_t len);

/**
 * vmig_bytes_insert - insert a copy of bytes
 * @bytes:	the buffer
 * @at:		offset; -EINVAL behind the end
 * @data:	the bytes; must not be part of the buffer
 * @len:	number of bytes
 */
int vmig_bytes_insert(struct vmig_bytes *bytes, size_t at, const void *data,
		      size_t len);

/** vmig_bytes_cut - remove @len bytes at @at; -EINVAL if the buffer is shorter */
int vmig_bytes_cut(struct vmig_bytes *bytes, size_t at, size_t len);

/** vmig_bytes_copy - replace the content of @to by a copy of @from */
int vmig_bytes_copy(struct vmig_bytes *to, const struct vmig_bytes *from);

#endif /* VMIG_BYTES_H */
