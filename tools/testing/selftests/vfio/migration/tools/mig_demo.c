// SPDX-License-Identifier: GPL-2.0-only
/*
 * Show a live migration step by step, for each policy: two devices, a guest that uses
 * both ports, and a pending interrupt. Source and destination work in turns, so that
 * the output has one order.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "../../../kselftest.h"

#include "lib/vfio/irq.h"
#include "lib/vmm/pair.h"
#include "lib/vmm/event_log.h"
#include "lib/mtty/traffic.h"
#include "lib/mtty/uart.h"

#define VECTOR		0x42
#define ROUNDS		3
#define SOME_TRAFFIC	600

/**
 * struct demo - one migration
 * @policy:	of both devices
 * @note:	for the reader
 * @out:	where to print
 * @pair:	devices, controllers, VMMs
 * @guest:	uses the device
 * @log:	prints the events
 * @stats:	of the VMMs, source first
 * @downtime:	in ns
 * @irqs:	how often the pending interrupt has arrived
 * @report:	bytes sent, received and lost
 */
struct demo {
	const char *policy;
	const char *note;
	FILE *out;
	struct vmig_pair pair;
	struct vmig_traffic *guest;
	struct vmig_event_log log;
	struct vmig_vmm_stats stats[2];
	uint64_t downtime;
	int irqs;
	struct vmig_traffic_report report;
};

/* Reason of the failure, or empty */
static char why[256];

static int fail(const char *fmt, ...)
{
	va_list args;

	if (!why[0]) {
		va_start(args, fmt);
		vsnprintf(why, sizeof(why), fmt, args);
		va_end(args);
	}
	return -1;
}

/* A last write of a processor reaches the stopped device */
static void raise_when_stopped(void *opaque, const struct vmig_event *event)
{
	struct demo *demo = opaque;

	if (event->kind != VMIG_EVENT_CALL ||
	    !strstr(event->call, "SET MIG_DEVICE_STATE") ||
	    strncmp(event->text, "STOP_COPY", 9))
		return;
	if (vmig_uart_out(demo->pair.src.dev, 0, UART_IER, UART_IER_THRI))
		fail("cannot raise an interrupt");
	vmig_event_log_line(&demo->log, event->step,
			    "a last write makes interrupt 0x%x pending", VECTOR);
}

static void stop_guest(void *opaque)
{
	struct vmig_event_log *log = opaque;
	struct demo *demo = log->opaque;

	vmig_event_log_line(log, demo->pair.src.step,
			    "the guest stops; bytes it has sent: %llu",
			(unsigned long long)vmig_traffic_sent(demo->guest));
	vmig_traffic_pause(demo->guest);
}

static int expect_no_interrupt(struct demo *demo)
{
	int ret = vmig_irqchip_pending(demo->pair.chip[1], VECTOR);

	if (ret > 0)
		return fail("the interrupt came too early, in %s",
			    demo->pair.dst.step);
	return ret ? fail("interrupt controller: %s", strerror(-ret)) : 0;
}

/* One step of the source, then of the destination */
static int take_turns(struct demo *demo,
		      int (*save)(struct vmig_vmm *vmm, int fd))
{
	struct vmig_pair *pair = &demo->pair;
	int ret;

	ret = save(&pair->src, pair->fd);
	if (ret < 0)
		return fail("%s: %s", pair->src.step, pair->src.why);
	ret = vmig_pair_load(pair);
	if (ret < 0)
		return fail("%s: %s", pair->dst.step, pair->dst.why);
	vmig_event_log_flush(&demo->log, &pair->dst);
	return expect_no_interrupt(demo);
}

static int change_config(struct demo *demo)
{
	if (vmig_config_write8(demo->pair.src.dev, PCI_INTERRUPT_LINE, 11))
		return fail("config space cannot be written");
	vmig_event_log_line(&demo->log, "(meanwhile)",
			    "the guest changes its config space");
	return 0;
}

static int precopy(struct demo *demo)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (vmig_traffic_wait(demo->guest, SOME_TRAFFIC))
			return fail("the guest hangs");
		if (i == 1 && change_config(demo))
			return -1;
		if (take_turns(demo, vmig_vmm_save_iterate))
			return -1;
	}
	/* A slow terminal must not count as downtime */
	fflush(demo->out);
	return 0;
}

