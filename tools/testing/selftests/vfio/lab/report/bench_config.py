#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a table of what bench_config.sh prints.

A row is a policy and a way of the VMM. Numbers are medians; downtime is from
the stop of the source to the start of the destination, with its smallest and
largest value, and as a ratio to the same policy under "always". Fails if a
migration failed, if the guest lost anything, or if a VMM that asks the driver
sent config space that it had sent already.

Usage: bench_config.py FILE     FILE gets the migrations as JSON
"""

import json
import statistics
import sys

HEAD = ('GUEST', 'POLICY', 'VMM', 'SECTIONS', 'REPEATS', 'BYTES', 'WRITES',
        'SET_IRQS', 'DOWNTIME ms', 'MIN..MAX', 'vs always')


def progress(count):
    """Something to look at meanwhile; 0 ends it."""
    if sys.stderr.isatty():
        print(f'\r{count} migrations' if count else '',
              end='' if count else '\n', file=sys.stderr)


def downtime(run):
    """In milliseconds; both ends have the same clock."""
    return (run['load']['running_ns'] - run['save']['stopped_ns']) / 1e6


def median(runs, side, field):
    """Of a number in the reports."""
    return statistics.median(run[side][field] for run in runs)


def row(key, runs, always):
    """One line of the table."""
    times = [downtime(run) for run in runs]
    ratio = statistics.median(times) / statistics.median(map(downtime, always))
    return key + tuple(f'{median(runs, side, field):g}' for side, field in (
        ('save', 'config_sections'), ('save', 'config_repeats'),
        ('save', 'config_bytes'), ('load', 'config_writes'),
        ('load', 'set_irqs'))) + (
            f'{statistics.median(times):.1f}',
            f'{min(times):.1f}..{max(times):.1f}', f'{ratio:.2f}')


def print_table(rows):
    """In columns as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for cells in rows:
        print('  '.join(cell.ljust(width) if i < 3 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(cells, widths))))


def judge(groups):
    """What a benchmark must not show."""
    troubles = []
    for (guest, policy, vmm), runs in groups.items():
        name = f'{policy}, {vmm}, {guest}'
        if vmm == 'auto' and any(run['save']['config_repeats'] for run in runs):
            troubles.append(f'{name}: config space was sent for nothing')
        if any(run['load']['guest']['lost'] for run in runs):
            troubles.append(f'{name}: bytes were lost')
    return troubles


def main():
    """Reads standard input to its end."""
    about, runs = [], []
    for line in sys.stdin:
        word, _, rest = line.rstrip('\n').partition(' ')
        if word == 'migration':
            runs.append(json.loads(rest))
            progress(len(runs))
        elif word in ('kernel', 'cpu', 'link'):
            about.append(f'{word}: {rest}')
        else:
            print(line, end='')
    progress(0)

    groups = {}
    for run in runs:
        key = (run['guest'], run['save']['policy'], run['save']['config'])
        groups.setdefault(key, []).append(run)
    if not groups:
        print('error: no migration')
        return 1
    print('\n'.join(about))
    rows = [HEAD]
    for key in sorted(groups, key=lambda key: key[0], reverse=True):
        always = groups.get(key[:2] + ('always',), groups[key])
        rows.append(row(key, groups[key], always))
    print_table(rows)
    with open(sys.argv[1], 'w', encoding='utf-8') as out:
        json.dump({'about': about, 'migrations': runs}, out, indent=1)
    troubles = judge(groups)
    for trouble in troubles:
        print('error:', trouble)
    if not troubles:
        print('a VMM that asks the driver sent no config space twice; 0 bytes lost')
    return 1 if troubles else 0


if __name__ == '__main__':
    sys.exit(main())
