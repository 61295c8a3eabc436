# SPDX-License-Identifier: GPL-2.0
"""Migrations of QEMU, from the events that make check-vmm has kept: states of both sides"""

import contextlib
import io
import tarfile

import timeline

from . import demo, drawing, results
from .markup import Section, details, element, join, missing, preformatted, table

TITLE = 'A migration'
COMMAND = 'make check-vmm'

# Those that are drawn, if they are there: the first is shown at once.
DRAWN = {
    'before_data-there': 'config space before data',
    'independent-there': 'pre-copy, with all defaults',
    'early_irq-nothing-1': 'a card that signals early: the interrupt is lost',
    'early_irq-order-1': 'the same card, config space after the interrupt controller',
    'msi-plain': 'MSI',
}


def read(found):
    """(build, migrations, notes) of each report"""
    for build, path in found.find('check-vmm.tar'):
        notes = io.StringIO()
        with contextlib.redirect_stdout(notes), tarfile.open(path) as report:
            yield build, path, list(timeline.migrations(report)), notes.getvalue().splitlines()


def steps(migration):
    """The list of steps"""
    text = io.StringIO()
    migration.write(text)
    return preformatted(text.getvalue().rstrip().split('\n'))


def drawn(migration, is_open):
    """A picture and a list"""
    about = DRAWN.get(migration.name, 'as it was recorded')
    return details(f'{migration.name}: {about}',
                   drawing.figure(lambda path: timeline.draw(migration, path),
                                  f'Timeline of {migration.name}'),
                   details('all steps', steps(migration)), is_open=is_open)


def one_report(build, path, migrations, notes):
    """The part of one run of make check-vmm"""
    whole = [migration for migration in migrations if not migration.lacks()]
    chosen = [migration for name in DRAWN for migration in whole if migration.name == name]
    chosen = chosen or whole[:1]
    notes += [f'{migration.name}: {migration.lacks()}' for migration in migrations
              if migration.lacks()]
    rows = [(migration.name, f'{migration.downtime():.0f} ms') for migration in whole]
    return join(
        element('h3', f'QEMU, {build}'), element('p', results.date_of(path), kind='date'),
        details('Parts that are missing', preformatted(notes), is_open=True) if notes else '',
        *(drawn(migration, not number) for number, migration in enumerate(chosen)),
        details(f'How long the guest stood still in {len(whole)} migrations',
                table(('Migration', 'Downtime'), rows, (1,))))


def make(found):
    """The section"""
    reports = found.migrations
    parts = [one_report(*report) for report in reports]
    if not parts:
        parts.append(missing('No migration of QEMU was recorded.', COMMAND))
    steps_of_demo = demo.make(found)
    count = sum(len(migrations) for _, _, migrations, _ in reports)
    lines = [f'migrations of QEMU: {count}'] if count else []
    lines += ['the steps of a demo'] if list(found.find('log', 'demo.txt')) else []
    return Section('good' if lines else 'none', ', '.join(lines) or 'not run',
                   join(*parts, steps_of_demo))
