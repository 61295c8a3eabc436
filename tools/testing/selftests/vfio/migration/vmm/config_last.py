#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does it matter when QEMU loads config space: here behind all that is iterated?

That is its default on arm64, for the interrupt controller's sake, and it is possible
with multifd only. Both sides have to be told, or the destination waits for ever.
"""

from lib.cases import Program
from lib.lab import Way


def after_the_device(journey):
    """Config space is the last thing that comes"""
    journey.migrate(Way(('multifd',)))
    assert journey.vmm.has_traced('vfio_load_bufs_thread_start')


def and_back(journey):
    """With the acknowledgement of the destination, too"""
    journey.migrate(Way(('multifd', 'return-path', 'switchover-ack')))


if __name__ == '__main__':
    Program([after_the_device, and_back],
            options={'x-migration-load-config-after-iter': 'on'}).run()
