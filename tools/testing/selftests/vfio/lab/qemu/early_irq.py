#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The interrupt that is lost on its way to a new host, in each order that QEMU has.

A card with the defect (migration/defect_early_irq) signals what is pending as soon as
it knows of it and has somewhere to signal to; whether the guest gets it depends on whether
its interrupt controller is there by then. The interrupt is the transmitter's: it becomes
pending when the guest has stopped already, by what a processor wrote last.
"""

import os
import time

from lib.cases import Cases, where
from lib.lab import GuestRun, Way
from lib.trace import Trace

# Migrations a case: to see that it is always so, in the time there is for all programs.
TIMES = 3

# Registers of a 16550, and their bits.
IER, IIR = 1, 2
IER_RDI, IER_THRI, IER_RLSI = 1, 2, 4

MULTIFD = Way(('multifd',))


class Tally:
    """What became of the interrupts of several migrations, one in each."""

    def __init__(self):
        self.sent = 0
        self.arrived = 0
        self.again = 0
        self.delays = []

    def add(self, sent, arrived, delay):
        """Of one more."""
        self.sent += sent
        self.arrived += arrived > 0
        self.again += max(0, arrived - 1)
        if arrived:
            self.delays.append(delay)

    def tell(self, cure):
        """For the table of cures, which report/cures.py makes of these lines."""
        delay = max(self.delays) * 1e6 if self.delays else 0
        print(f'# {TIMES} migrations; cure {cure}: sent {self.sent}, '
              f'arrived {self.arrived}, again {self.again}, delay {delay:.0f} us')


def migrate(guest_run, trace, way):
    """One migration with an interrupt pending: (messages sent, arrived, delay)."""
    before = guest_run.vmm.link.pause().interrupts
    guest_run.vmm.qmp.run('stop')
    guest_run.vmm.poke(IER, IER_RDI | IER_RLSI | IER_THRI)
    first = len(trace.lines())
    there = guest_run.destination(way)
    there.qmp.run('migrate-incoming', uri=way.uri())
    guest_run.send(way)
    guest_run.vmm.wait_migration('completed')
    guest_run.arrive(there)
    runs = time.time()
    there.qmp.run('cont')
    arrived = there.link.report().interrupts - before
    # What goes to QEMU as long as it has not heard of MSI is nothing that a guest sees.
    sent = sum(name == 'mtty_signal' and text.startswith(f'{there.card.uuid} MSI ')
               for _, name, text in trace.lines()[first:])
    injected = trace.messages(first)
    # The guest's driver does not know of it. And if the message was lost, nobody else will
    # ever do this: its cause stays, and so no other message follows.
    there.poke(IIR)
    there.poke(IER, IER_RDI | IER_RLSI)
    delay = max(0, injected[0] - runs) if injected else None
    there.link.say('go')
    guest_run.well()
    return sent, arrived, delay


def several(guest_run, trace, way):
    """One migration after the other."""
    ready = guest_run.boot()
    trace.begin_interrupts(ready)
    guest_run.vmm.link.say('go')
    tally = Tally()
    for turn in range(TIMES):
        guest_run.label = str(turn + 1)
        tally.add(*migrate(guest_run, trace, way))
    last = guest_run.vmm.link.pause()
    assert last.ports[0]['sent'] == last.ports[0]['received'], last.line
    assert last.ports[0]['wrong'] == 0, last.line
    return tally


def measure(label, way, defect, config_last):
    """All of it, with a guest and a directory of its own."""
    os.makedirs(os.path.join(where(), label), exist_ok=True)
    os.chdir(os.path.join(where(), label))
    trace = Trace(messages=True)
    guest_run = None
    try:
        guest_run = GuestRun(kind='mtty-1', msi=True, poke=True, defect_early_irq=defect,
                          options={'x-migration-load-config-after-iter': config_last})
        return several(guest_run, trace, way)
    finally:
        if guest_run:
            guest_run.end()
        trace.end()


def nothing_done():
    """Config space first, as QEMU 10.0 does it with multifd: lost, and nobody is told"""
    tally = measure('nothing', MULTIFD, 1, 'off')
    tally.tell('nothing')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, 0, 0), vars(tally)


def cured_by_the_order():
    """Config space behind the interrupt controller, as QEMU does it with multifd on arm64"""
    tally = measure('order', MULTIFD, 1, 'on')
    tally.tell('order')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


def cured_by_the_old_order():
    """Without multifd config space has always come behind it"""
    tally = measure('plain', Way(), 1, 'off')
    tally.tell('order, without multifd')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


def cured_by_the_driver():
    """The card as it ships, config space first: it waits until it runs"""
    tally = measure('driver', MULTIFD, 0, 'off')
    tally.tell('driver')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


if __name__ == '__main__':
    Cases([nothing_done, cured_by_the_order, cured_by_the_old_order,
           cured_by_the_driver]).run()
