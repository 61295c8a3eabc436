// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt that is lost: the device signals it as soon as its data are loaded, before
 * the interrupt controller is restored. Then the same migration with each cure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/vfio/irq.h"
#include "lib/vfio/trace.h"
#include "lib/vmm/late_irq.h"
#include "lib/vmm/pair.h"
#include "lib/vfio/util.h"
#include "demo.h"
#include "fail.h"
#include "print.h"

#define NEVER_MS	300

/**
 * struct attempt - one migration
 * @cure:	name in the table
 * @policy:	of both devices
 * @defect:	"1": the device signals in RESUMING
 * @config:	when the source sends config space
 * @options:	of the destination
 * @refusal:	the load must fail with this -errno
 * @arrives:	the interrupt must arrive
 * @told:	print what happens
 * @pair:	source and destination
 * @trace:	counts signals of the device
 * @traced:	0 or the -errno of vmig_trace_start()
 * @signals:	result: signals of the destination; -1 if they cannot be counted
 * @has_data:	it was told that the destination loads data
 */
struct attempt {
	const char *cure;
	const char *policy;
	const char *defect;
	enum vmig_vmm_config config;
	unsigned int options;
	int refusal;
	bool arrives;
	bool told;
	struct vmig_pair pair;
	struct vmig_trace trace;
	int traced;
	int signals;
	bool has_data;
};

static int count_signals(struct attempt *attempt)
{
	return attempt->traced ? -1 :
	       vmig_testdev_signals(&attempt->pair.td[1], &attempt->trace);
}

static void tell(const struct attempt *attempt, const char *what)
{
	if (attempt->told)
		print_line(PLAIN, "  %s", what);
}

/* A signal is told after the call that has caused it */
static void observe(void *opaque, const struct vmig_event *event)
{
	struct attempt *attempt = opaque;
	int signals = attempt->told ? count_signals(attempt) : 0;

	if (signals > attempt->signals)
		tell(attempt, "destination: the card signals the interrupt");
	attempt->signals = signals;
	if (event->kind == VMIG_EVENT_CALL && !strcmp(event->call, "VFIO_DEVICE_SET_IRQS"))
		tell(attempt, "destination: the VMM connects the card's interrupts");
	if (event->kind == VMIG_EVENT_SECTION &&
	    event->section->marker == VFIO_MIG_FLAG_DEV_DATA_STATE && !attempt->has_data) {
		attempt->has_data = true;
		tell(attempt, "destination: the card takes in its state");
	}
	if (event->kind == VMIG_EVENT_SECTION &&
	    event->section->marker == VMIG_FLAG_IRQCHIP_STATE)
		tell(attempt, "destination: the interrupt controller is restored");
}

static int check_arrival(struct attempt *attempt)
{
	struct vmig_pair *pair = &attempt->pair;
	int ret;

	ret = vmig_irqchip_wait(pair->dst.chip, VECTOR,
				attempt->arrives ? VMIG_IRQ_DEADLINE_MS : NEVER_MS);
	if (ret && ret != -ETIMEDOUT)
		return demo_fail("interrupt controller: %s", strerror(-ret));
	if (!ret != attempt->arrives)
		return demo_fail("%s: the interrupt %s", attempt->cure,
				 ret ? "is lost" : "arrived, but should be lost");
	attempt->signals = count_signals(attempt);
	if (attempt->signals >= 0 && attempt->signals != 1)
		return demo_fail("%s: the card signalled %d times", attempt->cure,
				 attempt->signals);
	return 0;
}

