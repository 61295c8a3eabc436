#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A migration that comes to no end: does the guest run on where it was, and lose nothing?"""

import time

from lib.cases import Program
from lib.lab import Way
from lib.qemu import MigrationError

# So narrow that there is time to do harm.
NARROW = {'max_bandwidth': 4 << 20}


def half_way(guest_run):
    """Begins to migrate, and returns where to when some of the card's data are there."""
    there = guest_run.destination(Way(**NARROW))
    there.qmp.run('migrate-incoming', uri=Way().uri())
    guest_run.send(Way(**NARROW))
    guest_run.vmm.wait_migration('active')
    while guest_run.vmm.migration()['ram']['transferred'] < 1 << 20:
        time.sleep(0.02)
    return there


def fails(guest_run, there):
    """Waits until the source has given up; the text is what it says. Its guest runs on."""
    guest_run.vmm.failed = there.expected = True
    try:
        guest_run.vmm.wait_migration('none')
    except MigrationError as error:
        assert guest_run.vmm.status() == 'running'
        guest_run.well()
        return str(error)
    raise AssertionError('it did not fail')


def cancelled_half_way(guest_run):
    """The guest runs on, on the source"""
    there = half_way(guest_run)
    guest_run.vmm.qmp.run('migrate_cancel')
    assert 'cancelled' in fails(guest_run, there)
    there.kill()


def and_tried_again(guest_run):
    """What was cancelled can be done"""
    guest_run.migrate(Way())


def destination_is_killed_half_way(guest_run):
    """The source notices, and the guest runs on"""
    there = half_way(guest_run)
    there.kill()
    assert 'failed' in fails(guest_run, there)


def and_done_after_all(guest_run):
    """To the card that had got half of it"""
    guest_run.migrate(Way())


def destination_of_another_kind(guest_run):
    """Refused by the destination's driver; the guest runs on"""
    other = guest_run.spare(capture_size=8192)
    there = guest_run.destination(Way(), card=other)
    there.qmp.run('migrate-incoming', uri=Way().uri())
    guest_run.send(Way())
    assert 'failed' in fails(guest_run, there)
    there.process.wait(30)
    said = '\n'.join(there.all_said())
    assert 'Invalid cross-device link' in said, said


if __name__ == '__main__':
    Program([
        cancelled_half_way, and_tried_again, destination_is_killed_half_way,
        and_done_after_all, destination_of_another_kind,
    ]).run()
