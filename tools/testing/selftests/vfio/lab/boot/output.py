#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Copy standard input to standard output, and exit when the reader closes it.

cat would notice that only at its next write: the VM would run until the time limit if its
command is silent. The exit status is then 141, as after SIGPIPE.

Usage: output.py [FILE]     FILE gets it, too
"""

import os
import select
import signal
import sys
import threading

NO_READER = 128 + signal.SIGPIPE


def exit_with_reader():
    """Exit when the reader closes standard output."""
    poll = select.poll()
    # No events: only errors are reported.
    poll.register(1, 0)
    poll.poll()
    os._exit(NO_READER)


def run(main):
    """Return the result of main(), or NO_READER; exits without a reader."""
    threading.Thread(target=exit_with_reader, daemon=True).start()
    try:
        return main()
    except BrokenPipeError:
        # Avoid an error of Python, which flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NO_READER


def copy(kept):
    """Copy all of it, at once; a write to a pipe may be short."""
    while data := os.read(0, 1 << 16):
        kept.write(data)
        while data:
            data = data[os.write(1, data):]
    return 0


def main():
    """Copy to standard output, and to the file"""
    with open(sys.argv[1] if len(sys.argv) > 1 else os.devnull, 'wb', buffering=0) as kept:
        return copy(kept)


if __name__ == '__main__':
    sys.exit(run(main))
