#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""List and draw the steps of each migration in a run with QEMU.

The report has the trace of each QEMU and the events of the driver, on one clock (the
cases in qemu/ write it). Each migration gets a list of steps and a picture; the downtime
of each is printed. A program that was killed or has failed leaves parts out: they are named, and
the rest is used.

Usage: timeline.py REPORT.tar DIR
  DIR  gets PROGRAM-CASE.txt and PROGRAM-CASE.svg; a case that has migrated before, or is
       repeated, gets PROGRAM-CASE-2 and so on
"""

import os
import re
import sys
import tarfile
from collections import Counter
from datetime import datetime, timezone

import picture

# Frequent events: they are added up until another kind of event follows.
BULK = {
    'vfio_save_block': 'sends blocks of device data',
    'vfio_load_state_device_data': 'loads blocks of device data',
    'mtty_signal': 'signals interrupts',
    'mtty_data read': 'data are read',
    'mtty_data write': 'data are written',
}

# Events that the picture shows, by the names of picture.EVENTS
SHOWN = {'mtty_data': 'data', 'mtty_config': 'config', 'mtty_set_irqs': 'SET_IRQS',
         'mtty_signal': 'interrupt', 'kvm_msi_set_irq': 'message taken',
         'its_restored': 'ITS restored'}
# Drawn as a short thick mark, to be seen among many others
SHORT = 'interrupt'

# Events that another event describes better
REDUNDANT = ('vfio_save_iterate', 'vfio_load_state', 'vfio_intx_enable_kvm',
             'vfio_intx_disable_kvm', 'vfio_migration_set_state',
             'vfio_migration_set_device_state', 'vfio_vmstate_change',
             'vfio_vmstate_change_prepare', 'vfio_migration_state_notifier',
             'vfio_save_block_precopy_empty_hit', 'runstate_set', 'vfio_load_setup')


class Event:
    """One step of an actor."""

    def __init__(self, when, actor, name, text):
        self.when = when
        self.actor = actor
        self.name = name
        self.text = text

    def bulk(self):
        """Its key in BULK, or None."""
        if self.name == 'mtty_data':
            return f'mtty_data {self.text.split()[0]}'
        return self.name if self.name in BULK else None

    def size(self):
        """Bytes of device data."""
        found = re.search(r'(?:size|ret=) ?(\d+)', self.text)
        return int(found.group(1)) if found else 0


class Migration:
    """The events of one migration."""

    ACTORS = ('source QEMU', 'source card', 'destination card', 'destination QEMU',
           "guest's irqchip")

    def __init__(self, name, traces, events, cards):
        self.name = name
        self.events = [Event(when, self.ACTORS[0], *step) for when, *step in traces[0]]
        self.events += [Event(when, self.ACTORS[3], *step) for when, *step in traces[1]]
        for when, uuid, *step in events:
            if uuid in cards or not uuid:
                actor = self.ACTORS[1 + cards.index(uuid) if uuid else 4]
                self.events.append(Event(when, actor, *step))
        self.events.sort(key=lambda event: event.when)
        begin = self.when(self.ACTORS[0], 'migrate_set_state', 'new state setup', last=True)
        incoming = self.when(self.ACTORS[3], 'migrate_set_state', 'new state setup')
        self.stops = self.when(self.ACTORS[0], 'vm_state_notify', 'running 0', last=True)
        self.runs = self.when(self.ACTORS[3], 'vm_state_notify', 'running 1')
        self.begins = min(filter(None, (begin, incoming, self.stops)), default=0)
        closed = self.when(self.ACTORS[1], 'mtty_close', '', after=self.stops)
        self.ends = max(self.runs, closed)
        # The cards have other users before and after. If the guest was stopped long before,
        # the second panel begins with STOP_COPY.
        self.copies = next((event.when for event in self.events if event.actor == self.ACTORS[1] and
                            self.stops < begin < event.when and
                            '-> STOP_COPY' in event.text), 0)
        self.events = [event for event in self.events
                       if self.begins <= event.when <= self.ends + 0.01]

    def lacks(self):
        """What is missing in the traces, or None: without it there is no downtime."""
        if not self.stops:
            return 'the trace of the source does not show that the guest stopped'
        if not self.runs:
            return 'the trace of the destination does not show that the guest ran'
        return None

    def when(self, actor, name, text, last=False, after=0):
        """Time of the first such event, or of the last; 0 if there is none."""
        found = [event.when for event in self.events if event.when > after and
                 event.actor == actor and event.name == name and event.text.startswith(text)]
        return found[-1 if last else 0] if found else 0

    def downtime(self):
        """In ms. Through a file it includes the wait of the test between both QEMUs."""
        return (self.runs - self.stops) * 1000

    def steps(self):
        """(when, actor, text), frequent events added up."""
        pending = {}
        for event in self.events:
            kind = event.bulk()
            if kind:
                pending.setdefault((event.actor, kind), []).append(event)
                continue
            if event.name.startswith('vfio_state_pending') or event.name in REDUNDANT:
                continue
            for key in [key for key in pending if key[0] == event.actor]:
                yield self.sum(key[1], pending.pop(key))
            yield event.when, event.actor, describe(event)
        for (_, kind), events in pending.items():
            yield self.sum(kind, events)

    @staticmethod
    def sum(kind, events):
        """One step for many events, at the time of the last."""
        text = BULK[kind] + (f', {len(events)} times' if len(events) > 1 else ', once')
        size = sum(event.size() for event in events)
        if size:
            text += f', {size} bytes'
        if len(events) > 1:
            text += f', in {(events[-1].when - events[0].when) * 1000:.0f} ms'
        return events[-1].when, events[0].actor, text

    def write(self, out):
        """Write the list; the text of each actor begins in another column."""
        print(f'{self.name}: the guest stood still for {self.downtime():.0f} ms, '
              f'from {(self.stops - self.begins) * 1000:.1f} to '
              f'{(self.runs - self.begins) * 1000:.1f}', file=out)
        print(f'\n{"ms":>9}  {"actor":<16}  step', file=out)
        for when, actor, text in sorted(self.steps()):
            margin = 4 * self.ACTORS.index(actor)
            print(f'{(when - self.begins) * 1000:9.1f}  {actor:<16}  {"":<{margin}}{text}',
                  file=out)


def shown_as(event):
    """Its name in picture.EVENTS, or None."""
    if event.name == 'its_inject':
        return 'message refused' if 'ret=-' in event.text else 'message taken'
    return SHOWN.get(event.name)


def states_of(migration):
    """For each actor (when, state), in order."""
    states = {actor: [] for actor in migration.ACTORS}
    for event in migration.events:
        found = states[event.actor]
        first = state = None
        if event.name == 'mtty_state':
            first, state = re.match(r'(\w+) -> .* now=(\w+)', event.text).groups()
        elif event.name == 'vm_state_notify':
            first = 'guest runs' if event.actor == migration.ACTORS[0] else 'waits'
            state = 'guest runs' if 'running 1' in event.text else 'stopped'
        elif event.name in ('mtty_close', 'mtty_reset') and found:
            state = 'closed' if event.name == 'mtty_close' else 'RUNNING'
        if first and not found:
            found.append((migration.begins, first))
        if state:
            found.append((event.when, state))
    return states


def panel(states, marks, title, begin, end, keys=()):
    """gnuplot's commands: a row of states for each actor, its events on them."""
    end = max(end, begin + 1e-6)
    width = end - begin
    boxes, labels = [], []
    for y, (_, steps) in enumerate(states):
        for (when, state), (until, _) in zip(steps, [*steps[1:], (end, '')]):
            left, right = max(when, begin) - begin, min(until, end) - begin
            if left >= right:
                continue
            boxes.append([f'{1000 * x:.3f}' for x in ((left + right) / 2, left, right)] +
                         [y, y - 0.4, y + 0.4, picture.STATES[state]])
            if (right - left) / width * 780 > 8 * len(state):
                labels.append((f'{1000 * left:.3f}', y, picture.quoted(state)))
    plots = ['$boxes using 1:4:2:3:5:6:7 with boxxyerror lc rgb variable notitle']
    if labels:
        plots.append('$labels with labels left offset 0.5,0 notitle')
    commands = picture.block('boxes', boxes) + picture.block('labels', labels)
    for i, (name, places) in enumerate(marks.items()):
        rows = [(f'{1000 * (when - begin):.3f}', y) for when, y in places if begin <= when <= end]
        style = '($2+0.25):(0):(0.3) with vectors nohead lw 6' if name == SHORT else \
            '($2-0.5):(0):(1) with vectors nohead lw 1'
        if rows:
            commands += picture.block(f'marks{i}', rows)
            plots.append(f'$marks{i} using 1:{style} lc rgb {picture.EVENTS[name]} notitle')
    names = ', '.join(f'{picture.quoted(actor)} {y}' for y, (actor, _) in enumerate(states))
    return commands + [f'set title {picture.quoted(title)} offset 0,-0.8', f'set ytics ({names})',
                       f'set xrange [0:{1000 * width:.3f}]', 'plot ' + ', '.join([*plots, *keys])]


