#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Migrate a guest that uses the card in each way that QEMU has.

INTx, by KVM's resample path. The policy is "embedded", the default.
"""

import time

from lib.cases import Program
from lib.guest_run import Way
from lib.precopy import held_way


def over_a_unix_socket(guest_run):
    """Pre-copy, with all defaults"""
    guest_run.migrate(Way())


def and_back(guest_run):
    """To the first card, which was used before"""
    first = guest_run.vmms[0].card
    guest_run.migrate(Way())
    assert guest_run.vmm.card is first


def through_a_file(guest_run):
    """The source has ended before the destination starts"""
    guest_run.migrate(Way(carrier='file'))


def with_multifd(guest_run):
    """The card's data uses extra channels"""
    guest_run.migrate(Way(('multifd',)))
    assert guest_run.vmm.has_traced('vfio_load_bufs_thread_start')


def with_switchover_ack(guest_run):
    """The destination acknowledges the card's initial data"""
    guest_run.migrate(Way(('return-path', 'switchover-ack')))
    assert guest_run.vmm.has_traced('loadvm_approve_switchover')


def with_many_iterations(guest_run):
    """A slow link and a guest that writes: many pre-copy iterations"""
    rounds = []

    def speed_up(vmm):
        deadline = time.monotonic() + 90
        while (not rounds or rounds[-1] < 5) and time.monotonic() < deadline:
            time.sleep(0.1)
            migration = vmm.migration()
            rounds.append(migration.get('ram', {}).get('dirty-sync-count', 0))
            if migration['status'] not in ('setup', 'active'):
                break
        vmm.link.send('dirty 0')
        vmm.set(max_bandwidth=1 << 30)
        answers.release()

    way, answers = held_way()
    guest_run.vmm.link.send('dirty 4194304')
    guest_run.migrate(way, during=speed_up)
    assert rounds[-1] >= 5, rounds[-1]


if __name__ == '__main__':
    Program([
        over_a_unix_socket, and_back, through_a_file, with_multifd, with_switchover_ack,
        with_many_iterations,
    ]).run()
