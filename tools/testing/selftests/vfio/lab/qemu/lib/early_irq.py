# SPDX-License-Identifier: GPL-2.0
"""An interrupt that becomes pending after the guest was stopped, in each of several migrations.

The interrupt is the transmitter's; a register write makes it pending.
"""

import time

from .cases import new_guest

# Registers of a 16550, and their bits
IER, IIR = 1, 2
IER_RDI, IER_THRI, IER_RLSI = 1, 2, 4


class Tally:
    """The interrupts of several migrations, one in each."""

    def __init__(self):
        self.times = 0
        self.sent = 0
        self.arrived = 0
        self.again = 0
        self.unconnected = 0
        self.delays = []

    def add(self, sent, arrived, delay, unconnected):
        """Count one more."""
        self.times += 1
        self.unconnected += unconnected
        self.sent += sent
        self.arrived += arrived > 0
        self.again += max(0, arrived - 1)
        if arrived:
            self.delays.append(delay)

    def print(self, cure):
        """Print the line that report/lost_irq_table.py reads."""
        delay = max(self.delays) * 1e6 if self.delays else 0
        print(f'# {self.times} migrations; cure {cure}: sent {self.sent}, '
              f'arrived {self.arrived}, again {self.again}, delay {delay:.0f} us')

    def check(self, sent, arrived):
        """None may have arrived twice."""
        assert (self.sent, self.arrived, self.again) == (sent, arrived, 0), vars(self)


def signals(trace, first, card):
    """Times of the signals of a card, from event number first on, that KVM can get: before QEMU
    has set up MSI, it gets the signals of INTx. INTx is a level: all signals are one.
    """
    kind = 'MSI' if trace.messages_too else 'INTx'
    times = [when for when, name, text in trace.lines()[first:]
             if name == 'mtty_signal' and text.startswith(f'{card.uuid} {kind} ')]
    return times if trace.messages_too else times[:1]


def is_unconnected(trace, first, card):
    """Return whether the first signal of a card that is loaded came before QEMU connected an
    interrupt: to a connection of before. The event of a call follows the signals that it causes.
    """
    events = [(name, text) for _, name, text in trace.lines()[first:]
              if text.startswith(card.uuid + ' ')]
    start = next(i for i, (_, text) in enumerate(events) if '-> RESUMING' in text)
    signal = connect = len(events)
    for i, (name, text) in reversed(list(enumerate(events))[start:]):
        if name == 'mtty_signal':
            signal = i
        elif name == 'mtty_set_irqs' and 'EVENTFD|TRIGGER' in text:
            connect = i
    return signal + 1 < connect


def migrate(guest_run, trace, way):
    """One migration with an interrupt pending: (signals, interrupts, delay, unconnected)."""
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
    sent = signals(trace, first, there.card)
    taken = trace.messages(first) if trace.messages_too else sent
    # Acknowledge the interrupt: the guest's driver has not enabled it. After a lost message
    # its cause would remain, and no other message would follow.
    there.poke(IIR)
    there.poke(IER, IER_RDI | IER_RLSI)
    delay = max(0, taken[0] - runs) if taken else None
    return len(sent), arrived, delay, is_unconnected(trace, first, there.card)


def goes_on(guest_run):
    """The guest's traffic goes on, and no byte of it was lost."""
    guest_run.vmm.link.send('go')
    guest_run.check_progress()
    last = guest_run.vmm.link.pause()
    assert last.ports[0]['sent'] == last.ports[0]['received'], last.line
    assert last.ports[0]['wrong'] == 0, last.line


def with_a_guest(tally, label, way, times, hangs, **arguments):
    """Migrate a new guest some times."""
    with new_guest(label, kind='mtty-1', poke=True, **arguments) as (guest_run, trace):
        for turn in range(times):
            guest_run.label = str(turn + 1)
            tally.add(*migrate(guest_run, trace, way))
            if not hangs:
                goes_on(guest_run)


def measure(label, way, times=3, hangs=False, **arguments):
    """Migrate several times. A device that waits for the end of a lost INTx waits for ever: its
    guest hangs, and is migrated once.
    """
    tally = Tally()
    for number in range(times if hangs else 1):
        name = f'{label}-{number + 1}' if hangs else label
        with_a_guest(tally, name, way, 1 if hangs else times, hangs, **arguments)
    return tally
