#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "embedded": QEMU, which does not know of it, migrates the card all the same."""

from lib.cases import Program
from lib.lab import Way


def there(journey):
    """Pre-copy, with all defaults"""
    journey.migrate(Way())


def and_back(journey):
    """With multifd"""
    journey.migrate(Way(('multifd',)))


if __name__ == '__main__':
    Program([there, and_back], config_policy='embedded').run()
