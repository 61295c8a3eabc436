/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that grow: a captured stream, and what a test makes of it.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_BYTES_H
#define VMIG_BYTES_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct vmig_bytes - a growing buffer; all zero is an empty one
 * @data:	the bytes
 * @len:	how many there are
 * @room:	how many fit before @data has to move
 */
struct vmig_bytes {
	uint8_t *data;
	size_t len;
	size_t room;
};

/** vmig_bytes_free - back to an empty buffer */
void vmig_bytes_free(struct vmig_bytes *bytes);

/** vmig_bytes_reserve - make room for more bytes behind the last one */
int vmig_bytes_reserve(struct vmig_bytes *bytes, size_t more);

/** vmig_bytes_add - append a copy of @len bytes */
int vmig_bytes_add(struct vmig_bytes *bytes, const void *data, size_t len);

/**
 * vmig_bytes_insert - put a copy of bytes in between
 * @bytes:	the buffer
 * @at:		where; -EINVAL behind the end
 * @data:	what, which may not be part of the buffer
 * @len:	how much of it
 */
int vmig_bytes_insert(struct vmig_bytes *bytes, size_t at, const void *data,
		      size_t len);

/** vmig_bytes_cut - remove @len bytes at @at; -EINVAL if they are not there */
int vmig_bytes_cut(struct vmig_bytes *bytes, size_t at, size_t len);

/** vmig_bytes_copy - make @to a copy of @from, whatever it held before */
int vmig_bytes_copy(struct vmig_bytes *to, const struct vmig_bytes *from);

#endif /* VMIG_BYTES_H */
