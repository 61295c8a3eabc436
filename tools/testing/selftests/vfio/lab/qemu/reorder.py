#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "reorder": QEMU does not know the query, and can migrate the card."""

from lib.cases import Program
from lib.guest_run import Way


def there(guest_run):
    """Pre-copy, with all defaults"""
    guest_run.migrate(Way())


def and_back(guest_run):
    """With multifd"""
    guest_run.migrate(Way(('multifd',)))


if __name__ == '__main__':
    Program([there, and_back], config_policy='reorder').run()