def legend(states, marks):
    """Parts of a plot command that name the colours in use."""
    used = {state for _, steps in states for _, state in steps}
    keys = [f'keyentry with boxes lc rgb {colour} title {picture.quoted(state)}'
            for state, colour in picture.STATES.items() if state in used]
    keys += [f'keyentry with lines lw {6 if name == SHORT else 2} '
             f'lc rgb {picture.EVENTS[name]} title {picture.quoted(name)}' for name in marks]
    return keys


def draw(migration, path):
    """Draw the whole migration, and its downtime larger."""
    marks = {}
    for name in picture.EVENTS:
        places = [(event.when, migration.ACTORS.index(event.actor))
                  for event in migration.events if shown_as(event) == name]
        if places:
            marks[name] = places
    states = list(states_of(migration).items())
    while not states[-1][1] and not any(y == len(states) - 1 for places in marks.values()
                                        for _, y in places):
        states.pop()
    begin = max(migration.stops, migration.copies)
    margin = (migration.runs - begin) * 0.1
    title = f'{migration.name}: the guest stood still for {migration.downtime():.0f} ms'
    commands = [f'set multiplot title {picture.quoted(title)}',
                f'set yrange [{len(states) - 0.4}:-0.6]', 'set ytics scale 0',
                'set xtics out nomirror scale 0.5',
                'set lmargin 18', 'set rmargin 5', 'set format x "%g ms"',
                'set key at screen 0.5,0.17 center top vertical maxrows 4',
                'set tmargin at screen 0.86', 'set bmargin at screen 0.62']
    commands += panel(states, marks, 'All of it', migration.begins, migration.ends)
    commands += ['set tmargin at screen 0.5', 'set bmargin at screen 0.26']
    commands += panel(states, marks, 'While the guest stood still' if begin == migration.stops
                      else 'From STOP_COPY on', begin - margin, migration.runs + margin,
                      legend(states, marks))
    picture.draw(path, 960, 520, commands)


