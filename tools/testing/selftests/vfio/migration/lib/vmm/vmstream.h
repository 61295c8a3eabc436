/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream between two VMMs, in one direction: sections of big-endian 64-bit words,
 * with the markers of QEMU's vfio code.
 *
 *   setup	marker, format version, answer of the query (need, size)
 *   config	marker, subflags; with VMIG_CONFIG_SETUP also identity (16 bytes),
 *		length and config space
 *   data	marker, length, data of the device
 *   guest	marker, length, state of the guest; optional
 *   irqchip	marker, length, state of the interrupt controller
 *   end	marker: END_OF_STATE after each step, END_OF_STREAM at the end
 *
 * The subflags are actions for the destination.  The upper half must be understood, the
 * lower half is for hints.
 *
 * Functions return 0 or -errno.
 */
#ifndef VMIG_VMSTREAM_H
#define VMIG_VMSTREAM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/vfio_mig_config.h>

#include "lib/vfio/bytes.h"
#include "lib/vfio/io.h"

#define VFIO_MIG_FLAG_END_OF_STATE	0xffffffffef100001ULL
#define VFIO_MIG_FLAG_DEV_CONFIG_STATE	0xffffffffef100002ULL
#define VFIO_MIG_FLAG_DEV_SETUP_STATE	0xffffffffef100003ULL
#define VFIO_MIG_FLAG_DEV_DATA_STATE	0xffffffffef100004ULL

/* A real VMM sends these outside of its vfio code */
#define VMIG_FLAG_IRQCHIP_STATE		0xffffffffef200001ULL
#define VMIG_FLAG_END_OF_STREAM		0xffffffffef200002ULL
#define VMIG_FLAG_GUEST_STATE		0xffffffffef200003ULL

#define VMIG_VMSTREAM_VERSION		2

/* Subflags that a destination must understand, or fail */
#define VMIG_CONFIG_MUST_UNDERSTAND	0xffffffff00000000ULL
/* Load config space, which follows */
#define VMIG_CONFIG_SETUP		0x0000000100000000ULL
/* Do not enable interrupts yet, even if config space enables them */
#define VMIG_CONFIG_NO_INTERRUPTS	0x0000000200000000ULL
/* Enable the interrupts that config space enables */
#define VMIG_CONFIG_ENABLE_INTERRUPTS	0x0000000400000000ULL
/* Reserved for other actions that config space enables too early */
#define VMIG_CONFIG_MAP_REGIONS		0x0000000800000000ULL
#define VMIG_CONFIG_ALLOW_DMA		0x0000001000000000ULL

#define VMIG_CONFIG_SIZE		256
#define VMIG_DATA_MAX			0x100000u
#define VMIG_IRQCHIP_MAX		0x10000u
#define VMIG_GUEST_MAX			0x10000u

/**
 * struct vmig_section - one section, decoded
 * @marker:	VFIO_MIG_FLAG_* or VMIG_FLAG_*
 * @offset:	in the stream; set when read
 * @version:	setup: format of the stream
 * @need:	setup: enum vfio_mig_config_need of the source's answer
 * @size:	setup: bytes of a snapshot; 0 if the source did not opt in
 * @subflags:	config: VMIG_CONFIG_*
 * @id:		config: identity of config space; zeroes if the source did not opt in
 * @data:	config, data, guest, irqchip: payload; after a read it is valid until the
 *		next one
 * @len:	bytes of @data
 */
struct vmig_section {
	uint64_t marker;
	uint64_t offset;
	uint64_t version;
	uint64_t need;
	uint64_t size;
	uint64_t subflags;
	uint8_t id[VFIO_MIG_CONFIG_ID_SIZE];
	const uint8_t *data;
	size_t len;
};

/** vmig_section_name - "DEV_CONFIG_STATE", ... or "?" */
const char *vmig_section_name(uint64_t marker);

/**
 * vmig_subflags_name - subflags as text
 * @subflags:	VMIG_CONFIG_*; those without a name become "bit N"
 * @buf:	filled in, always terminated
 * @size:	its size in bytes
 *
 * Return: @buf.
 */
const char *vmig_subflags_name(uint64_t subflags, char *buf, size_t size);

/**
 * vmig_section_write - write a section
 * @fd:		the stream
 * @section:	-EINVAL for an unknown marker or a wrong length, -EMSGSIZE for too long a
 *		payload
 * @patience:	limit of each wait for the reader, or NULL
 *
 * After an error the stream is incomplete: -EPIPE if the reader has closed it (without
 * a signal if @fd is a socket), -ETIMEDOUT and -ECANCELED as for vmig_io_write().
 */
int vmig_section_write(int fd, const struct vmig_section *section,
		       const struct vmig_patience *patience);

/**
 * struct vmig_reader - reads sections from a stream
 * @fd:		the stream
 * @begin:	offset of the current section
 * @offset:	number of bytes read
 * @payload:	of the current section
 * @patience:	limit of each wait for the writer, or NULL
 * @read_error:	-errno if the stream could not be read, otherwise 0
 * @why:	reason of the failure as text
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

/** vmig_reader_init - begin to read a stream */
void vmig_reader_init(struct vmig_reader *reader, int fd);

/** vmig_reader_exit - free a reader; the fd stays open */
void vmig_reader_exit(struct vmig_reader *reader);

/**
 * vmig_section_read - read the next section
 * @reader:	from vmig_reader_init()
 * @section:	filled in
 *
 * Reads no byte after the section.
 *
 * Return: 0, or with @why set
 *
 * * -ENODATA - the stream ends before END_OF_STREAM
 * * -EBADMSG - no such marker; config space of another length than 256; an answer
 *   of more than 32 bits
 * * -EMSGSIZE - a length beyond VMIG_DATA_MAX, VMIG_GUEST_MAX or
 *   VMIG_IRQCHIP_MAX
 * * -EOPNOTSUPP - another format version; an unknown subflag that must be understood
 * * -EINVAL - subflags that contradict each other
 *
 * or the -errno of vmig_io_read(), also in @read_error.
 */
int vmig_section_read(struct vmig_reader *reader, struct vmig_section *section);

/**
 * vmig_vmstream_walk - call a function for each section up to END_OF_STREAM
 * @reader:	from vmig_reader_init()
 * @fn:		if it does not return 0, the walk ends and returns that
 * @opaque:	for @fn
 */
int vmig_vmstream_walk(struct vmig_reader *reader,
		       int (*fn)(void *opaque,
				 const struct vmig_section *section),
		       void *opaque);

#endif /* VMIG_VMSTREAM_H */
