#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU with the series migrates a guest in each way that it has, under "before-data".

The destination refuses data without their snapshot, so an order that is wrong is an error. All of
config space arrives, which QEMU without the series does not restore.
"""

import time

from lib.cases import Program
from lib.guest_run import Way
from lib.precopy import held_way
from lib.qemu import SERIES
from lib.series import ENABLE, END, KEEP_OFF, check_sections, sections

CACHE_LINE_SIZE = 0x0c


def migrate(guest_run, way, expected, during=None):
    """Migrate, and check the config sections."""
    source = guest_run.vmm
    guest_run.migrate(way, during)
    check_sections(source, guest_run.vmm, way, expected)


def over_a_unix_socket(guest_run):
    """Pre-copy, with all defaults"""
    migrate(guest_run, Way(), [KEEP_OFF, ENABLE])


def and_back(guest_run):
    """To the first card, which was used before"""
    migrate(guest_run, Way(), [KEEP_OFF, ENABLE])


def through_a_file(guest_run):
    """The source has ended before the destination starts"""
    migrate(guest_run, Way(carrier='file'), [KEEP_OFF, ENABLE])


def with_multifd(guest_run):
    """The card's data uses extra channels, QEMU's own state of the card does not"""
    migrate(guest_run, Way(('multifd',)), [KEEP_OFF, END, ENABLE])
    assert guest_run.vmm.has_traced('vfio_load_bufs_thread_start')


def with_switchover_ack(guest_run):
    """The destination acknowledges the card's initial data"""
    migrate(guest_run, Way(('return-path', 'switchover-ack')), [KEEP_OFF, ENABLE])
    assert guest_run.vmm.has_traced('loadvm_approve_switchover')


def rewrite(guest_run, capabilities, last):
    """Migrate while the guest writes config space twice, each after a snapshot of the former."""
    way, answers = held_way(capabilities)
    before = len(sections(guest_run.vmm, 'save'))

    def during(vmm):
        for count, value in enumerate((32, 64), start=1):
            wait_sections(vmm, before + count)
            vmm.link.write_config(CACHE_LINE_SIZE, value)
        wait_sections(vmm, before + 3)
        guest_run.note_config()
        vmm.link.send('dirty 0')
        vmm.set(max_bandwidth=1 << 30)
        answers.release()

    guest_run.vmm.link.send('dirty 4194304')
    migrate(guest_run, way, [KEEP_OFF, KEEP_OFF, KEEP_OFF, *last], during)
    assert guest_run.vmm.link.config()[CACHE_LINE_SIZE] == 64


def wait_sections(vmm, count, limit=90):
    """Wait until the source has saved that many config sections."""
    deadline = time.monotonic() + limit
    while len(sections(vmm, 'save')) < count:
        assert time.monotonic() < deadline, f'no section {count} after {limit} s'
        time.sleep(0.1)


def config_rewritten_in_pre_copy(guest_run):
    """Each content is sent, before the first data that were made under it"""
    rewrite(guest_run, (), [ENABLE])


def config_rewritten_with_multifd(guest_run):
    """The same, and the last data use extra channels"""
    rewrite(guest_run, ('multifd',), [END, ENABLE])


if __name__ == '__main__':
    Program([
        over_a_unix_socket, and_back, through_a_file, with_multifd, with_switchover_ack,
        config_rewritten_in_pre_copy, config_rewritten_with_multifd,
    ], version=SERIES, config_policy='before-data').run()
