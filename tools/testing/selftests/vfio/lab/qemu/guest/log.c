// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture memory, BAR2 of the card: compares each byte that the ports transmitted with
 * what this guest has sent.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mtty_format.h>

#include "guest.h"

/* Device memory is read in words, as a driver does it */
static uint32_t read_word(const uint32_t *bar, size_t offset)
{
	return le32toh(__atomic_load_n(&bar[offset / sizeof(*bar)],
				       __ATOMIC_RELAXED));
}

static uint64_t read_double(const uint32_t *bar, size_t offset)
{
	return read_word(bar, offset) |
	       (uint64_t)read_word(bar, offset + 4) << 32;
}

static void check_entry(struct guest_log *log, uint16_t entry)
{
	unsigned int port = entry >> 8;

	log->entries++;
	if (port >= GUEST_PORTS) {
		log->wrong++;
		return;
	}
	if ((entry & 0xff) != guest_stream(port, log->logged[port]))
		log->wrong++;
	log->logged[port]++;
}

/* An entry has the byte in its low half, the port in its high half; two make a word */
static void check_entries(struct guest_log *log, const uint32_t *bar,
			  uint64_t logged)
{
	uint64_t i;

	for (i = 0; i < logged; i++)
		check_entry(log, read_word(bar, MTTY_CAP_LOG_OFFSET + i / 2 * 4) >>
				 (i % 2 * 16));
}

int guest_log_check(const struct guest *guest, struct guest_log *log)
{
	const uint32_t *bar;
	char path[128];
	off_t size;
	int fd;

	memset(log, 0, sizeof(*log));
	snprintf(path, sizeof(path), "%s/resource2", guest->pci);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	size = lseek(fd, 0, SEEK_END);
	bar = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bar == MAP_FAILED)
		return -errno;

	if (read_word(bar, offsetof(struct mtty_cap_header, magic)) !=
	    MTTY_CAP_MAGIC)
		log->wrong++;
	else
		check_entries(log, bar,
			      read_double(bar, offsetof(struct mtty_cap_header,
							logged)));
	munmap((void *)bar, size);
	return 0;
}