static int migrate(struct attempt *attempt)
{
	struct vmig_pair *pair = &attempt->pair;
	int ret;

	ret = vmig_late_irq_boot(pair, VFIO_PCI_MSI_IRQ_INDEX);
	if (ret)
		return demo_fail("cannot start a guest: %s", strerror(-ret));
	vmig_late_irq_when_stopped(&pair->src);
	pair->src.config = attempt->config;
	pair->dst.options = attempt->options;
	pair->dst.observe = observe;
	pair->dst.opaque = attempt;
	if (vmig_vmm_save(&pair->src, pair->fd))
		return demo_fail("%s: %s", attempt->cure, pair->src.why);
	tell(attempt, "source:      the card stops; an interrupt is pending, not yet signalled");
	ret = vmig_late_irq_load(pair);
	if (ret != attempt->refusal)
		return demo_fail("%s: %s", attempt->cure,
				 ret ? pair->dst.why : "the load was not refused");
	if (ret)
		return 0;
	if (vmig_vmm_load_start(&pair->dst))
		return demo_fail("%s: %s", attempt->cure, pair->dst.why);
	tell(attempt, "destination: the card and the guest run");
	return check_arrival(attempt);
}

static int run(struct attempt *attempt)
{
	const struct vmig_attrs attrs = {
		.config_policy = attempt->policy, .defect_early_irq = attempt->defect,
	};
	int ret;

	ret = vmig_pair_open(&attempt->pair, &attrs, VMIG_IRQCHIP_AUTO);
	if (ret)
		return demo_fail("cannot create two devices of type mtty-2: %s",
				 strerror(-ret));
	attempt->traced = vmig_trace_start(&attempt->trace, "mtty");
	ret = migrate(attempt);
	vmig_trace_stop(&attempt->trace);
	vmig_pair_close(&attempt->pair);
	return ret;
}

static void print_row(const struct attempt *attempt)
{
	const char *signals = attempt->signals == 1 ? "once" : "(not counted)";

	if (attempt->refusal)
		print_line(BAD, "  %-46s %-10s %s", attempt->cure, "", "load refused");
	else
		print_line(attempt->arrives ? GOOD : BAD, "  %-46s %-10s %s", attempt->cure,
			   signals, attempt->arrives ? "once" : "NEVER");
}

#define OLD_VMM	VMIG_VMM_IRQ_WITH_CONFIG

int loss_show(void)
{
	struct attempt attempts[] = {
		{ "nothing is done", "independent", "1", VMIG_VMM_CONFIG_ALWAYS, OLD_VMM,
		  .told = true },
		{ "config space comes last", "independent", "1", VMIG_VMM_CONFIG_LAST,
		  OLD_VMM, .arrives = true },
		{ "  ... to a card that needs it before its data", "before-data", "1",
		  VMIG_VMM_CONFIG_LAST, OLD_VMM, .refusal = -EPROTO },
		{ "a subflag: keep interrupts off until the end", "before-data", "1",
		  VMIG_VMM_CONFIG_ALWAYS, .arrives = true },
		{ "a card that is silent until it runs", "before-data", "0",
		  VMIG_VMM_CONFIG_ALWAYS, OLD_VMM, .arrives = true },
	};
	unsigned int i;

	print_title("1. An interrupt is lost without a word");
	print_text("This card signals as soon as it has its state, as some hardware does. The VMM\n"
		   "connects the interrupts together with config space, the PCI registers that the\n"
		   "guest has set up. It restores the interrupt controller later.");
	if (run(&attempts[0]))
		return -1;
	print_line(BAD, "  guest:       waits for the interrupt, which NEVER arrives.");
	print_text("No call has failed. The controller's old state has replaced the new one.\n"
		   "A guest in this state hangs, and no log says why.");

	print_title("2. The cures");
	print_text("The same migration again, with one thing changed each time:");
	print_line(BOLD, "  %-46s %-10s %s", "CURE", "SIGNALLED", "ARRIVES");
	print_row(&attempts[0]);
	for (i = 1; i < ARRAY_SIZE(attempts); i++) {
		if (run(&attempts[i]))
			return -1;
		print_row(&attempts[i]);
	}
	print_text("Some cards need config space before their data: the order alone is no cure.\n"
		   "The proposal lets the VMM ask the driver for the order, and marks each config\n"
		   "section with subflags: set up config space, enable interrupts, or keep them off.");
	return 0;
}
