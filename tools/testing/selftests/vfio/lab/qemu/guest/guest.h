/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only program of a guest that a real VMM migrates: it keeps both ports of the
 * card busy through the kernel's own driver, and tells whoever is at the other end of
 * a virtio port what became of the bytes.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PORTS	2

/**
 * struct guest_port - a serial port in use
 * @fd:		of the tty
 * @line:	its number, as in ttyS4
 * @sent:	bytes that the tty has taken
 * @received:	bytes that came back
 * @wrong:	of them, those that were not what had been sent
 */
struct guest_port {
	int fd;
	int line;
	uint64_t sent;
	uint64_t received;
	uint64_t wrong;
};

/**
 * struct guest - what there is
 * @pci:	the card's directory in sysfs
 * @port:	its serial ports
 * @nr_ports:	how many it has
 * @control:	the virtio port
 * @sending:	more bytes are to be sent
 * @pausing:	no more are, and somebody waits for those that were to come back
 * @dirtying:	bytes of memory that are written over and over
 */
struct guest {
	char pci[64];
	struct guest_port port[GUEST_PORTS];
	unsigned int nr_ports;
	int control;
	bool sending;
	bool pausing;
	size_t dirtying;
};

/** guest_stream - byte @n of the stream that goes through @port */
uint8_t guest_stream(unsigned int port, uint64_t n);

/**
 * guest_card_find - find the card, and open what its driver has made of it
 * @guest:	the guest; its ports are raw, and nothing waits in them
 *
 * Return: 0, or -errno.
 */
int guest_card_find(struct guest *guest);

/**
 * guest_card_describe - how the kernel sees a port
 * @port:	the port
 * @text:	gets the line of /proc/tty/driver/serial, counters included
 * @size:	of @text
 */
int guest_card_describe(const struct guest_port *port, char *text, size_t size);

/** guest_card_interrupts - how often the card has interrupted, or -errno */
int64_t guest_card_interrupts(const struct guest *guest);

/**
 * struct guest_log - the card's own log against what was sent
 * @entries:	bytes in the log
 * @wrong:	entries that are not the next byte of their port
 * @logged:	of each port
 */
struct guest_log {
	uint64_t entries;
	uint64_t wrong;
	uint64_t logged[GUEST_PORTS];
};

/**
 * guest_log_check - read the log
 * @guest:	whose card
 * @log:	gets what was found
 *
 * Return: 0 or -errno, -ENODEV: the card has none.
 */
int guest_log_check(const struct guest *guest, struct guest_log *log);

/** guest_serve - send, receive and answer, for ever */
void guest_serve(struct guest *guest);

#endif /* GUEST_H */
