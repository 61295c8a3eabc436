#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The lost interrupt, in each order of loading that QEMU has.

A card with the defect (migration/defect_early_irq) signals a pending interrupt as soon as it
has been loaded and has an eventfd. The guest gets it only if its interrupt controller has
been loaded before. The interrupt is the transmitter's; a register write makes it pending
after the guest was stopped.
"""

import os
import time

from lib.cases import Cases, where
from lib.guest_run import GuestRun, Way
from lib.trace import Trace

# Migrations in each case
TIMES = 3

# Registers of a 16550, and their bits.
IER, IIR = 1, 2
IER_RDI, IER_THRI, IER_RLSI = 1, 2, 4

MULTIFD = Way(('multifd',))


class Tally:
    """The interrupts of several migrations, one in each."""

    def __init__(self):
        self.sent = 0
        self.arrived = 0
        self.again = 0
        self.delays = []

    def add(self, sent, arrived, delay):
        """Count one more."""
        self.sent += sent
        self.arrived += arrived > 0
        self.again += max(0, arrived - 1)
        if arrived:
            self.delays.append(delay)

    def print(self, cure):
        """Print the line that report/lost_irq_table.py reads."""
        delay = max(self.delays) * 1e6 if self.delays else 0
        print(f'# {TIMES} migrations; cure {cure}: sent {self.sent}, '
              f'arrived {self.arrived}, again {self.again}, delay {delay:.0f} us')


def migrate(guest_run, trace, way):
    """One migration with an interrupt pending: (messages sent, arrived, delay)."""
    before = guest_run.vmm.link.pause().interrupts
    guest_run.note_config()
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
    # Before QEMU has set up MSI, it gets the signals, and the guest does not.
    sent = sum(name == 'mtty_signal' and text.startswith(f'{there.card.uuid} MSI ')
               for _, name, text in trace.lines()[first:])
    injected = trace.messages(first)
    # Acknowledge the interrupt: the guest's driver has not enabled it. After a lost message
    # its cause would remain, and no other message would follow.
    there.poke(IIR)
    there.poke(IER, IER_RDI | IER_RLSI)
    delay = max(0, injected[0] - runs) if injected else None
    there.link.send('go')
    guest_run.check_progress()
    return sent, arrived, delay


def several(guest_run, trace, way):
    """Migrate several times."""
    ready = guest_run.boot()
    trace.begin_interrupts(ready)
    guest_run.vmm.link.send('go')
    tally = Tally()
    for turn in range(TIMES):
        guest_run.label = str(turn + 1)
        tally.add(*migrate(guest_run, trace, way))
    last = guest_run.vmm.link.pause()
    assert last.ports[0]['sent'] == last.ports[0]['received'], last.line
    assert last.ports[0]['wrong'] == 0, last.line
    return tally


def measure(label, way, defect, config_last):
    """Measure with a new guest, in a new directory."""
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
    """Config space first, as QEMU 10.0 does it with multifd: lost without an error"""
    tally = measure('nothing', MULTIFD, 1, 'off')
    tally.print('nothing')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, 0, 0), vars(tally)


def cured_by_the_order():
    """Config space after the interrupt controller, as QEMU does it with multifd on arm64"""
    tally = measure('order', MULTIFD, 1, 'on')
    tally.print('order')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


def cured_by_the_old_order():
    """Without multifd config space is always loaded after it"""
    tally = measure('plain', Way(), 1, 'off')
    tally.print('order, without multifd')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


def cured_by_the_driver():
    """The card without the defect, config space first: it signals when it runs"""
    tally = measure('driver', MULTIFD, 0, 'off')
    tally.print('driver')
    assert (tally.sent, tally.arrived, tally.again) == (TIMES, TIMES, 0), vars(tally)


if __name__ == '__main__':
    Cases([nothing_done, cured_by_the_order, cured_by_the_old_order,
           cured_by_the_driver]).run()
