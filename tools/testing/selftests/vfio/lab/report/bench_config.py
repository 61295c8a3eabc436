#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print a table of the output of bench_config.sh.

A row is a policy of the device and a mode of the VMM. Numbers are medians. Downtime is
from the stop of the source to the start of the destination, with minimum and maximum, and
as a ratio to the same policy with "always". It is a failure if a guest lost bytes, or if a
VMM that asks the driver sent the same config space twice.

Usage: bench_config.py FILE     FILE gets the migrations as JSON
"""

import json
import statistics
import sys

from table import print_table

HEAD = ('GUEST', 'POLICY', 'VMM', 'SECTIONS', 'REPEATS', 'BYTES', 'WRITES',
        'SET_IRQS', 'DOWNTIME ms', 'MIN..MAX', 'vs always')


def progress(count):
    """Show the number of migrations on a terminal; 0 ends the line."""
    if sys.stderr.isatty():
        print(f'\r{count} migrations' if count else '',
              end='' if count else '\n', file=sys.stderr)


def downtime(run):
    """In milliseconds; both sides have the same clock."""
    return (run['load']['running_ns'] - run['save']['stopped_ns']) / 1e6


def median(runs, side, field):
    """Median of a number in the reports."""
    return statistics.median(run[side][field] for run in runs)


def row(key, runs, always):
    """The cells of a row."""
    times = [downtime(run) for run in runs]
    ratio = statistics.median(times) / statistics.median(map(downtime, always))
    return key + tuple(f'{median(runs, side, field):g}' for side, field in (
        ('save', 'config_sections'), ('save', 'config_repeats'),
        ('save', 'config_bytes'), ('load', 'config_writes'),
        ('load', 'set_irqs'))) + (
            f'{statistics.median(times):.1f}',
            f'{min(times):.1f}..{max(times):.1f}', f'{ratio:.2f}')


def check(groups):
    """Return the errors."""
    errors = []
    for (guest, policy, vmm), runs in groups.items():
        name = f'{policy}, {vmm}, {guest}'
        if vmm == 'auto' and any(run['save']['config_repeats'] for run in runs):
            errors.append(f'{name}: the same config space was sent twice')
        if any(run['load']['guest']['lost'] for run in runs):
            errors.append(f'{name}: bytes were lost')
    return errors


def main():
    """Read standard input to its end."""
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
        print('error: no migration was measured')
        return 1
    print('\n'.join(about))
    rows = [HEAD]
    for key in sorted(groups, key=lambda key: key[0], reverse=True):
        always = groups.get(key[:2] + ('always',), groups[key])
        rows.append(row(key, groups[key], always))
    print_table(rows, (0, 1, 2))
    with open(sys.argv[1], 'w', encoding='utf-8') as out:
        json.dump({'about': about, 'migrations': runs}, out, indent=1)
    errors = check(groups)
    for error in errors:
        print('error:', error)
    if not errors:
        print('a VMM that asks the driver sent no config space twice; 0 bytes lost')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
