// SPDX-License-Identifier: GPL-2.0-only
/*
 * One migration of a guest that uses both ports all the time, with an interrupt that
 * becomes pending after the source has stopped. Source and destination work in turns, so
 * that the trace has one order.
 */
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/mtty/uart.h"
#include "lib/vfio/irq.h"
#include "lib/vmm/late_irq.h"
#include "lib/vmm/pair.h"
#include "demo.h"
#include "fail.h"
#include "print.h"
#include "trace.h"

#define ROUNDS		3
#define SOME_TRAFFIC	600

/**
 * struct trip - what a journey needs while it lasts
 * @journey:	its result
 * @pair:	devices, controllers, VMMs
 * @guest:	uses the device
 * @trace:	prints the events
 */
struct trip {
	struct journey *journey;
	struct vmig_pair pair;
	struct vmig_traffic *guest;
	struct trace trace;
};

/* A last write of a processor reaches the stopped device */
static void raise_when_stopped(void *opaque, const struct vmig_event *event)
{
	struct trip *trip = opaque;

	if (!vmig_late_irq_is_stop(event))
		return;
	if (vmig_late_irq_raise(trip->pair.src.dev))
		demo_fail("cannot raise an interrupt");
	trace_line(&trip->trace, event->step, "guest",
		   "a last write makes interrupt 0x%x pending", VECTOR);
}

static void stop_guest(void *opaque)
{
	struct trip *trip = opaque;

	trace_line(&trip->trace, trip->pair.src.step, "guest", "stops; it has sent %llu bytes",
		   (unsigned long long)vmig_traffic_sent(trip->guest));
	vmig_traffic_pause(trip->guest);
}

static int expect_no_interrupt(struct trip *trip)
{
	int ret = vmig_irqchip_pending(trip->pair.chip[1], VECTOR);

	if (ret > 0)
		return demo_fail("the interrupt came too early, in %s", trip->pair.dst.step);
	return ret ? demo_fail("interrupt controller: %s", strerror(-ret)) : 0;
}

/* One step of the source, then of the destination */
static int take_turns(struct trip *trip, int (*save)(struct vmig_vmm *vmm, int fd))
{
	struct vmig_pair *pair = &trip->pair;

	if (save(&pair->src, pair->fd) < 0)
		return demo_fail("%s: %s", pair->src.step, pair->src.why);
	if (vmig_pair_load(pair) < 0)
		return demo_fail("%s: %s", pair->dst.step, pair->dst.why);
	trace_flush(&trip->trace, &pair->dst);
	return expect_no_interrupt(trip);
}

static int change_config(struct trip *trip)
{
	if (vmig_config_write8(trip->pair.src.dev, PCI_INTERRUPT_LINE, 11))
		return demo_fail("config space cannot be written");
	trace_line(&trip->trace, "(meanwhile)", "guest", "changes its config space");
	return 0;
}

static int precopy(struct trip *trip)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (vmig_traffic_wait(trip->guest, SOME_TRAFFIC))
			return demo_fail("the guest hangs");
		if (i == 1 && change_config(trip))
			return -1;
		if (take_turns(trip, vmig_vmm_save_iterate))
			return -1;
	}
	return 0;
}

/* As a guest's interrupt handler: first the device, then the controller */
static int handle_interrupt(struct trip *trip)
{
	struct vmig_vmm *dst = &trip->pair.dst;
	int ret;

	ret = vmig_irqchip_wait(dst->chip, VECTOR, VMIG_IRQ_DEADLINE_MS);
	if (ret)
		return demo_fail("the interrupt is lost: %s", strerror(-ret));
	if (vmig_late_irq_handle(dst->dev) != 1 ||
	    vmig_uart_out(dst->dev, 0, UART_IER, 0))
		return demo_fail("the device says that there was no interrupt");
	trip->journey->irqs = vmig_irqchip_take(dst->chip, VECTOR);
	if (trip->journey->irqs != 1 || vmig_irqchip_pending(dst->chip, VECTOR))
		return demo_fail("the interrupt came more than once");
	trace_line(&trip->trace, dst->step, "guest", "interrupt 0x%x arrives, once", VECTOR);
	return 0;
}

static int stop_and_move(struct trip *trip)
{
	struct vmig_pair *pair = &trip->pair;

	if (take_turns(trip, vmig_vmm_save_complete_precopy) ||
	    take_turns(trip, vmig_vmm_save_irqchip) ||
	    take_turns(trip, vmig_vmm_save_state) || take_turns(trip, vmig_vmm_save_end))
		return -1;
	trace_line(&trip->trace, "load_start", "guest",
		   "all is loaded; interrupt 0x%x is still silent", VECTOR);
	if (vmig_vmm_load_start(&pair->dst))
		return demo_fail("%s: %s", pair->dst.step, pair->dst.why);
	return handle_interrupt(trip);
}

static int migrate(struct trip *trip)
{
	struct vmig_pair *pair = &trip->pair;

	trip->trace = (struct trace) {
		.src = &pair->src, .dst = &pair->dst, .next = raise_when_stopped,
		.opaque = trip,
	};
	pair->src.stop_guest = stop_guest;
	pair->src.guest = trip;

	trace_begin(&trip->trace);
	if (vmig_traffic_wait(trip->guest, SOME_TRAFFIC))
		return demo_fail("the guest hangs");
	if (take_turns(trip, vmig_vmm_save_setup) || precopy(trip) || stop_and_move(trip))
		return -1;
	vmig_traffic_resume(trip->guest, pair->dst.dev);
	if (vmig_traffic_wait(trip->guest, SOME_TRAFFIC))
		return demo_fail("the guest hangs on the destination");
	return 0;
}

static int run_guest(struct trip *trip)
{
	struct vmig_pair *pair = &trip->pair;
	int ret;

	ret = vmig_vmm_boot(&pair->src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR);
	if (!ret)
		ret = vmig_traffic_start(&trip->guest, pair->src.dev);
	if (ret)
		return demo_fail("cannot start a guest: %s", strerror(-ret));

	ret = migrate(trip);
	if (vmig_traffic_finish(trip->guest, &trip->journey->report))
		return demo_fail("the guest could not use its device");
	trip->journey->stats[0] = pair->src.stats;
	trip->journey->stats[1] = pair->dst.stats;
	return ret;
}

int journey_run(struct journey *journey)
{
	const struct vmig_attrs attrs = { .config_policy = journey->policy };
	struct trip trip = { .journey = journey };
	int ret;

	ret = vmig_pair_open(&trip.pair, &attrs, VMIG_IRQCHIP_AUTO);
	if (ret)
		return demo_fail("cannot create two devices of type mtty-2: %s",
				 strerror(-ret));
	print_line(PLAIN, "%s", "");
	print_line(BOLD, "Answer %s: %s", journey->policy, journey->note);
	ret = run_guest(&trip);
	vmig_pair_close(&trip.pair);
	return ret;
}