def describe(event):
    """The text of a step."""
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


def read_trace(lines):
    """Events of a QEMU: (seconds, name, text), without the name of the device."""
    for line in lines:
        # QEMU 11 prints a date, older ones the process and seconds.
        found = re.match(r'(?:\d+@([\d.]+):|(\S+)Z )(\w+) +(?:\([0-9a-f-]+\) ?)?(.*)', line)
        if found:
            seconds, date, name, text = found.groups()
            if date:
                when = datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
                seconds = when.timestamp()
            yield float(seconds), name, text


def read_events(lines):
    """Events of the driver and of KVM: (seconds, device or None, name, text)."""
    for line in lines:
        when, name, uuid, *text = line.split()
        if name.startswith('mtty_'):
            yield float(when), uuid, name, ' '.join(text)
        elif name.startswith('its_') or name == 'kvm_msi_set_irq':
            yield float(when), None, name, ' '.join([uuid, *text])


class Directory:
    """The files of a program, or of a part of it."""

    def __init__(self, report, path):
        self.report = report
        self.path = path
        self.name = os.path.normpath(path).replace('/', '-')
        self.names = Counter()
        self.traces = {}

    def lines(self, name):
        """The lines of a file; none if it is missing, which is printed."""
        try:
            file = self.report.extractfile(f'{self.path}/{name}')
        except KeyError:
            print(f'{self.name} has no {name}: was the program killed?')
            return []
        return file.read().decode(errors='replace').splitlines()

    def trace(self, vmm):
        """The trace of a QEMU."""
        if vmm not in self.traces:
            self.traces[vmm] = list(read_trace(self.lines(f'{vmm}.trace')))
        return self.traces[vmm]

    def unique(self, case):
        """The name of the next migration of a case."""
        self.names[case] += 1
        number = f'-{self.names[case]}' if self.names[case] > 1 else ''
        return f'{self.name}-{case}{number}'

    def migrations(self):
        """The migrations, in order."""
        events = list(read_events(self.lines('events.txt')))
        for line in self.lines('migrations.txt'):
            case, here, card, there, other = line.split()
            yield Migration(self.unique(case), (self.trace(here), self.trace(there)), events,
                            (card, other))


def migrations(report):
    """The migrations of a report, in order."""
    for member in report.getnames():
        path, name = os.path.split(member)
        if name == 'migrations.txt':
            yield from Directory(report, path).migrations()


def main():
    """Read one report."""
    path, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    for old in os.listdir(out):
        if old.endswith(('.txt', '.svg')):
            os.unlink(os.path.join(out, old))
    drawing = picture.available()
    print(f'the steps of each migration are in {out}; the guest stood still for')
    with tarfile.open(path) as report:
        for migration in migrations(report):
            lacks = migration.lacks()
            if lacks:
                print(f'       ?     {migration.name}: {lacks}')
                continue
            name = os.path.join(out, migration.name)
            with open(f'{name}.txt', 'w', encoding='utf-8') as text:
                migration.write(text)
            if drawing:
                draw(migration, f'{name}.svg')
            print(f'{migration.downtime():8.0f} ms  {migration.name}')


if __name__ == '__main__':
    main()
