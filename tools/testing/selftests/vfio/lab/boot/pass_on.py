#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Copies standard input to standard output, and ends when nobody reads that any more.

cat would notice this only when it has something to write: a command that is silent
would keep the VM busy until the time limit. The exit status is then 141, that of a
program that SIGPIPE has ended.

Usage: pass_on.py
"""

import os
import select
import signal
import sys

NO_READER = 128 + signal.SIGPIPE
CHUNK = 1 << 16


def write_all(data):
    """Writes all of it; a pipe takes what it has room for."""
    while data:
        data = data[os.write(1, data):]


def main():
    """Returns the exit status."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    # Without an event to wait for, errors alone are reported.
    poll.register(1, 0)
    try:
        while True:
            events = dict(poll.poll())
            if 1 in events:
                return NO_READER
            if 0 in events:
                data = os.read(0, CHUNK)
                if not data:
                    return 0
                write_all(data)
    except BrokenPipeError:
        return NO_READER


if __name__ == '__main__':
    sys.exit(main())
