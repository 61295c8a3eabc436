/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inspect a stored stream: which sections and records it has, and where and why it
 * is broken.  Any content is safe, and no device is needed.
 *
 * The driver's own parser checks the records, and its rules their order with config
 * space (lib/driver).
 */
#ifndef VMIG_INSPECT_H
#define VMIG_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mtty/stream.h"
#include "vmstream.h"

/**
 * struct vmig_inspect_item - a part of the stream
 * @offset:	of its first byte in the stream
 * @section:	a section of the VMM, or NULL
 * @rec:	a record of the device, or NULL; it ends in the last section shown, and
 *		may have begun in an earlier one
 */
struct vmig_inspect_item {
	uint64_t offset;
	const struct vmig_section *section;
	const struct vmig_rec *rec;
};

/**
 * struct vmig_inspect_result - summary
 * @sections:	number of sections
 * @records:	number of records
 * @bytes:	number of bytes read
 * @read_error:	-errno if the stream could not be read, otherwise 0
 * @where:	offset of the broken section or record
 * @why:	reason as text; empty if nothing is broken
 */
struct vmig_inspect_result {
	uint64_t sections;
	uint64_t records;
	uint64_t bytes;
	int read_error;
	uint64_t where;
	char why[240];
};

typedef void (*vmig_inspect_show)(void *opaque,
				  const struct vmig_inspect_item *item);

/**
 * vmig_inspect - check a whole stream
 * @fd:		to read it from; if it can be read twice, and begins with a record,
 *		the stream is the data of a device without sections
 * @patience:	limit for each wait for the writer, or NULL
 * @show:	called for each section and each record, in order, up to the broken one
 * @opaque:	for @show
 * @result:	filled in
 *
 * Needs memory for one section and one record, whatever the stream says.
 *
 * Return: 0 if a destination of the same kind would accept the stream, -EBADMSG if
 * it is damaged or another kind of file, -ENODATA if it ends too early, -EOPNOTSUPP
 * for another version, -EINVAL for an impossible state, -EXDEV if START does not match
 * the setup section, -EPROTO, -ESTALE, -EBUSY or -EALREADY as a destination returns
 * them, or the -errno in @read_error.
 */
int vmig_inspect(int fd, const struct vmig_patience *patience,
		 vmig_inspect_show show, void *opaque,
		 struct vmig_inspect_result *result);

#endif /* VMIG_INSPECT_H */
