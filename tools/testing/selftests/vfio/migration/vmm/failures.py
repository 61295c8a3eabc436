#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A migration that comes to no end: does the guest run on where it was, and lose nothing?"""

import time

from lib.cases import Program
from lib.lab import Way
from lib.qemu import MigrationError

# So narrow that there is time to do harm.
NARROW = {'max_bandwidth': 4 << 20}


def half_way(journey):
    """Begins to migrate, and returns where to when some of the card's data are there."""
    there = journey.destination(Way(**NARROW))
    there.qmp.run('migrate-incoming', uri=Way().uri())
    journey.send(Way(**NARROW))
    journey.vmm.wait_migration('active')
    while journey.vmm.migration()['ram']['transferred'] < 1 << 20:
        time.sleep(0.02)
    return there


def fails(journey, there):
    """Waits until the source has given up; the text is what it says. Its guest runs on."""
    journey.vmm.failed = there.expected = True
    try:
        journey.vmm.wait_migration('none')
    except MigrationError as error:
        assert journey.vmm.status() == 'running'
        journey.well()
        return str(error)
    raise AssertionError('it did not fail')


def cancelled_half_way(journey):
    """The guest runs on, on the source"""
    there = half_way(journey)
    journey.vmm.qmp.run('migrate_cancel')
    assert 'cancelled' in fails(journey, there)
    there.kill()


def and_tried_again(journey):
    """What was cancelled can be done"""
    journey.migrate(Way())


def destination_is_killed_half_way(journey):
    """The source notices, and the guest runs on"""
    there = half_way(journey)
    there.kill()
    assert 'failed' in fails(journey, there)


def and_done_after_all(journey):
    """To the card that had got half of it"""
    journey.migrate(Way())


def destination_of_another_kind(journey):
    """Refused by the destination's driver; the guest runs on"""
    other = journey.spare(capture_size=8192)
    there = journey.destination(Way(), card=other)
    there.qmp.run('migrate-incoming', uri=Way().uri())
    journey.send(Way())
    assert 'failed' in fails(journey, there)
    there.process.wait(30)
    said = '\n'.join(there.all_said())
    assert 'Invalid cross-device link' in said, said


if __name__ == '__main__':
    Program([
        cancelled_half_way, and_tried_again, destination_is_killed_half_way,
        and_done_after_all, destination_of_another_kind,
    ]).run()
