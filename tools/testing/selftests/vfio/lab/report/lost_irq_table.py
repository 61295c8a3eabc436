#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the table of the lost interrupt for Documentation, from the output of tests.

irq_defect_test, qemu/early_irq.py and qemu/series_irq.py print "cure NAME: sent N, arrived N, again N, delay
N us" for each way to keep the interrupt.

Usage: lost_irq_table.py LABEL=FILE.ktap...
"""

import re
import sys

CURES = ('nothing', 'order', 'order, without multifd', 'subflag', 'driver')
# The tests with QEMU measure MSI, and INTx apart.
INTX = '; INTx'
LINE = re.compile(r'cure ([A-Za-z,; ]+): sent (-?\d+), arrived (\d+), again (\d+), delay (\d+) us')
COLUMNS = ('where', 'cure', 'sent', 'arrived', 'arrived twice', 'delay')


def read(path):
    """Numbers of each cure; of irq_defect_test only those with KVM's interrupt controller."""
    found = {}
    kvm = True
    with open(path, encoding='utf-8', errors='replace') as ktap:
        for line in ktap:
            run = re.match(r'#\s+RUN\s+irq_defect\.(\w+)', line)
            if run:
                kvm = run.group(1).startswith('kvm_')
            match = LINE.search(line)
            if match and kvm:
                cure, *numbers = match.groups()
                found.setdefault(cure, []).append([int(number) for number in numbers])
    return found


def rows(label, found):
    """Rows of one run, for the cures that it has measured."""
    for cure in CURES + tuple(cure + INTX for cure in CURES):
        runs = found.get(cure)
        if not runs:
            continue
        sent, arrived, again = (sum(run[i] for run in runs) for i in range(3))
        delays = sorted(run[3] for run in runs)
        if not arrived:
            delay = 'never came'
        elif not delays[-1]:
            delay = 'none'
        else:
            delay = f'at most {delays[-1] / 1000:.2f} ms'
        yield label, cure, str(sent), str(arrived), str(again), delay


def main():
    """Print the table."""
    table = [COLUMNS]
    for word in sys.argv[1:]:
        label, path = word.split('=', 1)
        table += rows(label, read(path))
    if len(table) == 1:
        sys.exit('error: no measurement in these files')
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    rule = '  '.join('=' * width for width in widths)
    print(rule)
    for i, row in enumerate(table):
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if i == 0:
            print(rule)
    print(rule)


if __name__ == '__main__':
    main()