/* As a guest's interrupt handler: first the device, then the controller */
static int handle_interrupt(struct demo *demo)
{
	struct vmig_vmm *dst = &demo->pair.dst;
	uint8_t iir;
	int ret;

	ret = vmig_irqchip_wait(dst->chip, VECTOR, VMIG_IRQ_DEADLINE_MS);
	if (ret)
		return fail("the interrupt is lost: %s", strerror(-ret));
	if (vmig_uart_in(dst->dev, 0, UART_IIR, &iir) ||
	    (iir & 0x0f) != UART_IIR_THRI ||
	    vmig_uart_out(dst->dev, 0, UART_IER, 0))
		return fail("the device says that there was no interrupt");
	demo->irqs = vmig_irqchip_take(dst->chip, VECTOR);
	if (demo->irqs == 1 && !vmig_irqchip_pending(dst->chip, VECTOR)) {
		vmig_event_log_line(&demo->log, dst->step,
				    "interrupt 0x%x arrives, once", VECTOR);
		return 0;
	}
	return fail("the interrupt came more than once");
}

static int stop_and_move(struct demo *demo)
{
	struct vmig_pair *pair = &demo->pair;

	if (take_turns(demo, vmig_vmm_save_complete_precopy) ||
	    take_turns(demo, vmig_vmm_save_irqchip))
		return -1;
	vmig_event_log_line(&demo->log, "interrupt controller",
			    "restored; interrupt 0x%x is silent", VECTOR);
	if (take_turns(demo, vmig_vmm_save_state) ||
	    take_turns(demo, vmig_vmm_save_end))
		return -1;
	vmig_event_log_line(&demo->log, "load_start",
			    "all is loaded; interrupt 0x%x is silent", VECTOR);
	if (vmig_vmm_load_start(&pair->dst))
		return fail("%s: %s", pair->dst.step, pair->dst.why);
	return handle_interrupt(demo);
}

static int migrate(struct demo *demo)
{
	struct vmig_pair *pair = &demo->pair;

	demo->log = (struct vmig_event_log) {
		.out = demo->out, .src = &pair->src, .dst = &pair->dst,
		.next = raise_when_stopped, .opaque = demo,
	};
	pair->src.stop_guest = stop_guest;
	pair->src.guest = &demo->log;

	vmig_event_log_begin(&demo->log);
	if (vmig_traffic_wait(demo->guest, SOME_TRAFFIC))
		return fail("the guest hangs");
	if (take_turns(demo, vmig_vmm_save_setup) || precopy(demo) ||
	    stop_and_move(demo))
		return -1;

	fflush(demo->out);
	vmig_traffic_resume(demo->guest, pair->dst.dev);
	if (vmig_traffic_wait(demo->guest, SOME_TRAFFIC))
		return fail("the guest hangs on the destination");
	return 0;
}

static int run_guest(struct demo *demo)
{
	struct vmig_pair *pair = &demo->pair;
	int ret;

	ret = vmig_vmm_boot(&pair->src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR);
	if (!ret)
		ret = vmig_traffic_start(&demo->guest, pair->src.dev);
	if (ret)
		return fail("cannot start a guest: %s", strerror(-ret));

	ret = migrate(demo);
	if (vmig_traffic_finish(demo->guest, &demo->report))
		return fail("the guest could not use its device");
	demo->stats[0] = pair->src.stats;
	demo->stats[1] = pair->dst.stats;
	demo->downtime = vmig_vmm_downtime_ns(&pair->src, &pair->dst);
	return ret;
}

static int run(struct demo *demo)
{
	const struct vmig_attrs attrs = { .config_policy = demo->policy };
	int ret;

	ret = vmig_pair_open(&demo->pair, &attrs, VMIG_IRQCHIP_AUTO);
	if (ret)
		return fail("cannot create two devices of type mtty-2: %s",
			    strerror(-ret));
	fprintf(demo->out, "\nPolicy %s: %s\nInterrupt controller: %s\n",
		demo->policy, demo->note,
		vmig_irqchip_name(demo->pair.chip[0]));
	ret = run_guest(demo);
	vmig_pair_close(&demo->pair);
	return ret;
}

