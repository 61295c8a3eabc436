/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts of the capture memory in BAR2 and of the records of the migration stream.
 *
 * Both are little-endian and have no padding, so the tests, and tools on other
 * machines, can share this file.
 */
#ifndef MTTY_FORMAT_H
#define MTTY_FORMAT_H

#include <linux/types.h>

#define MTTY_MAX_PORTS		2

/*
 * Capture memory (BAR2).
 *
 * The first MTTY_CAP_LOG_OFFSET bytes are read-only: struct mtty_cap_header,
 * then zeroes.  The log follows: one entry for each transmitted byte of any port,
 * oldest first.  When the log is full, further bytes are only counted.
 */
#define MTTY_CAP_MAGIC		0x5041434dU	/* "MCAP" */
#define MTTY_CAP_VERSION	1
#define MTTY_CAP_LOG_OFFSET	4096
#define MTTY_CAP_MIN_SIZE	8192
#define MTTY_CAP_MAX_SIZE	(256U << 20)

/**
 * struct mtty_cap_header - start of BAR2, read-only
 * @magic:	MTTY_CAP_MAGIC
 * @version:	MTTY_CAP_VERSION
 * @size:	size of BAR2 in bytes, this header included
 * @capacity:	entries that fit into the log
 * @logged:	entries in the log
 * @dropped:	bytes transmitted after the log was full
 */
struct mtty_cap_header {
	__le32 magic;
	__le32 version;
	__le64 size;
	__le64 capacity;
	__le64 logged;
	__le64 dropped;
};

/**
 * struct mtty_cap_entry - one transmitted byte
 * @data:	the byte; bits above the word length are 0
 * @port:	the port, counted from 0
 */
struct mtty_cap_entry {
	__u8 data;
	__u8 port;
};

/*
 * Migration stream: a sequence of records, each a struct mtty_rec_head followed
 * by its payload.  MTTY_REC_START comes first and describes the source,
 * MTTY_REC_END comes last.  The other records come in any order.
 * MTTY_REC_CAPTURE of the same bytes, and MTTY_REC_CONFIG, replace earlier ones.
 */
#define MTTY_STREAM_MAGIC	0x5247494d5954544dULL	/* "MTTYMIGR" */
#define MTTY_STREAM_VERSION	5

enum mtty_rec_type {
	/* 0 is invalid, so zeroed memory is not a record */
	MTTY_REC_START	= 1,	/* struct mtty_rec_start */
	MTTY_REC_CAPTURE = 2,	/* struct mtty_rec_capture, then the bytes */
	MTTY_REC_LOG	= 3,	/* struct mtty_rec_log */
	MTTY_REC_UART	= 4,	/* struct mtty_rec_uart, one for each port */
	MTTY_REC_IRQ	= 5,	/* struct mtty_rec_irq */
	MTTY_REC_END	= 6,	/* struct mtty_rec_end */
	MTTY_REC_CONFIG	= 7,	/* struct mtty_rec_config */
	MTTY_REC_REINIT	= 8,	/* struct mtty_rec_reinit */
	MTTY_REC_NR
};

/* Maximum bytes of capture memory in one MTTY_REC_CAPTURE */
#define MTTY_REC_CAPTURE_MAX	65536

/**
 * struct mtty_rec_head - start of every record
 * @type:	enum mtty_rec_type
 * @len:	length of the payload in bytes
 * @source:	identity of the config space that the record was made under; zero if the
 *		data do not depend on it, or the source's user has not opted in
 * @version:	its second half, zero if @source is
 * @seq:	0 for the first record of a stream, then one more for each
 * @data_sum:	XXH64 of the payload, with seed 0
 * @head_sum:	XXH64 of the members above, seeded with the @head_sum of the previous
 *		record, to detect records that are missing, repeated, reordered or
 *		from another stream
 */
struct mtty_rec_head {
	__le32 type;
	__le32 len;
	__le64 source;
	__le64 version;
	__le64 seq;
	__le64 data_sum;
	__le64 head_sum;
};

/**
 * struct mtty_rec_start - the source
 * @magic:	MTTY_STREAM_MAGIC
 * @version:	MTTY_STREAM_VERSION
 * @nr_ports:	1 or 2
 * @need:	enum vfio_mig_config_need
 * @features:	VFIO_MIGRATION_* flags that the device advertises
 * @capture_size: size of BAR2 in bytes, 0 without capture memory
 * @session:	random, so that two streams differ in their checksums
 */
