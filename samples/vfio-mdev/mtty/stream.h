/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_STREAM_H
#define MTTY_STREAM_H

#include <linux/types.h>
#include <linux/uio.h>

#include "mig_config.h"
#include "mtty_format.h"
#include "uart.h"

#define MTTY_STREAM_PAYLOAD_MAX	(sizeof(struct mtty_rec_capture) + \
				 MTTY_REC_CAPTURE_MAX)
#define MTTY_STREAM_BUF_SIZE	(sizeof(struct mtty_rec_head) + \
				 MTTY_STREAM_PAYLOAD_MAX)

/* For any record without its capture memory */
#define MTTY_STREAM_SMALL_BUF_SIZE (sizeof(struct mtty_rec_head) + \
				    sizeof(struct mtty_rec_config))

/**
 * struct mtty_stream_id - properties that source and destination share
 * @nr_ports:	1 or 2
 * @need:	enum vfio_mig_config_need
 * @features:	VFIO_MIGRATION_* flags
 * @capture_size: bytes of BAR2
 */
struct mtty_stream_id {
	u32 nr_ports;
	u32 need;
	u64 features;
	u64 capture_size;
};

/**
 * struct mtty_stream_state - the device without its capture memory
 * @uart:	the ports
 * @irq_flags:	MTTY_REC_IRQ_*
 * @logged:	entries in the capture log
 * @dropped:	bytes transmitted after the log was full
 */
struct mtty_stream_state {
	struct mtty_uart uart[MTTY_MAX_PORTS];
	u32 irq_flags;
	u64 logged;
	u64 dropped;
};

/**
 * struct mtty_stream_chain - links a record to the previous one
 * @seq:	sequence number of the next record
 * @sum:	@head_sum of the previous record
 */
struct mtty_stream_chain {
	u64 seq;
	u64 sum;
};

size_t mtty_stream_seal(struct mtty_stream_chain *chain, void *buf,
			enum mtty_rec_type type, struct mig_config_id config,
			size_t len, const struct kvec *tail,
			unsigned int nr_tail);
size_t mtty_stream_put_start(void *payload, const struct mtty_stream_id *id,
			     u64 session);
size_t mtty_stream_put_capture(void *payload, u64 offset);
size_t mtty_stream_put_log(void *payload, const struct mtty_stream_state *st);
size_t mtty_stream_put_uart(void *payload, const struct mtty_stream_state *st,
			    u8 port);
size_t mtty_stream_put_irq(void *payload, const struct mtty_stream_state *st);
size_t mtty_stream_put_end(void *payload, const struct mtty_stream_chain *chain);
size_t mtty_stream_put_config(void *payload, const u8 *space);
size_t mtty_stream_put_reinit(void *payload, u64 before);

/**
 * enum mtty_stream_event - what the new bytes have completed
 * @MTTY_STREAM_MORE:	nothing
 * @MTTY_STREAM_HEAD:	a valid head
 * @MTTY_STREAM_RECORD:	a valid record, now in the parser's state
 * @MTTY_STREAM_START:	the first record: the stream matches this device
 * @MTTY_STREAM_CAPTURE: a valid record; the caller must store its bytes
 * @MTTY_STREAM_CONFIG:	a valid record; the caller must check and store config space
 */
enum mtty_stream_event {
	MTTY_STREAM_MORE,
	MTTY_STREAM_HEAD,
	MTTY_STREAM_RECORD,
	MTTY_STREAM_START,
	MTTY_STREAM_CAPTURE,
	MTTY_STREAM_CONFIG,
};

/**
 * struct mtty_stream_parser - parses a stream that arrives in parts of any size
 * @id:		the destination
 * @state:	from the records so far
 * @chain:	position in the stream
 * @buf:	mtty_stream_buf_size() bytes, for one record
 * @fill:	bytes of the current record in @buf
 * @seen:	bitmap of the records so far
 * @ended:	MTTY_REC_END was received
 * @error:	why the stream was refused, or 0; does not change afterwards
 *
 * The caller serialises all calls.
 */
struct mtty_stream_parser {
	struct mtty_stream_id id;
	struct mtty_stream_state state;
	struct mtty_stream_chain chain;
	u8 *buf;
	size_t fill;
	unsigned long seen;
	bool ended;
	int error;
};

size_t mtty_stream_buf_size(const struct mtty_stream_id *id);
void mtty_stream_parser_init(struct mtty_stream_parser *p,
			     const struct mtty_stream_id *id, void *buf);
size_t mtty_stream_want(const struct mtty_stream_parser *p, u8 **where);
int mtty_stream_feed(struct mtty_stream_parser *p, size_t len);
void mtty_stream_unfeed(struct mtty_stream_parser *p, size_t len);
int mtty_stream_refuse(struct mtty_stream_parser *p, int error);
bool mtty_stream_has_head(const struct mtty_stream_parser *p);
struct mig_config_id
mtty_stream_config_id(const struct mtty_stream_parser *p);
const u8 *mtty_stream_config(const struct mtty_stream_parser *p);
const u8 *mtty_stream_capture(const struct mtty_stream_parser *p, u64 *offset,
			      size_t *len);

#endif /* MTTY_STREAM_H */
