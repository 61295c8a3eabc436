// SPDX-License-Identifier: GPL-2.0-only
/* See words.h. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "print.h"
#include "words.h"

/* @sign: what is looked for in a line; NULL: @word */
static const struct {
	const char *word;
	const char *sign;
	const char *meaning;
} words[] = {
	{ "MIG_CONFIG", NULL, "the proposed question: when is config space needed?" },
	{ "before-data", "MIG_CONFIG: before-data", "the answer: before the device's data" },
	{ "SET MIG_CONFIG", NULL, "the VMM accepts the answer: it opts in" },
	{ "256 bytes", NULL, "config space: PCI registers that the guest sets up" },
	{ "MIG_DEVICE_STATE", NULL, "a step of the device in its state machine" },
	{ "PRE_COPY", NULL, "data are copied while the device runs" },
	{ "data_fd", NULL, "a file descriptor with the device's data" },
	{ "RESUMING", NULL, "the device takes data in" },
	{ "PRECOPY_INFO", NULL, "how many bytes there are to read" },
	{ "GET_CONFIG", NULL, "a copy of config space, and its identity" },
	{ "keep interrupts off", NULL, "a subflag: a hint to the destination" },
	{ "SET_CONFIG", NULL, "the data that follow need this identity" },
	{ "P2P", NULL, "the device does no DMA to other devices" },
	{ "STOP_COPY", NULL, "the device has stopped; the rest is copied" },
	{ "IRQCHIP_STATE", NULL, "the interrupt controller, which has pending ones" },
	{ "enable interrupts", NULL, "the subflag that allows them" },
	{ "SET_IRQS", NULL, "from here on the device's interrupts arrive" },
	{ "CHECK_DATA", NULL, "can the device run with what it has?" },
};

void words_explain(const char *line)
{
	static bool known[ARRAY_SIZE(words)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (known[i] || !strstr(line, words[i].sign ?: words[i].word))
			continue;
		known[i] = true;
		print_line(FAINT, "             = %s: %s", words[i].word, words[i].meaning);
	}
}
