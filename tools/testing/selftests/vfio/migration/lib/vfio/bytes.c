// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

void vmig_bytes_free(struct vmig_bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

int vmig_bytes_reserve(struct vmig_bytes *bytes, size_t more)
{
	size_t room = bytes->room ? bytes->room : 4096;
	uint8_t *data;

	while (room - bytes->len < more)
		room *= 2;
	if (room == bytes->room)
		return 0;

	data = realloc(bytes->data, room);
	if (!data)
		return -ENOMEM;
	bytes->data = data;
	bytes->room = room;
	return 0;
}

int vmig_bytes_add(struct vmig_bytes *bytes, const void *data, size_t len)
{
	return vmig_bytes_insert(bytes, bytes->len, data, len);
}

int vmig_bytes_insert(struct vmig_bytes *bytes, size_t at, const void *data,
		      size_t len)
{
	int ret;

	if (at > bytes->len)
		return -EINVAL;
	ret = vmig_bytes_reserve(bytes, len);
	if (ret || !len)
		return ret;

	memmove(bytes->data + at + len, bytes->data + at, bytes->len - at);
	memcpy(bytes->data + at, data, len);
	bytes->len += len;
	return 0;
}

int vmig_bytes_cut(struct vmig_bytes *bytes, size_t at, size_t len)
{
	if (at > bytes->len || len > bytes->len - at)
		return -EINVAL;
	memmove(bytes->data + at, bytes->data + at + len,
		bytes->len - at - len);
	bytes->len -= len;
	return 0;
}

int vmig_bytes_copy(struct vmig_bytes *to, const struct vmig_bytes *from)
{
	to->len = 0;
	return vmig_bytes_add(to, from->data, from->len);
}
