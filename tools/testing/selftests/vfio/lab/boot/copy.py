#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Copy standard input to standard output, and exit when the reader closes it.

cat would notice that only at its next write: the VM would run until the time limit if its
command is silent. The exit status is then 141, as after SIGPIPE.
"""

import os
import select
import signal
import sys

NO_READER = 128 + signal.SIGPIPE
CHUNK = 1 << 16


def write_all(data):
    """Write all data; a write to a pipe may be short."""
    while data:
        data = data[os.write(1, data):]


def main():
    """Return the exit status."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    # No events: only errors are reported.
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
