#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU with the series: the sections that follow from each answer of the device.

Under each policy all of config space arrives.
"""

from lib.cases import Cases
from lib.guest_run import Way
from lib.series import ENABLE, END, KEEP_OFF, SET_ALL_UP, check_sections, guest

MULTIFD = Way(('multifd',))


def there_and_back(label, policy, plain, multifd, **arguments):
    """Migrate a guest without multifd, and back with it."""
    with guest(label, config_policy=policy, **arguments) as guest_run:
        for way, expected in ((Way(), plain), (MULTIFD, multifd)):
            source = guest_run.vmm
            guest_run.migrate(way)
            check_sections(source, guest_run.vmm, way, expected)


def not_needed():
    """"independent": config space comes with the permission to enable interrupts"""
    there_and_back('not_needed', 'independent', [SET_ALL_UP], [KEEP_OFF, ENABLE])


def any_order():
    """"reorder": the same, and the device needs it before it leaves RESUMING"""
    there_and_back('any_order', 'reorder', [SET_ALL_UP], [KEEP_OFF, ENABLE])


def in_data():
    """"embedded": no config space, the data have it"""
    there_and_back('in_data', 'embedded', [ENABLE], [END, ENABLE])


def without_pre_copy():
    """"before-data", all data in STOP_COPY: with multifd the snapshot is in the channels too"""
    there_and_back('without_pre_copy', 'before-data', [KEEP_OFF, ENABLE],
                   [KEEP_OFF, END, ENABLE], features='stop_copy')


def with_msi():
    """"before-data", and messages instead of INTx"""
    there_and_back('with_msi', 'before-data', [KEEP_OFF, ENABLE],
                   [KEEP_OFF, END, ENABLE], kind='mtty-1', msi=True)


if __name__ == '__main__':
    Cases([not_needed, any_order, in_data, without_pre_copy, with_msi]).run()
