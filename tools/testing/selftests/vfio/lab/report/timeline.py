#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who did what when, in each migration of a run with a real VMM.

Reads what the cases in qemu/ have left: the trace of each QEMU and the events of the
driver, on one clock. Writes for each migration a list of steps and a picture, and
prints a line.

Usage: timeline.py REPORT.tar DIR
  DIR  gets PROGRAM-CASE.txt and PROGRAM-CASE.svg
"""

import os
import re
import sys
import tarfile
from datetime import datetime, timezone

from lanes import Lane, Picture

# Events of a kind that come by the hundred: added up until something else happens.
BULK = {
    'vfio_save_block': 'sends blocks of device data',
    'vfio_load_state_device_data': 'loads blocks of device data',
    'mtty_signal': 'signals interrupts',
    'mtty_data read': 'data are read',
    'mtty_data write': 'data are written',
}

# What is worth a mark in the picture.
MARKS = {'data': '#2266bb', 'config': '#996600', 'SET_IRQS': '#227722', 'interrupt': '#aa00aa',
         'message taken': '#008800', 'message refused': '#dd0000', 'ITS restored': '#000000'}
MARK_OF = {'mtty_data': 'data', 'mtty_config': 'config', 'mtty_set_irqs': 'SET_IRQS',
           'mtty_signal': 'interrupt', 'kvm_msi_set_irq': 'message taken',
           'its_restored': 'ITS restored'}

# What says nothing that another event does not say better.
DULL = ('vfio_save_iterate', 'vfio_load_state', 'vfio_intx_enable_kvm',
        'vfio_intx_disable_kvm', 'vfio_migration_set_state',
        'vfio_migration_set_device_state', 'vfio_vmstate_change', 'vfio_vmstate_change_prepare',
        'vfio_migration_state_notifier',
        'vfio_save_block_precopy_empty_hit', 'runstate_set', 'vfio_load_setup')


class Event:
    """One step: when, whose, and what."""

    def __init__(self, when, who, name, text):
        self.when = when
        self.who = who
        self.name = name
        self.text = text

    def bulk(self):
        """Of which kind it is one of many, if any."""
        if self.name == 'mtty_data':
            return f'mtty_data {self.text.split()[0]}'
        return self.name if self.name in BULK else None

    def size(self):
        """Bytes, of device data."""
        found = re.search(r'(?:size|ret=) ?(\d+)', self.text)
        return int(found.group(1)) if found else 0


class Migration:
    """All that happened from the first step of a migration to its last."""

    WHO = ('source QEMU', 'source card', 'destination card', 'destination QEMU',
           "guest's irqchip")

    def __init__(self, name, traces, events, cards):
        self.name = name
        self.events = [Event(when, self.WHO[0], *step) for when, *step in traces[0]]
        self.events += [Event(when, self.WHO[3], *step) for when, *step in traces[1]]
        for when, uuid, *step in events:
            if uuid in cards or not uuid:
                who = self.WHO[1 + cards.index(uuid) if uuid else 4]
                self.events.append(Event(when, who, *step))
        self.events.sort(key=lambda event: event.when)
        begin = self.when(self.WHO[0], 'migrate_set_state', 'new state setup', last=True)
        there = self.when(self.WHO[3], 'migrate_set_state', 'new state setup')
        self.stops = self.when(self.WHO[0], 'vm_state_notify', 'running 0', last=True)
        self.runs = self.when(self.WHO[3], 'vm_state_notify', 'running 1')
        self.begins = min(filter(None, (begin, there, self.stops)))
        gone = self.when(self.WHO[1], 'mtty_close', '', after=self.stops)
        self.ends = max(self.runs, gone)
        # The source's card has had other users before, the destination's has others later.
        # Who had stopped his guest long before is of no interest.
        self.copies = next((event.when for event in self.events if event.who == self.WHO[1] and
                            self.stops < begin < event.when and
                            '-> STOP_COPY' in event.text), 0)
        self.events = [event for event in self.events
                       if self.begins <= event.when <= self.ends + 0.01]

    def when(self, who, name, text, last=False, after=0):
        """Of the first such event, or the last; 0 if there is none."""
        found = [event.when for event in self.events if event.when > after and
                 event.who == who and event.name == name and event.text.startswith(text)]
        return found[-1 if last else 0] if found else 0

    def still(self):
        """How long the guest did not run, in ms; through a file, that is up to who waits."""
        return (self.runs - self.stops) * 1000

    def steps(self):
        """(when, who, text), with what came in bulk added up."""
        pending = {}
        for event in self.events:
            kind = event.bulk()
            if kind:
                pending.setdefault((event.who, kind), []).append(event)
                continue
            if event.name.startswith('vfio_state_pending') or event.name in DULL:
                continue
            for who, other in [key for key in pending if key[0] == event.who]:
                yield self.sum(other, pending.pop((who, other)))
            yield event.when, event.who, describe(event)
        for (_, kind), events in pending.items():
            yield self.sum(kind, events)

    @staticmethod
    def sum(kind, events):
        """One step for many; it stands where the last of them was."""
        text = BULK[kind] + (f', {len(events)} times' if len(events) > 1 else ', once')
        size = sum(event.size() for event in events)
        if size:
            text += f', {size} bytes'
        if len(events) > 1:
            text += f', in {(events[-1].when - events[0].when) * 1000:.0f} ms'
        return events[-1].when, events[0].who, text

    def write(self, out):
        """The list; each of them begins in a column of its own."""
        print(f'{self.name}: the guest stood still for {self.still():.0f} ms, '
              f'from {(self.stops - self.begins) * 1000:.1f} to '
              f'{(self.runs - self.begins) * 1000:.1f}', file=out)
        print(f'\n{"ms":>9}  {"who":<16}  what', file=out)
        for when, who, text in sorted(self.steps()):
            margin = 4 * self.WHO.index(who)
            print(f'{(when - self.begins) * 1000:9.1f}  {who:<16}  {"":<{margin}}{text}', file=out)


def mark_of(event):
    """Of which kind an event's mark is, if it has any."""
    if event.name == 'its_inject':
        return 'message refused' if 'ret=-' in event.text else 'message taken'
    return MARK_OF.get(event.name)


