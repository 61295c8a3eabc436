#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does it matter when QEMU loads config space: here behind all that is iterated?

That is its default on arm64, for the interrupt controller's sake, and it is possible
with multifd only. Both sides have to be told, or the destination waits for ever.
"""

from lib.cases import Program
from lib.lab import Way


def after_the_device(guest_run):
    """Config space is the last thing that comes"""
    guest_run.migrate(Way(('multifd',)))
    assert guest_run.vmm.has_traced('vfio_load_bufs_thread_start')


def and_back(guest_run):
    """With the acknowledgement of the destination, too"""
    guest_run.migrate(Way(('multifd', 'return-path', 'switchover-ack')))


if __name__ == '__main__':
    Program([after_the_device, and_back],
            options={'x-migration-load-config-after-iter': 'on'}).run()
