#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A card that can neither pre-copy nor P2P: all of it goes while the guest stands still."""

from lib.cases import Program
from lib.lab import Way


def there(journey):
    """Everything in STOP_COPY"""
    assert journey.vmm.has_traced('mig_flags 0x1,')
    journey.migrate(Way())


def and_back(journey):
    """With multifd"""
    journey.migrate(Way(('multifd',)))


if __name__ == '__main__':
    Program([there, and_back], features='stop_copy').run()
