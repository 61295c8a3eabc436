#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare the measurements of mig_bench with references and targets.

A sample is two values, mtty's and the reference's, measured one after the other. Numbers
are medians with minimum and maximum; a ratio is the median of the ratios of all samples. A
missed target is not a failure, a missing measurement is.

Usage: bench.py JSON SVG     the files to write
"""

import json
import statistics
import sys

import picture
from downtime import predict
from table import print_table

MEMFD = 'memfd, same buffer'
SMALL = '1 MiB of it'
BEST = 'best of 1 to 256'
KERNEL = "kernel's mtty"
PAGES = 'the pages'
MODEL = 'the model'
# Part of a socket buffer that is payload
IN_FLIGHT = 0.75

# Name, description, unit, reference, whether more is better (None: neither), target of the
# ratio, addition to the target in units of the reference
ROWS = [
    ('save', 'save 64 MiB, read()', 'MiB/s', MEMFD, True, 0.9, 0),
    ('load', 'load 64 MiB, write()', 'MiB/s', MEMFD, True, 0.8, 0),
] + [
    (f'{name}-{k}', f'stop-copy, {k} dirty {where}', 'bytes', PAGES, False,
     1.02, 1024)
    for name, where in (('dirty', 'together'), ('dirty-apart', 'apart'))
    for k in (1, 64, 1024)
] + [
    ('stop-time', 'stop time, 256 MiB idle', 'ns', SMALL, False, 1.3, 0),
    ('info-tracked', 'PRECOPY_INFO, 256 MiB', 'ns', SMALL, False, 1.1, 0),
    ('write-tracked', 'dirtying write, 256 MiB', 'ns', SMALL, False, 1.1, 0),
] + [
    (f'many-{n}', f'{n} saving at once', 'MiB/s', BEST, True, 0.9, 0)
    for n in (1, 2, 4, 16, 64, 256)
] + [
    ('memory-idle', 'charged for 4 MiB written', 'bytes', 'the 4 MiB', False,
     None, 0),
    ('memory-saving', 'charged for saving them', 'bytes', 'the 4 MiB', False,
     0.1, 0),
    ('scale', 'life of each of 1,000', 'us', 'of each of 100', False, 1.1, 0),
    ('scale-migrate', 'migration of each of 1,000', 'us', 'of each of 100',
     False, 1.1, 0),
]
# Over slow links: size of the state, dirty rate of the guest, link in bit/s
ROWS += [
    (name, what, 'ms', MODEL, None, 0.1, 0) for name, what in (
        ('stopped-4M-40M', 'downtime, 4 MiB, 40M, no pre-copy'),
        ('stopped-8M-40M', 'downtime, 8 MiB, 40M, no pre-copy'),
        ('stopped-8M-80M', 'downtime, 8 MiB, 80M, no pre-copy'),
        ('calm-1M/s', 'total, 4 MiB, 1 MiB/s, 40M'),
        ('calm-2M/s', 'total, 4 MiB, 2 MiB/s, 40M'),
        ('calm-3M/s', 'total, 4 MiB, 3 MiB/s, 40M'),
        ('busy-8M-8M/s', 'downtime, 8 MiB, 8 MiB/s, 40M'),
        ('busy-8M-12M/s', 'downtime, 8 MiB, 12 MiB/s, 40M'),
        ('busy-12M-16M/s', 'downtime, 12 MiB, 16 MiB/s, 80M'))
]
# Functions that the kernel's own mtty has, too
ROWS += [('memory', 'memory of a device', 'bytes', KERNEL, False, 2.0, 0)] + [
    (name, what, 'ns', KERNEL, False, 1.0, 0) for name, what in (
        ('arc', 'one state arc'), ('info', 'one PRECOPY_INFO'),
        ('register-read', 'one register read'),
        ('register-write', 'one register write'),
        ('interrupt', 'one interrupt'),
        ('round-trip', 'round trip, no capture'))
]
HEAD = ('WHAT', 'UNIT', 'MTTY', 'MIN..MAX', 'REFERENCE', 'VALUE', 'MIN..MAX',
        'RATIO', 'MIN..MAX', 'TARGET', 'VERDICT')


def number(value):
    """A number with three digits."""
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'


def spread(values, form=number):
    """Minimum and maximum."""
    return f'{form(min(values))}..{form(max(values))}'


def evaluate(definition, samples):
    """Compute a row of the table."""
    name, what, unit, against, more, target, plus = definition
    ours = [sample[0] for sample in samples]
    refs = [sample[1] for sample in samples]
    ratios = [a / b for a, b in samples]
    row = {'row': name, 'what': what, 'unit': unit, 'against': against,
           'ours': ours, 'ref': refs, 'ratios': ratios,
           'ratio': statistics.median(ratios), 'more_is_better': more,
           'target': None, 'met': None, 'missed_by': None, 'sure': None}
    if target is None:
        return row
    limit = target + plus / statistics.median(refs)

    def missed(ratio):
        if more is None:
            return abs(ratio - 1) - limit
        return limit - ratio if more else ratio - limit

    miss = missed(row['ratio'])
    row['target'] = limit
    row['met'] = miss <= 0
    # Is it the same for each sample?
    row['sure'] = all((missed(ratio) <= 0) == row['met'] for ratio in ratios)
    # As a fraction of the target
    row['missed_by'] = max(0, miss / limit)
    return row


def verdict(row):
    """The verdict as text."""
    if row['met'] is None:
        return 'no target'
    text = 'met' if row['met'] else f'missed by {row["missed_by"]:.1%}'
    return text if row['sure'] else text + ', not by all samples'


def cells(row):
    """The cells of a row."""
    def two(value):
        return f'{value:.3f}'

    sign = {True: '>=', False: '<=', None: '1 +-'}[row['more_is_better']]
    return (row['what'], row['unit'], number(statistics.median(row['ours'])),
            spread(row['ours']), row['against'],
            number(statistics.median(row['ref'])), spread(row['ref']),
            two(row['ratio']), spread(row['ratios'], two),
            f'{sign} {two(row["target"])}' if row['target'] else '-',
            verdict(row))


def draw(path, rows, about):
    """Draw a bar for each ratio, its range, and a line for each target."""
    most, step, top = 2.0, 24, 60 + 16 * len(about)
    bars, names, ranges, targets, texts = [], [], [], [], []
    for y, row in enumerate(rows):
        ratio = min(row['ratio'], most)
        bars.append((ratio / 2, y, 0, ratio, y - 0.35, y + 0.35,
                     picture.VERDICTS[row['met']]))
        names.append(f'{picture.quoted(row["what"])} {y}')
        ranges.append((min(min(row['ratios']), most), y,
                       min(max(row['ratios']), most) - min(min(row['ratios']), most)))
        limits = [row['target']] if row['target'] else []
        if limits and row['more_is_better'] is None:
            limits = [1 - limits[0], 1 + limits[0]]
        targets += [(limit, y - 0.45) for limit in limits]
        texts.append((most, y, picture.quoted(f'{row["ratio"]:.2f}: {verdict(row)}')))
    margins = [max(len(row['what']) for row in rows) + 2, max(len(text[2]) for text in texts) + 2]
    width, height = 420 + 7 * sum(margins), top + step * len(rows) + 40
    commands = []
    for name, data in (('bars', bars), ('ranges', ranges), ('targets', targets), ('texts', texts)):
        commands += picture.block(name, data)
    title = '\n'.join(['Ratio to the reference; the line is the target, whiskers are all samples',
                        *about])
    picture.draw(path, width, height, [
        *commands, f'set title {picture.quoted(title)}', 'set tics scale 0',
        f'set ytics ({", ".join(names)})',
        f'set lmargin at screen {7 * margins[0] / width}',
        f'set rmargin at screen {1 - 7 * margins[1] / width}',
        f'set tmargin at screen {1 - top / height}', f'set bmargin at screen {30 / height}',
        f'set yrange [{len(rows) - 0.4}:-0.6]', f'set xrange [0:{most}]', 'unset key',
        'plot $bars using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable, '
        '$ranges using 1:2:3:(0) with vectors nohead lc rgb "black", '
        '$targets using 1:2:(0):(0.9) with vectors nohead lw 2 lc rgb "black", '
        '$texts with labels left offset 1,0'])


def confirm(words):
    """Time of one migration, measured and by the model, in ms."""
    state, dirty, link, precopy, in_flight, total, downtime = map(int, words[2:])
    expected = predict(state, dirty, link, precopy, in_flight * IN_FLIGHT)
    if words[1].startswith('calm'):
        return total / 1e6, expected[0] * 1e3
    return downtime / 1e6, expected[1] * 1e3


def read_samples(stream):
    """Return lines about the machine, and the samples of each row."""
    about, samples, sides = [], {}, {'ours': {}, 'kernel': {}}
    for line in stream:
        words = line.split()
        if words[:1] == ['sample'] and len(words) == 4:
            samples.setdefault(words[1], []).append(
                (float(words[2]), float(words[3])))
        elif words[:1] == ['downtime'] and len(words) == 9:
            samples.setdefault(words[1], []).append(confirm(words))
        elif words[:1] == ['side'] and len(words) == 4:
            sides[words[1]].setdefault(words[2], []).append(float(words[3]))
        elif words and words[0] in ('kernel', 'cpu'):
            about.append(line.strip().replace(' ', ': ', 1))
        else:
            print(line, end='')
    for row, values in sides['ours'].items():
        samples[row] = list(zip(values, sides['kernel'].get(row, [])))
    return about, samples


def host():
    """The CPU of the host."""
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        models = [line.split(':', 1)[1].strip() for line in info
                  if line.startswith('model name')]
    return f'host: {models[0] if models else "unknown"}, {len(models)} of them'


def main():
    """Read standard input to its end."""
    about, samples = read_samples(sys.stdin)
    # An emulated CPU has TCG in its name; KVM shows the host's CPU.
    cpu = ''.join(line for line in about if line.startswith('cpu'))
    about += [f'accelerator: {"tcg" if "TCG" in cpu else "kvm"}' if cpu else
              'accelerator: unknown', host()]
    rows = [evaluate(row, samples[row[0]]) for row in ROWS
            if row[0] in samples]
    missing = [row[0] for row in ROWS if row[0] not in samples]
    print('\n'.join(about))
    if rows:
        print(f'{len(rows[0]["ratios"])} samples of each')
        print_table([HEAD] + [cells(row) for row in rows], (0, 1, 4, 10))
    with open(sys.argv[1], 'w', encoding='utf-8') as out:
        json.dump({'about': about, 'rows': rows}, out, indent=1)
    if rows and picture.available():
        draw(sys.argv[2], rows, about)
    judged = [row for row in rows if row['met'] is not None]
    print(f'{sum(row["met"] for row in judged)} of {len(judged)} targets met')
    if missing:
        print('not measured:', ' '.join(missing))
    return 0 if rows else 1


if __name__ == '__main__':
    sys.exit(main())
