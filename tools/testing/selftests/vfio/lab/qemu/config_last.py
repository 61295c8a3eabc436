#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""QEMU loads config space after all iterated data.

This is its default on arm64, because of the interrupt controller, and needs multifd. Both
sides need the option, or the destination waits without end.
"""

from lib.cases import Program
from lib.guest_run import Way


def after_the_device(guest_run):
    """Config space is loaded last"""
    guest_run.migrate(Way(('multifd',)))
    assert guest_run.vmm.has_traced('vfio_load_bufs_thread_start')


def and_back(guest_run):
    """With the acknowledgement of the destination (switchover-ack)"""
    guest_run.migrate(Way(('multifd', 'return-path', 'switchover-ack')))


if __name__ == '__main__':
    Program([after_the_device, and_back],
            options={'x-migration-load-config-after-iter': 'on'}).run()