def draw(migration):
    """The same as a picture: all of it, and how it was while the guest stood still."""
    lanes = {who: Lane(who) for who in migration.WHO}
    for event in migration.events:
        lane = lanes[event.who]
        if event.name == 'mtty_state':
            before, after = re.match(r'(\w+) -> .* now=(\w+)', event.text).groups()
            if not lane.states:
                lane.state(migration.begins, before)
            lane.state(event.when, after)
        elif event.name == 'vm_state_notify':
            if not lane.states:
                running = event.who == migration.WHO[0]
                lane.state(migration.begins, 'guest runs' if running else 'waits')
            lane.state(event.when, 'guest runs' if 'running 1' in event.text else 'stopped')
        elif event.name in ('mtty_close', 'mtty_reset') and lane.states:
            lane.state(event.when, 'closed' if event.name == 'mtty_close' else 'RUNNING')
        if mark_of(event):
            lane.mark(event.when, mark_of(event))
    picture = Picture(f'{migration.name}: the guest stood still for {migration.still():.0f} ms',
                      [lane for lane in lanes.values() if lane.states or lane.marks], MARKS,
                      ('interrupt',))
    picture.panel('All of it', migration.begins, migration.ends)
    begin = max(migration.stops, migration.copies)
    margin = (migration.runs - begin) * 0.1
    picture.panel('While the guest stood still' if begin == migration.stops else
                  'From STOP_COPY on', begin - margin, migration.runs + margin)
    return picture.svg()


def describe(event):
    """An event in words."""
    text = event.text
    if event.name == 'migrate_set_state':
        return 'migration: ' + text.removeprefix('new state ')
    if event.name == 'vm_state_notify':
        running, reason = re.match(r'running (\d) reason \d+ \((.*)\)', text).groups()
        return f'the guest {"runs" if running == "1" else "stops"} ({reason})'
    if event.name == 'mtty_state':
        return re.sub(r' ret=0 now=.*', '', text)
    if event.name.startswith('its_') or event.name == 'kvm_msi_set_irq':
        return f'{event.name} {re.sub(r"^[(].*?[)] ?", "", text)}'.strip()
    if event.name.startswith('mtty_'):
        return f'{event.name.removeprefix("mtty_")} {text}'
    return f'{event.name} {text}'.strip()


def read_trace(file):
    """Of a QEMU: (seconds, name, text), without the name of the one device."""
    for raw in file:
        # Since QEMU 11 it is a date, before that it was the process and seconds.
        found = re.match(r'(?:\d+@([\d.]+):|(\S+)Z )(\w+) +(?:\([0-9a-f-]+\) ?)?(.*)',
                         raw.decode())
        if found:
            seconds, date, name, text = found.groups()
            if date:
                when = datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
                seconds = when.timestamp()
            yield float(seconds), name, text


def read_events(file):
    """Of the driver and of KVM: (seconds, device or None, name, text)."""
    for raw in file:
        when, name, uuid, *text = raw.decode().split()
        if name.startswith('mtty_'):
            yield float(when), uuid, name, ' '.join(text)
        elif name.startswith('its_') or name == 'kvm_msi_set_irq':
            yield float(when), None, name, ' '.join([uuid, *text])


def migrations(report):
    """All that the report has, as they went."""
    for member in report.getnames():
        directory, name = os.path.split(member)
        if name != 'migrations.txt':
            continue
        events = list(read_events(report.extractfile(f'{directory}/events.txt')))
        traces = {}
        for line in report.extractfile(member).read().decode().splitlines():
            case, here, card, there, other = line.split()
            for hop in (here, there):
                if hop not in traces:
                    traces[hop] = list(read_trace(report.extractfile(f'{directory}/{hop}.trace')))
            program = os.path.normpath(directory).replace('/', '-')
            yield Migration(f'{program}-{case}',
                            (traces[here], traces[there]), events, (card, other))


def main():
    """Reads one report."""
    path, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    for old in os.listdir(out):
        if old.endswith(('.txt', '.svg')):
            os.unlink(os.path.join(out, old))
    print(f'who did what when, as lists and pictures, is in {out}; the guest stood still for')
    with tarfile.open(path) as report:
        for migration in migrations(report):
            name = os.path.join(out, migration.name)
            with open(f'{name}.txt', 'w', encoding='utf-8') as text:
                migration.write(text)
            with open(f'{name}.svg', 'w', encoding='utf-8') as picture:
                picture.write(draw(migration))
            print(f'{migration.still():8.0f} ms  {migration.name}')


if __name__ == '__main__':
    main()
