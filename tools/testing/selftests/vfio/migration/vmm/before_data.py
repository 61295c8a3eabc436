#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "before-data": QEMU does not ask, so the card cannot go; does anybody suffer?"""

from lib.cases import Program
from lib.lab import Way
from lib.qemu import MigrationError


def refused(journey, way):
    """The destination's driver says EPROTO, its QEMU says so and ends."""
    there = journey.destination(way)
    there.qmp.run('migrate-incoming', uri=way.uri())
    journey.vmm.failed = there.expected = True
    journey.send(way)
    try:
        journey.vmm.wait_migration('none')
    except MigrationError as error:
        assert 'failed' in str(error), error
    there.process.wait(60)
    said = '\n'.join(there.all_said())
    assert there.process.returncode == 1, said
    assert 'Protocol error' in said or 'error -71' in said, said
    assert journey.vmm.status() == 'running'
    journey.well()


def a_clear_error(journey):
    """And the source's guest runs on"""
    refused(journey, Way())


def with_multifd_as_well(journey):
    """In a thread of its own"""
    refused(journey, Way(('multifd',)))


if __name__ == '__main__':
    Program([a_clear_error, with_multifd_as_well],
            config_policy='before-data').run()
