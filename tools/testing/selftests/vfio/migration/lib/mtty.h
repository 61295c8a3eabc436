/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a test of mtty includes: the harness, lib/vfio/ and lib/mtty/.
 */
#ifndef VMIG_ALL_MTTY_H
#define VMIG_ALL_MTTY_H

#include "vfio.h"
#include "mtty/capture.h"
#include "mtty/config_writer.h"
#include "mtty/contents.h"
#include "mtty/dump.h"
#include "mtty/fixture.h"
#include "mtty/fuzz.h"
#include "mtty/port_irq.h"
#include "mtty/stream.h"
#include "mtty/testdev.h"
#include "mtty/traffic.h"
#include "mtty/uart.h"

/*
 * A program that needs no device defines WITHOUT_DEVICE, and one of those that needs root
 * defines NEEDS_ROOT. Where that is missing, the program is skipped as a whole.
 */
#if !defined(WITHOUT_DEVICE) || defined(NEEDS_ROOT)
static void __attribute__((constructor)) skip_if_lacking(void)
{
#ifdef NEEDS_ROOT
	const char *lacking = vmig_lacking_root();
#else
	const char *lacking = vmig_testdev_missing();
#endif

	if (!lacking)
		return;
	ksft_print_header();
	ksft_exit_skip("%s\n", lacking);
}
#endif

#endif /* VMIG_ALL_MTTY_H */
