#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Copy the output of a VM, and end the VM if its journal does not grow.

boot.sh ends the VM when this program, the reader of its output, exits.

Usage: watch.py JOURNAL SECONDS
"""

import os
import select
import sys
import time


def size_of(path):
    """The size of a file that may not exist yet"""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def main():
    """Returns 0 at the end of the output, 1 if the VM hangs."""
    path, limit = sys.argv[1], float(sys.argv[2])
    size = size_of(path)
    changed = time.monotonic()
    while True:
        if select.select([0], [], [], min(1, limit / 4))[0]:
            data = os.read(0, 1 << 16)
            if not data:
                return 0
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if size_of(path) != size:
            size = size_of(path)
            changed = time.monotonic()
        if time.monotonic() - changed > limit:
            print(f'error: no result for {limit:g} s', file=sys.stderr)
            return 1


if __name__ == '__main__':
    sys.exit(main())
