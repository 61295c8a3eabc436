#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Keep how long each test program took, and plan the next run with it.

The longest program begins first, so that the VMs end at about the same time. A program whose
duration is not known counts as an average one.

Usage: durations.py plan FILE MAX_VMS TEST...
         prints the number of VMs, and the programs in the order of their start
       durations.py keep FILE KTAP...
         takes durations from the marks in KTAP, and keeps those of other programs
"""

import os
import re
import sys
import tempfile

# Milliseconds, if no duration is known
DEFAULT = 1000
# It takes some seconds to boot a VM: less work than that is not worth another one.
WORTH_A_VM = 8000
# Statuses of a program that ran to its end
COMPLETE = (0, 1, 4)


def read(path):
    """Return a dictionary from program to milliseconds; lines that are no entry are ignored."""
    known = {}
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            for line in file:
                found = re.fullmatch(r'(\S+) ([0-9]{1,9})\n', line)
                if found:
                    known[found.group(1)] = int(found.group(2))
    except FileNotFoundError:
        pass
    return known


def plan(path, max_vms, *tests):
    """One VM gets the programs in the given order."""
    known = read(path)
    average = sum(known.values()) // len(known) if known else DEFAULT
    expected = [known.get(test, average) for test in tests]
    vms = min(int(max_vms), len(tests), 1 + sum(expected) // WORTH_A_VM)
    if vms > 1:
        tests = [test for _, test in sorted(zip(expected, tests), key=lambda pair: -pair[0])]
    print(vms, *tests, sep='\n')


def measured(paths):
    """Yield program and milliseconds of the "end" marks."""
    for path in paths:
        with open(path, encoding='utf-8', errors='replace') as file:
            for line in file:
                found = re.fullmatch(r'@[0-9a-f]+ end (\S+) ([0-9]+) ([0-9]+)\n', line)
                if found and int(found.group(2)) in COMPLETE:
                    yield found.group(1), int(found.group(3))


def keep(path, *ktaps):
    """Replace the file at once: another run may read it."""
    known = read(path)
    known.update(measured(ktaps))
    file, name = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(file, 'w', encoding='utf-8') as out:
        for test, duration in sorted(known.items()):
            print(test, duration, file=out)
    os.replace(name, path)


if __name__ == '__main__':
    {'plan': plan, 'keep': keep}[sys.argv[1]](*sys.argv[2:])
