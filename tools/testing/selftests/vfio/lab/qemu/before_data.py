#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "before-data": QEMU does not ask, so the card cannot go; does anybody suffer?"""

from lib.cases import Program
from lib.lab import Way
from lib.qemu import MigrationError


def refused(guest_run, way):
    """The destination's driver says EPROTO, its QEMU says so and ends."""
    there = guest_run.destination(way)
    there.qmp.run('migrate-incoming', uri=way.uri())
    guest_run.vmm.failed = there.expected = True
    guest_run.send(way)
    try:
        guest_run.vmm.wait_migration('none')
    except MigrationError as error:
        assert 'failed' in str(error), error
    there.process.wait(60)
    said = '\n'.join(there.all_said())
    assert there.process.returncode == 1, said
    assert 'Protocol error' in said or 'error -71' in said, said
    assert guest_run.vmm.status() == 'running'
    guest_run.well()


def a_clear_error(guest_run):
    """And the source's guest runs on"""
    refused(guest_run, Way())


def with_multifd_as_well(guest_run):
    """In a thread of its own"""
    refused(guest_run, Way(('multifd',)))


if __name__ == '__main__':
    Program([a_clear_error, with_multifd_as_well],
            config_policy='before-data').run()
