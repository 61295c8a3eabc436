#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Migrations with MSI: the card has the IDs of one that Linux's driver uses with MSI."""

from lib.cases import Program
from lib.guest_run import Way


def plain(guest_run):
    """Pre-copy, with all defaults"""
    guest_run.migrate(Way())


def through_a_file(guest_run):
    """The source has ended before the destination starts"""
    guest_run.migrate(Way(carrier='file'))


def with_multifd_and_config_first(guest_run):
    """Config space, and with it SET_IRQS, before the interrupt controller"""
    guest_run.migrate(Way(('multifd',)))


if __name__ == '__main__':
    Program([plain, through_a_file, with_multifd_and_config_first],
            kind='mtty-1', msi=True,
            options={'x-migration-load-config-after-iter': 'off'}).run()
