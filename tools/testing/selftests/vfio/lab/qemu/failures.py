#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A migration that fails: the guest continues on the source, and loses nothing."""

import time

from lib.cases import Program
from lib.guest_run import Way
from lib.qemu import MigrationError

# Slow, to leave time for the failure
SLOW = {'max_bandwidth': 4 << 20}


def half_way(guest_run):
    """Begin to migrate; returns the destination when it has some data."""
    guest_run.note_config()
    there = guest_run.destination(Way(**SLOW))
    there.qmp.run('migrate-incoming', uri=Way().uri())
    guest_run.send(Way(**SLOW))
    guest_run.vmm.wait_migration('active')
    while guest_run.vmm.migration()['ram']['transferred'] < 1 << 20:
        time.sleep(0.02)
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
    guest_run.note_config()
    other = guest_run.add_card(capture_size=8192)
    there = guest_run.destination(Way(), card=other)
    there.qmp.run('migrate-incoming', uri=Way().uri())
    guest_run.send(Way())
    assert 'failed' in fails(guest_run, there)
    there.process.wait(30)
    output = '\n'.join(there.messages())
    assert 'Invalid cross-device link' in output, output


if __name__ == '__main__':
    Program([
        cancelled_half_way, and_tried_again, destination_is_killed_half_way,
        and_done_after_all, destination_of_another_kind,
    ]).run()
