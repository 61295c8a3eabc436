#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "before-data": QEMU does not know the query, so the migration must fail cleanly."""

from lib.cases import Program
from lib.guest_run import Way
from lib.qemu import MigrationError


def refused(guest_run, way):
    """The destination's driver returns EPROTO; its QEMU reports the error and exits."""
    there = guest_run.destination(way)
    there.qmp.run('migrate-incoming', uri=way.uri())
    guest_run.vmm.failed = there.expected = True
    guest_run.send(way)
    try:
        guest_run.vmm.wait_migration('none')
    except MigrationError as error:
        assert 'failed' in str(error), error
    there.process.wait(60)
    output = '\n'.join(there.messages())
    assert there.process.returncode == 1, output
    assert 'Protocol error' in output or 'error -71' in output, output
    assert guest_run.vmm.status() == 'running'
    guest_run.check_progress()


def a_clear_error(guest_run):
    """The guest continues on the source"""
    refused(guest_run, Way())


def with_multifd_as_well(guest_run):
    """The same with multifd"""
    refused(guest_run, Way(('multifd',)))


if __name__ == '__main__':
    Program([a_clear_error, with_multifd_as_well],
            config_policy='before-data').run()