static void print_table(const struct demo *demo, unsigned int nr)
{
	unsigned int i;

	printf("\n%-12s %10s %10s %9s %9s %9s %10s\n", "POLICY",
	       "PRE-COPY", "STOP-COPY", "CONFIG", "CONFIG", "SET_IRQS",
	       "DOWNTIME");
	printf("%-12s %10s %10s %9s %9s %9s %10s\n", "", "bytes", "bytes",
	       "sections", "writes", "calls", "us");
	for (i = 0; i < nr; i++, demo++)
		printf("%-12s %10llu %10llu %9u %9u %9u %10llu\n", demo->policy,
		       (unsigned long long)demo->stats[0].bytes_precopy,
		       (unsigned long long)demo->stats[0].bytes_stopcopy,
		       demo->stats[0].config_sections,
		       demo->stats[1].config_writes, demo->stats[1].set_irqs,
		       (unsigned long long)demo->downtime / 1000);
}

static void print_bytes(const struct vmig_traffic_report *report,
			unsigned int port)
{
	char text[64];

	snprintf(text, sizeof(text), "%llu/%llu/%llu",
		 (unsigned long long)report->sent[port],
		 (unsigned long long)report->received[port],
		 (unsigned long long)report->logged[port]);
	printf(" %25s", text);
}

static uint64_t print_lost(const struct demo *demo, unsigned int nr)
{
	uint64_t lost = 0;
	unsigned int i;

	printf("\n%-12s %25s %25s %5s  %s\n", "BYTES",
	       "port 0 sent/received/log", "port 1 sent/received/log", "lost",
	       "pending interrupt");
	for (i = 0; i < nr; i++, demo++) {
		printf("%-12s", demo->policy);
		print_bytes(&demo->report, 0);
		print_bytes(&demo->report, 1);
		printf(" %5llu  %s\n", (unsigned long long)demo->report.lost,
		       demo->irqs == 1 ? "once, after RUNNING" : "not once");
		if (!demo->report.sent[0] || !demo->report.sent[1])
			fail("a port was not used");
		if (demo->stats[1].violations)
			fail("interrupts were enabled before their controller was restored");
		lost += demo->report.lost;
	}
	return lost;
}

/* The first migration of a process is slower */
static void warm_up(void)
{
	struct demo demo = { .policy = "independent", .note = "" };

	demo.out = fopen("/dev/null", "w");
	if (!demo.out) {
		fail("/dev/null: %s", strerror(errno));
		return;
	}
	run(&demo);
	fclose(demo.out);
}

int main(void)
{
	struct demo demos[] = {
		{ .policy = "independent", .out = stdout,
		  .note = "config space is not needed early, and comes once, at the end" },
		{ .policy = "before-data", .out = stdout,
		  .note = "config space comes before data, and again when it has changed" },
		{ .policy = "reorder", .out = stdout,
		  .note = "the driver takes data and config space in any order" },
		{ .policy = "embedded", .out = stdout,
		  .note = "config space is in the device's data; the VMM sends none" },
	};
	uint64_t lost = 0;
	unsigned int i;

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	printf("A serial card with two busy ports moves to another VM while its guest uses it.\n"
	       "The driver and the uAPI are real, the VMM is a model; \"GET X\" and \"SET X\" are\n"
	       "VFIO_DEVICE_FEATURE with that feature.\n");
	warm_up();
	for (i = 0; i < ARRAY_SIZE(demos) && !why[0]; i++)
		run(&demos[i]);
	if (!why[0]) {
		print_table(demos, ARRAY_SIZE(demos));
		lost = print_lost(demos, ARRAY_SIZE(demos));
	}
	if (lost)
		fail("%llu bytes lost", (unsigned long long)lost);

	printf("\ndemo: %s%s\n", why[0] ? "FAIL, " : "PASS, 0 bytes lost", why);
	return why[0] ? 1 : 0;
}