struct mtty_rec_start {
	__le64 magic;
	__le32 version;
	__le32 nr_ports;
	__le64 need;
	__le64 features;
	__le64 capture_size;
	__le64 session;
};

/**
 * struct mtty_rec_capture - bytes of capture memory
 * @offset:	offset in BAR2 of the bytes that follow
 */
struct mtty_rec_capture {
	__le64 offset;
};

/**
 * struct mtty_rec_log - counters of the log
 * @logged:	as in struct mtty_cap_header
 * @dropped:	as in struct mtty_cap_header
 */
struct mtty_rec_log {
	__le64 logged;
	__le64 dropped;
};

#define MTTY_UART_FIFO_SIZE	16

/**
 * struct mtty_rec_uart - one port
 * @port:	the port, counted from 0
 * @ier:	UART_IER, only the four bits a 16550A has
 * @fcr:	UART_FCR_ENABLE_FIFO, UART_FCR_DMA_SELECT and the trigger level
 * @lcr:	UART_LCR
 * @mcr:	UART_MCR, only the five bits a 16550A has
 * @msr_delta:	UART_MSR_ANY_DELTA bits of UART_MSR
 * @scr:	UART_SCR
 * @dll:	divisor latch, low byte
 * @dlm:	divisor latch, high byte
 * @flags:	MTTY_REC_UART_* below
 * @fifo_len:	received bytes that were not read
 * @lsr:	UART_LSR_OE, unless LSR was read since; also UART_LSR_PE, UART_LSR_FE
 *		and UART_LSR_BI of bytes received with the FIFO off
 * @quiet:	time since a byte was received or the FIFO was read, in ns divided by
 *		the divisor.  Less than four characters; 0 if the FIFO is off or
 *		empty or the timeout is due
 * @quiet_rest:	remainder of that division
 * @reserved:	zero
 * @fifo:	the received bytes, oldest first, then zeroes
 * @fifo_errors: UART_LSR_PE, UART_LSR_FE and UART_LSR_BI of each byte in @fifo
 *
 * @quiet counts only while the device runs, so the destination continues it.
 */
struct mtty_rec_uart {
	__u8 port;
	__u8 ier;
	__u8 fcr;
	__u8 lcr;
	__u8 mcr;
	__u8 msr_delta;
	__u8 scr;
	__u8 dll;
	__u8 dlm;
	__u8 flags;
#define MTTY_REC_UART_THRI	0x01	/* THR empty interrupt is not acknowledged */
#define MTTY_REC_UART_TIMEOUT	0x02	/* character timeout has occurred */
	__u8 fifo_len;
	__u8 lsr;
	__le32 quiet;
	__le16 quiet_rest;
	__u8 reserved[6];
	__u8 fifo[MTTY_UART_FIFO_SIZE];
	__u8 fifo_errors[MTTY_UART_FIFO_SIZE];
};

/**
 * struct mtty_rec_irq - the device's side of its interrupts
 * @flags:	MTTY_REC_IRQ_* below
 * @reserved:	zero
 *
 * Masks and enabled indexes are not included: VFIO_DEVICE_SET_IRQS sets them on the
 * destination, at any time.
 */
struct mtty_rec_irq {
	__le32 flags;
#define MTTY_REC_IRQ_MSI_SENT	0x01	/* for the current assertion */
	__le32 reserved;
};

/**
 * struct mtty_rec_end - end of the stream
 * @records:	number of records before this one
 */
struct mtty_rec_end {
	__le64 records;
};

/**
 * struct mtty_rec_config - config space, with VFIO_MIG_CONFIG_IN_DATA only
 * @space:	its content, without the bits that only report a state
 *
 * Sent again after each change.
 */
struct mtty_rec_config {
	__u8 space[256];
};

/**
 * struct mtty_rec_reinit - config space, which the data depend on, has changed
 * @before:	its version before the change
 *
 * The destination loads nothing from it.  It is the data that the source has announced,
 * by poll() and VFIO_PRECOPY_INFO_REINIT.
 */
struct mtty_rec_reinit {
	__le64 before;
};

#endif /* MTTY_FORMAT_H */
