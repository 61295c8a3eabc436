#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The same with MSI: the card poses as one that Linux's driver asks for messages."""

from lib.cases import Program
from lib.lab import Way


def plain(journey):
    """Pre-copy, with all defaults"""
    journey.migrate(Way())


def through_a_file(journey):
    """The source has ended before the destination is there"""
    journey.migrate(Way(carrier='file'))


def with_multifd_and_config_first(journey):
    """Config space, and with it SET_IRQS, before the interrupt controller"""
    journey.migrate(Way(('multifd',)))


if __name__ == '__main__':
    Program([plain, through_a_file, with_multifd_and_config_first],
            kind='mtty-1', msi=True,
            options={'x-migration-load-config-after-iter': 'off'}).run()
