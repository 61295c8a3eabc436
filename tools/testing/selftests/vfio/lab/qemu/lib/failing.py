# SPDX-License-Identifier: GPL-2.0
"""Migrations that must fail, with a guest that must continue on the source."""

import time

from .guest_run import Way
from .qemu import MigrationError

# Slow, to leave time for the failure
SLOW = {'max_bandwidth': 4 << 20}


def half_way(guest_run):
    """Begin to migrate; returns the destination when it has some data."""
    there = begin(guest_run, Way(**SLOW))
    guest_run.vmm.wait_migration('active')
    while guest_run.vmm.migration()['ram']['transferred'] < 1 << 20:
        time.sleep(0.02)
    return there


def begin(guest_run, way, **arguments):
    """Begin to migrate; returns the destination. The arguments are those of destination()."""
    guest_run.note_config()
    there = guest_run.destination(way, **arguments)
    there.qmp.run('migrate-incoming', uri=way.uri())
    guest_run.send(way)
    return there


def fails(guest_run, there):
    """Wait until the migration has failed; returns the error. The guest must continue."""
    guest_run.vmm.failed = there.expected = True
    try:
        guest_run.vmm.wait_migration('none')
    except MigrationError as error:
        assert guest_run.vmm.status() == 'running'
        guest_run.check_progress()
        return str(error)
    raise AssertionError('the migration did not fail')


def refused(guest_run, there):
    """The destination ends; returns what it has printed. The guest must continue."""
    assert 'failed' in fails(guest_run, there)
    there.process.wait(30)
    return '\n'.join(there.messages())


def cancelled_half_way(guest_run):
    """The guest continues on the source"""
    there = half_way(guest_run)
    guest_run.vmm.qmp.run('migrate_cancel')
    assert 'cancelled' in fails(guest_run, there)
    there.kill()


def and_tried_again(guest_run):
    """After a cancelled migration another succeeds"""
    guest_run.migrate(Way())


def destination_is_killed_half_way(guest_run):
    """The source notices, and the guest continues"""
    there = half_way(guest_run)
    there.kill()
    assert 'failed' in fails(guest_run, there)


def and_done_after_all(guest_run):
    """To the card that received a part"""
    guest_run.migrate(Way())


def destination_of_another_kind(guest_run):
    """The destination's driver refuses; the guest continues"""
    other = guest_run.add_card(capture_size=8192)
    output = refused(guest_run, begin(guest_run, Way(), card=other))
    assert 'Invalid cross-device link' in output, output


CASES = (cancelled_half_way, and_tried_again, destination_is_killed_half_way,
         and_done_after_all, destination_of_another_kind)
