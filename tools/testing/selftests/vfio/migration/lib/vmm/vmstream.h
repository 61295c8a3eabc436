/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream between two VMMs: sections of big-endian 64-bit words, framed as
 * QEMU's vfio code frames them.  It goes one way only, over any fd.
 *
 *   setup	marker, format version, answer of the query (policy, generation)
 *   config	marker, subflags; with VMIG_CONFIG_SETUP also generation, length
 *		and config space
 *   data	marker, length, data of the device
 *   guest	marker, length, state of the guest, which a VMM may have or not
 *   irqchip	marker, length, state of the interrupt controller
 *   end	marker: END_OF_STATE behind each step, END_OF_STREAM at last
 *
 * The subflags tell the destination what to do.  None of the actions so far can
 * be left out by a destination that does not know them, so they all are in the
 * half that must be understood; the other half is for hints.
 *
 * Functions return 0 or -errno; they neither judge nor print.
 */
#ifndef VMIG_VMSTREAM_H
#define VMIG_VMSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/io.h"

#define VFIO_MIG_FLAG_END_OF_STATE	0xffffffffef100001ULL
#define VFIO_MIG_FLAG_DEV_CONFIG_STATE	0xffffffffef100002ULL
#define VFIO_MIG_FLAG_DEV_SETUP_STATE	0xffffffffef100003ULL
#define VFIO_MIG_FLAG_DEV_DATA_STATE	0xffffffffef100004ULL

/* What a VMM frames by other means, as it is no business of vfio */
#define VMIG_FLAG_IRQCHIP_STATE		0xffffffffef200001ULL
#define VMIG_FLAG_END_OF_STREAM		0xffffffffef200002ULL
#define VMIG_FLAG_GUEST_STATE		0xffffffffef200003ULL

#define VMIG_VMSTREAM_VERSION		1

/* Subflags: a destination that does not know one of these must give up */
#define VMIG_CONFIG_MUST_UNDERSTAND	0xffffffff00000000ULL
/* Config space follows, and is to be loaded */
#define VMIG_CONFIG_SETUP		0x0000000100000000ULL
/* It is too early for interrupts, whatever config space says */
#define VMIG_CONFIG_NO_INTERRUPTS	0x0000000200000000ULL
/* Now enable interrupts as config space says */
#define VMIG_CONFIG_ENABLE_INTERRUPTS	0x0000000400000000ULL
/* Reserved: interrupts may not be the last thing that comes too early */
#define VMIG_CONFIG_MAP_REGIONS		0x0000000800000000ULL
#define VMIG_CONFIG_ALLOW_DMA		0x0000001000000000ULL

#define VMIG_CONFIG_SIZE		256
#define VMIG_DATA_MAX			0x100000u
#define VMIG_IRQCHIP_MAX		0x10000u
#define VMIG_GUEST_MAX			0x10000u

/**
 * struct vmig_section - one section, decoded
 * @marker:	VFIO_MIG_FLAG_* or VMIG_FLAG_*; says which of the others count
 * @offset:	where in the stream it began; for those who read
 * @version:	setup: format of the stream
 * @policy:	setup: VFIO_MIG_CONFIG_* of the source's answer
 * @generation:	setup, config: generation of config space, 0 if the source's
 *		driver does not have the query
 * @subflags:	config: VMIG_CONFIG_*
 * @data:	config, data, guest, irqchip: what it carries; whoever reads may look at
 *		it until the next section is read
 * @len:	bytes of @data
 */
struct vmig_section {
	uint64_t marker;
	uint64_t offset;
	uint64_t version;
	uint64_t policy;
	uint64_t generation;
	uint64_t subflags;
	const uint8_t *data;
	size_t len;
};

/** vmig_section_name - "DEV_CONFIG_STATE", ... or "?" */
const char *vmig_section_name(uint64_t marker);

/**
 * vmig_subflags_name - subflags in words
 * @subflags:	VMIG_CONFIG_*; those without a name become "bit N"
 * @buf:	filled in, always terminated
 * @size:	its size in bytes
 *
 * Return: @buf.
 */
const char *vmig_subflags_name(uint64_t subflags, char *buf, size_t size);

/**
 * vmig_section_write - put a section into a stream
 * @fd:		the stream
 * @section:	which; -EINVAL if it has no such marker, or a payload of a length
 *		that does not go with it, -EMSGSIZE if that is too much
 * @patience:	for how long to wait for the reader, or NULL
 *
 * After any error the section, and so the stream, is not complete: -EPIPE when
 * nobody reads any more (without a signal if @fd is a socket), -ETIMEDOUT and
 * -ECANCELED as for vmig_io_write().
 */
int vmig_section_write(int fd, const struct vmig_section *section,
		       const struct vmig_patience *patience);

/**
 * struct vmig_reader - reads sections from a stream
 * @fd:		the stream
 * @begin:	where the current section begins
 * @offset:	how far it has been read
 * @payload:	of the current section
 * @patience:	for how long to wait for the writer, or NULL
 * @read_error:	the -errno, if it is reading that has failed, and not the stream
 *		that is wrong
 * @why:	in words, why the stream was refused
 */
struct vmig_reader {
	int fd;
	const struct vmig_patience *patience;
	int read_error;
	uint64_t begin;
	uint64_t offset;
	struct vmig_bytes payload;
	char why[160];
};

/** vmig_reader_init - begin to read */
void vmig_reader_init(struct vmig_reader *reader, int fd);

/** vmig_reader_exit - free what reading needed; the fd stays open */
void vmig_reader_exit(struct vmig_reader *reader);

/**
 * vmig_section_read - the next section
 * @reader:	from vmig_reader_init()
 * @section:	filled in
 *
 * Never reads a byte more than the section has.
 *
 * Return: 0, or with @why set
 *   -ENODATA		the stream ends, which it may do behind END_OF_STREAM only
 *   -EBADMSG		no such marker; config space of another length than 256
 *   -EMSGSIZE		a length beyond VMIG_DATA_MAX, VMIG_GUEST_MAX or
 *			VMIG_IRQCHIP_MAX
 *   -EOPNOTSUPP	another format version; a subflag that must be understood
 *			and is not
 *   -EINVAL		subflags that contradict each other
 * or the -errno of vmig_io_read(), which is in @read_error as well.
 */
int vmig_section_read(struct vmig_reader *reader, struct vmig_section *section);

/**
 * vmig_vmstream_walk - show all sections of a stream to somebody
 * @reader:	from vmig_reader_init()
 * @fn:		called for each section, END_OF_STREAM being the last; anything
 *		but 0 ends the walk and is returned
 * @opaque:	for @fn
 */
int vmig_vmstream_walk(struct vmig_reader *reader,
		       int (*fn)(void *opaque,
				 const struct vmig_section *section),
		       void *opaque);

#endif /* VMIG_VMSTREAM_H */
