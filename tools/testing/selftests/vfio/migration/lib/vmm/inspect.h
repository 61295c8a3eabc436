/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look into a stored stream: which sections and records it has, and where and why
 * it is broken.  Nothing in it is trusted, and no device is needed.
 *
 * What it finds is what a destination would find, and a little more, as it knows
 * both formats and sees all of it: sections out of order, records that do not
 * belong to the config space before them, an end that never comes.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_INSPECT_H
#define VMIG_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mtty/stream.h"
#include "vmstream.h"

/**
 * struct vmig_inspect_item - something that is in the stream
 * @offset:	where it begins, in bytes from the start of the stream
 * @section:	a section of the VMM, or NULL
 * @rec:	a record of the device, or NULL; it is within the last section
 *		shown, or began in an earlier one
 */
struct vmig_inspect_item {
	uint64_t offset;
	const struct vmig_section *section;
	const struct vmig_rec *rec;
};

/**
 * struct vmig_inspect_result - all in all
 * @sections:	how many
 * @records:	how many
 * @bytes:	how many were read
 * @read_error:	the -errno, if it is reading that has failed, and not the stream that
 *		is broken
 * @where:	begin of what is broken, in bytes from the start of the stream
 * @why:	in words; empty if it is whole
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
 * vmig_inspect - look at all of a stream
 * @fd:		to read it from; if it can be read twice, and begins with a record,
 *		it is taken for the data of a device without a VMM around them
 * @patience:	for how long to wait for a writer, or NULL
 * @show:	called for each section and each record, in order, up to the one
 *		that is broken
 * @opaque:	for @show
 * @result:	filled in
 *
 * Uses little memory, whatever the stream says.
 *
 * Return: 0 if a destination of the same kind would take it, -EBADMSG if it is
 * damaged or not such a stream, -ENODATA if it ends too early, -EOPNOTSUPP if it
 * is of a newer version, -EPROTO, -ESTALE, -EALREADY or -EXDEV as for
 * vmig_vmm_load_section(), or the -errno of vmig_io_read(), which is in @read_error
 * as well.
 */
int vmig_inspect(int fd, const struct vmig_patience *patience,
		 vmig_inspect_show show, void *opaque,
		 struct vmig_inspect_result *result);

#endif /* VMIG_INSPECT_H */
