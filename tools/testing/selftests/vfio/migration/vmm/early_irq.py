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
from lib.lab import Journey, Way
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
        """For the table of cures, which vm/cures.py makes of these lines."""
        delay = max(self.delays) * 1e6 if self.delays else 0
        print(f'# {TIMES} migrations; cure {cure}: sent {self.sent}, '
              f'arrived {self.arrived}, again {self.again}, delay {delay:.0f} us')


def migrate(journey, trace, way):
    """One migration with an interrupt pending: (messages sent, arrived, delay)."""
    before = journey.vmm.link.pause().interrupts
    journey.vmm.qmp.run('stop')
    journey.vmm.poke(IER, IER_RDI | IER_RLSI | IER_THRI)
    first = len(trace.lines())
    there = journey.destination(way)
    there.qmp.run('migrate-incoming', uri=way.uri())
    journey.send(way)
    journey.vmm.wait_migration('completed')
    journey.arrive(there)
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
    journey.well()
    return sent, arrived, delay


def several(journey, trace, way):
    """One migration after the other."""
    ready = journey.boot()
    trace.begin_interrupts(ready)
    journey.vmm.link.say('go')
    tally = Tally()
    for turn in range(TIMES):
        journey.label = str(turn + 1)
        tally.add(*migrate(journey, trace, way))
    last = journey.vmm.link.pause()
    assert last.ports[0]['sent'] == last.ports[0]['received'], last.line
    assert last.ports[0]['wrong'] == 0, last.line
    return tally


def measure(label, way, defect, config_last):
    """All of it, with a guest and a directory of its own."""
    os.makedirs(os.path.join(where(), label), exist_ok=True)
    os.chdir(os.path.join(where(), label))
    trace = Trace(messages=True)
    journey = None
    try:
        journey = Journey(kind='mtty-1', msi=True, poke=True, defect_early_irq=defect,
                          options={'x-migration-load-config-after-iter': config_last})
        return several(journey, trace, way)
    finally:
        if journey:
            journey.end()
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
