/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only program of the guest that QEMU migrates. It sends through both ports of the
 * card by the kernel's driver, checks what it receives, and reports to a virtio port.
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
 * @sent:	bytes that the tty accepted
 * @received:	bytes that were looped back
 * @wrong:	received bytes that differ from those sent
 */
struct guest_port {
	int fd;
	int line;
	uint64_t sent;
	uint64_t received;
	uint64_t wrong;
};

/**
 * struct guest - state of the program
 * @pci:	the card's directory in sysfs
 * @port:	its serial ports
 * @nr_ports:	number of ports
 * @control:	the virtio port
 * @sending:	send bytes
 * @pausing:	a "pause" command waits until all bytes are received
 * @dirtying:	bytes of memory to write repeatedly
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

/* Byte @n of the stream through @port. All values occur; the streams of ports differ. */
static inline uint8_t guest_stream(unsigned int port, uint64_t n)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15u + port * 0xd1b54a32d192ed03u;

	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9u;
	return x >> 56;
}

/**
 * guest_card_find - find the card, and open its ttys, raw and empty
 * @guest:	the guest
 *
 * Return: 0, or -errno.
 */
int guest_card_find(struct guest *guest);

/**
 * guest_card_describe - the kernel's counters of a port
 * @port:	the port
 * @text:	gets the line of /proc/tty/driver/serial
 * @size:	of @text
 */
int guest_card_describe(const struct guest_port *port, char *text, size_t size);

/** guest_card_interrupts - number of interrupts of the card, or -errno */
int64_t guest_card_interrupts(const struct guest *guest);

/**
 * struct guest_log - the card's log compared with the bytes sent
 * @entries:	bytes in the log
 * @wrong:	entries that are not the next byte of their port
 * @logged:	bytes of each port
 */
struct guest_log {
	uint64_t entries;
	uint64_t wrong;
	uint64_t logged[GUEST_PORTS];
};

/**
 * guest_log_check - read the log
 * @guest:	the guest
 * @log:	gets the result
 *
 * Return: 0 or -errno, -ENODEV: the card has no log.
 */
int guest_log_check(const struct guest *guest, struct guest_log *log);

/**
 * guest_config_write - write a byte of config space
 * @guest:	the guest
 * @offset:	in bytes
 * @value:	what to write
 *
 * Return: 0 or -errno.
 */
int guest_config_write(const struct guest *guest, unsigned int offset,
		       uint8_t value);

/** guest_config_answer - write all of config space to the virtio port, as hex digits */
void guest_config_answer(const struct guest *guest);

/** guest_serve - send, receive and answer, without end */
void guest_serve(struct guest *guest);

#endif /* GUEST_H */
