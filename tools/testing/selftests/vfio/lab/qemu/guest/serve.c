// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends, receives, and reads commands from the virtio port, one a line:
 *
 *   report     answers with all counters
 *   go         begins to send
 *   pause      stops sending; answers when all bytes were received
 *   log        compares the card's log with the bytes sent, and answers
 *   dirty N    writes N bytes of memory repeatedly
 *   config     answers with config space
 *   config OFFSET VALUE  writes a byte of config space
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* Bytes sent but not received: more than a FIFO holds, less than a tty */
#define WINDOW		256
#define PAGE		4096

static void send_some(struct guest_port *port, unsigned int index)
{
	uint8_t bytes[WINDOW];
	size_t room = WINDOW - (port->sent - port->received), i;
	ssize_t len;

	for (i = 0; i < room; i++)
		bytes[i] = guest_stream(index, port->sent + i);
	len = write(port->fd, bytes, room);
	if (len > 0)
		port->sent += len;
}

static void receive_some(struct guest_port *port, unsigned int index)
{
	uint8_t bytes[WINDOW];
	ssize_t len = read(port->fd, bytes, sizeof(bytes)), i;

	for (i = 0; i < len; i++) {
		if (bytes[i] != guest_stream(index, port->received++))
			port->wrong++;
	}
}

static bool is_idle(const struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < guest->nr_ports; i++) {
		if (guest->port[i].sent != guest->port[i].received)
			return false;
	}
	return true;
}

static void report(const struct guest *guest, const char *word)
{
	char text[256];
	unsigned int i;

	dprintf(guest->control, "%s interrupts=%" PRId64, word,
		guest_card_interrupts(guest));
	for (i = 0; i < guest->nr_ports; i++) {
		const struct guest_port *port = &guest->port[i];

		if (guest_card_describe(port, text, sizeof(text)))
			snprintf(text, sizeof(text), "?");
		dprintf(guest->control, " port sent=%" PRIu64
			" received=%" PRIu64 " wrong=%" PRIu64 " tty %s",
			port->sent, port->received, port->wrong, text);
	}
	dprintf(guest->control, "\n");
}

static void answer_log(const struct guest *guest)
{
	struct guest_log log;
	int ret = guest_log_check(guest, &log);

	dprintf(guest->control, "log error=%d entries=%" PRIu64 " wrong=%" PRIu64
		" logged0=%" PRIu64 " logged1=%" PRIu64 "\n", ret, log.entries,
		log.wrong, log.logged[0], log.logged[1]);
}

/* With numbers, write */
static void use_config(const struct guest *guest, const char *numbers)
{
	unsigned int offset, value;
	int ret;

	if (sscanf(numbers, "%u %u", &offset, &value) != 2) {
		guest_config_answer(guest);
		return;
	}
	ret = guest_config_write(guest, offset, value);
	if (ret)
		dprintf(guest->control, "failed to write config space: %s\n",
			strerror(-ret));
}

static void run_command(struct guest *guest, const char *line)
{
	if (!strcmp(line, "report"))
		report(guest, "report");
	else if (!strcmp(line, "pause"))
		guest->pausing = true;
	else if (!strcmp(line, "go"))
		guest->sending = true;
	else if (!strcmp(line, "log"))
		answer_log(guest);
	else if (!strncmp(line, "config", 6))
		use_config(guest, line + 6);
	else if (!strncmp(line, "dirty ", 6))
		guest->dirtying = strtoul(line + 6, NULL, 10);
	else
		dprintf(guest->control, "failed unknown command: %s\n", line);
}

static void take_commands(struct guest *guest)
{
	static char line[128];
	static size_t len;
	char c;

	while (read(guest->control, &c, 1) == 1) {
		if (c == '\n') {
			line[len] = '\0';
			len = 0;
			run_command(guest, line);
		} else if (len < sizeof(line) - 1) {
			line[len++] = c;
		}
	}
}

static void dirty(struct guest *guest)
{
	static uint8_t *memory;
	static size_t size;
	size_t i;

	if (size != guest->dirtying) {
		free(memory);
		size = guest->dirtying;
		memory = malloc(size);
		if (!memory)
			size = 0;
	}
	for (i = 0; i < size; i += PAGE)
		memory[i]++;
}

void guest_serve(struct guest *guest)
{
	struct pollfd fds[GUEST_PORTS + 1];
	unsigned int i;

	report(guest, "ready");
	for (;;) {
		for (i = 0; i < guest->nr_ports; i++) {
			struct guest_port *port = &guest->port[i];

			fds[i].fd = port->fd;
			fds[i].events = POLLIN;
			if (guest->sending &&
			    port->sent - port->received < WINDOW / 2)
				fds[i].events |= POLLOUT;
		}
		fds[i].fd = guest->control;
		/* POLLHUP while the port is not connected */
		fds[i].events = POLLIN;

		poll(fds, i + 1, guest->dirtying ? 0 : 100);
		for (i = 0; i < guest->nr_ports; i++) {
			if (fds[i].revents & POLLIN)
				receive_some(&guest->port[i], i);
			if (fds[i].revents & POLLOUT)
				send_some(&guest->port[i], i);
		}
		if (fds[i].revents & POLLIN)
			take_commands(guest);
		if (fds[i].revents == POLLHUP)
			usleep(1000);
		dirty(guest);
		if (guest->pausing) {
			guest->sending = false;
			if (is_idle(guest)) {
				guest->pausing = false;
				report(guest, "paused");
			}
		}
	}
}
