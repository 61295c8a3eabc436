// SPDX-License-Identifier: GPL-2.0-only
/*
 * mig_demo: shows live migrations of a VFIO device to a person. Options:
 *   --full	a trace for each answer of a driver, not only for one
 *   --colour	for a terminal
 */
#include <stdbool.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "demo.h"
#include "fail.h"
#include "print.h"

static int show_journeys(struct journey *journeys, unsigned int nr, bool full)
{
	unsigned int i;
	int ret = 0;

	print_title("3. A whole migration, step by step");
	print_text("A guest sends bytes on both ports of the card, and changes config space.\n"
		   "\"source\" and \"dest\" call the uAPI of VFIO, \"stream\" is what the VMM sends from\n"
		   "one to the other. The names of the steps are QEMU's.");
	for (i = 0; i < nr && !ret; i++) {
		print_quietly(i && !full);
		ret = journey_run(&journeys[i]);
		print_quietly(false);
		print_flush();
	}
	return ret;
}

static int show(bool full)
{
	struct journey journeys[] = {
		{ .policy = "before-data",
		  .note = "config space comes before data, and after each change" },
		{ .policy = "independent",
		  .note = "config space is not needed early, and comes once, at the end" },
		{ .policy = "reorder",
		  .note = "the driver takes data and config space in any order" },
		{ .policy = "embedded",
		  .note = "config space is in the device's data; the VMM sends none" },
	};

	print_text("A virtual machine, the guest, moves to another host while it runs: live\n"
		   "migration. It uses a serial card, mtty, through VFIO: the driver in the kernel\n"
		   "hands out the card's state on one side and takes it in on the other. The program\n"
		   "that runs a guest is the VMM. Here the driver and its uAPI are real, and the VMM\n"
		   "is a model in this program.");
	if (loss_show() || show_journeys(journeys, ARRAY_SIZE(journeys), full))
		return -1;
	return tables_show(journeys, ARRAY_SIZE(journeys));
}

int main(int argc, char **argv)
{
	bool full = false, colour = false;
	const char *why;
	int i;

	for (i = 1; i < argc; i++) {
		full |= !strcmp(argv[i], "--full");
		colour |= !strcmp(argv[i], "--colour");
	}
	print_init(colour);
	if (show(full))
		demo_fail("no reason known");
	why = demo_why();
	print_line(PLAIN, "%s", "");
	print_line(*why ? BAD : GOOD, "demo: %s%s", *why ? "FAIL, " : "PASS, 0 bytes lost", why);
	return *why ? 1 : 0;
}
